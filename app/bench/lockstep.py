"""Many decoding policies on one question at the cost of little more than one.

A policy's answer depends on the logits behind the tokens that it has chosen, and most policies choose the same ones. So
prompts are read once, and at each token one batch runs both branches behind every different beginning. What a policy
says is what ``generators.decoding.decode.decode`` would have it say, but for the rounding of sums in a batch.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from generators.decoding.detokenizer import TextStream

if TYPE_CHECKING:
    from torch import Tensor

    from generators.models.key_values import State
    from generators.models.language_model import LocalModel
    from generators.policies.base import Combiner, Policy

Prefix = tuple[int, ...]


@dataclass(slots=True)
class _Path:
    """One policy's answer as it grows."""

    combiner: Combiner
    stream: TextStream
    prefix: Prefix = ()
    text: str = ""

    def take(self, token: int, ends: frozenset[int]) -> bool:
        """Append a token; whether the answer goes on."""
        if token in ends:
            self.text += self.stream.close()
            return False
        self.prefix = (*self.prefix, token)
        self.text += self.stream.push(token)
        return not self.stream.stopped


@dataclass(slots=True)
class _Frontier:
    """Both branches behind every different beginning: the first rows with context, then as many without."""

    state: State
    logits: Tensor
    prefixes: list[Prefix] = field(default_factory=lambda: [()])

    def of(self, prefix: Prefix) -> tuple[Tensor, Tensor]:
        """Logits with context and without, each of shape [vocabulary]."""
        row = self.prefixes.index(prefix)
        return self.logits[row], self.logits[len(self.prefixes) + row]

    def advance(self, model: LocalModel, wanted: Sequence[Prefix]) -> None:
        """Go on to the ``wanted`` beginnings, each one token longer than one that is there."""
        parents = [self.prefixes.index(prefix[:-1]) for prefix in wanted]
        self.state.select([*parents, *(len(self.prefixes) + row for row in parents)])
        self.logits = model.advance(self.state, [prefix[-1] for prefix in wanted] * 2)
        self.prefixes = list(wanted)


def answers(
    model: LocalModel,
    with_context: Sequence[int],
    without: Sequence[int],
    policies: Mapping[str, Policy],
    *,
    max_tokens: int,
    stop: Sequence[str] = (),
) -> dict[str, str]:
    """What each policy answers, without temperature.

    Parameters
    ----------
    with_context, without
        Prompts as tokens.
    policies
        By name.
    max_tokens, stop
        As for ``decode``.
    """
    state = model.prefill([with_context, without])
    frontier = _Frontier(state, state.logits)
    paths = {name: _Path(policy.start(), TextStream(model.decode, stop)) for name, policy in policies.items()}
    going = list(paths.values())
    for number in range(1, max_tokens + 1):
        chosen = [_choose(path.combiner, *frontier.of(path.prefix)) for path in going]
        going = [path for path, token in zip(going, chosen, strict=True) if path.take(token, model.eos_ids)]
        if not going or number == max_tokens:
            break
        frontier.advance(model, sorted({path.prefix for path in going}))
    for path in going:
        path.text += path.stream.close()
    return {name: path.text.strip() for name, path in paths.items()}


def _choose(combiner: Combiner, with_context: Tensor, without: Tensor) -> int:
    return int(combiner.combine(with_context, without).argmax())
