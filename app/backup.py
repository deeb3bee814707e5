"""A home as one file, and a home from that file: slices, conversations, keys, people, the audit log and what was fitted.

Left out are the results of evaluations and benchmarks and what `symposia bulk` is encoding, which are made again, and the models. A backup holds secrets as the
home does, so it is readable by its owner alone.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path, PurePosixPath
from typing import Any
from urllib.parse import quote

from indexes.archive.layout import SUFFIX, fits
from indexes.archive.reader import Archive, damaged, open_archive
from indexes.archive.slices import Report, name_in, pack, passages_in, unpack_slice
from indexes.archive.staging import finish, held, staged
from indexes.archive.writer import Writer, new_archive
from indexes.errors import InputError, StoreError
from indexes.manifest import FILE as MANIFEST
from indexes.slice import OpenStore

KIND = "backup"
SLICES = "slices"
FILES = "home/"
SETTINGS = "settings.toml"
KEPT = ("benchmarks", "bulk", "evaluations")
"""Folders of a home that are neither put into a backup nor touched by restoring one."""

_SECRET = 0o600
_DATABASE = b"SQLite format 3\0"
_LOGS = ("-wal", "-shm", "-journal")
_TRANSIENT = (".partial", ".partial.npz", ".lock", *_LOGS)


@dataclass(frozen=True, slots=True)
class Backup:
    """What is in a backup, or was restored from one.

    Parameters
    ----------
    slices
        Passages by the name of the slice.
    files
        The other files, by their path in the home.
    left_out
        What the home holds besides.
    bytes
        Of the backup.
    settings
        Whether the settings file is among it.
    """

    slices: dict[str, int]
    files: tuple[str, ...]
    bytes: int
    seconds: float
    created: str = ""
    left_out: tuple[str, ...] = ()
    settings: bool = False

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON types."""
        return asdict(self)


def back_up(
    home: Path, path: Path, open_store: OpenStore, settings: Path | None = None, on_progress: Report | None = None
) -> Backup:
    """Write everything in a home to a file, which appears whole or not at all.

    Conversations are copied as they are at one moment, whoever writes meanwhile. Each slice is copied as it is while its
    store is open here: an embedded one therefore must not be in use by another process.

    Parameters
    ----------
    settings
        The settings file, if one is used.
    on_progress
        Told what is being done, and how much of it is.

    Raises
    ------
    InputError
        There is nothing in the home, or the file is one that is not to be overwritten.
    StoreError
        A slice is in use by another process, a store or file cannot be read, or the backup cannot be written.
    """
    started = time.perf_counter()
    finish(home)
    finish(home / SLICES)
    names = sorted(manifest.parent.name for manifest in (home / SLICES).glob(f"[!.]*/{MANIFEST}"))
    files, left_out = _contents(home, path) if home.is_dir() else ([], [])
    if not names and not files:
        raise InputError(f"There is nothing in {home}.", "Name the home with --home FOLDER.")
    with new_archive(path, KIND, {"slices": names}, _SECRET) as writer:
        slices = _write_slices(writer, home / SLICES, names, open_store, on_progress)
        for relative in files:
            _write_file(writer, home, relative, path)
        if settings is not None:
            writer.add_file(SETTINGS, settings, _SECRET)
    return Backup(
        slices,
        tuple(files),
        path.stat().st_size,
        time.perf_counter() - started,
        left_out=tuple(left_out),
        settings=settings is not None,
    )


def verify(path: Path, on_progress: Report | None = None) -> Backup:
    """Check every byte of a backup, and say what is in it; an ``InputError`` where anything is not as it was written."""
    started = time.perf_counter()
    archive = _opened(path, on_progress)
    names = _names(archive)
    counts = {name: passages_in(archive, prefix) for prefix, name in names.items()}
    return _described(archive, counts, started)


def restore(
    path: Path, home: Path, open_store: OpenStore, *, replacing: bool = False, on_progress: Report | None = None
) -> Backup:
    """Make a home from a backup. It is there from one moment to the next; interrupted before, nothing has changed.

    The settings file comes back as ``settings.toml`` in the home; where it is to serve, somebody must say.

    Parameters
    ----------
    replacing
        Whether the home may hold something already, which is replaced; results of evaluations stay.

    Raises
    ------
    InputError
        The file is no backup or damaged, or the home is not empty.
    StoreError
        A slice that is to be replaced is in use by another process, or the disk or the server refused.
    """
    started = time.perf_counter()
    archive = _opened(path, on_progress)
    names = _names(archive)
    if home.exists() and not home.is_dir():
        raise InputError(f"{home} is no folder.", "Name a folder with --into.")
    with staged(home, open_store) as staging:
        here = sorted(entry.name for entry in home.iterdir() if not entry.name.startswith(".incoming"))
        if here and not replacing:
            raise InputError(
                f"{home} is not empty: it holds {', '.join(here[:5])}{' …' if len(here) > 5 else ''}.",
                "Name another folder with --into, or put the backup in the place of what is there with --replace.",
            )
        going = [name for name in here if _goes(home / name)]
        _check_going(path, home, going)
        with held(_folders(home)):
            staging.new.mkdir(parents=True)
            counts = {
                name: unpack_slice(
                    archive, prefix, staging.new / SLICES / name, open_store, name, _counting(on_progress, name)
                ).points
                for prefix, name in names.items()
            }
            _write_files(archive, staging.new)
            staging.commit((entry.name for entry in staging.new.iterdir()), going)
    return _described(archive, counts, started)


def _write_slices(
    writer: Writer, slices: Path, names: list[str], open_store: OpenStore, report: Report | None
) -> dict[str, int]:
    counts = {}
    for number, name in enumerate(names, start=1):
        try:
            packed = pack(writer, f"{SLICES}/{number}/", slices / name, open_store, _counting(report, name))
        except StoreError as error:
            raise StoreError(
                error.problem,
                "Stop the program that uses it for as long as the backup takes, or keep the slices in a Qdrant server "
                "(`symposia migrate --to URL`), where they can be backed up while they are in use.",
            ) from error
        counts[name] = packed.points
    return counts


def _contents(home: Path, path: Path) -> tuple[list[str], list[str]]:
    """The files of a home that are part of a backup, slices apart, and what is left out; ``path`` is neither."""
    own = {path.absolute(), path.with_name(path.name + ".partial").absolute()}
    files, left_out = list[str](), list[str]()
    for entry in sorted(home.iterdir()):
        if entry.absolute() in own or _is_passing((entry.name,)) or entry.name == SETTINGS:
            continue
        if entry.name in KEPT:
            left_out.append(entry.name)
            continue
        found = entry.glob("*") if entry.name == SLICES else entry.rglob("*") if entry.is_dir() else [entry]
        for file in sorted(file for file in found if not file.is_dir()):
            parts = file.relative_to(home).parts
            if not _is_passing(parts):
                (files if _belongs(parts) and file.is_file() and not file.is_symlink() else left_out).append(
                    "/".join(parts)
                )
    return files, left_out


def _goes(entry: Path) -> bool:
    """Whether an entry of a home holds anything that is part of a backup: that goes where one is restored."""
    home, files = entry.parent, entry.rglob("*") if entry.is_dir() else [entry]
    if entry.name in (SLICES, SETTINGS) or entry.name.endswith(_LOGS):
        return True
    return any(_belongs(file.relative_to(home).parts) for file in files if not file.is_dir())


def _check_going(path: Path, home: Path, going: list[str]) -> None:
    """Raise an ``InputError`` where a backup would go with what is replaced, or a disk hangs there."""
    for entry in (home / name for name in going):
        archives = [file for file in entry.rglob(f"*{SUFFIX}") if entry.name != SLICES]
        inside = archives or ([path] if path.resolve().is_relative_to(entry.resolve()) else [])
        if inside:
            raise InputError(
                f"{inside[0]} lies in what would be replaced; nothing was changed.",
                "Move it out of there, then run the same command again.",
            )
        foreign = next(_foreign(home, entry), None)
        if foreign is not None:
            raise InputError(
                f"{foreign} is in no backup and would be lost; nothing was changed.",
                "Move it out of there, then run the same command again.",
            )
        if entry.is_mount():
            raise InputError(
                f"{entry} is the place of another disk, which cannot be replaced; nothing was changed.",
                "Restore into an empty folder with --into.",
            )


def _foreign(home: Path, entry: Path) -> Iterator[Path]:
    """Files below an entry of the home that no backup holds, and that are not there for a moment only."""
    if not entry.is_dir() or entry.name == SLICES:
        return
    for file in sorted(entry.rglob("*")):
        kept = file.is_file() and (file.name.endswith(_TRANSIENT) or _belongs(file.relative_to(home).parts))
        if file.is_symlink() or (file.is_file() and not kept):
            yield file


def _is_passing(parts: tuple[str, ...]) -> bool:
    """Whether a file is only there for a moment."""
    return any(part.startswith(".") for part in parts) or parts[-1].endswith(_TRANSIENT)


def _belongs(parts: tuple[str, ...]) -> bool:
    """Whether a file may stand in a backup as one of the home."""
    if parts[0] in KEPT or parts == (SETTINGS,) or _is_passing(parts) or (parts[0] == SLICES and len(parts) != 2):
        return False
    return fits(FILES + "/".join(parts)) and not parts[-1].endswith(SUFFIX)


def _write_file(writer: Writer, home: Path, relative: str, beside: Path) -> None:
    path = home / relative
    with path.open("rb") as file:
        is_database = file.read(len(_DATABASE)) == _DATABASE
    if not is_database:
        writer.add_file(FILES + relative, path)
        return
    with _copied(path, beside.with_name(beside.name + ".database.partial")) as copy:
        writer.add_file(FILES + relative, copy, path.stat().st_mode)


@contextmanager
def _copied(database: Path, copy: Path) -> Iterator[Path]:
    """A database as it is at one moment, whoever writes it."""
    copy.unlink(missing_ok=True)
    copy.touch(_SECRET)
    try:
        with (
            closing(sqlite3.connect(f"file:{quote(str(database.absolute()))}?mode=rw", uri=True)) as source,
            closing(sqlite3.connect(copy)) as target,
        ):
            source.backup(target)
        yield copy
    except sqlite3.Error as error:
        raise StoreError(
            f"{database} cannot be copied: {error}.", "Mend or move it away, then run the same command again."
        ) from error
    finally:
        copy.unlink(missing_ok=True)


def _write_files(archive: Archive, folder: Path) -> None:
    (folder / SLICES).mkdir(exist_ok=True)
    for member in archive.members.values():
        if member.name == SETTINGS:
            archive.copy(member, folder / SETTINGS)
        elif member.name.startswith(FILES):
            relative = PurePosixPath(member.name.removeprefix(FILES))
            if not _belongs(relative.parts):
                raise damaged(archive.path, f"{member.name} is no file of a home")
            archive.copy(member, folder / relative)
        elif not member.name.startswith(f"{SLICES}/"):
            raise damaged(archive.path, f"{member.name} belongs nowhere")


def _opened(path: Path, report: Report | None) -> Archive:
    return open_archive(path, KIND, None if report is None else lambda at, _: report("bytes checked", at))


def _names(archive: Archive) -> dict[str, str]:
    """The names of the slices by the beginnings of their members' names."""
    prefixes = {f"{SLICES}/{member.name.split('/')[1]}/": None for member in archive.below(f"{SLICES}/")}
    names = {prefix: name_in(archive, prefix) for prefix in prefixes}
    if len(set(names.values())) < len(names):
        raise damaged(archive.path, "two of its slices have the same name")
    return names


def _described(archive: Archive, counts: dict[str, int], started: float) -> Backup:
    files = tuple(member.name.removeprefix(FILES) for member in archive.below(FILES))
    created, settings = str(archive.about.get("created", "")), SETTINGS in archive.members
    return Backup(counts, files, archive.size, time.perf_counter() - started, created, settings=settings)


def _folders(home: Path) -> list[Path]:
    return sorted(manifest.parent for manifest in (home / SLICES).glob(f"*/{MANIFEST}"))


def _counting(report: Report | None, name: str) -> Report | None:
    return None if report is None else lambda what, count: report(f"{name}: passages {what}", count)
