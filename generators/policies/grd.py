"""GRD: at the first disagreement of an answer one branch is chosen, and it is trusted until the answer's end."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from generators.policies.base import present
from generators.policies.contrast import mixture
from generators.policies.divergences import entropy, largest_probability
from indexes.errors import InputError

if TYPE_CHECKING:
    from torch import Tensor

SURE = 0.5
LEAST = 1e-9  # of the two leads' sum, below which both branches rate the two tokens the same


@dataclass(frozen=True, slots=True)
class GRD:
    """Gated reversal decoding (Jiang et al. 2026, the later method in the program of arXiv:2606.10298).

    Where both branches' most probable tokens agree, that token is taken. At the first token where they differ, memory is
    trusted for the whole answer if its token has a probability above 0.5 and its entropy is below the context's; else the
    context is, whose most probable token is then always taken. Under a trusted memory, differing tokens are chosen from
    ``p_0^{1−τ} p_c^τ`` with ``τ = (1 − depth) m_p / (m_c + m_p)``, where ``m_c`` is how far (in log-probability) the
    context puts its token ahead of memory's, and ``m_p`` how far memory puts its own ahead: ``m_p / (m_c + m_p)`` is the
    weight at which the two tokens draw.

    Parameters
    ----------
    depth
        From 0 to 1, how far a trusted memory is followed: 0 stops where the tokens draw, 1 is memory itself. The authors
        use 0.75.
    """

    depth: float = 0.75

    name: ClassVar[str] = "grd"
    needs_memory: ClassVar[bool] = True

    def __post_init__(self) -> None:
        if not 0 <= self.depth <= 1:
            raise InputError(f"GRD cannot use depth={self.depth}.", "Give depth a value from 0 to 1.")

    def start(self) -> GatedReversal:
        """Begin an answer with neither branch chosen."""
        return GatedReversal(self.depth)


class GatedReversal:
    """GRD's memory of one answer."""

    def __init__(self, depth: float) -> None:
        self.depth = depth
        self.trusts_context: bool | None = None

    def combine(self, with_context: Tensor, without: Tensor | None) -> Tensor:
        """Logits of the trusted branch, or the mixture that leans on memory."""
        if self.trusts_context:
            return with_context.float()
        memory = present(without, GRD.name)
        said, remembered = int(with_context.argmax()), int(memory.argmax())
        if said == remembered:
            return with_context.float()
        if self.trusts_context is None:
            sure = largest_probability(memory) > SURE and entropy(memory) < entropy(with_context)
            self.trusts_context = not sure
        if self.trusts_context:
            return with_context.float()
        return mixture(with_context, memory, (1 - self.depth) * _draw(with_context, memory, said, remembered))


def _draw(with_context: Tensor, without: Tensor, said: int, remembered: int) -> float:
    """Weight of the context at which its token and memory's have the same score, from 0 to 1."""
    context, memory = with_context.float(), without.float()
    lead = float(context[said] - context[remembered])
    memory_lead = float(memory[remembered] - memory[said])
    if lead + memory_lead < LEAST:
        return 1.0
    if memory_lead == float("inf"):  # memory rules the context's token out: it can draw at no weight below 1
        return 1.0 if lead != memory_lead else 0.5
    return memory_lead / (lead + memory_lead)
