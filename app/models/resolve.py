"""From the name in the settings to a folder or file that can be read. Nothing is ever fetched here."""

from __future__ import annotations

from pathlib import Path

from app.models.cache import default_cache, looks_whole, model_folder
from app.models.hub import downloaded_snapshot, is_hub_id
from app.models.manifest import Manifest, Model, Role, load_manifest, nearest
from app.models.unpacked import unpacked
from generators.models.gguf import is_gguf
from indexes.errors import MissingModelError, SettingsError

NAMED_BY = {"reranker": "models.reranker", "entailment": "models.entailment or models.judge"}
"""The settings that name a model of a role of which the manifest lists none, and that may be empty."""

SIGNS = ("modules.json", "config.json")  # one of them is in every folder that from_pretrained reads


def resolve(
    name_or_path: str | Path, role: Role, cache: Path | None = None, *, manifest: Manifest | None = None
) -> Path:
    """Find a model: a name of the manifest, a local folder or GGUF file, or a hub model that was downloaded before.

    A name of the manifest always means that model; write ``./name`` for a folder that is called the same.

    Raises
    ------
    MissingModelError
        It is not there, or incomplete; the fix is the command that fetches it.
    SettingsError
        The model of that name plays another role.
    """
    models = load_manifest() if manifest is None else manifest
    name = str(name_or_path)
    if (model := models.get(name)) is not None:
        return _cached(model, role, default_cache() if cache is None else cache, models)
    folder = Path(name).expanduser()
    if is_gguf(folder):
        return _file(folder, role, default_cache() if cache is None else cache)
    if folder.is_dir():
        return _readable(folder, role)
    if is_hub_id(name) and (snapshot := downloaded_snapshot(name)) is not None:
        return snapshot
    raise unknown_model(name, models, role)


def languages_of(name: str, manifest: Manifest | None = None) -> tuple[str, ...]:
    """ISO 639-1 codes of the languages a model reads; empty where there are many, or the manifest does not list it."""
    models = load_manifest() if manifest is None else manifest
    return models[name].languages if name in models else ()


def unknown_model(name: str, models: Manifest, role: Role | None = None) -> MissingModelError:
    """The error for a name that means nothing here, with the command or the name that was probably meant."""
    fitting = [model.name for model in models.values() if role in {None, model.role}]
    meant = nearest(name.rpartition("/")[2], fitting)
    if is_hub_id(name):
        hint = f" Or use {meant!r}, which Symposia knows." if meant else ""
        return MissingModelError(
            f"The model {name!r} is neither a folder nor a hub model that was downloaded.",
            f"Fetch it with: symposia models fetch {name}.{hint}",
        )
    advice = f"Did you mean {meant!r}? Fetch it with: symposia models fetch {meant}" if meant else _advice(models, role)
    return MissingModelError(f"There is no model {name!r}, and no folder of that name.", advice)


def _advice(models: Manifest, role: Role | None) -> str:
    """What can be named instead."""
    fitting = ", ".join(model.name for model in models.values() if role in {None, model.role})
    if fitting or role is None:
        return f"Known: {fitting}"
    empty = f"; or leave {NAMED_BY[role]} empty" if role in NAMED_BY else ""
    return f"Name a folder, or org/name of a hub, fetched with `symposia models fetch org/name`{empty}."


def _cached(model: Model, role: Role, cache: Path, models: Manifest) -> Path:
    if model.role != role:
        raise SettingsError(f"The model {model.name!r} is no {role} but a {model.role}.", _advice(models, role))
    folder = model_folder(cache, model.name)
    if looks_whole(folder):
        return folder
    state = "incomplete or damaged" if folder.exists() else "not there yet"
    raise MissingModelError(
        f"The {role} {model.name!r} is {state} ({folder}).", f"Fetch it with: symposia models fetch {model.name}"
    )


def _file(path: Path, role: Role, cache: Path) -> Path:
    """What was unpacked of the file, else the file itself, which takes a minute to read."""
    if role != "generator":
        raise SettingsError(f"{path} is a GGUF file, which can be no {role}.", "Name a folder, or a model of the list.")
    return unpacked(path, cache) or path


def _readable(folder: Path, role: Role) -> Path:
    if any((folder / sign).is_file() for sign in SIGNS):
        return folder
    raise MissingModelError(
        f"The folder {folder} holds no {role}: there is neither a {SIGNS[0]} nor a {SIGNS[1]} in it.",
        "Name the folder that the model was saved to.",
    )
