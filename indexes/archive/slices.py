"""One slice in an archive: everything that belongs to it, in; a slice with a store of its own, out.

No encoder is needed, nothing is encoded, and whatever state the slice is in (an adapter that is half applied, say) is kept.
What can be made again is left out: the journal, the locks, and the shard itself, whose format is the engine's.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

from indexes.archive.layout import Member
from indexes.archive.points import batches, unpack
from indexes.archive.reader import Archive, damaged
from indexes.archive.writer import Writer
from indexes.errors import InputError, StoreError, SymposiaError
from indexes.generations import opened
from indexes.manifest import FILE as MANIFEST
from indexes.manifest import SEPARATOR, Manifest
from indexes.slice import OpenStore, check_name
from indexes.store.base import Point, Store
from indexes.store.open import SHARD

FILES, POINTS = "files/", "points/"
ARRAYS, PAYLOADS = ".npz", ".jsonl.gz"
COUNT = "passages"
GIVEN = "given.json"

Report = Callable[[str, int], None]

_APART = frozenset({SHARD, MANIFEST, GIVEN, "training"})
_TRANSIENT = (".partial", ".partial.npz", ".lock", ".db", ".db-wal", ".db-shm", ".db-journal")


@dataclass(frozen=True, slots=True)
class Packed:
    """A slice that was put into an archive, or taken out of one.

    Parameters
    ----------
    points
        How many passages there were.
    """

    manifest: Manifest
    points: int

    @property
    def name(self) -> str:
        """The slice's name."""
        return self.manifest.name


def pack(writer: Writer, prefix: str, folder: Path, open_store: OpenStore, report: Report | None = None) -> Packed:
    """Write the slice in ``folder`` as members that begin with ``prefix``.

    Parameters
    ----------
    report
        Told what is being done, and the number of passages it was done for.

    Raises
    ------
    SymposiaError
        There is no slice, or its store is in use by another process.
    """
    found = Manifest.read(folder)
    store = opened(found, folder, open_store)
    try:
        manifest = Manifest.read(folder)  # as it is now that nobody else writes to an embedded store
        if manifest.store_name != found.store_name:
            raise StoreError(f"Slice {found.name!r} was encoded anew just now.", "Run the same command again.")
        check_filled(store, manifest)
        writer.add_file(prefix + MANIFEST, folder / MANIFEST)
        base = manifest.store_folder(folder)
        for path in files_of(base):
            writer.add_file(f"{prefix}{FILES}{path.relative_to(base).as_posix()}", path)
        points = _pack_points(writer, prefix + POINTS, store, manifest, report)
        writer.add(prefix + COUNT, f"{points}\n".encode())
        return Packed(manifest, points)
    finally:
        store.close()


def unpack_slice(
    archive: Archive, prefix: str, folder: Path, open_store: OpenStore, name: str = "", report: Report | None = None
) -> Packed:
    """Make the slice whose members begin with ``prefix`` in ``folder``, which does not exist, under ``name``, if given.

    Its store is a new one in any case, so that none is ever written into that another slice uses.

    Raises
    ------
    SymposiaError
        It holds what no slice does, or the store refused. What was made so far is left for ``staging`` to remove.
    """
    folder.mkdir(parents=True)
    manifest = _unpack_manifest(archive, prefix, folder, name)
    base = manifest.store_folder(folder)
    for member in archive.below(prefix + FILES):
        relative = member.name.removeprefix(prefix + FILES)
        if not _belongs(Path(relative)):
            raise damaged(archive.path, f"{member.name} is no file of a slice")
        archive.copy(member, base / relative)
    store = opened(manifest, folder, open_store)
    try:
        points = 0
        for batch in _batches(archive, prefix + POINTS, manifest.fingerprint.dimension):
            store.upsert(batch)
            points += len(batch)
            if report is not None:
                report("stored", points)
        store.flush()
        if not store.count() == points == passages_in(archive, prefix):
            raise damaged(
                archive.path, f"it does not hold the {passages_in(archive, prefix)} passages of {manifest.name!r}"
            )
        if report is not None:
            report("indexing", points)
        with suppress(StoreError):  # without the space for it searches are slower, and nothing is lost
            store.optimize()
    finally:
        store.close()
    return Packed(manifest, points)


def check_filled(store: Store, manifest: Manifest) -> None:
    """Raise a ``StoreError`` where a slice that has passages has none in this store: it is the wrong one."""
    if manifest.passages and not store.count():
        raise StoreError(
            f"Slice {manifest.name!r} should have {manifest.passages} passages, but this store holds none of them.",
            "Set [store] url to where they are: empty for the store inside this process, else a server's address.",
        )


def name_in(archive: Archive, prefix: str) -> str:
    """The name of the slice whose members begin with ``prefix``."""
    try:
        name = json.loads(archive.read(_member(archive, prefix + MANIFEST)))["name"]
        check_name(name)
    except (ValueError, KeyError, TypeError, RecursionError, InputError) as error:
        raise damaged(archive.path, f"its slice has no name ({error})") from error
    return str(name)


def passages_in(archive: Archive, prefix: str) -> int:
    """How many passages the slice has whose members begin with ``prefix``."""
    try:
        return int(archive.read(_member(archive, prefix + COUNT)))
    except ValueError as error:
        raise damaged(archive.path, f"{prefix}{COUNT} is no number") from error


def files_of(base: Path) -> Iterator[Path]:
    """The files that belong to a slice whose points lie in ``base``, in order of their names; the manifest apart."""
    for path in sorted(base.iterdir()) if base.is_dir() else ():
        if path.is_file() and not path.is_symlink() and _belongs(Path(path.name)):
            yield path


def _belongs(relative: Path) -> bool:
    """Whether a file is this generation's; another one's manifest, ``slice~KEY.json``, is not."""
    name = relative.name
    return len(relative.parts) == 1 and name not in _APART and SEPARATOR not in name and not name.endswith(_TRANSIENT)


def _pack_points(writer: Writer, prefix: str, store: Store, manifest: Manifest, report: Report | None) -> int:
    points = 0
    for arrays, payloads, count in batches(store.records(), manifest.fingerprint.dimension):
        writer.add(f"{prefix}{points:012}{ARRAYS}", arrays)
        writer.add(f"{prefix}{points:012}{PAYLOADS}", payloads)
        points += count
        if report is not None:
            report("written", points)
    return points


def _batches(archive: Archive, prefix: str, dimension: int) -> Iterator[list[Point]]:
    members = archive.below(prefix)
    if len(members) % 2:
        raise damaged(archive.path, f"{members[-1].name} is half a batch of passages")
    for arrays, payloads in zip(members[::2], members[1::2], strict=True):
        if arrays.name.removesuffix(ARRAYS) != payloads.name.removesuffix(PAYLOADS):
            raise damaged(archive.path, f"{arrays.name} and {payloads.name} are no batch of passages")
        try:
            yield unpack(archive.read(arrays), archive.read(payloads), dimension)
        except ValueError as error:
            raise damaged(archive.path, f"{arrays.name}: {error}") from error


def _unpack_manifest(archive: Archive, prefix: str, folder: Path, name: str) -> Manifest:
    """The manifest with a generation of its own. As it was it names a store that may be in use, so nobody may find it."""
    given = folder / GIVEN
    archive.copy(_member(archive, prefix + MANIFEST), given)
    try:
        manifest = Manifest.read(folder, GIVEN)
        named = name or manifest.name
        check_name(named)
        if not 0 < manifest.fingerprint.dimension <= 1 << 16:
            raise InputError(f"Vectors have {manifest.fingerprint.dimension} dimensions.", "")
    except SymposiaError as error:
        raise damaged(archive.path, f"its slice has no manifest that can be used ({error.problem})") from error
    given.unlink()
    manifest = replace(manifest, name=named, generation=secrets.token_hex(6))
    manifest.keep(folder)
    manifest.store_folder(folder).mkdir()  # where a server has the points, too: an adapter may come to lie there
    return manifest


def _member(archive: Archive, name: str) -> Member:
    member = archive.members.get(name)
    if member is None:
        raise damaged(archive.path, f"it lacks {name}")
    return member
