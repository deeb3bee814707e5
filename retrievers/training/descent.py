"""Gradient descent that can be killed at any step and ends, when it is run again, where it would have ended."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from torch import Tensor, nn

    from retrievers.training.state import Part

Arrays = dict[str, NDArray[np.float32]]
Progress = Callable[[int, int, str], None]
Loss = Callable[[NDArray[np.intp], int], "Tensor"]

PAUSE = 10.0
"""Seconds between two checkpoints."""

NOW, BEST, MEAN, SQUARE = "now:", "best:", "mean:", "square:"


@dataclass(frozen=True, slots=True)
class Pace:
    """How fast and how long to descend, by AdamW (Loshchilov and Hutter, ICLR 2019).

    Parameters
    ----------
    rate, decay
        Highest learning rate, and weight decay.
    warm_up
        Share of the steps in which the rate rises from 0; then it falls to 0, linearly both.
    clip
        Longest gradient.
    batch
        Examples in a step.
    epochs, patience
        Passes over the examples, at most, and how many without a gain on dev end the training.
    seed
        Of the order of the examples and of dropout.
    """

    rate: float = 4e-3
    decay: float = 0.0
    warm_up: float = 0.1
    clip: float = 1.0
    batch: int = 32
    epochs: int = 8
    patience: int = 3
    seed: int = 0

    def factor(self, step: int, steps: int) -> float:
        """Share of the highest rate at a step of so many."""
        rising = max(1.0, self.warm_up * steps)
        return min((step + 1) / rising, (steps - step) / max(1.0, steps - rising))


class Learner(Protocol):
    """What is trained."""

    def parameters(self) -> Mapping[str, nn.Parameter]:
        """What learns, by name, in a fixed order."""


@dataclass(frozen=True, slots=True)
class Descended:
    """The best that was found.

    Parameters
    ----------
    values
        Of the parameters.
    epoch
        In which; 0 is the beginning.
    history
        Mean dev score before the first pass and after each.
    """

    values: Arrays
    epoch: int
    history: tuple[float, ...]


class Descent:
    """One training.

    Parameters
    ----------
    learner
        Its parameters are changed in place.
    loss
        Of examples (rows, and the number of the pass), with gradients. Whatever it draws from torch's generator is the same
        in each run: the generator is seeded before each step.
    score
        What is to be raised, without gradients: mean nDCG@10 on dev.
    examples
        How many there are.
    part
        Where the training is kept every ``pause`` seconds and after each pass; ``None`` for nowhere. What it holds under
        another ``key`` is not used.
    """

    def __init__(
        self,
        learner: Learner,
        loss: Loss,
        score: Callable[[], float],
        examples: int,
        pace: Pace,
        *,
        part: Part | None = None,
        key: str = "",
        pause: float = PAUSE,
    ) -> None:
        import torch

        self.parameters = dict(learner.parameters())
        self.loss, self.score, self.examples, self.pace = loss, score, examples, pace
        self.part, self.key, self.pause = part, key, pause
        self.saved = time.monotonic()
        self.optimiser = torch.optim.AdamW(self.parameters.values(), lr=pace.rate, weight_decay=pace.decay)
        self.step = 0
        self.best: Arrays = {}
        self.history: list[float] = []

    @property
    def per_epoch(self) -> int:
        """Steps in a pass."""
        return math.ceil(self.examples / self.pace.batch)

    @property
    def epoch(self) -> int:
        """Passes done."""
        return self.step // self.per_epoch

    def run(self, on_progress: Progress = lambda _done, _total, _message: None) -> Descended:
        """Descend to the end, from the last checkpoint where there is one; the parameters are then those of the best pass."""
        if not self._resume():
            self._measure()
        total = self.per_epoch * self.pace.epochs
        while self.step < total and self.epoch - self._best_epoch < self.pace.patience:
            self._descend(total)
            if self.step % self.per_epoch == 0:
                self._measure()
            elif time.monotonic() - self.saved >= self.pause:
                self._keep()
            on_progress(
                self.step, total, f"epoch {self.epoch}: dev nDCG@10 {max(self.history):.4f}, was {self.history[0]:.4f}"
            )
        self._load(self.best)
        return Descended(self.best, self._best_epoch, tuple(self.history))

    @property
    def _best_epoch(self) -> int:
        return int(np.argmax(self.history))

    def _descend(self, total: int) -> None:
        import torch

        epoch, place = divmod(self.step, self.per_epoch)
        order = np.random.default_rng((self.pace.seed, epoch)).permutation(self.examples)
        for group in self.optimiser.param_groups:
            group["lr"] = self.pace.rate * self.pace.factor(self.step, total)
        self.optimiser.zero_grad()
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(int(np.random.SeedSequence((self.pace.seed, self.step)).generate_state(1)[0]))
            self.loss(order[place * self.pace.batch :][: self.pace.batch], epoch).backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(self.parameters.values(), self.pace.clip)
        self.optimiser.step()
        self.step += 1

    def _measure(self) -> None:
        value = self.score()
        if not self.history or value > max(self.history):
            self.best = self._values()
        self.history.append(value)
        self._keep()

    def _values(self) -> Arrays:
        return {name: parameter.detach().numpy().copy() for name, parameter in self.parameters.items()}

    def _load(self, values: Mapping[str, NDArray[Any]]) -> None:
        import torch

        with torch.no_grad():
            for name, parameter in self.parameters.items():
                parameter.copy_(torch.from_numpy(values[name]))

    def _keep(self) -> None:
        if self.part is None:
            return
        arrays: dict[str, NDArray[Any]] = {"key": np.array(self.key), "step": np.array(self.step)}
        arrays |= {"history": np.array(self.history)}
        arrays |= {NOW + name: value for name, value in self._values().items()}
        arrays |= {BEST + name: value for name, value in self.best.items()}
        for name, parameter in self.parameters.items():
            moments = self.optimiser.state.get(parameter)
            if moments:
                arrays |= {MEAN + name: moments["exp_avg"].numpy(), SQUARE + name: moments["exp_avg_sq"].numpy()}
        self.part.keep(arrays)
        self.saved = time.monotonic()

    def _resume(self) -> bool:
        kept = self.part.read() if self.part is not None else None
        if kept is None or str(kept.get("key")) != self.key:
            return False
        self.step, self.history = int(kept["step"]), [float(value) for value in kept["history"]]
        self.best = {name: kept[BEST + name] for name in self.parameters}
        self._load({name: kept[NOW + name] for name in self.parameters})
        if self.step:
            self._resume_moments(kept)
        return True

    def _resume_moments(self, kept: Mapping[str, NDArray[Any]]) -> None:
        import torch

        for name, parameter in self.parameters.items():
            self.optimiser.state[parameter] = {
                "step": torch.tensor(float(self.step)),
                "exp_avg": torch.from_numpy(kept[MEAN + name]),
                "exp_avg_sq": torch.from_numpy(kept[SQUARE + name]),
            }
