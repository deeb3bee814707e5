"""What Symposia is made of here: models, slices and the store."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Literal, get_args

from app.doctor.check import Check
from generators.models.gguf import is_gguf
from indexes.errors import StoreError, SymposiaError

if TYPE_CHECKING:
    from app.models.manifest import Role
    from app.settings import Settings
    from retrievers.panel import Panel

OptionalModel = Literal["reranker", "entailment", "judge"]


def model(key: Literal["encoder", "generator"] | OptionalModel, settings: Settings) -> Check:
    """Whether the model of ``models.<key>`` is there: with all its files, by their sizes, where the manifest lists it."""
    from app.models.resolve import resolve

    name: str = getattr(settings.models, key)
    role: Role = "entailment" if key == "judge" else key
    try:
        folder = resolve(name, role, settings.models.folder)
        runtime = f", run by {_runtime(folder, settings)}" if role == "encoder" else ""
    except SymposiaError as error:
        return Check(key, "warn" if key == "judge" else "fail", error.problem, error.fix)  # no answer needs the judge
    if is_gguf(folder):
        fix = f"Unpack it once: symposia models fetch {folder}"
        return Check(key, "warn", f"{folder}, unpacked anew at each start, which takes about a minute", fix)
    return Check(key, "ok", f"{name} in {folder}{runtime}")


def optional_models(settings: Settings) -> list[Check]:
    """One finding for each model that the settings may leave out and name."""
    return [model(key, settings) for key in get_args(OptionalModel) if getattr(settings.models, key)]


def writer(settings: Settings) -> Check:
    """Whether the language model is there: with all its files here, or at a server that answers."""
    if not settings.models.server:
        return model("generator", settings)
    from app.models.writing import remote_model

    try:
        remote = remote_model(settings.models)
        offered = remote.load()
    except SymposiaError as error:
        return Check("generator", "fail", error.problem, error.fix)
    where = f"{remote.name} at {remote.client.url}"
    if offered is None:
        fix = "Ask a question, such as `symposia ask Hello`, to see whether it has the model."
        return Check("generator", "warn", f"{where}, which lists no models", fix)
    return Check("generator", "ok", f"{where}, one of {len(offered)} models there; citations without log-probabilities")


def _runtime(folder: Path, settings: Settings) -> str:
    from indexes.encoders.onnx import OnnxEncoder

    models = settings.models
    if models.runtime == "torch":
        return "torch"
    encoder = OnnxEncoder(folder, Path(models.encoder).name, precision=models.runtime, cache=models.folder)
    return f"ONNX Runtime as {models.runtime} ({'exported' if encoder.exported else 'to be exported at its first use'})"


def server(settings: Settings) -> Check:
    """Whether the Qdrant server answers."""
    from qdrant_client import QdrantClient
    from qdrant_client.http.exceptions import ApiException, ResponseHandlingException

    store = settings.store
    try:
        client = QdrantClient(
            url=store.url,
            api_key=store.api_key.get_secret_value() or None,
            timeout=int(store.timeout),
            check_compatibility=False,
        )
        collections = client.get_collections().collections
        client.close()
    except (ApiException, ResponseHandlingException, ValueError, OSError) as error:
        fix = "Start it, or mend [store] url and api_key; with an empty url the store inside this process is used."
        return Check("Qdrant server", "fail", f"{store.url} does not answer: {error}", fix)
    return Check("Qdrant server", "ok", f"{store.url}, {len(collections)} collections")


def slices(settings: Settings) -> list[Check]:
    """One finding for each slice: opened with the encoder of the settings, then closed again."""
    from app.wiring import make_panel
    from indexes.manifest import FILE

    folder = settings.home / "slices"
    found = sorted(path.parent for path in folder.glob(f"*/{FILE}"))
    if not found:
        fix = "Run `symposia demo`, or add documents: `symposia add PATH --expert NAME`."
        return [Check("slices", "warn", f"none in {folder}", fix)]
    try:
        panel = make_panel(settings)
    except SymposiaError as error:
        return [Check("slices", "fail", f"{len(found)} cannot be opened: {error.problem}", error.fix)]
    return [_slice(path, panel) for path in found]


def _slice(folder: Path, panel: Panel) -> Check:
    from indexes.slice import Slice

    name = f"slice {folder.name}"
    try:
        opened = Slice.open(folder, panel.encoder, panel.open_store)
    except SymposiaError as error:
        held = isinstance(error, StoreError) and _is_held(folder)
        return Check(name, "warn" if held else "fail", error.problem, error.fix)
    try:
        count = opened.store.count()
    except SymposiaError as error:
        return Check(name, "fail", error.problem, error.fix)
    finally:
        opened.close()
    if count == 0:
        return Check(name, "fail", "it is empty", f"Add documents: `symposia add PATH --expert {folder.name}`.")
    return Check(name, "ok", f"{count:,} passages, encoder {opened.manifest.fingerprint.model}")


def _is_held(folder: Path) -> bool:
    """Whether the process that wrote itself down as the shard's owner is alive: then all is well, it is only in use."""
    from indexes.errors import SliceError
    from indexes.manifest import Manifest
    from indexes.store.lock import OWNER
    from indexes.store.open import SHARD

    try:
        home = Manifest.read(folder).store_folder(folder)
        owner = json.loads((home / SHARD / OWNER).read_text(encoding="utf-8"))
        os.kill(int(owner["pid"]), 0)
    except PermissionError:
        return True
    except (SliceError, OSError, ValueError, KeyError, TypeError):
        return False
    return True
