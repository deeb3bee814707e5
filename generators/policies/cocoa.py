"""CoCoA: the weight of the context grows with its confidence, and with how far memory lies from it."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from generators.policies.base import present
from generators.policies.contrast import mixture
from generators.policies.divergences import entropy, margin, renyi_half
from indexes.errors import InputError

if TYPE_CHECKING:
    from torch import Tensor

LEAST = 0.1


@dataclass(frozen=True, slots=True)
class CoCoA:
    """Confidence- and context-aware decoding (after Khandelwal et al., EMNLP 2025, arXiv:2508.17670).

    Established from the paper's abstract and descriptions of it: ``log q = (1 − λ) log p_0 + λ log p_c``, normalised, with λ
    from 0 to 1 set at each token by the Rényi divergence D of order 1/2, the entropy gap ``H(p_0) − H(p_c)``, and the
    context's peakedness m (probability of its first token less that of its second).

    Established from the authors' program: it adds ``γ (log p_c − log p_0)`` with γ = 1, so that the context's weight is
    ``τ = λ + γ``; its λ is a logistic function of the gap and of a divergence brought to the range 0 to 1 by ``D / (1 + D)``,
    clipped to 0.1 and 0.9; but the line after it sets λ to 1/2, so as published the program decodes as CAD does with
    α = 0.5 (its further terms change no order of tokens).

    Reconstructed here, since the paper's formula for λ could not be read: ``λ = clip(logistic(gap + D / (1 + D) + w m))``.
    A number that this policy reaches is therefore not one for the authors' CoCoA.

    Parameters
    ----------
    peakedness
        The weight w of m, 0 or more. A public re-implementation names 5.
    gamma
        Weight of the added contrast, 0 or more; 0 is the formula of the paper, between the branches.
    """

    peakedness: float = 5.0
    gamma: float = 1.0

    name: ClassVar[str] = "cocoa"
    needs_memory: ClassVar[bool] = True

    def __post_init__(self) -> None:
        for option, value in (("peakedness", self.peakedness), ("gamma", self.gamma)):
            if not (math.isfinite(value) and value >= 0):
                raise InputError(f"CoCoA cannot use {option}={value}.", f"Give {option} a finite value of 0 or more.")

    def start(self) -> CoCoA:
        """Nothing is remembered."""
        return self

    def weight(self, with_context: Tensor, without: Tensor) -> float:
        """λ, from 0.1 to 0.9."""
        apart = renyi_half(with_context, without)
        gap = entropy(without) - entropy(with_context)
        signal = gap + apart / (1 + apart) + self.peakedness * margin(with_context)
        logistic = 0.5 * (1 + math.tanh(signal / 2))  # written so, it cannot overflow
        return min(max(logistic, LEAST), 1 - LEAST)

    def combine(self, with_context: Tensor, without: Tensor | None) -> Tensor:
        """Mix with ``λ + γ``."""
        memory = present(without, self.name)
        return mixture(with_context, memory, self.weight(with_context, memory) + self.gamma)
