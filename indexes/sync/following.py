# ruff: noqa: S608 (queries are put together from constants of this file)
"""What has to go: earlier versions, what is in a file no more, and what came from files that are gone.

Claims go first, in one transaction; documents that nobody claims any more are then swept out of the store, by the next run
where this one is killed.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from indexes.readers.problem import Problem
from indexes.sync.given import Finished, packed, unpacked

if TYPE_CHECKING:
    from indexes.sync.journal import Journal

PRUNE = "Check that all of it is there. If it is meant, run the same command again with --prune."

_SAME = "c.source = n.source AND c.key = n.key AND n.replaces AND n.run = :run AND n.document != c.document"
_REPLACED = f"EXISTS (SELECT 1 FROM claims n WHERE {_SAME})"
_OF_FILE = "(c.origin = :path OR (c.origin = '' AND c.source = :source)) AND c.run < :run"


@dataclass(frozen=True, slots=True)
class Dropped:
    """How many documents lost a claim: ``replaced`` by a later version, or ``removed``; and what was ``withheld`` from that."""

    replaced: int = 0
    removed: int = 0
    withheld: tuple[Problem, ...] = ()

    def __add__(self, other: Dropped) -> Dropped:
        return Dropped(self.replaced + other.replaced, self.removed + other.removed, (*self.withheld, *other.withheld))


NOTHING = Dropped()


def earlier(journal: Journal, file: Finished, *, prune: bool) -> Dropped:
    """Drop what a file that was read to its end had before, and has no more; call it before ``Journal.read``.

    Where a part of it could not be read, only what has a later version goes.
    """
    values = {"path": file.origin.path, "source": file.source, "run": journal.run}
    ((stale, replaced),) = journal.named(
        f"SELECT count(*), coalesce(sum({_REPLACED}), 0) FROM claims c WHERE {_OF_FILE}",
        values,
    )
    if not stale:
        return NOTHING
    withheld = () if prune or not file.whole else _too_much(journal, file, values, stale - replaced, replaced)
    if withheld or not file.whole:
        _drop(journal, f"{_OF_FILE} AND {_REPLACED}", values)
        return Dropped(replaced, withheld=withheld)
    _drop(journal, _OF_FILE, values)
    return Dropped(replaced, stale - replaced)


def _too_much(
    journal: Journal, file: Finished, values: Mapping[str, object], removed: int, replaced: int
) -> tuple[Problem, ...]:
    """What is wrong where a file has lost more than half of its documents."""
    ((now, new),) = journal.named(
        "SELECT count(*), coalesce(sum(since = :run), 0) FROM claims WHERE origin = :path AND run = :run", values
    )
    gained = max(0, new - replaced)
    before = removed + now - gained
    if before <= 1 or 2 * (removed - gained) <= before:
        return ()
    reason = f"has lost {removed} of the {before} documents that came from it; these stay"
    return (Problem(Path(file.origin.path), reason, PRUNE),)


def stale(journal: Journal, file: Finished) -> bool:
    """Whether anything is kept that the file has no more."""
    values = {"path": file.origin.path, "source": file.source, "run": journal.run}
    return bool(journal.named(f"SELECT 1 FROM claims c WHERE {_OF_FILE} LIMIT 1", values))


def versions(journal: Journal) -> Dropped:
    """Drop earlier versions of documents that were handed over in this run."""
    values = {"run": journal.run}
    other = f"c.run < :run AND EXISTS (SELECT 1 FROM claims n WHERE {_SAME} AND n.origin = '')"
    ((replaced,),) = journal.named(f"SELECT count(*) FROM claims c WHERE {other}", values)
    if replaced:
        with journal.writing() as rows:
            rows.execute(
                f"UPDATE files SET size = NULL WHERE path IN (SELECT c.origin FROM claims c WHERE {other})",
                values,
            )
        _drop(journal, other, values)
    return Dropped(replaced)


def vanished(journal: Journal, root: str, unreadable: Sequence[Path], *, prune: bool) -> Dropped:
    """Drop what came from files below ``root`` that are there no more; nothing where that is more than half of it all.

    Files below what could not be read may be there.
    """
    values = {
        "first": root.rstrip(os.sep) + os.sep,
        "last": root.rstrip(os.sep) + chr(ord(os.sep) + 1),
        "run": journal.run,
    }
    below = "f.root != '' AND f.path > :first AND f.path < :last"
    files = journal.named(
        "SELECT f.path, f.run < :run, (SELECT count(*) FROM claims c WHERE c.origin = f.path)"
        f" FROM files f WHERE {below}",
        values,
    )
    gone = [(path, n) for path, missing, n in files if missing and not _hidden(Path(path), unreadable)]
    lost, total = sum(n for _, n in gone), sum(n for *_, n in files)
    if lost * 2 > total and not prune:
        reason = f"has lost the files of {lost} of the {total} documents that came from it; nothing of them was removed"
        return Dropped(withheld=(Problem(Path(root), reason, PRUNE),))
    with journal.writing() as rows:
        rows.executemany("DELETE FROM claims WHERE origin = ?", [(path,) for path, _ in gone])
        rows.executemany("DELETE FROM files WHERE path = ?", [(path,) for path, _ in gone])
    return Dropped(removed=lost)


def moved_away(journal: Journal) -> None:
    """Let files go that are there no more, where one that was read or seen in this run has all that they had."""
    here = "SELECT 1 FROM claims n JOIN files g ON g.path = n.origin WHERE n.document = c.document AND g.run = :run"
    found = journal.named(
        "SELECT c.origin FROM claims c JOIN files f ON f.path = c.origin WHERE f.run < :run GROUP BY c.origin"
        f" HAVING min(EXISTS ({here}))",
        {"run": journal.run},
    )
    gone = [(path,) for (path,) in found if not os.path.lexists(path)]
    with journal.writing() as rows:
        rows.executemany("DELETE FROM claims WHERE origin = ?", gone)
        rows.executemany("DELETE FROM files WHERE path = ?", gone)


def unclaimed(journal: Journal) -> list[str]:
    """Documents that have to go."""
    return [
        unpacked(i)
        for (i,) in journal.ask(
            "SELECT id FROM documents d WHERE NOT EXISTS (SELECT 1 FROM claims c WHERE c.document = d.id)"
        )
    ]


def forget(journal: Journal, documents: Sequence[str]) -> None:
    """Drop whatever claims documents, because somebody has deleted them; files that they came from will be read again."""
    with journal.writing() as rows:
        for i in map(packed, documents):
            rows.execute(
                "UPDATE files SET size = NULL WHERE path IN (SELECT origin FROM claims WHERE document = ?)", (i,)
            )
            rows.execute("DELETE FROM claims WHERE document = ?", (i,))


def moved(journal: Journal) -> dict[str, str]:
    """Documents that are stored as of a source that has them no more, each with one that has them."""
    return {
        unpacked(i): source
        for i, source in journal.ask(
            "SELECT d.id, min(c.source) FROM documents d JOIN claims c ON c.document = d.id GROUP BY d.id"
            " HAVING sum(c.source = d.source) = 0"
        )
    }


def _hidden(path: Path, unreadable: Sequence[Path]) -> bool:
    return any(path == each or path.is_relative_to(each) for each in unreadable)


def _drop(journal: Journal, which: str, values: Mapping[str, object]) -> None:
    with journal.writing() as rows:
        rows.execute(
            "DELETE FROM claims WHERE (origin, source, key, document) IN"
            f" (SELECT c.origin, c.source, c.key, c.document FROM claims c WHERE {which})",
            values,
        )
