"""Training of one expert: settings and files in, an adapter in the slice's folder and its card out."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from app.training_data import Read, Shelf, read_labelled
from evaluation.intervals import bootstrap_interval, paired_randomisation
from evaluation.manifest import PACKAGES, package_versions
from indexes.adapters.base import Identity
from indexes.adapters.files import read_adapter
from indexes.errors import InputError, SliceError
from indexes.slice import Slice
from retrievers.calibration import background_questions
from retrievers.expert import Learned
from retrievers.moments import Moments
from retrievers.panel import Panel
from retrievers.pilots import QUESTION_PILOTS, centroids
from retrievers.router import Wishes
from retrievers.training.calibrate import calibrate
from retrievers.training.card import Card, Estimate, Line, Sizes, Source
from retrievers.training.choose import Choice, Scores, choose
from retrievers.training.folds import Fold, crossed, held_out, judges, single
from retrievers.training.homemade import from_slice
from retrievers.training.kinds import AUTO, KINDS, Kind, Report, Workshop
from retrievers.training.linear import Options
from retrievers.training.material import Examples, Material
from retrievers.training.pairs import Labelled, near_duplicates
from retrievers.training.state import State, key_of

Wanted = Literal["auto", "linear", "two-sided", "nudge", "lora", "identity"]
WANTED: tuple[Wanted, ...] = get_args(Wanted)
FEWEST = 10
MOST_CROSSED = 5000
FORMAT = 1


@dataclass(frozen=True, slots=True)
class Request:
    """What to train on and how.

    Parameters
    ----------
    expert
        Whose adapter.
    data
        ``PATH`` or ``PATH:SPLIT``, any number; where none is given, pairs are made from the slice.
    dev, test
        Likewise, or empty. Dev chooses; test is reported and decides nothing.
    kinds
        To choose among; ``auto`` for all that take seconds, ``identity`` to go back to the encoder as it is.
    """

    expert: str
    data: tuple[str, ...] = ()
    dev: str = ""
    test: str = ""
    kinds: tuple[Wanted, ...] = ("auto",)
    seed: int = 0

    @property
    def wanted(self) -> tuple[Kind, ...]:
        """The kinds by name, ``auto`` spelled out."""
        names = {name for kind in self.kinds for name in (AUTO if kind == "auto" else (kind,))}
        return tuple(kind for kind in KINDS if kind in names)


def train(
    panel: Panel,
    request: Request,
    *,
    model_folder: Path | None = None,
    report: Report = lambda _what, _done, _total: None,
    note: Callable[[str], None] = lambda _text: None,
) -> Card:
    """Train an adapter, and give it to the expert if it is better on dev than none. See ``Symposium.train``."""
    started = time.perf_counter()
    panel.open()
    slice_ = _slice(panel, request.expert)
    if request.kinds == ("identity",):
        return _reset(panel, slice_)
    training = _Training(panel, slice_, request, report)
    state = _state(training, note)
    workshop = Workshop(
        training.material,
        panel.encoder,
        state,
        training.options,
        model_folder=model_folder,
        report=report,
    )
    before = training.material.judged([Identity()] * len(training.material.folds))
    choice = choose(workshop.candidates(request.wanted), before, training.p_value)
    card = training.card(choice, time.perf_counter() - started)
    if choice.ships:
        slice_.adapt(choice.best.adapter, card.to_dict())
    if training.labelled:
        training.learned(choice).write(slice_.home)
    panel.install(slice_)
    state.clear()
    return card


class _Training:
    """What one training has read."""

    def __init__(self, panel: Panel, slice_: Slice, request: Request, report: Report) -> None:
        self.panel, self.slice, self.request, self.report = panel, slice_, request, report
        self.options = Options(seed=request.seed)
        batches = list(slice_.base_vectors())
        self.ids = tuple(i for ids, _ in batches for i in ids)
        self.passages = np.concatenate([vectors for _, vectors in batches])
        stored = slice_.passages(self.ids)
        shelf = Shelf(stored)
        self.reads = self._read(shelf) or [Read("the slice itself", from_slice(stored, request.seed))]
        self.test = self._examples(self._optional(request.test, "test", shelf), "test questions")
        self._examine(self._optional(request.dev, "dev", shelf))

    def p_value(self, first: Scores, second: Scores) -> float:
        """See ``choose.PValue``."""
        return paired_randomisation(first, second, seed=self.request.seed)

    @property
    def labelled(self) -> bool:
        """Whether people asked the questions; those made from the slice are unlike theirs."""
        return bool(self.request.data)

    def learned(self, choice: Choice) -> Learned:
        """Question pilots for the router, and the calibration of the adapter that serves now."""
        adapter = choice.best.adapter if choice.ships else read_adapter(self.slice.home, self.panel.encoder)
        judged = choice.best.folds if choice.ships else [adapter] * len(self.material.folds)
        questions = background_questions()
        background = questions, self.panel.encoder.encode_questions(questions)
        relevance = calibrate(self.slice, self.material, judged, background)
        pilots = centroids(self.material.examples.vectors, QUESTION_PILOTS, self.request.seed)
        return Learned(pilots, relevance, adapter.key, Moments.of(self.material.examples.vectors))

    def card(self, choice: Choice, seconds: float) -> Card:
        """The card of what was decided."""
        kind = choice.best.adapter.kind if choice.ships else Identity.kind
        questions = background_questions()
        background = self.panel.encoder.encode_questions(questions)
        return Card(
            expert=self.request.expert,
            kind=kind,
            ships=choice.ships,
            reason=choice.reason,
            sources=tuple(Source(read.name, len(read.labelled)) for read in self.reads),
            sizes=self._sizes(),
            dev=self._dev_lines(choice),
            test=self._test_lines(choice) if len(self.test) else (),
            kept_off_domain=self.material.overlap(choice.best.adapter, questions, background),
            held_out=not self.request.dev,
            seed=self.request.seed,
            seconds=seconds,
            finished=datetime.now(UTC).isoformat(timespec="seconds"),
            encoder=self.panel.encoder.fingerprint.model,
            options=asdict(self.options),
            versions=package_versions(PACKAGES),
        )

    def _read(self, shelf: Shelf) -> list[Read]:
        return [read_labelled(text, "train", shelf) for text in self.request.data]

    def _optional(self, text: str, split: str, shelf: Shelf) -> Labelled:
        return read_labelled(text, split, shelf).labelled if text else Labelled()

    def _examples(self, labelled: Labelled, what: str) -> Examples:
        return Examples.of(
            labelled, self.panel.encoder, lambda done, total: self.report(f"encoding {what}", done, total)
        )

    def _examine(self, dev: Labelled) -> None:
        """Encode the questions and decide who trains and who judges."""
        pairs = [
            pair for read in self.reads for pair in zip(read.labelled.questions, read.labelled.relevant, strict=True)
        ]
        train = self._examples(Labelled.of(pairs), "training questions")
        near = near_duplicates(train.vectors, self.test.vectors)
        self.near_test = int(near.sum())
        train = train.take(~near)
        judging = self._examples(dev, "dev questions")
        self._check(len(train), len(judging))
        examples = train + judging
        folds = self._folds(examples, np.arange(len(examples)) >= len(train))
        self._check(min(len(fold.train) for fold in folds), len(judging))
        self.material = Material(self.ids, self.passages, examples, folds)

    def _folds(self, examples: Examples, dev: NDArray[np.bool_]) -> Sequence[Fold]:
        if dev.any():
            return single(examples.vectors, dev)
        # All judge in turn, but LoRA is too slow for that, and many questions need it not.
        turns = len(examples) <= MOST_CROSSED and "lora" not in self.request.wanted
        return (crossed if turns else held_out)(examples.vectors, self.request.seed)

    def _check(self, train: int, dev: int) -> None:
        unmatched = sum(read.unmatched for read in self.reads)
        if train < FEWEST or (self.request.dev and not dev):
            raise InputError(
                f"{train} usable training questions and {dev} dev questions for expert {self.request.expert!r} "
                f"({unmatched} have no relevant passage in its slice; questions that nearly repeat dev or test are left out).",
                f"Give at least {FEWEST} labelled questions that passages of this slice answer.",
            )

    def _sizes(self) -> Sizes:
        folds = self.material.folds
        return Sizes(
            train=round(float(np.mean([len(fold.train) for fold in folds]))),
            dev=len(judges(folds)),
            test=len(self.test),
            near_test=self.near_test,
            near_dev=round(float(np.mean([fold.near for fold in folds]))),
            unmatched=sum(read.unmatched for read in self.reads),
            passages=len(self.ids),
            folds=len(folds),
        )

    def _dev_lines(self, choice: Choice) -> tuple[Line, ...]:
        tried = [
            Line(c.name, c.setting, self._estimate(c.scores), self.p_value(c.scores, choice.before), c.seconds)
            for c in choice.candidates
        ]
        return (Line(Identity.kind, "", self._estimate(choice.before)), *tried)

    def _test_lines(self, choice: Choice) -> tuple[Line, ...]:
        before = self.material.scores(Identity(), self.test)
        identity = Line(Identity.kind, "", self._estimate(before))
        if not choice.ships:
            return (identity,)
        after = self.material.scores(choice.best.adapter, self.test)
        line = Line(choice.best.name, choice.best.setting, self._estimate(after), self.p_value(after, before))
        return (identity, line)

    def _estimate(self, scores: Scores) -> Estimate:
        interval = bootstrap_interval(scores, seed=self.request.seed)
        return Estimate(interval.value, interval.low, interval.high)


def _state(training: _Training, note: Callable[[str], None]) -> State:
    material = training.material
    key = key_of(
        format=FORMAT,
        examples=material.examples.labelled.digest,
        folds=[[fold.train.tolist(), fold.dev.tolist()] for fold in material.folds],
        passages=material.ids,
        encoder=training.panel.encoder.fingerprint.to_dict(),
        options=asdict(training.options),
    )
    state = State(training.slice.home, key)
    if state.discarded:
        note("What an interrupted training with other data or options had left was discarded.")
    if state.resumed:
        note("Going on where this training was interrupted.")
    return state


def _slice(panel: Panel, expert: str) -> Slice:
    if expert in panel.problems:
        raise SliceError(
            f"Expert {expert!r} cannot be trained: {panel.problems[expert]}", "`symposia doctor` checks everything."
        )
    Wishes(force=(expert,)).check(panel.experts)
    return panel.experts[expert].slice


def _reset(panel: Panel, slice_: Slice) -> Card:
    """Go back to the encoder as it is."""
    identity = Identity()
    card = Card(slice_.name, identity.kind, True, "Back to the encoder as it is.", (), Sizes(), ())
    slice_.adapt(identity, card.to_dict())
    panel.install(slice_)
    return card
