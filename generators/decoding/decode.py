"""Decoding: one answer, token by token, from the model with the evidence and, where asked, without it.

Both branches are fed the same chosen tokens (see ``generators.decoding.branches``). How far they disagree is kept per token: it is
the signal for a conflict between the evidence and the model's memory.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

from generators.decoding.branches import Branches, Continuable
from generators.decoding.detokenizer import TextStream
from generators.decoding.sampling import Sampler
from generators.policies.base import Policy
from indexes.errors import InputError

Reason = Literal["", "end", "stop", "length"]


class Decodable(Continuable, Protocol):
    """What decoding asks of a language model (``generators.models.language_model.LocalModel`` is one)."""

    @property
    def window(self) -> int:
        """Most tokens that the model reads, prompt and answer together."""

    @property
    def eos_ids(self) -> frozenset[int]:
        """Tokens that end an answer."""

    def decode(self, tokens: Sequence[int]) -> str:
        """Text of the tokens."""


@dataclass(frozen=True, slots=True)
class Step:
    """One decoded token.

    Parameters
    ----------
    token
        Its id; on the last step this may be an end token, which has no text.
    text
        Text that became complete with it. The pieces concatenate to the answer.
    divergence
        Jensen-Shannon divergence of the two branches' distributions here, in nats (0 to ln 2); NaN with one branch.
    done
        True on the last step, and only there.
    reason
        Why decoding ended: the model's ``end`` token, a ``stop`` string, or the ``length`` limit. Empty before the end.
    """

    token: int
    text: str
    divergence: float
    done: bool
    reason: Reason = ""


def decode(
    model: Decodable,
    with_context: Sequence[int],
    without: Sequence[int] | None,
    policy: Policy,
    *,
    max_tokens: int,
    stop: Sequence[str] = (),
    temperature: float = 0.0,
    top_p: float = 1.0,
    seed: int = 0,
    cancelled: Callable[[], bool] | None = None,
) -> Iterator[Step]:
    """Decode one answer as a stream.

    Parameters
    ----------
    with_context, without
        Prompt tokens with the evidence and, for the second branch, without it. Given both, both run, whatever the policy.
    policy
        How the branches' logits become one.
    max_tokens
        Most tokens to decode; less where the model's window ends earlier.
    stop
        Strings that end the answer; neither they nor their beginnings are shown.
    temperature, top_p, seed
        See ``generators.decoding.sampling.Sampler``; the default takes the most probable token.
    cancelled
        Asked before each forward pass; once true, the stream ends without a further step.

    Returns
    -------
    Iterator of Step
        Arguments are checked at once; the model runs as steps are drawn.

    Raises
    ------
    InputError
        An empty prompt, a prompt as long as the window, a policy without the branch it needs, or a number out of range.
    """
    rows = [with_context] if without is None else [with_context, without]
    room = min(max_tokens, _room(model, rows, max_tokens))
    if without is None and policy.needs_memory:
        raise InputError(
            f"The decoding policy '{policy.name}' needs the prompt without context, which was not given.",
            "Give it, or use the policy 'greedy'.",
        )
    sampler, combiner = Sampler(temperature, top_p, seed), policy.start()
    stream = TextStream(model.decode, stop)
    return _steps(
        model,
        lambda: Branches(model, with_context, without),
        lambda branches: sampler.choose(combiner.combine(branches.context, branches.memory)),
        room,
        stream,
        cancelled or _never,
    )


def _room(model: Decodable, rows: Sequence[Sequence[int]], max_tokens: int) -> int:
    """Tokens that fit behind the longest row."""
    if max_tokens < 1:
        raise InputError(f"max_tokens cannot be {max_tokens}.", "Give 1 or more.")
    if not all(rows):
        raise InputError("A prompt has no tokens.", "Give a question.")
    longest = max(map(len, rows))
    if longest >= model.window:
        raise InputError(
            f"The prompt has {longest} tokens, but the model reads at most {model.window} and needs room to answer.",
            "Ask a shorter question, use fewer passages, or choose a model with a longer window.",
        )
    return model.window - longest


def _steps(
    model: Decodable,
    open_branches: Callable[[], Branches],
    choose: Callable[[Branches], int],
    limit: int,
    stream: TextStream,
    cancelled: Callable[[], bool],
) -> Iterator[Step]:
    if cancelled():
        return
    branches = open_branches()
    for number in range(1, limit + 1):
        if cancelled():
            return
        token, divergence = choose(branches), branches.divergence()
        text, reason = _next_text(token, stream, is_end=token in model.eos_ids, is_last=number == limit)
        if reason:
            yield Step(token, text, divergence, done=True, reason=reason)
            return
        yield Step(token, text, divergence, done=False)
        if cancelled():
            return
        branches.append(token)


def _next_text(token: int, stream: TextStream, *, is_end: bool, is_last: bool) -> tuple[str, Reason]:
    """Text that is complete after ``token``, and whether and why it was the last."""
    text = "" if is_end else stream.push(token)
    if stream.stopped:
        return text, "stop"
    if is_end or is_last:
        text += stream.close()
        return text, "stop" if stream.stopped else "end" if is_end else "length"
    return text, ""


def _never() -> bool:
    return False
