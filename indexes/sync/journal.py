"""The journal of a slice: which documents it has, where they came from, and which passage holds which text.

It lies beside the store and never knows better: what it lacks is read from the store again, and what it begins, it writes
down before the store is written, so that nothing lies in the store that it does not know of. So a process may be killed at
any moment. It is rebuilt where it is missing, damaged, of another format, or does not fit the store.
"""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from indexes.errors import StoreError
from indexes.passage import Passage
from indexes.sync.given import Finished, Given, Origin, Stamp, Unread, digest, packed, unpacked

if TYPE_CHECKING:
    from indexes.store.base import Store

FILE = "journal.db"
FORMAT = 1
AT_ONCE = 500  # parameters of one query, of which SQLite takes no more than 999
_FIELDS = ("document_id", "text", "title", "source", "key", "place")

_SCHEMA = """
CREATE TABLE documents (
    id BLOB PRIMARY KEY, source TEXT, recipe TEXT, passages INTEGER, whole INTEGER, run INTEGER
) WITHOUT ROWID;
CREATE TABLE claims (
    origin TEXT, source TEXT, key TEXT, document BLOB, replaces INTEGER, since INTEGER, run INTEGER,
    PRIMARY KEY (origin, source, key, document)
) WITHOUT ROWID;
CREATE INDEX claims_of_document ON claims (document);
CREATE INDEX claims_of_source ON claims (source, key);
CREATE TABLE passages (id BLOB PRIMARY KEY, document BLOB, text BLOB) WITHOUT ROWID;
CREATE INDEX passages_of_document ON passages (document);
CREATE INDEX passages_with_text ON passages (text);
CREATE TABLE files (
    path TEXT PRIMARY KEY, root TEXT, recipe TEXT, size INTEGER, modified INTEGER, changed INTEGER, run INTEGER
) WITHOUT ROWID;
CREATE TABLE facts (name TEXT PRIMARY KEY, value) WITHOUT ROWID;
"""


class Journal:
    """What is known of a slice's documents. Safe to use from several threads.

    Parameters
    ----------
    folder
        Of the slice; ``None`` keeps it in memory, for somebody who writes nothing.
    """

    def __init__(self, folder: Path | None) -> None:
        self.path = None if folder is None else folder / FILE
        self._lock = threading.RLock()
        self._rows = self._open()
        self.run = 0

    @classmethod
    def of(cls, folder: Path | None, store: Store) -> Journal:
        """The journal in ``folder``, rebuilt from the store where it does not fit it."""
        journal = cls(folder)
        try:
            if not journal.fits(store.count()):
                journal.rebuild(store)
        except BaseException:
            journal.close()
            raise
        return journal

    @classmethod
    def copy(cls, folder: Path, store: Store) -> Journal:
        """A copy in memory of the journal in ``folder``, or of what it would be; nothing is written."""
        copied = cls(None)
        copied.take(folder / FILE)
        if not copied.fits(store.count()):
            copied.rebuild(store)
        return copied

    def take(self, file: Path) -> None:
        """Hold what the journal in ``file`` holds; nothing where there is none, or it is damaged."""
        if not file.is_file():
            return
        try:
            with closing(sqlite3.connect(f"{file.absolute().as_uri()}?mode=ro", uri=True)) as kept:
                if kept.execute("PRAGMA user_version").fetchone() == (FORMAT,):
                    kept.backup(self._rows)
        except sqlite3.DatabaseError:
            self._rows.close()
            self._rows = self._connected()

    def fits(self, stored: int) -> bool:
        """Whether the store may hold that many passages: all of the documents that are whole, and some of the others'."""
        ((least, most),) = self.ask(
            "SELECT (SELECT coalesce(sum(passages), 0) FROM documents d"
            " WHERE whole AND EXISTS (SELECT 1 FROM claims c WHERE c.document = d.id)), (SELECT count(*) FROM passages)"
        )
        return int(least) <= stored <= int(most)

    def rebuild(self, store: Store) -> None:
        """Read from the store what it holds; files keep what is known of them, but will be read again."""
        with self.writing() as rows:
            rows.execute("DELETE FROM passages")
            rows.execute("DELETE FROM documents")
            rows.execute("UPDATE files SET size = NULL")
            for ids, payloads in store.payloads(_FIELDS):
                for i, payload in zip(ids, payloads, strict=True):
                    self._found(Passage.from_dict({"id": i, "text": "", **payload}))
            rows.execute("DELETE FROM claims WHERE document NOT IN (SELECT id FROM documents)")
            rows.execute(
                "INSERT INTO claims SELECT '', d.source, d.recipe, d.id, 0, 0, 0 FROM documents d"
                " WHERE NOT EXISTS (SELECT 1 FROM claims c WHERE c.document = d.id)"
            )
            rows.execute("UPDATE documents SET recipe = ''")

    def start(self) -> int:
        """Begin a run: whatever is claimed or seen from now on bears its number."""
        with self.writing() as rows:
            ((last,),) = rows.execute("SELECT coalesce((SELECT value FROM facts WHERE name = 'run'), 0)")
            self.run = int(last) + 1
            rows.execute("INSERT OR REPLACE INTO facts VALUES ('run', ?)", (self.run,))
        return self.run

    def unchanged(self, origin: Origin, stamp: Stamp, recipe: str) -> Unread | None:
        """What came from a file, where it is what it was when it was read."""
        known = self.ask("SELECT recipe, size, modified, changed FROM files WHERE path = ?", origin.path)
        if known != [(recipe, stamp.size, stamp.modified, stamp.changed)]:
            return None
        ((documents, passages),) = self.ask(
            "SELECT count(*), coalesce(sum(d.passages), 0) FROM claims c JOIN documents d ON d.id = c.document"
            " WHERE c.origin = ?",
            origin.path,
        )
        return Unread(origin, documents, passages)

    def passages_of(self, document_id: str, recipe: str) -> int | None:
        """How many passages a document has, where all of them are stored and were cut in this way, or in this run."""
        found = self.ask(
            "SELECT passages FROM documents WHERE id = ? AND whole AND (recipe = ? OR run = ?)",
            packed(document_id),
            recipe,
            self.run,
        )
        return int(found[0][0]) if found else None

    def recipe(self, document_id: str) -> str:
        """How the passages of a document were cut; empty where that is not known."""
        found = self.ask("SELECT recipe FROM documents WHERE id = ?", packed(document_id))
        return str(found[0][0]) if found else ""

    def begin(self, given: Sequence[Given], texts: Mapping[str, bytes]) -> None:
        """Note documents before their passages are stored; ``texts`` has the digest of what each passage says."""
        with self.writing() as rows:
            for each in given:
                document = packed(each.id)
                if each.passages:
                    rows.execute(
                        "INSERT INTO documents VALUES (?, ?, ?, ?, 0, ?) ON CONFLICT (id) DO UPDATE SET whole = 0",
                        (document, each.passages[0].source, each.recipe, each.count, self.run),
                    )
                    rows.executemany(
                        "INSERT OR REPLACE INTO passages VALUES (?, ?, ?)",
                        [(packed(p.id), document, texts[p.id]) for p in each.passages],
                    )
                self._claim(each, document)
            origins = {each.origin for each in given if each.origin.path}
            rows.executemany(  # one that is never read to its end, because it is gone then, is missed all the same
                "INSERT OR IGNORE INTO files VALUES (?, ?, '', NULL, NULL, NULL, ?)",
                [(origin.path, origin.root, self.run) for origin in origins],
            )

    def stale(self, given: Iterable[Given]) -> list[str]:
        """Passages that documents no longer have, as they are cut now."""
        found: list[str] = []
        for each in given:
            if each.passages:
                here = {packed(passage.id) for passage in each.passages}
                known = self.ask("SELECT id FROM passages WHERE document = ?", packed(each.id))
                found += [unpacked(i) for (i,) in known if i not in here]
        return found

    def finish(self, given: Iterable[Given], rewritten: frozenset[str], stale: Iterable[str]) -> None:
        """Note that the passages of documents are stored.

        Parameters
        ----------
        rewritten
            Documents all passages of which were stored anew, as of the source that they are given with.
        stale
            Passages that were deleted.
        """
        with self.writing() as rows:
            rows.executemany("DELETE FROM passages WHERE id = ?", [(packed(i),) for i in stale])
            for each in given:
                if each.passages:
                    rows.execute(
                        "UPDATE documents SET whole = 1, recipe = ?, passages = ?, run = ?,"
                        " source = CASE WHEN ? THEN ? ELSE source END WHERE id = ?",
                        (each.recipe, each.count, self.run, each.id in rewritten, each.source, packed(each.id)),
                    )

    def forget_documents(self, ids: Iterable[str]) -> None:
        """These are in the store no more."""
        with self.writing() as rows:
            for i in map(packed, ids):
                rows.execute("DELETE FROM passages WHERE document = ?", (i,))
                rows.execute("DELETE FROM documents WHERE id = ?", (i,))

    def renamed(self, sources: Mapping[str, str]) -> None:
        """These documents are stored as of other sources."""
        with self.writing() as rows:
            rows.executemany(
                "UPDATE documents SET source = ? WHERE id = ?", [(source, packed(i)) for i, source in sources.items()]
            )

    def seen(self, files: Iterable[Unread]) -> None:
        """Files are there, as they were."""
        with self.writing() as rows:
            for each in files:
                rows.execute("UPDATE files SET run = max(run, ?) WHERE path = ?", (self.run, each.origin.path))
                self._rooted(each.origin)

    def read(self, file: Finished, *, settled: bool) -> None:
        """A file has been read to its end; unless ``settled``, it will be read again whatever its stamp says."""
        stamp = file.stamp if settled and file.whole else None
        values = (stamp.size, stamp.modified, stamp.changed) if stamp else (None, None, None)
        with self.writing() as rows:
            rows.execute(
                "INSERT INTO files VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT (path) DO UPDATE SET"
                " recipe = excluded.recipe, size = excluded.size, modified = excluded.modified,"
                " changed = excluded.changed, run = max(run, excluded.run)",
                (file.origin.path, file.origin.root, file.recipe, *values, self.run),
            )
            self._rooted(file.origin)

    def ids_with(self, texts: Sequence[bytes]) -> dict[bytes, str]:
        """A passage that says each of these texts, by the text's digest, of documents that are stored as a whole."""
        found: dict[bytes, str] = {}
        for start in range(0, len(texts), AT_ONCE):
            part = texts[start : start + AT_ONCE]
            marks = ",".join("?" * len(part))
            whole = "SELECT p.text, min(p.id) FROM passages p JOIN documents d ON d.id = p.document WHERE d.whole"
            query = f"{whole} AND p.text IN ({marks}) GROUP BY p.text"
            found.update((text, unpacked(i)) for text, i in self.ask(query, *part))
        return found

    def repeated(self) -> int:
        """Passages that say what a passage of another document says."""
        ((count,),) = self.ask(
            "SELECT coalesce(sum(n), 0) FROM (SELECT count(*) n FROM passages GROUP BY text"
            " HAVING min(document) != max(document))"
        )
        return int(count)

    def fact(self, name: str) -> float | None:
        """A number that was kept under this name."""
        found = self.ask("SELECT value FROM facts WHERE name = ?", name)
        return float(found[0][0]) if found else None

    def keep(self, name: str, value: float) -> None:
        """Keep a number."""
        with self.writing() as rows:
            rows.execute("INSERT OR REPLACE INTO facts VALUES (?, ?)", (name, value))

    def close(self) -> None:
        """Release the file."""
        with self._lock:
            self._rows.close()

    def _claim(self, given: Given, document: bytes) -> None:
        origin = given.origin.path
        if origin:  # the file owns what is known of its source from elsewhere, such as from a rebuilt journal
            self._rows.execute(
                "DELETE FROM claims WHERE origin = '' AND source = ? AND key = ? AND document = ?",
                (given.source, given.key, document),
            )
        self._rows.execute(
            "INSERT INTO claims VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET"
            " replaces = excluded.replaces, run = max(run, excluded.run)",
            (origin, given.source, given.key, document, given.replaces, self.run, self.run),
        )

    def _found(self, passage: Passage) -> None:
        """A passage that the store holds. ``recipe`` holds the document's key for a moment."""
        self._rows.execute(
            "INSERT INTO documents VALUES (?, ?, ?, 1, 1, 0) ON CONFLICT (id) DO UPDATE SET passages = passages + 1",
            (packed(passage.document_id), passage.source, passage.key),
        )
        self._rows.execute(
            "INSERT OR REPLACE INTO passages VALUES (?, ?, ?)",
            (packed(passage.id), packed(passage.document_id), digest(passage.searchable)),
        )

    def _rooted(self, origin: Origin) -> None:
        """A file's root is the outermost folder that it was found in."""
        if origin.root:
            self._rows.execute(
                "UPDATE files SET root = ? WHERE path = ? AND (root = '' OR length(root) > length(?))",
                (origin.root, origin.path, origin.root),
            )

    def ask(self, query: str, *values: object) -> list[tuple[Any, ...]]:
        """All rows that a query finds."""
        with self._lock, self._explained():
            return self._rows.execute(query, values).fetchall()

    def named(self, query: str, values: Mapping[str, object]) -> list[tuple[Any, ...]]:
        """Like ``ask``, with values by name."""
        with self._lock, self._explained():
            return self._rows.execute(query, values).fetchall()

    @contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """All of it is written, or nothing."""
        with self._lock, self._explained():
            if self._rows.in_transaction:  # part of what the caller writes
                yield self._rows
                return
            self._rows.execute("BEGIN IMMEDIATE")
            try:
                yield self._rows
                self._rows.execute("COMMIT")
            except BaseException:
                if self._rows.in_transaction:  # SQLite has ended it itself where the disk is full
                    self._rows.execute("ROLLBACK")
                raise

    @contextmanager
    def _explained(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.Error as error:
            raise StoreError(
                f"The journal at {self.path or 'no place'} cannot be read or written: {error}",
                "Free some space where the disk is full and run the same command again: it resumes. If the file is damaged, "
                "remove it; it is rebuilt.",
            ) from error

    def _open(self) -> sqlite3.Connection:
        """The database, made anew where the file is damaged or of another format."""
        try:
            return self._connected()
        except sqlite3.DatabaseError as error:
            if self.path is None or isinstance(error, sqlite3.OperationalError):
                raise self._refused(error) from error
            return self._anew()

    def _connected(self) -> sqlite3.Connection:
        rows = sqlite3.connect(self.path or ":memory:", isolation_level=None, check_same_thread=False, timeout=10)
        try:
            rows.execute("PRAGMA synchronous = FULL")
            ((version,),) = rows.execute("PRAGMA user_version")
            if version == FORMAT:
                ((sound,),) = rows.execute("PRAGMA quick_check(1)")
                if sound != "ok":
                    raise sqlite3.DatabaseError(sound)
            elif version or list(rows.execute("SELECT 1 FROM sqlite_master")):
                raise sqlite3.DatabaseError(f"format {version}")
            else:
                rows.executescript(f"BEGIN; {_SCHEMA} PRAGMA user_version = {FORMAT}; COMMIT;")
        except BaseException:
            rows.close()
            raise
        return rows

    def _anew(self) -> sqlite3.Connection:
        if self.path is not None:
            self.path.unlink(missing_ok=True)
            self.path.with_name(f"{FILE}-journal").unlink(missing_ok=True)
        return self._connected()

    def _refused(self, error: sqlite3.Error) -> StoreError:
        return StoreError(
            f"The journal at {self.path} cannot be opened: {error}",
            "Check that you may write there; if the file is damaged, remove it: it is rebuilt.",
        )
