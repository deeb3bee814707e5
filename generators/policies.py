"""Decoding policies: how the next-token logits with the evidence and without it become one distribution.

Each policy is a value with one method, ``combine``. Contrastive policies strengthen what the evidence adds to the
model's memory: ``z_c + α (z_c − z_0)``, where ``z_c`` are the logits behind question and context, ``z_0`` those behind
the question alone. They differ in α.
"""

from __future__ import annotations

import difflib
import math
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, ClassVar, Protocol

from indexes.errors import InputError

if TYPE_CHECKING:
    from torch import Tensor

LN2 = math.log(2.0)
RATIO_LIMIT = 40.0  # of log-probabilities; beyond it the rarer side has a mass below e^-40 and no part in the sum


class Policy(Protocol):
    """What a decoder asks of a policy."""

    @property
    def name(self) -> str:
        """Name in the registry."""

    @property
    def needs_memory(self) -> bool:
        """Whether the branch without context must run."""

    def combine(self, with_context: Tensor, without: Tensor | None) -> Tensor:
        """Logits to decode from, float32, shape [vocabulary], from each branch's logits of that shape."""


@dataclass(frozen=True, slots=True)
class Greedy:
    """The model with the evidence in its prompt, as it is."""

    name: ClassVar[str] = "greedy"
    needs_memory: ClassVar[bool] = False

    def combine(self, with_context: Tensor, without: Tensor | None) -> Tensor:  # noqa: ARG002 (memory is not asked)
        """Return the logits with context, in float32."""
        return with_context.float()


@dataclass(frozen=True, slots=True)
class CAD:
    """Context-aware decoding with a fixed weight: ``(1 + α) z_c − α z_0`` (Shi et al. 2023, arXiv:2305.14739, eq. 2).

    Parameters
    ----------
    alpha
        Weight of the contrast, 0 or more. The authors use 1 for question answering and 0.5 for summaries.
    """

    alpha: float = 1.0

    name: ClassVar[str] = "cad"
    needs_memory: ClassVar[bool] = True

    def __post_init__(self) -> None:
        if not (math.isfinite(self.alpha) and self.alpha >= 0):
            raise InputError(f"CAD cannot use alpha={self.alpha}.", "Give alpha a finite value of 0 or more.")

    def combine(self, with_context: Tensor, without: Tensor | None) -> Tensor:
        """Contrast with fixed α."""
        return contrast(with_context, _present(without, self.name), self.alpha)


@dataclass(frozen=True, slots=True)
class AdaCAD:
    """CAD whose weight is the disagreement of the branches (Wang et al. 2025, arXiv:2409.07394, eqs. 3-5).

    ``α_t = max(JSD(p_c ‖ p_0), floor)`` with the natural logarithm, so α is at most ln 2: where evidence and memory agree
    the model is left alone, where they conflict the evidence is strengthened.

    Parameters
    ----------
    floor
        Least α, from 0 to ln 2. The authors use 0 for question answering and 0.3 for long answers.
    """

    floor: float = 0.0

    name: ClassVar[str] = "adacad"
    needs_memory: ClassVar[bool] = True

    def __post_init__(self) -> None:
        if not 0 <= self.floor <= LN2:
            raise InputError(
                f"AdaCAD cannot use floor={self.floor}.", f"Give floor a value from 0 to {LN2:.4f} (ln 2)."
            )

    def alpha(self, with_context: Tensor, without: Tensor) -> float:
        """Weight of the contrast for these two branches, in nats."""
        return max(jensen_shannon(with_context, without), self.floor)

    def combine(self, with_context: Tensor, without: Tensor | None) -> Tensor:
        """Contrast with α set by the branches' divergence."""
        memory = _present(without, self.name)
        return contrast(with_context, memory, self.alpha(with_context, memory))


def contrast(with_context: Tensor, without: Tensor, alpha: float) -> Tensor:
    """``(1 + α) z_c − α z_0`` in float32, written as ``z_c + α (z_c − z_0)``, which rounds less.

    A token that the context branch rules out (−inf) stays ruled out. One that only memory rules out keeps its logit
    ``z_c``: an infinite contrast says nothing about how much more likely the evidence made it.
    """
    import torch

    context, memory = with_context.float(), without.float()
    difference = torch.where(torch.isfinite(context) & torch.isfinite(memory), context - memory, 0.0)
    return context + alpha * difference


def jensen_shannon(with_context: Tensor, without: Tensor) -> float:
    """Jensen-Shannon divergence of the two branches' next-token distributions, in nats from 0 to ln 2.

    With ``d = log p_0 − log p_c`` and ``t = log(m / p_c) = log1p(expm1(d) / 2)``, where m is the mean distribution,
    ``JSD = −½ Σ [p_c t + p_0 (t − d)]``. Equal branches give exactly 0, and nothing cancels where they nearly agree.

    Parameters
    ----------
    with_context, without
        Logits, shape [vocabulary], finite or −inf; computed in float32.
    """
    import torch

    log_p = torch.log_softmax(with_context.float(), dim=-1)
    log_q = torch.log_softmax(without.float(), dim=-1)
    # −inf on both sides gives nan: such a token carries no mass, so its ratio may be anything finite
    ratio = torch.nan_to_num(log_q - log_p, nan=0.0).clamp_(-RATIO_LIMIT, RATIO_LIMIT)
    to_mean = torch.expm1(ratio).div_(2).log1p_()
    terms = log_p.exp_().mul_(to_mean).add_(log_q.exp_().mul_(to_mean.sub_(ratio)))
    return min(max(-0.5 * float(terms.sum()), 0.0), LN2)


POLICIES: dict[str, type[Greedy | CAD | AdaCAD]] = {kind.name: kind for kind in (Greedy, CAD, AdaCAD)}


def policy(name: str, **options: float) -> Policy:
    """Policy by its name in the registry.

    Parameters
    ----------
    name
        ``greedy``, ``cad`` or ``adacad``.
    **options
        The policy's own parameters: ``alpha`` for ``cad``, ``floor`` for ``adacad``.

    Raises
    ------
    InputError
        No such policy, no such option, or a value out of range.
    """
    kind = POLICIES.get(name)
    if kind is None:
        raise InputError(f"There is no decoding policy '{name}'.", _nearest(name, list(POLICIES)))
    known = [field.name for field in fields(kind)]
    for option in options:
        if option not in known:
            raise InputError(f"The decoding policy '{name}' has no option '{option}'.", _nearest(option, known))
    return kind(**options)


def _nearest(word: str, known: list[str]) -> str:
    close = difflib.get_close_matches(word.lower(), known, n=1, cutoff=0.5)
    if close:
        return f"Did you mean '{close[0]}'?"
    return f"Use one of: {', '.join(known)}." if known else "It takes none: leave it out."


def _present(without: Tensor | None, name: str) -> Tensor:
    if without is None:
        raise InputError(
            f"The decoding policy '{name}' compares two branches, but only the one with context was given.",
            "Give the prompt without context as well, or use the policy 'greedy'.",
        )
    return without
