"""The kinds of adapter, each trained in every fold and given its strength by dev: candidates for ``choose``.

With several folds (``folds.crossed``), dev scores are those of each fold's own adapter on the questions that it was not
trained on, and the adapter that may ship is the mean of the folds' maps, or is moved by the questions of all folds. Then every
question both trains and judges: on SciFact's test questions the mean of five maps scores .717 where the five alone score .685 to
.722 (mean .699).
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from indexes.adapters.base import Adapter, Identity
from indexes.adapters.linear import Linear
from indexes.adapters.nudge import Nudged
from indexes.encoders.base import Encoder, unit
from indexes.errors import InputError
from retrievers.training.folds import Fold
from retrievers.training.linear import Maps, Options, Questions, train_linear
from retrievers.training.material import Examples, Material
from retrievers.training.nudge import DISTANCES, nudge, pulls
from retrievers.training.pool import narrowed, pool
from retrievers.training.state import State

Kind = Literal["linear", "two-sided", "nudge", "lora"]
KINDS: tuple[Kind, ...] = get_args(Kind)
AUTO: tuple[Kind, ...] = ("linear", "two-sided", "nudge")
"""Those that take seconds."""

STRENGTHS = (0.0, 0.25, 0.5, 0.75, 1.0, 1.25, 1.5)
"""λ of a linear map, of which dev chooses."""

Report = Callable[[str, int, int], None]
"""Called with what is being done, steps done, and steps at most."""


@dataclass(frozen=True)
class Candidate:
    """A trained adapter.

    Parameters
    ----------
    name
        Its kind, and what it is built on.
    adapter
        What would ship.
    setting
        What dev chose, for people: ``λ 0.75``.
    scores
        nDCG@10 of each judging question over the whole slice, ``[n]``; see ``Material.judged``.
    folds
        The adapters that were judged; ``adapter`` itself where there is one fold.
    seconds
        That training took; of a resumed one, since it was resumed.
    """

    name: str
    adapter: Adapter
    setting: str
    scores: NDArray[np.float64]
    folds: tuple[Adapter, ...] = field(default=(), repr=False)
    seconds: float = 0.0


class Workshop:
    """Trains adapters of one slice.

    Parameters
    ----------
    material
        The slice and the labelled questions.
    encoder
        The base.
    state
        Keeps what an interrupted training has done.
    options
        Of linear maps; their seed is everybody's.
    model_folder
        Files of the base model, in which LoRA is trained; ``None`` where the encoder has none.
    """

    def __init__(
        self,
        material: Material,
        encoder: Encoder,
        state: State,
        options: Options | None = None,
        *,
        model_folder: Path | None = None,
        report: Report = lambda _what, _done, _total: None,
    ) -> None:
        self.material, self.encoder, self.state, self.report = material, encoder, state, report
        self.options = options or Options()
        self.model_folder = model_folder
        self._made: dict[str, Candidate] = {}

    def candidates(self, kinds: Iterable[Kind]) -> list[Candidate]:
        """One or two adapters of each kind, in the order of ``KINDS``: the simplest first."""
        wanted = set(kinds)
        return [candidate for kind in KINDS if kind in wanted for candidate in self._of(kind)]

    def _of(self, kind: Kind) -> Iterator[Candidate]:
        if kind == "nudge":
            yield self._timed("nudge", lambda: self._nudged(None))
            yield self._timed("linear + nudge", lambda: self._nudged(self._linear()))
        elif kind == "lora":
            yield self._timed("lora", self._lora)
        else:
            yield self._linear(two_sided=kind == "two-sided")

    def _timed(self, name: str, make: Callable[[], Candidate]) -> Candidate:
        if name not in self._made:
            started = time.perf_counter()
            made = make()
            self._made[name] = replace(made, name=name, seconds=time.perf_counter() - started)
        return self._made[name]

    def _linear(self, *, two_sided: bool = False) -> Candidate:
        name = "two-sided" if two_sided else "linear"
        return self._timed(name, lambda: self._mapped(name, two_sided=two_sided))

    def _mapped(self, name: str, *, two_sided: bool) -> Candidate:
        maps = [self._maps(name, number, two_sided=two_sided) for number in range(len(self.material.folds))]
        mean = np.mean([each.question for each in maps], axis=0)
        others = [each.passage for each in maps if each.passage is not None]
        other = np.mean(others, axis=0) if others else None
        return self._best(
            (f"λ {by:g}", Linear(mean, by, other), [Linear(each.question, by, each.passage) for each in maps])
            for by in STRENGTHS
        )

    def _maps(self, name: str, number: int, *, two_sided: bool) -> Maps:
        train, dev, rows = self._narrowed(self.material.folds[number])
        # Each step of a two-sided map projects all passages: few long steps are quicker, and as good on SciFact's dev.
        slow = replace(self.options, batch=4 * self.options.batch, rate=3 * self.options.rate)
        of = len(self.material.folds) * self.options.rounds
        before = number * self.options.rounds
        return train_linear(
            train,
            self.material.passages[rows],
            dev,
            slow if two_sided else self.options,
            two_sided=two_sided,
            on_progress=lambda done, _: self.report(name, before + done, of),
            part=self.state.part(f"{name}-{number}"),
        )

    def _nudged(self, linear: Candidate | None) -> Candidate:
        everyone = [fold.train for fold in self.material.folds]
        # With one fold, what was judged is what ships; with several, the questions of all take part.
        groups = [np.unique(np.concatenate(everyone)), *everyone]
        inner = [_map_of(linear.adapter), *map(_map_of, linear.folds)] if linear else [None] * len(groups)
        nudged = [self._pulled(self.material.examples.take(g), i) for g, i in zip(groups, inner, strict=True)]
        tried = [(f"γ {distance:g}", [make(distance) for make in nudged]) for distance in (0.0, *DISTANCES)]
        return self._best((setting, adapters[0], adapters[1:]) for setting, adapters in tried)

    def _pulled(self, examples: Examples, linear: Linear | None) -> Callable[[float], Adapter]:
        base: Adapter = linear or Identity()
        train = self.material.questions(examples)
        adapted = base.questions(examples.labelled.questions, train.vectors)
        # A map lies closer to the questions that it was trained on than to new ones, which stand between the two: halfway is
        # better on dev than either end, by .002 on NFCorpus and .001 on SciFact.
        rows, pull = pulls(unit(train.vectors + adapted), train.relevant, len(self.material.ids))
        passages = base.passages(self.material.ids, self.material.passages)[rows]
        ids = tuple(self.material.ids[row] for row in rows)

        def make(distance: float) -> Adapter:
            return Nudged(ids, nudge(passages, pull, distance), linear) if distance > 0 else base

        return make

    def _lora(self) -> Candidate:
        from indexes.adapters.lora import Lora
        from retrievers.training.descent import Pace
        from retrievers.training.lora import Asked, LoraOptions, train_lora

        if self.model_folder is None or len(self.material.folds) != 1:
            raise InputError(
                f"LoRA cannot be trained in the encoder {self.encoder.fingerprint.model}: it has no model files.",
                "Train a linear map: --kind linear.",
            )
        [fold] = self.material.folds
        train, dev, rows = self._narrowed(fold)
        trained = train_lora(
            self.model_folder,
            Asked(self.material.examples.labelled.take(fold.train).questions, train.relevant),
            self.material.passages[rows],
            Asked(self.material.examples.labelled.take(fold.dev).questions, dev.relevant),
            LoraOptions(pace=Pace(seed=self.options.seed)),
            state=self.state.part("lora"),
            on_progress=lambda done, total, message: self.report(f"lora, {message}", done, total),
        )
        adapter = Lora.from_arrays(trained.arrays, self.encoder)
        return self._best([(f"pass {trained.epoch}", adapter, [adapter])])

    def _best(self, tried: Iterable[tuple[str, Adapter, Sequence[Adapter]]]) -> Candidate:
        """The best on dev; of equals the first, which is the weakest."""
        scored = [Candidate("", a, setting, self.material.judged(folds), tuple(folds)) for setting, a, folds in tried]
        return max(scored, key=lambda candidate: float(candidate.scores.mean()))

    def _narrowed(self, fold: Fold) -> tuple[Questions, Questions, NDArray[np.intp]]:
        """Train and dev over the passages that a training step looks at, and the rows of these."""
        train, dev = (self.material.questions(self.material.examples.take(part)) for part in (fold.train, fold.dev))
        vectors = np.concatenate([train.vectors, dev.vectors])
        rows = pool(vectors, self.material.passages, [*train.relevant, *dev.relevant], self.options.seed)
        return (
            Questions(train.vectors, narrowed(train.relevant, rows)),
            Questions(dev.vectors, narrowed(dev.relevant, rows)),
            rows,
        )


def _map_of(adapter: Adapter) -> Linear | None:
    return adapter if isinstance(adapter, Linear) and adapter.strength != 0 else None
