"""The numbers that every panel starts with, fitted again on questions of sets that have any beside their test split.

The router's weights are a conditional logit; the calibration of an expert without labels is that of four with labels.

Questions that judge are kept out of the question pilots. Each is shown several times, with some experts' question pilots
hidden, since the next panel may have experts without labelled questions, and heads with them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from app.bench.retrieval.indexing import index
from app.bench.retrieval.sets import passages_by_key, questions_of, splits
from app.wiring import make_panel
from indexes.adapters.base import Identity
from indexes.encoders.base import Vectors
from retrievers.calibration import Relevance, background_questions
from retrievers.expert import MOMENTS, Learned
from retrievers.moments import Moments
from retrievers.profile import Profile
from retrievers.scorers import Familiarity
from retrievers.training.calibrate import Judged, fit, judge
from retrievers.training.material import Examples, Material
from retrievers.training.pairs import Labelled, hold_out, near_duplicates

if TYPE_CHECKING:
    from app.settings import Settings
    from retrievers.panel import Panel
    from retrievers.training.kinds import Report

Floats = NDArray[np.float64]
SHOWN = 5
HIDDEN = 2
PENALTY = 1e-3


@dataclass(frozen=True, slots=True)
class Fitted:
    """What was fitted, on how many questions: the default router, and the default calibration of an untrained expert."""

    router: Familiarity
    relevance: Relevance | None
    questions: int


def fit_defaults(
    settings: Settings, folders: Sequence[Path], *, seed: int = 0, report: Report = lambda _what, _done, _total: None
) -> Fitted:
    """Fit by maximum likelihood; sets weigh the same.

    The test questions have no part in it but that training questions which nearly repeat them are left out.
    """
    panel = make_panel(settings, settings.home / "benchmarks" / "retrieval" / "slices")
    try:
        for folder in folders:
            index(panel, settings, folder, report)
        names = sorted(folder.resolve().name for folder in folders)
        judging, asked = _split(panel, folders, seed)
        kept = settings.home / "benchmarks" / "retrieval" / "defaults"
        profiles = {}
        for name in names:
            learned = Learned(asked.get(name), moments=Moments.of(asked[name]) if name in asked else None)
            learned.write(kept / name)
            moments = kept / name / MOMENTS if name in asked else None
            profiles[name] = replace(panel.experts[name].profile, questions=learned.questions, moments=moments)
        router = _fit(judging, profiles, names, seed)
        groups = [_judged(panel, folder, judging, report) for folder in folders if folder.resolve().name in judging]
        return Fitted(router, fit(groups), sum(len(texts) for texts, _ in judging.values()))
    finally:
        panel.close()


def _split(
    panel: Panel, folders: Sequence[Path], seed: int
) -> tuple[dict[str, tuple[list[str], Vectors]], dict[str, Vectors]]:
    judging: dict[str, tuple[list[str], Vectors]] = {}
    asked: dict[str, Vectors] = {}
    for folder in folders:
        name, available = folder.resolve().name, splits(folder)
        if "train" not in available:
            continue
        ids = passages_by_key(panel, name)
        texts = list(questions_of(folder, "train", ids).texts)
        vectors = panel.encoder.encode_questions(texts)
        others = panel.encoder.encode_questions(questions_of(folder, "test", ids).texts)
        if "dev" in available:
            held = list(questions_of(folder, "dev", ids).texts)
            held_vectors = panel.encoder.encode_questions(held)
            kept = np.ones(len(texts), dtype=bool)
        else:
            mask = hold_out(len(texts), seed) & ~near_duplicates(vectors, others)
            held, held_vectors, kept = [texts[n] for n in np.flatnonzero(mask)], vectors[mask], ~mask
        kept &= ~near_duplicates(vectors, np.concatenate([others, held_vectors]))
        judging[name] = held, held_vectors
        asked[name] = vectors[kept]
    return judging, asked


def _judged(
    panel: Panel, folder: Path, judging: Mapping[str, tuple[list[str], Vectors]], report: Report
) -> list[Judged]:
    """The candidates of a set's judging questions under the encoder as it is."""
    name = folder.resolve().name
    report(f"calibrating {name}", 0, 1)
    slice_ = panel.experts[name].slice
    batches = list(slice_.base_vectors())
    ids, vectors = tuple(i for ids, _ in batches for i in ids), np.concatenate([vectors for _, vectors in batches])
    split = "dev" if "dev" in splits(folder) else "train"
    asked = questions_of(folder, split, passages_by_key(panel, name))
    known, held = set(ids), set(judging[name][0])
    pairs = [
        (text, {i: float(grade) for i, grade in relevant.items() if grade > 0 and i in known})
        for text, relevant in zip(asked.texts, asked.relevant, strict=True)
        if text in held
    ]
    labelled = Labelled.of([(text, relevant) for text, relevant in pairs if relevant])
    examples = Examples.of(labelled, panel.encoder)
    background = background_questions(), panel.encoder.encode_questions(background_questions())
    return judge(slice_, Material(ids, vectors, examples, ()), Identity(), examples, background)


def _fit(
    judging: Mapping[str, tuple[list[str], Vectors]], profiles: Mapping[str, Profile], names: Sequence[str], seed: int
) -> Familiarity:
    from scipy.optimize import minimize

    generator, start = np.random.default_rng(seed), Familiarity()
    rows, right, weight = [], [], []
    for shown in range(SHOWN):
        hidden = generator.permutation(sorted(judging))[: HIDDEN if shown else 0].tolist()
        panel = {n: replace(p, questions=None, moments=None) if n in hidden else p for n, p in profiles.items()}
        for name, (texts, vectors) in judging.items():
            for text, vector in zip(texts, vectors, strict=True):
                rows.append(_features(start, text, vector, panel))
                right.append(names.index(name))
                weight.append(1 / (len(texts) * SHOWN))
    features, share = np.array(rows), np.array(weight) / len(judging)

    def loss(weights: Floats) -> tuple[float, Floats]:
        logits = features @ weights
        logits -= logits.max(axis=1, keepdims=True)
        odds = np.exp(logits)
        p = odds / odds.sum(axis=1, keepdims=True)
        own = np.arange(len(right)), np.array(right)
        gradient = np.einsum("n,nef,ne->f", share, features, p) - share @ features[own]
        return float(-(share @ np.log(p[own]))) + PENALTY * float(weights @ weights), gradient + 2 * PENALTY * weights

    words, passages, questions, has = minimize(loss, np.zeros(4), jac=True, method="L-BFGS-B").x.tolist()
    return Familiarity(words, passages, questions, -has / questions if questions else 0.0)


def _features(scorer: Familiarity, text: str, vector: Vectors, profiles: Mapping[str, Profile]) -> Floats:
    """The scorer's three, with the neutral value left out, and whether the expert has question pilots ``[experts, 4]``."""
    features = scorer.features(text, vector, profiles)
    has = np.array([profile.questions is not None for profile in profiles.values()], dtype=np.float64)
    features[:, 2] += has * scorer.neutral
    return np.column_stack([features, has])
