"""Choosing one token from logits: the most probable one, or a draw with a seed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from indexes.errors import InputError

if TYPE_CHECKING:
    import torch
    from torch import Tensor


class Sampler:
    """Chooses tokens for one answer; with a temperature, the draws continue one seeded stream.

    Parameters
    ----------
    temperature
        0 takes the most probable token, ties to the lowest id. Above 0, tokens are drawn from ``softmax(z / temperature)``.
    top_p
        Draw only from the smallest set of most probable tokens that holds this mass (Holtzman et al. 2020), in (0, 1].
    seed
        Seed of the draws.

    Raises
    ------
    InputError
        A temperature below 0 or a ``top_p`` outside (0, 1].
    """

    def __init__(self, temperature: float = 0.0, top_p: float = 1.0, seed: int = 0) -> None:
        if not 0 <= temperature < float("inf"):
            raise InputError(
                f"The temperature cannot be {temperature}.", "Give a finite value of 0 or more; 0 is greedy."
            )
        if not 0 < top_p <= 1:
            raise InputError(f"top_p cannot be {top_p}.", "Give a value above 0 and at most 1; 1 keeps every token.")
        self.temperature = temperature
        self.top_p = top_p
        self.seed = seed
        self._stream: torch.Generator | None = None

    def choose(self, logits: Tensor) -> int:
        """Id of the chosen token, from logits of shape [vocabulary]."""
        import torch

        if self.temperature == 0:
            return int(torch.argmax(logits))
        if self._stream is None:
            self._stream = torch.Generator().manual_seed(self.seed)
        probabilities = torch.softmax(logits.float() / self.temperature, dim=-1)
        if self.top_p == 1:
            return int(torch.multinomial(probabilities, 1, generator=self._stream))
        kept, ids = nucleus(probabilities, self.top_p)
        return int(ids[torch.multinomial(kept, 1, generator=self._stream)])


def nucleus(probabilities: Tensor, top_p: float) -> tuple[Tensor, Tensor]:
    """Smallest set of most probable tokens whose mass reaches ``top_p``: their probabilities and their ids."""
    import torch

    ordered, ids = torch.sort(probabilities, descending=True, stable=True)
    before = torch.cumsum(ordered, dim=-1) - ordered
    size = max(int((before < top_p).sum()), 1)
    return ordered[:size], ids[:size]
