"""Our own policy: a sure context is followed unasked; an unsure one is weighed against memory by their distance."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from generators.policies.base import present
from generators.policies.contrast import mixture
from generators.policies.divergences import LN2, jensen_shannon, largest_probability, log_probabilities
from indexes.errors import InputError

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True, slots=True)
class Symposia:
    """ARR's two directions, drawn by the Jensen-Shannon distance, within what the context finds plausible.

    1. Where the context's most probable token has at least the probability ``sure``, it is taken, whatever memory says.
    2. Else ``q ∝ p_0^{1−τ} p_c^τ`` as in ARR (arXiv:2606.10298), but with ``s = √(JSD(p_c ‖ p_0) / ln 2)``, the distance
       whose square ARR and AdaCAD use: it is a metric (Endres and Schindelin 2003), and it moves further at the
       middling divergences that most tokens show. ``τ = 1 + s`` where the context's first token is the more probable of
       the two branches', ``1 − s`` where memory's is.
    3. Where the context leads, only tokens with at least ``plausible`` times its largest probability may be chosen
       (Li et al., "Contrastive Decoding", ACL 2023, eq. 2): strengthening must not bring up what it all but ruled out.

    The rule and its defaults were chosen on the ``tune`` part of the questions of ``evaluation.slices``.

    Parameters
    ----------
    sure
        Above 0; more than 1 asks memory at every token.
    plausible
        From 0 to 1; 0 rules nothing out.
    """

    sure: float = 0.9
    plausible: float = 0.3

    name: ClassVar[str] = "symposia"
    needs_memory: ClassVar[bool] = True

    def __post_init__(self) -> None:
        if not self.sure > 0:
            raise InputError(f"The policy 'symposia' cannot use sure={self.sure}.", "Give sure a value above 0.")
        if not 0 <= self.plausible <= 1:
            raise InputError(
                f"The policy 'symposia' cannot use plausible={self.plausible}.", "Give plausible a value from 0 to 1."
            )

    def start(self) -> Symposia:
        """Nothing is remembered."""
        return self

    def combine(self, with_context: Tensor, without: Tensor | None) -> Tensor:
        """Follow a sure context; else mix with τ set by the branches, and rule out what the leading context does."""
        import torch

        largest = largest_probability(with_context)
        if largest >= self.sure:
            return with_context.float()
        memory = present(without, self.name)
        distance = math.sqrt(jensen_shannon(with_context, memory) / LN2)
        if largest <= largest_probability(memory):
            return mixture(with_context, memory, 1 - distance)
        mixed = mixture(with_context, memory, 1 + distance)
        if self.plausible == 0:
            return mixed
        context = log_probabilities(with_context)
        return torch.where(context >= context.max() + math.log(self.plausible), mixed, -torch.inf)
