"""The file that conversations are kept in: one SQLite database, its format version, and what can go wrong with it.

Writes are transactions of SQLite's write-ahead log, synced to disk before they count: a process that is killed loses
nothing that was acknowledged, and several processes may read and write at once. A connection lives as long as one call, so that
nothing is held open in a file that somebody moved away.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from urllib.parse import quote

from indexes.errors import StoreError

PATIENCE = 20.0  # seconds to wait for another process
APPLICATION = 0x53594D50  # "SYMP": tells the file from other programs' databases

STEPS: tuple[tuple[str, ...], ...] = (
    (
        """
        CREATE TABLE conversations (
            id TEXT PRIMARY KEY,
            owner TEXT NOT NULL,
            title TEXT NOT NULL,
            began TEXT NOT NULL,
            changed TEXT NOT NULL,
            experts TEXT NOT NULL  -- JSON list of all that its turns name
        ) STRICT
        """,
        """
        CREATE TABLE turns (
            id TEXT PRIMARY KEY,
            conversation TEXT NOT NULL REFERENCES conversations (id) ON DELETE CASCADE,
            number INTEGER NOT NULL,  -- 1, 2, 3, … within the conversation
            asked TEXT NOT NULL,
            answer TEXT NOT NULL,  -- JSON of Answer.to_dict
            at TEXT NOT NULL,
            helpful INTEGER,
            comment TEXT NOT NULL DEFAULT '',
            UNIQUE (conversation, number)
        ) STRICT
        """,
        "CREATE INDEX conversations_by_owner ON conversations (owner, changed)",
    ),
)
"""What makes an empty file a database of format 1, and each format into the next. A step that was released never changes."""

_HEADER = b"SQLite format 3\0"
_NO_DATABASE = ("is no database.", "Move the file away; a new one is made.")
_CODES = {
    sqlite3.SQLITE_BUSY: (
        "is in use by another process, which has not let go of it for {patience:.0f} s.",
        "Try again; if it lasts, look for a process that hangs.",
    ),
    sqlite3.SQLITE_FULL: ("cannot grow: the disk is full.", "Free some space and try again."),
    sqlite3.SQLITE_READONLY: ("may not be written.", "Make the file and its folder writable for this user."),
    sqlite3.SQLITE_CANTOPEN: (
        "cannot be opened.",
        "Check that its folder exists and that this user may read and write there.",
    ),
    sqlite3.SQLITE_NOTADB: _NO_DATABASE,
    sqlite3.SQLITE_CORRUPT: ("is damaged.", "Put a copy of it back, or move it away; a new one is made."),
}
_OTHER = ("cannot be used: {error}.", "Check the disk and the rights of the file.")


@contextmanager
def reading(file: Path) -> Iterator[sqlite3.Connection | None]:
    """A connection that only reads; ``None`` where there is no file, or nothing in it.

    Raises
    ------
    StoreError
        The file cannot be read, or is of a newer format.
    """
    if not file.is_file() or file.stat().st_size == 0:
        yield None
        return
    with _explained(file), closing(_readable(file)) as connection:
        if _version(connection, file) < len(STEPS):
            with writing(file):
                pass  # brings it to the present format
        yield connection


@contextmanager
def writing(file: Path) -> Iterator[sqlite3.Connection]:
    """A connection within a transaction, committed at the end and rolled back at an error. The file is made where absent.

    Raises
    ------
    StoreError
        The file cannot be written, or is of a newer format. It is as it was.
    """
    with _explained(file):
        _make(file)
        with closing(_connect(f"{_uri(file)}?mode=rw")) as connection:
            if _version(connection, file) == 0:
                connection.execute("PRAGMA journal_mode = WAL")
            connection.execute("BEGIN IMMEDIATE")
            try:
                _upgrade(connection, file)
                yield connection
                connection.execute("COMMIT")
            finally:
                if connection.in_transaction:
                    connection.execute("ROLLBACK")


def _make(file: Path) -> None:
    """Make the file where there is none; what people ask is nobody else's business."""
    if not file.exists():
        file.parent.mkdir(parents=True, exist_ok=True)
        os.close(os.open(file, os.O_CREAT | os.O_RDWR, 0o600))
    _check_header(file)


def _check_header(file: Path) -> None:
    """SQLite itself takes a file of a few bytes for an empty database, and would write over it."""
    with file.open("rb") as stream:
        start = stream.read(len(_HEADER))
    if start not in (b"", _HEADER):
        problem, fix = _NO_DATABASE
        raise StoreError(f"{file} {problem}", fix)


def _readable(file: Path) -> sqlite3.Connection:
    """SQLite wants to write beside the file even when it only reads; on a disk that forbids it, it may read as it stands."""
    _check_header(file)
    connection = _connect(f"{_uri(file)}?mode=rw")
    try:
        connection.execute("SELECT count(*) FROM sqlite_schema").fetchone()
    except sqlite3.OperationalError as error:
        connection.close()
        log = file.with_name(f"{file.name}-wal")
        whole = not log.is_file() or log.stat().st_size == 0
        if _primary(error) not in (sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN) or not whole:
            raise
        return _connect(f"{_uri(file)}?mode=ro&immutable=1")
    return connection


def _connect(uri: str) -> sqlite3.Connection:
    connection = sqlite3.connect(uri, uri=True, timeout=PATIENCE, isolation_level=None)
    connection.row_factory = sqlite3.Row
    connection.execute("PRAGMA foreign_keys = ON")
    connection.execute("PRAGMA synchronous = FULL")
    return connection


def _uri(file: Path) -> str:
    return f"file:{quote(str(file.absolute()))}"


def _version(connection: sqlite3.Connection, file: Path) -> int:
    """The format of the file, 0 for an empty one."""
    version = int(connection.execute("PRAGMA user_version").fetchone()[0])
    application = int(connection.execute("PRAGMA application_id").fetchone()[0])
    tables = int(connection.execute("SELECT count(*) FROM sqlite_schema").fetchone()[0])
    if (version or tables) and application != APPLICATION:
        raise StoreError(f"{file} is another program's database.", "Move it away; a new one is made.")
    if version > len(STEPS):
        raise StoreError(
            f"{file} has format {version}, written by a newer Symposia; this one reads up to {len(STEPS)}.",
            "Update Symposia, or set another home.",
        )
    return version


def _upgrade(connection: sqlite3.Connection, file: Path) -> None:
    """Bring the file to the present format, within the transaction."""
    version = _version(connection, file)
    for step in STEPS[version:]:
        for statement in step:
            connection.execute(statement)
    if version < len(STEPS):
        connection.execute(f"PRAGMA application_id = {APPLICATION}")
        connection.execute(f"PRAGMA user_version = {len(STEPS)}")


@contextmanager
def _explained(file: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise StoreError(
            f"{file} cannot be made: {error.strerror}.", "Choose a home that this user may write."
        ) from error
    except sqlite3.Error as error:
        problem, fix = _CODES.get(_primary(error), _OTHER)
        raise StoreError(f"{file} {problem.format(patience=PATIENCE, error=error)}", fix) from error


def _primary(error: sqlite3.Error) -> int:
    """SQLite's result code without what refines it; -1 where the error comes from elsewhere."""
    code = getattr(error, "sqlite_errorcode", None)
    return -1 if code is None else int(code) & 0xFF
