"""Putting what was made beside in its place at one moment, whenever the process is killed.

What is to come is built in ``root/.incoming/new``. Then one small file, ``commit.json``, says what goes where: from the moment
that it is there the new state holds, and whoever comes next (see ``finish``) moves what has not been moved yet. Before
that moment nothing outside ``.incoming`` was touched. This needs no more of the disk than that a rename is atomic, and works
where ``root`` itself cannot be renamed, as the mount point of a volume.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from filelock import FileLock, Timeout

from indexes import atomic
from indexes.archive.writer import sync_folder
from indexes.errors import SliceError, StoreError
from indexes.generations import opened
from indexes.manifest import FILE as MANIFEST
from indexes.manifest import Manifest
from indexes.slice import OpenStore
from indexes.store.open import SHARD

FOLDER = ".incoming"
LOCK = ".incoming.lock"
COMMIT = "commit.json"
PATIENCE = 60.0  # seconds that another process may take to move a few folders


@dataclass(frozen=True, slots=True)
class Staging:
    """A place beside what is in use.

    Parameters
    ----------
    root
        Where what is made here belongs: the folder of the slices, or a home.
    """

    root: Path

    @property
    def new(self) -> Path:
        """What is to come."""
        return self.root / FOLDER / "new"

    @property
    def old(self) -> Path:
        """What was replaced, until it is removed."""
        return self.root / FOLDER / "old"

    def commit(self, install: Iterable[str], remove: Iterable[str] = ()) -> None:
        """Put the entries ``install`` of ``new`` into the root, and take the entries ``remove`` out of it."""
        for folder in (self.new, self.new.parent):
            sync_folder(folder)
        plan = {"remove": sorted(set(remove)), "install": sorted(set(install))}
        atomic.write(self.root / FOLDER / COMMIT, json.dumps(plan).encode())
        _move(self.root)


@contextmanager
def staged(root: Path, open_store: OpenStore) -> Iterator[Staging]:
    """A clean staging place: what an earlier attempt began is finished or removed, and so is this one's at the end.

    Raises
    ------
    StoreError
        Another process is at it.
    """
    root.mkdir(parents=True, exist_ok=True)
    with locked(root):
        _move(root)
        _clean(root, open_store)
        try:
            yield Staging(root)
        except OSError as error:
            raise StoreError(
                f"{root} cannot be written: {error}.", "Free some space or mend the folder's rights, then try again."
            ) from error
        finally:
            with suppress(StoreError):  # a server that is away now is asked again by the next attempt
                _move(root)
                _clean(root, open_store)


def finish(root: Path) -> None:
    """Move what a process that was killed has decided to move; costs one look at the disk where there is nothing."""
    if (root / FOLDER / COMMIT).exists():
        with locked(root, PATIENCE):
            _move(root)


@contextmanager
def held(folders: Iterable[Path]) -> Iterator[None]:
    """Keep other processes from opening the embedded stores of these slices; they may lie elsewhere at the end.

    Raises
    ------
    StoreError
        One is in use.
    """
    with ExitStack() as stack:
        for folder in folders:
            shard = _shard(folder)
            if shard is not None:
                stack.enter_context(_unused(shard, folder.name))
        yield


@contextmanager
def _unused(shard: Path, name: str) -> Iterator[None]:
    from indexes.store.lock import OWNER, lock

    try:
        taken = lock(shard)
    except StoreError as error:
        raise StoreError(
            f"Slice {name!r} is not to be replaced now; nothing was changed. {error.problem}",
            "Stop the program that uses it, run the same command again, then start the program again.",
        ) from error
    try:
        yield
    finally:
        (shard / OWNER).unlink(missing_ok=True)
        taken.release()


def _shard(folder: Path) -> Path | None:
    try:
        shard = Manifest.read(folder).store_folder(folder) / SHARD
    except SliceError:
        return None
    return shard if shard.is_dir() else None


@contextmanager
def locked(root: Path, patience: float = 0.0) -> Iterator[None]:
    """Keep other processes from putting anything into ``root``.

    Raises
    ------
    StoreError
        Another one is at it, and was after ``patience`` seconds.
    """
    lock = FileLock(root / LOCK, timeout=patience, is_singleton=False)
    try:
        lock.acquire()
    except Timeout as error:
        raise StoreError(
            f"Another process is putting something into {root}.", "Wait for it, then run the same command again."
        ) from error
    try:
        yield
    finally:
        lock.release()


def _move(root: Path) -> None:
    """Carry out ``commit.json``, from wherever an earlier attempt has come to."""
    commit = root / FOLDER / COMMIT
    if not commit.exists():
        return
    try:
        _carry_out(Staging(root), commit)
    except OSError as error:
        raise StoreError(
            f"What was made for {root} cannot be put in its place: {error}.",
            "Mend the rights of the folder or of its disk, then run any command: it goes on.",
        ) from error


def _carry_out(staging: Staging, commit: Path) -> None:
    root = staging.root
    plan = json.loads(commit.read_text(encoding="utf-8"))
    staging.old.mkdir(exist_ok=True)
    for name in plan["remove"]:
        if not (staging.old / name).exists():
            _set_aside(staging, name)
    for name in plan["install"]:
        if (staging.new / name).exists():
            _set_aside(staging, name)
            (staging.new / name).rename(root / name)
    for folder in (root, staging.new, staging.old):
        sync_folder(folder)
    commit.unlink()
    sync_folder(commit.parent)


def _set_aside(staging: Staging, name: str) -> None:
    """Free a name in the root. Where something has been put there since it was freed before, both are kept aside."""
    if not (staging.root / name).exists():
        return
    free = (staging.old / (f"{name}.{number}" if number else name) for number in range(1000))
    (staging.root / name).rename(next(path for path in free if not path.exists()))


def _clean(root: Path, open_store: OpenStore) -> None:
    staging = Staging(root)
    for base in (staging.new, staging.old):
        for manifest in sorted(base.glob(f"**/{MANIFEST}")):
            _discard(manifest.parent, open_store)
    shutil.rmtree(root / FOLDER, ignore_errors=True)


def _discard(folder: Path, open_store: OpenStore) -> None:
    """Remove a slice that is in no use, with the collections that a server holds for it."""
    for path in sorted(folder.glob("slice*.json")):
        with suppress(SliceError):  # a shard that is half written, say, goes with its folder
            opened(Manifest.read(folder, path.name), folder, open_store).drop()
    shutil.rmtree(folder, ignore_errors=True)
