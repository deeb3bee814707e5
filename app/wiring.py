"""From settings to a wired system: names become folders, options become objects. Nothing heavy is loaded."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from functools import cache, partial
from pathlib import Path
from typing import TYPE_CHECKING

from app.access.fitted import fitted_for, fitted_with
from app.knowing import make_knows
from app.models.resolve import languages_of, resolve
from app.models.writing import language_model
from app.noticing import NoticingPanel
from app.settling import settle
from app.telemetry.open_telemetry import switch_on
from app.telemetry.stages import MeasuredPanel, MeasuredReranker, MeasuredRouter, MeasuredView
from generators.answerer import Answerer, Options
from generators.citations.entailment import EntailmentModel
from generators.citations.measuring import Checks
from generators.inert import in_line
from generators.policies.base import Policy
from generators.policies.registry import policy
from generators.verdicts.calibrated_verdict import CalibratedVerdict
from generators.verdicts.verdict import Thresholds
from indexes.encoders.open import open_encoder
from indexes.generations import key_of
from indexes.store.cluster import ClusterSettings
from indexes.store.index import IndexSettings
from indexes.store.open import opener
from retrievers.calibrated_router import Calibrated
from retrievers.gathering import Retrieval
from retrievers.panel import Panel
from retrievers.view import View

if TYPE_CHECKING:
    from app.settings import Settings
    from app.symposium import Symposium
    from generators.models.language_model import LocalModel
    from generators.remote.model import RemoteModel
    from indexes.encoders.base import AdaptableEncoder, Vectors
    from indexes.slice import OpenStore
    from retrievers.gate import NullExpert

    Model = Callable[[], LocalModel | RemoteModel]


def wire(kind: type[Symposium], settings: Settings) -> Symposium:
    """Build a ``Symposium`` from settings."""
    switch_on(settings.telemetry)
    # OpenMP reads it when torch is first imported: threads that wait asleep leave a busy machine its cores.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    model = cache(partial(language_model, settings.models))  # one for the answers and for the router that asks it
    panel = make_panel(settings, model=model)
    latin_only = languages_of(settings.models.encoder) == ("en",)
    return kind(settings, panel, partial(make_answerer, settings, panel, model), latin_only=latin_only)


def make_answerer(settings: Settings, panel: Panel, model: Model | None = None) -> Answerer:
    """What writes answers; a ``MissingModelError`` where the language model has not been fetched."""
    generation, verdict = settings.generation, settings.verdict
    calibrated = fitted_with(key_of(panel.encoder.fingerprint), CalibratedVerdict.read(panel.folder))
    confidence = 0.0 if calibrated is None else calibrated.confidence
    options = Options(
        generation.max_tokens,
        generation.temperature,
        generation.seed,
        Thresholds(verdict.relevance, verdict.support, confidence),
        make_checks(settings, panel),
        generation.unsupported,
        generation.conflicts,
    )
    held = language_model(settings.models) if model is None else model()
    return Answerer(held, make_policy(settings), options, partial(facts, panel, settings))


def answerer_of(view: View, whole: Answerer, settings: Settings) -> Answerer:
    """What answers for those who see a part of the panel: the same model, with facts and a verdict of that part alone."""
    found = fitted_for(view.seen, CalibratedVerdict.read, view.folder)
    calibrated = fitted_with(key_of(view.encoder.fingerprint), found)
    return whole.speaking_for(partial(facts, view, settings), 0.0 if calibrated is None else calibrated.confidence)


def make_checks(settings: Settings, panel: Panel) -> Checks:
    """What citations are checked with, besides words and the language model."""
    models, entailment = settings.models, None
    if models.entailment:
        entailment = EntailmentModel(resolve(models.entailment, "entailment", models.folder))

    def encode(texts: Sequence[str]) -> Vectors:
        return panel.encoder.encode_passages(texts)  # of the encoder that the panel has then

    return Checks(encode=encode, entailment=entailment)


def make_panel(settings: Settings, folder: Path | None = None, model: Model | None = None) -> Panel:
    """The panel alone: all that retrieval needs. Its slices lie in ``folder``, by default ``home/slices``.

    ``model`` gives the language model to a router that is to ask it whether it knows the answer itself.
    """
    models, retrieval = settings.models, settings.retrieval
    encoder = encoder_of(settings)
    slices = folder or settings.home / "slices"
    settle(settings.home)
    reranker = None
    if models.reranker:
        reranker = MeasuredReranker(resolve(models.reranker, "reranker", models.folder))
    kind = NoticingPanel if settings.store.url else MeasuredPanel  # an embedded store is this process's alone
    return kind(
        slices,
        encoder,
        open_store_of(settings),
        partial(make_router, settings, slices, model),
        Retrieval(retrieval.passages, retrieval.depth, retrieval.floor, retrieval.merging, retrieval.prior),
        reranker,
    )


def encoder_of(settings: Settings) -> AdaptableEncoder:
    """The encoder; a ``MissingModelError`` where it has not been fetched."""
    models = settings.models
    source, name = resolve(models.encoder, "encoder", models.folder), Path(models.encoder).name
    return open_encoder(source, name, models.runtime, models.folder, models.threads)


def open_store_of(settings: Settings, url: str | None = None) -> OpenStore:
    """What opens the stores of slices: where the settings say, or at another ``url``."""
    store = settings.store
    index = IndexSettings(
        m=store.hnsw_m,
        ef_construct=store.hnsw_ef_construct,
        ef=store.hnsw_ef,
        quantization=store.quantization,
        oversampling=store.oversampling,
        payload=store.payload,
    )
    cluster = ClusterSettings(
        store.shards, store.replicas, store.write_consistency, store.read_consistency, store.sharding
    )
    return opener(
        store.url if url is None else url,
        store.api_key.get_secret_value(),
        store.timeout,
        grpc=store.grpc,
        grpc_port=store.grpc_port,
        index=index,
        cluster=cluster,
    )


def view_of(panel: Panel, names: frozenset[str]) -> View:
    """The panel as those see it who see these experts alone."""
    return MeasuredView(panel, names)


def make_router(
    settings: Settings,
    slices: Path,
    model: Model | None,
    null: NullExpert,
    *,
    seen: frozenset[str] | None = None,
) -> MeasuredRouter:
    """The router: mass and temperature are its calibration's where there is one beside the slices; see ``app.calibrate``.

    ``seen`` are the experts of a view, for which there is none but one that was fitted on these.
    """
    retrieval, found = settings.retrieval, fitted_for(seen, Calibrated.read, slices)
    calibrated = fitted_with(null.encoder, found) if null.encoder else found
    mass, temperature = retrieval.mass, 1.0
    if calibrated is not None:
        mass, temperature = calibrated.guarantee.mass, calibrated.temperature
    knows = None if model is None else make_knows(settings, slices, model, seen)
    return MeasuredRouter(
        null, mass=mass, most=retrieval.most_experts, skip=retrieval.skip, temperature=temperature, knows=knows
    )


def make_policy(settings: Settings) -> Policy:
    """The decoding policy that the settings name."""
    name = settings.generation.policy
    return policy(name, alpha=settings.generation.alpha) if name == "cad" else policy(name)


def facts(panel: Panel, settings: Settings) -> list[str]:
    """What the system can truthfully say about itself."""
    panel.open()
    experts = [
        f"Expert {e.name!r} knows {e.slice.manifest.passages} passages: {in_line(e.description)}"
        for e in panel.experts.values()
    ]
    names, encoder = ", ".join(panel.experts) or "none yet", panel.encoder.fingerprint.model
    return [
        "Your name is Symposia. You are a program, not a person.",
        "You answer from documents that your experts have indexed, cite the passages, and say so when they do not hold the answer.",
        f"You have {len(panel.experts)} experts: {names}.",
        *experts,
        f"You write with the language model {settings.models.writer}; the encoder {encoder} runs here.",
    ]
