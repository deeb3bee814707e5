"""Calibrating the router on questions of which it is known whose they are."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from app.training_data import Shelf, read_labelled
from evaluation.routing import Routed, RoutingSummary, routing_summary
from generators.decoding.knowing import ClosedBook, Measured
from indexes.errors import InputError
from indexes.generations import key_of
from retrievers.calibrated_router import Calibrated, fit
from retrievers.panel import Panel
from retrievers.router import ScoredRouter, Wishes

FIX = "Name them as EXPERT=PATH:SPLIT, such as medicine=questions.jsonl."


@dataclass(frozen=True)
class Calibration:
    """What calibrating did.

    Parameters
    ----------
    calibrated
        As kept beside the slices.
    before, after
        The router on the same questions, as it was and as it will serve. It saw them: for an honest number
        keep some questions back.
    questions
        Of each expert.
    """

    calibrated: Calibrated
    before: RoutingSummary
    after: RoutingSummary
    questions: Mapping[str, int]

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON types."""
        return {
            "temperature": self.calibrated.temperature,
            "mass": self.calibrated.guarantee.mass,
            "coverage": self.calibrated.guarantee.coverage,
            "questions": dict(self.questions),
            "before": self.before.to_dict(),
            "after": self.after.to_dict(),
        }


def calibrate(
    panel: Panel,
    sources: Sequence[str],
    coverage: float,
    seed: int = 0,
    model: Callable[[], ClosedBook] | None = None,
) -> Calibration:
    """Fit temperature and mass, and keep them in the panel's folder; they serve from the next start on.

    Parameters
    ----------
    sources
        ``EXPERT=PATH`` or ``EXPERT=PATH:SPLIT``, as ``symposia train --data`` takes them; questions that no adapter and no
        pilot was made from.
    coverage
        The chance, at least, that the right expert is among those asked.
    model
        Gives the language model, where it is to be measured how sure it is of these questions without sources: what
        ``retrieval.draft`` rests on.
    """
    panel.open()
    asked = _questions(panel, sources)
    names = sorted(panel.experts)
    router = panel.router
    if not isinstance(router, ScoredRouter) or not names:
        raise InputError(
            "There is no router that could be calibrated.", "Add experts: `symposia add PATH --expert NAME`."
        )
    profiles = {name: panel.experts[name].profile for name in names}
    texts = [text for texts in asked.values() for text in texts]
    owners = [name for name, texts in asked.items() for _ in texts]
    vectors = panel.encoder.encode_questions(texts)
    logits = [router.scorer.logits(text, vector, profiles) for text, vector in zip(texts, vectors, strict=True)]
    calibrated = fit(logits, [names.index(owner) for owner in owners], names, coverage, seed)
    calibrated = replace(calibrated, encoder=key_of(panel.encoder.fingerprint))
    calibrated.write(panel.folder)
    if model is not None:
        replace(Measured.of(model(), texts), experts=tuple(names)).write(panel.folder)

    def summary(chosen: ScoredRouter) -> RoutingSummary:
        routes = [chosen.route(t, v, profiles, Wishes(retrieval=True)) for t, v in zip(texts, vectors, strict=True)]
        return routing_summary(
            [
                Routed(
                    str(n), frozenset({owner}), route.experts, {s.expert: min(1.0, s.probability) for s in route.shares}
                )
                for n, (owner, route) in enumerate(zip(owners, routes, strict=True))
            ]
        )

    after = replace(router, temperature=calibrated.temperature, mass=calibrated.guarantee.mass)
    counts = {name: len(texts) for name, texts in asked.items()}
    return Calibration(calibrated, summary(router), summary(after), counts)


def _questions(panel: Panel, sources: Sequence[str]) -> dict[str, tuple[str, ...]]:
    found: dict[str, tuple[str, ...]] = {}
    for source in sources:
        expert, sign, path = source.partition("=")
        if not sign or not path:
            raise InputError(f"{source!r} does not say whose questions these are.", FIX)
        Wishes(force=(expert,)).check(panel.experts)
        slice_ = panel.experts[expert].slice
        shelf = Shelf([p for ids, _ in slice_.store.scan() for p in slice_.passages(ids)])
        labelled = read_labelled(_absolute(path), "dev", shelf).labelled
        if not len(labelled):
            raise InputError(f"No question in {path} has a passage in the slice of {expert!r}.", FIX)
        found[expert] = found.get(expert, ()) + labelled.questions
    if not found:
        raise InputError("There are no calibration questions.", FIX)
    return found


def _absolute(path: str) -> str:
    return path.replace("~", str(Path.home()), 1) if path.startswith("~/") else path
