"""Drafts: short greedy answers to several prompts at once, with how sure the model was of each token.

Prompts are read in groups and continued in lock-step, one forward pass a token for the whole group; a row that has ended
drops out. What a row says does not depend on its company, but for the rounding of sums.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from generators.decoding.detokenizer import TextStream
from generators.models.scoring import groups
from indexes.errors import InputError

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from torch import Tensor

GROUP_ROWS = 16  # drafts that are written in one batch
GROUP_TOKENS = 6144  # bounds their keys and values: about 150 MB in float32 for a model of 0.5 billion parameters
STOP = ("\n",)

Row = tuple[int, float, float, float]
"""Of one step: the token, its log-probability, the entropy, and the gap between the two most probable tokens."""


class Drafting(Protocol):
    """What drafting asks of a language model (``generators.models.language_model.LocalModel`` is one)."""

    @property
    def name(self) -> str:
        """Name for people."""

    @property
    def window(self) -> int:
        """Most tokens that the model reads, prompt and answer together."""

    @property
    def eos_ids(self) -> frozenset[int]:
        """Tokens that end an answer."""

    def prefill(self, rows: Sequence[Sequence[int]]) -> Any:  # noqa: ANN401 (each model keeps its own kind of state)
        """Read the prompts; the state's ``logits`` have shape [rows, vocabulary], and ``select(rows)`` keeps some rows."""

    def advance(self, state: Any, tokens: Sequence[int]) -> Tensor:  # noqa: ANN401
        """Append one token to each row; the next logits, shape [rows, vocabulary]."""

    def decode(self, tokens: Sequence[int]) -> str:
        """Text of the tokens."""


@dataclass(frozen=True, slots=True, eq=False)
class Draft:
    """A short answer, and how sure the model was of it.

    Parameters
    ----------
    text
        As ``generators.decoding.decode.decode`` would stream it: up to the stop string, white space kept.
    tokens
        All that were decoded. The last may be the model's end token, or one that completes a stop string.
    log_probs
        Log-probability of each token, in nats, [tokens].
    entropies
        Of the distribution that each was chosen from, in nats, [tokens].
    margins
        By how much each is more probable than the runner-up: a difference of log-probabilities, in nats, [tokens].
    """

    text: str
    tokens: tuple[int, ...]
    log_probs: NDArray[np.float32]
    entropies: NDArray[np.float32]
    margins: NDArray[np.float32]


@dataclass(slots=True)
class _Writer:
    """One draft as it grows."""

    stream: TextStream
    limit: int
    text: str = ""
    rows: list[Row] = field(default_factory=list)

    def take(self, row: Row, ends: frozenset[int]) -> bool:
        """Add a step; whether the draft goes on."""
        self.rows.append(row)
        ended = row[0] in ends
        if not ended:
            self.text += self.stream.push(row[0])
        if self.stream.stopped:
            return False
        if ended or len(self.rows) == self.limit:
            self.text += self.stream.close()
            return False
        return True

    def draft(self) -> Draft:
        tokens, *measured = zip(*self.rows, strict=True)
        return Draft(self.text, tokens, *(np.array(values, dtype=np.float32) for values in measured))


def drafts(
    model: Drafting, rows: Sequence[Sequence[int]], *, max_tokens: int, stop: Sequence[str] = STOP
) -> list[Draft]:
    """The greedy answer to each prompt, ``generators.decoding.decode.decode`` with ``Greedy`` on each alone, but many at a time.

    Parameters
    ----------
    rows
        Prompts as tokens, of any lengths; the drafts come in their order.
    max_tokens
        Most tokens of a draft; less where the model's window ends earlier.
    stop
        Strings that end a draft; they are not part of its text.

    Raises
    ------
    InputError
        An empty prompt, a prompt that leaves no room in the window, or ``max_tokens`` below 1.
    """
    _check(model, rows, max_tokens)
    found: dict[int, Draft] = {}
    behind = [[*row, *[0] * max_tokens] for row in rows]  # a group is as large as it will have become
    for group in groups(behind, GROUP_ROWS, GROUP_TOKENS):
        writers = [_Writer(TextStream(model.decode, stop), min(max_tokens, _room(model, rows[i]))) for i in group]
        _write(model, [rows[i] for i in group], writers)
        found |= {index: writer.draft() for index, writer in zip(group, writers, strict=True)}
    return [found[index] for index in range(len(rows))]


def _write(model: Drafting, rows: Sequence[Sequence[int]], writers: list[_Writer]) -> None:
    """Continue all prompts until each writer has ended."""
    import torch

    with torch.inference_mode():
        state = model.prefill(rows)
        logits, active = state.logits, writers
        while True:
            steps = _measure(logits)
            going = [
                i for i, (one, step) in enumerate(zip(active, steps, strict=True)) if one.take(step, model.eos_ids)
            ]
            if not going:
                return
            if len(going) < len(active):
                state.select(going)
                active = [active[i] for i in going]
            logits = model.advance(state, [writer.rows[-1][0] for writer in active])


def _measure(logits: Tensor) -> list[Row]:
    """The most probable token of each row of ``logits`` (shape [rows, vocabulary]), ties to the lowest id."""
    import torch

    logits = logits.float()
    chosen = torch.argmax(logits, dim=-1)
    total = torch.logsumexp(logits, dim=-1)
    best = torch.topk(logits, 2, dim=-1).values
    entropies = torch.special.entr(torch.softmax(logits, dim=-1)).sum(dim=-1)
    columns = (chosen, best[:, 0] - total, entropies, best[:, 0] - best[:, 1])
    return list(zip(*(column.tolist() for column in columns), strict=True))


def _room(model: Drafting, row: Sequence[int]) -> int:
    return model.window - len(row)


def _check(model: Drafting, rows: Sequence[Sequence[int]], max_tokens: int) -> None:
    if max_tokens < 1:
        raise InputError(f"max_tokens cannot be {max_tokens}.", "Give 1 or more.")
    if not all(map(len, rows)):
        raise InputError("A prompt has no tokens.", "Give a question.")
    longest = max(rows, key=len, default=())
    if rows and _room(model, longest) < 1:
        raise InputError(
            f"The prompt has {len(longest)} tokens, but {model.name} reads at most {model.window} and needs room to answer.",
            "Ask a shorter question, use fewer passages, or choose a model with a longer window.",
        )
