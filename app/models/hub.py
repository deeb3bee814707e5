"""The model hub: downloading on request, and finding what was downloaded before."""

from __future__ import annotations

import errno
import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from app.models.cache import matches, sha256_of
from app.models.failure import SourceError
from app.models.manifest import HubSource, PinnedFile
from app.models.progress import Progress, watching

Snapshot = Callable[[str, str, Sequence[str], Path], None]
"""Downloads files (``repo, revision, paths, folder``) from the hub; ``SourceError`` where it cannot."""

# Copies of the weights for other runtimes, and pickles, which could run code when they are read.
UNWANTED = ("*.bin", "*.pt", "*.pth", "*.pkl", "*.h5", "*.msgpack", "*.ot", "*.onnx", "onnx/*", "openvino/*", "*.gguf")


def from_hub(
    source: HubSource, files: Sequence[PinnedFile], partial: Path, snapshot: Snapshot, report: Progress
) -> None:
    """Put ``files`` into ``partial / "files"``, each checked before it is moved there.

    Raises
    ------
    SourceError
        The hub cannot be reached, or its files are not the pinned ones.
    """
    arriving, total = partial / "hub", sum(file.size for file in files)
    arriving.mkdir(parents=True, exist_ok=True)
    stage = f"downloading {source.repo} from the hub"
    report(stage, 0, total)
    with watching(arriving, stage, report, total=total):
        snapshot(source.repo, source.revision, [file.path for file in files], arriving)
    for file in files:
        _accept(arriving / file.path, file, partial / "files" / file.path, source.repo)


def hub_snapshot(repo: str, revision: str, paths: Sequence[str], folder: Path) -> None:
    """The ``Snapshot`` that asks the real hub."""
    _call(repo, revision=revision, allow_patterns=list(paths), local_dir=folder)


def fetch_from_hub(repo: str, report: Progress) -> Path:
    """Download a whole model that the manifest does not list into the hub's own cache.

    Raises
    ------
    SourceError
        The hub cannot be reached, has no such model, or the model has no safetensors weights.
    """
    report(f"downloading {repo} from the hub", 0, None)
    folder = _call(repo, ignore_patterns=list(UNWANTED))
    if not any(folder.rglob("*.safetensors")):
        raise SourceError(f"{repo} has no safetensors weights, and other formats are not read")
    return folder


def downloaded_snapshot(repo: str) -> Path | None:
    """Folder of a hub model that was downloaded before; None where there is none. Nothing is asked of the network."""
    try:
        return _call(repo, ignore_patterns=list(UNWANTED), local_files_only=True)
    except SourceError:
        return None


def is_hub_id(name: str) -> bool:
    """True for ``org/name``, as the hub writes it."""
    return re.fullmatch(r"[A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*", name) is not None


def _call(repo: str, **options: object) -> Path:
    """The hub's own function, with its many errors turned into one."""
    import huggingface_hub
    from huggingface_hub import errors, utils

    # The root of its transport errors; the library under it has changed between versions, this name has not.
    transport: type[Exception] = errors.HTTPError  # type: ignore[attr-defined]
    bars: Any = utils
    quiet = bars.are_progress_bars_disabled()
    bars.disable_progress_bars()  # progress is reported by the caller
    try:
        download: Callable[..., str] = huggingface_hub.snapshot_download
        return Path(download(repo, **options))
    except (transport, OSError, ValueError, errors.EntryNotFoundError) as error:
        if getattr(error, "errno", None) == errno.ENOSPC:
            raise
        raise SourceError(f"the hub did not deliver {repo}: {_first_line(error)}") from error
    finally:
        if not quiet:
            bars.enable_progress_bars()


def _first_line(error: Exception) -> str:
    lines = str(error).strip().splitlines()
    return lines[0].rstrip(".") if lines else type(error).__name__


def _accept(arrived: Path, file: PinnedFile, target: Path, repo: str) -> None:
    if not matches(arrived, file.size, file.sha256):
        found = f"sha256 {sha256_of(arrived)} ({arrived.stat().st_size} bytes)" if arrived.is_file() else "nothing"
        arrived.unlink(missing_ok=True)
        raise SourceError(f"{file.path} of {repo}: found {found}, expected {file.sha256} ({file.size} bytes)")
    target.parent.mkdir(parents=True, exist_ok=True)
    arrived.replace(target)
