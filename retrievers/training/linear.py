"""Training of a residual linear map: questions are turned towards their passages, against all passages of the slice.

The loss of a question is the cross-entropy between its graded passages and a softmax over the cosines with every passage
of the slice (InfoNCE, van den Oord et al. 2018, arXiv 1807.03748, with the whole corpus as negatives, which a linear map
can afford: passages are encoded once). The map starts as the identity, and what is best on dev is kept.

The defaults of ``Options`` are the best on dev questions of SciFact, NFCorpus, FiQA and HotpotQA taken together, and within .002
of the best on each: temperatures of .02 to .2, rates of 1e-4 to 3e-3, decays of 0 to 1 and batches of 32 to 128 were tried.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from indexes.encoders.base import Vectors
from retrievers.training.measure import ndcg
from retrievers.training.pairs import Rows
from retrievers.training.state import Part

if TYPE_CHECKING:
    import torch

Floats = NDArray[np.float32]
Progress = Callable[[int, int], None]

PAUSE = 2.0  # seconds of training that an interruption may cost


@dataclass(frozen=True, slots=True)
class Questions:
    """Vectors of questions ``[n, d]`` and the rows of their relevant passages."""

    vectors: Vectors
    relevant: Sequence[Rows]

    def __len__(self) -> int:
        return len(self.vectors)


@dataclass(frozen=True, slots=True)
class Options:
    """How a map is trained.

    Parameters
    ----------
    temperature
        Of the softmax over cosines.
    rate, decay
        Learning rate and weight decay of AdamW (Loshchilov and Hutter, ICLR 2019); the decay draws the map to the identity.
    rounds, patience
        Rounds at most, and how many without a gain on dev end the training.
    shortest, longest
        Questions of a round, from one look at dev to the next: one pass over all of them within these bounds.
    batch
        Questions in a step.
    """

    temperature: float = 0.05
    rate: float = 3e-4
    decay: float = 0.0
    rounds: int = 40
    patience: int = 8
    shortest: int = 250
    longest: int = 1000
    batch: int = 32
    seed: int = 0


@dataclass(frozen=True, slots=True)
class Maps:
    """What was trained.

    Parameters
    ----------
    question, passage
        Residuals ``[d, d]``; ``passage`` is ``None`` where passages stay as they are.
    values
        Mean nDCG@10 on dev before training and after each round.
    """

    question: Floats
    passage: Floats | None
    values: tuple[float, ...]

    @property
    def best(self) -> int:
        """The round that was best on dev, whose maps these are; 0 where none was better than no training."""
        return int(np.argmax(self.values))


def project(vectors: Vectors, residual: Floats | None) -> Vectors:
    """``unit(v + v Δᵀ)`` of each row; the same object where there is no residual."""
    if residual is None:
        return vectors
    moved = vectors + vectors @ residual.T
    projected: Vectors = moved / np.linalg.norm(moved, axis=1, keepdims=True)
    return projected


def train_linear(
    train: Questions,
    passages: Vectors,
    dev: Questions,
    options: Options | None = None,
    *,
    two_sided: bool = False,
    on_progress: Progress = lambda _done, _total: None,
    part: Part | None = None,
) -> Maps:
    """Train a map of questions, and with ``two_sided`` another of passages; the round best on dev is given.

    Parameters
    ----------
    train, dev
        No question of one may nearly repeat one of the other.
    passages
        Unit vectors of the slice ``[passages, d]``, or of a sample that holds all relevant passages.
    on_progress
        Called with rounds done and rounds at most.
    part
        Where the state is kept every two seconds. What it holds is gone on from, with the same result.
    """
    options = options or Options()
    run = _Run(train, passages, dev, options, two_sided)
    if part is not None and (kept := part.read()) is not None:
        run.restore(kept)
    saved = time.monotonic()
    while not run.ended:
        run.round()
        if part is not None and (time.monotonic() - saved >= PAUSE or run.ended):
            part.keep(run.arrays())
            saved = time.monotonic()
        on_progress(run.done, options.rounds)
    return run.kept


class _Run:
    """The tensors of one training, and what it has found so far."""

    def __init__(self, train: Questions, passages: Vectors, dev: Questions, options: Options, two_sided: bool) -> None:
        import torch

        size = passages.shape[1]
        self.options, self.passages, self.dev = options, passages, dev
        self.tensors = torch.from_numpy(train.vectors), torch.from_numpy(passages)
        self.targets = [_target(rows) for rows in train.relevant]
        self.trained = [torch.zeros(size, size, requires_grad=True) for _ in range(1 + two_sided)]
        self.optimiser = torch.optim.AdamW(self.trained, lr=options.rate, weight_decay=options.decay)
        self.kept = Maps(*self._maps(), (self._measure(),))

    @property
    def done(self) -> int:
        """Rounds done."""
        return len(self.kept.values) - 1

    @property
    def ended(self) -> bool:
        """Whether there is nothing more to do."""
        return self.done >= self.options.rounds or self.done - self.kept.best >= self.options.patience

    def round(self) -> None:
        """One round; its order depends on seed and number alone, so that a resumed training takes the same steps."""
        import torch

        for rows in torch.from_numpy(self._order()).split(self.options.batch):  # type: ignore[no-untyped-call]
            self.optimiser.zero_grad()
            self._loss(rows).backward()  # type: ignore[no-untyped-call]
            self.optimiser.step()
        value, best = self._measure(), self.kept
        better = value > max(best.values)
        question, passage = self._maps() if better else (best.question, best.passage)
        self.kept = Maps(question, passage, (*best.values, value))

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Everything that ``restore`` needs."""
        kept: dict[str, NDArray[Any]] = {"values": np.array(self.kept.values), "best": _stacked(self.kept)}
        for number, tensor in enumerate(self.trained):
            moments = self.optimiser.state[tensor]
            kept |= {f"{number}.{name}": moment.numpy() for name, moment in moments.items()}
            kept[f"{number}.value"] = tensor.detach().numpy()
        return kept

    def restore(self, kept: Mapping[str, NDArray[Any]]) -> None:
        """Go on from what ``arrays`` gave."""
        import torch

        best = kept["best"]
        self.kept = Maps(best[0], best[1] if len(best) > 1 else None, tuple(float(v) for v in kept["values"]))
        for number, tensor in enumerate(self.trained):
            names = ("step", "exp_avg", "exp_avg_sq")
            self.optimiser.state[tensor] = {name: torch.from_numpy(kept[f"{number}.{name}"]) for name in names}
            with torch.no_grad():
                tensor.copy_(torch.from_numpy(kept[f"{number}.value"]))

    def _order(self) -> NDArray[np.intp]:
        """The questions of the next round: the next part of a shuffled pass, and of another where that one ends."""
        count = len(self.targets)
        size = min(max(count, self.options.shortest), self.options.longest)
        first, last = self.done * size, (self.done + 1) * size
        numbers = range(first // count, (last - 1) // count + 1)
        shuffled = [np.random.default_rng((self.options.seed, number)).permutation(count) for number in numbers]
        return np.concatenate(shuffled)[first - numbers[0] * count :][:size]

    def _maps(self) -> tuple[Floats, Floats | None]:
        copies: list[Floats] = [tensor.detach().numpy().copy() for tensor in self.trained]
        return copies[0], copies[1] if len(copies) > 1 else None

    def _measure(self) -> float:
        question, passage = self._maps()
        moved = project(self.dev.vectors, question)
        return float(ndcg(moved, project(self.passages, passage), self.dev.relevant).mean())

    def _loss(self, rows: torch.Tensor) -> torch.Tensor:
        import torch
        from torch.nn.functional import normalize

        questions, passages = self.tensors
        moved = normalize(questions[rows] + questions[rows] @ self.trained[0].T, dim=1)
        if len(self.trained) > 1:
            passages = normalize(passages + passages @ self.trained[1].T, dim=1)
        likelihood = (moved @ passages.T / self.options.temperature).log_softmax(dim=1)
        targets = [self.targets[row] for row in rows.tolist()]
        return -torch.stack([likelihood[n, ids] @ weights for n, (ids, weights) in enumerate(targets)]).mean()


def _target(rows: Rows) -> tuple[torch.Tensor, torch.Tensor]:
    """Rows of the relevant passages, and their shares of the probability, by grade."""
    import torch

    weights = torch.tensor(list(rows.values()), dtype=torch.float32)
    return torch.tensor(list(rows), dtype=torch.long), weights / weights.sum()


def _stacked(maps: Maps) -> Floats:
    return np.stack([maps.question] if maps.passage is None else [maps.question, maps.passage])
