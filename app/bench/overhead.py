"""What routing and search cost on top of encoding, beside LlamaIndex's retrievers over the same vectors in the same run."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from app.bench import rivals
from app.bench.costs import COMPLETE, DENSE, ENCODING, OURS, OWN, PASSAGES, Cost, Overhead, show
from app.cli.output import Output
from app.wiring import make_panel
from evaluation.beir import BeirSet
from indexes.encoders.base import Vectors
from indexes.errors import InputError
from indexes.manifest import FILE as MANIFEST
from retrievers.calibration import background_questions
from retrievers.fusion import fuse
from retrievers.gathering import Asked, Reply, Retrieval, evidence, gather, listing
from retrievers.router import Wishes

if TYPE_CHECKING:
    from llama_index.core.base.embeddings.base import BaseEmbedding

    from app.settings import Settings
    from retrievers.panel import Panel

System = Callable[[str, Vectors], object]
Update = Callable[[str], None]


def run(
    settings: Settings, output: Output, folder: Path | None, data: Sequence[Path], *, n: int = 200, seed: int = 0
) -> dict[str, Any]:
    """Measure and show; nothing else should run meanwhile.

    Parameters
    ----------
    folder
        Slices, one folder each; by default those of the retrieval benchmark, or else the demo's.
    data
        BEIR folders whose test questions are asked; without any, the background questions are.
    n, seed
        Most questions, and the seed of their draw.

    Raises
    ------
    InputError
        There are no slices, or none can be opened.
    """
    questions = draw(data, n, seed)
    panel = make_panel(settings, find_slices(settings, folder))
    try:
        with output.progress("opening") as update:
            found = measure(panel, questions, seed, update)
    finally:
        panel.close()
    show(found, output)
    return found.to_dict()


def find_slices(settings: Settings, given: Path | None) -> Path:
    """The folder of slices that is measured; see ``run``."""
    places = [given] if given else [settings.home / "benchmarks" / "retrieval" / "slices", settings.home / "slices"]
    for place in places:
        if any(place.glob(f"*/{MANIFEST}")):
            return place
    raise InputError(
        f"There are no slices in {' or '.join(map(str, places))}.",
        "Build the demo with `symposia demo`, or name a folder of slices with --panel.",
    )


def draw(data: Sequence[Path], n: int, seed: int) -> list[str]:
    """At most ``n`` questions; see ``run``."""
    texts = {text for folder in data for text in BeirSet.read(folder).questions.values()} if data else None
    pool = sorted(background_questions() if texts is None else texts)
    return random.Random(seed).sample(pool, min(n, len(pool)))  # noqa: S311 (a draw, no secret)


def measure(panel: Panel, questions: Sequence[str], seed: int, on_progress: Update) -> Overhead:
    """All systems take turns on each question, and who begins changes with every question.

    Parameters
    ----------
    questions
        At least one.
    """
    panel.open()
    if not panel.experts:
        listed = "\n".join(f"{name}: {problem}" for name, problem in panel.problems.items())
        raise InputError(
            f"No expert in {panel.folder} can be asked.\n{listed}", "Mend them, or name others with --panel."
        )
    descriptions = {name: expert.profile.description for name, expert in sorted(panel.experts.items())}
    texts = rivals.distinct(questions, list(descriptions.values()))
    vectors = panel.encoder.encode_questions(texts)
    known = rivals.known_vectors(texts, vectors)
    systems = {**our_systems(panel), **their_systems(panel, descriptions, known, on_progress)}
    for system in systems.values():  # what loads at the first question is no part of a question's cost
        system(questions[0], vectors[0])
    before = known.asked  # type: ignore[attr-defined]
    costs = _turns(systems, questions, vectors, on_progress)
    routers = sum("RouterRetriever" in name for name in systems)
    selections = (known.asked - before) / len(questions) / routers  # type: ignore[attr-defined]
    asked = [len(_route(panel, *pair).shares) for pair in zip(questions, vectors, strict=False)]
    passages = sum(expert.slice.store.count() for expert in panel.experts.values())
    return Overhead(costs, len(panel.experts), passages, float(np.mean(asked)), selections, seed)


def our_systems(panel: Panel) -> dict[str, System]:
    """Ours, and the encoding that all share."""
    return {
        ENCODING: lambda question, _: panel.encoder.encode_questions([question]),
        "Symposia: route": partial(_route, panel),
        DENSE: partial(_dense, panel),
        COMPLETE: partial(_complete, panel),
    }


def their_systems(
    panel: Panel,
    descriptions: Mapping[str, str],
    known: BaseEmbedding,
    on_progress: Update,
) -> dict[str, System]:
    """LlamaIndex's retrievers over indexes of its own, and over our stores."""
    found: dict[str, System] = {}
    for where in (OWN, OURS):
        retrievers = {}
        for name in descriptions:
            on_progress(f"LlamaIndex, {where}: {name}")
            expert = panel.experts[name]
            retrievers[name] = (
                rivals.own_index(expert, known, PASSAGES) if where == OWN else rivals.our_store(expert, PASSAGES)
            )
        for kind, retriever in (
            ("QueryFusionRetriever", rivals.query_fusion(retrievers, PASSAGES)),
            ("RouterRetriever", rivals.router(retrievers, descriptions, known)),
        ):
            found[f"LlamaIndex: {kind}, {where}"] = partial(rivals.retrieve, retriever)
    return found


def _route(panel: Panel, question: str, vector: Vectors) -> Asked:
    """Whom to ask; retrieval is wished for, since a question that is skipped would cost next to nothing."""
    profiles = {name: expert.profile for name, expert in panel.experts.items()}
    route = panel.router.route(question, vector, profiles, Wishes(retrieval=True))
    return Asked(question, vector, {share.expert: share.probability for share in route.shares if share.asked})


def _dense(panel: Panel, question: str, vector: Vectors) -> Sequence[tuple[str, float]]:
    asked = _route(panel, question, vector)
    replies = []
    for name in sorted(asked.shares):
        expert = panel.experts[name]
        adapted = expert.adapter.questions([question], vector[None, :])[0]
        candidates = expert.slice.store.candidates(adapted, rivals.NO_TERMS, PASSAGES)
        replies.append(Reply(expert, candidates, fuse(candidates, expert.background, "calibrated", expert.relevance)))
    return listing(asked, replies, {}, Retrieval(PASSAGES)).order[:PASSAGES]


def _complete(panel: Panel, question: str, vector: Vectors) -> object:
    return evidence(gather([_route(panel, question, vector)], panel.experts, panel.retrieval), panel.retrieval)


def _turns(
    systems: Mapping[str, System], questions: Sequence[str], vectors: Vectors, on_progress: Update
) -> tuple[Cost, ...]:
    names = list(systems)
    wall: dict[str, list[float]] = {name: [] for name in names}
    cpu: dict[str, list[float]] = {name: [] for name in names}
    for number, question in enumerate(questions):
        on_progress(f"{number} of {len(questions)} questions")
        first = number % len(names)
        for name in names[first:] + names[:first]:
            started = time.perf_counter(), time.process_time()
            systems[name](question, vectors[number])
            wall[name].append(time.perf_counter() - started[0])
            cpu[name].append(time.process_time() - started[1])
    costs = [Cost.of(name, wall[name], cpu[name]) for name in names]
    ours = next(cost.cpu for cost in costs if cost.name == DENSE)
    return tuple(replace(cost, times=cost.cpu / ours) for cost in costs)
