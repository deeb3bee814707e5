from __future__ import annotations

import errno
import os
import signal
import sqlite3
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from app.access.principal import LOCAL
from app.conversations import database
from app.conversations.store import Conversations
from generators.answer import Answer
from indexes.errors import StoreError
from tests.app.conversations.made import make_answer

ROOT = Path(__file__).parents[3]
WRITER = """
import sys
from pathlib import Path
from app.access.principal import LOCAL
from app.conversations.store import Conversations
from tests.app.conversations.made import make_answer
store = Conversations(Path(sys.argv[1]))
conversation = None
for number in range(int(sys.argv[2])):
    turn = store.record(LOCAL, conversation, f"{sys.argv[3]} {number}", make_answer())
    conversation = turn.conversation
    sys.stdout.write(f"{conversation} {number}\\n")
    sys.stdout.flush()
"""


def writer(file: Path, count: int, name: str) -> subprocess.Popen[str]:
    """A process that records turns, and tells of each when it was recorded."""
    command = [sys.executable, "-c", WRITER, str(file), str(count), name]
    return subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def test_a_killed_process_loses_nothing_that_it_was_told_is_recorded(tmp_path: Path) -> None:
    file = tmp_path / "c.db"
    process = writer(file, 100_000, "killed")
    assert process.stdout is not None
    told = [process.stdout.readline().split() for _ in range(25)]
    process.send_signal(signal.SIGKILL)
    told += [line.split() for line in process.stdout.read().splitlines()]
    process.wait()
    store = Conversations(file)
    turns = store.turns(LOCAL, told[0][0])
    assert [t.asked for t in turns] == [f"killed {n}" for n in range(len(turns))]
    assert len(turns) in (len(told), len(told) + 1)  # the last may have been recorded and not yet told
    store.record(LOCAL, told[0][0], "after", make_answer())
    assert store.turns(LOCAL, told[0][0])[-1].asked == "after"


def test_processes_that_begin_the_file_at_once_all_write_into_it(tmp_path: Path) -> None:
    file = tmp_path / "new" / "c.db"
    processes = [writer(file, 20, f"p{n}") for n in range(3)]
    ended = [process.communicate(timeout=120) for process in processes]
    assert [err for _, err in ended] == [""] * 3
    store = Conversations(file)
    asked = [[turn.asked for turn in store.turns(LOCAL, c.id)] for c in store.list(LOCAL)]
    assert sorted(asked) == [[f"p{n} {number}" for number in range(20)] for n in range(3)]


def test_threads_write_into_one_conversation_and_none_is_lost(tmp_path: Path) -> None:
    store = Conversations(tmp_path / "c.db")
    conversation = store.record(LOCAL, None, "begin", make_answer()).conversation
    errors: list[BaseException] = []

    def work(name: int) -> None:
        try:
            for number in range(10):
                turn = store.record(LOCAL, conversation, f"{name}-{number}", make_answer())
                store.judge(LOCAL, turn.id, True)
                store.turns(LOCAL, conversation)
        except BaseException as error:
            errors.append(error)
            raise

    threads = [threading.Thread(target=work, args=(n,)) for n in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    asked = [turn.asked for turn in store.turns(LOCAL, conversation)]
    assert sorted(asked[1:]) == sorted(f"{name}-{number}" for name in range(6) for number in range(10))
    assert len(list(store.judged(LOCAL))) == 60


def test_a_full_disk_is_said_and_what_was_there_stays(
    tmp_path: Path, answer: Answer, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = Conversations(tmp_path / "c.db")
    turn = store.record(LOCAL, None, "kept", answer)
    connect = database._connect

    def narrow(uri: str) -> sqlite3.Connection:
        connection = connect(uri)
        connection.execute(f"PRAGMA max_page_count = {connection.execute('PRAGMA page_count').fetchone()[0]}")
        return connection

    monkeypatch.setattr(database, "_connect", narrow)
    with pytest.raises(StoreError, match="the disk is full") as caught:
        store.record(LOCAL, None, "x" * 100_000, answer)
    assert "Free some space" in caught.value.fix
    assert [c.title for c in store.list(LOCAL)] == ["kept"]
    monkeypatch.undo()
    store.record(LOCAL, turn.conversation, "again", answer)
    assert [t.asked for t in store.turns(LOCAL, turn.conversation)] == ["kept", "again"]


def test_what_may_not_be_written_can_still_be_read(
    tmp_path: Path, answer: Answer, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = Conversations(tmp_path / "c.db")
    turn = store.record(LOCAL, None, "kept", answer)
    connect = database._connect

    def forbidden(uri: str) -> sqlite3.Connection:
        """As on a disk that is mounted for reading: SQLite finds that it may not write beside the file."""
        connection = connect(uri if "immutable" in uri else uri.replace("mode=rw", "mode=ro"))
        if "immutable" not in uri:
            connection.set_authorizer(lambda *_: sqlite3.SQLITE_OK)
            connection.execute("PRAGMA query_only = ON")
        return connection

    monkeypatch.setattr(database, "_connect", forbidden)
    assert [t.asked for t in store.turns(LOCAL, turn.conversation)] == ["kept"]
    with pytest.raises(StoreError, match="may not be written"):
        store.record(LOCAL, turn.conversation, "more", answer)
    with pytest.raises(StoreError, match="may not be written"):
        store.judge(LOCAL, turn.id, True)
    monkeypatch.undo()
    assert [t.asked for t in store.turns(LOCAL, turn.conversation)] == ["kept"]


def test_a_home_that_cannot_be_made_is_said(tmp_path: Path, answer: Answer) -> None:
    (tmp_path / "home").write_text("a file where the folder should be")
    store = Conversations(tmp_path / "home" / "c.db")
    assert store.list(LOCAL) == []
    with pytest.raises(StoreError, match=os.strerror(errno.EEXIST)):
        store.record(LOCAL, None, "Who?", answer)


def test_another_process_that_holds_the_file_is_waited_for_and_then_named(
    tmp_path: Path, answer: Answer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database, "PATIENCE", 0.2)
    store = Conversations(tmp_path / "c.db")
    turn = store.record(LOCAL, None, "Who?", answer)
    holder = sqlite3.connect(store.file, isolation_level=None)
    holder.execute("BEGIN IMMEDIATE")
    with pytest.raises(StoreError, match="in use by another process"):
        store.record(LOCAL, None, "And?", answer)
    assert [t.asked for t in store.turns(LOCAL, turn.conversation)] == ["Who?"]
    holder.close()
    store.record(LOCAL, None, "And?", answer)


def test_an_older_format_is_brought_up_to_date_when_it_is_read(
    tmp_path: Path, answer: Answer, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = Conversations(tmp_path / "c.db")
    turn = store.record(LOCAL, None, "old", answer)
    step = ("ALTER TABLE turns ADD COLUMN seen INTEGER NOT NULL DEFAULT 7",)
    monkeypatch.setattr(database, "STEPS", (*database.STEPS, step))
    assert [t.asked for t in store.turns(LOCAL, turn.conversation)] == ["old"]
    with sqlite3.connect(store.file) as raw:
        assert raw.execute("PRAGMA user_version").fetchone()[0] == len(database.STEPS)
        assert raw.execute("SELECT seen FROM turns").fetchall() == [(7,)]


def test_a_step_that_fails_leaves_the_older_format_whole(
    tmp_path: Path, answer: Answer, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = Conversations(tmp_path / "c.db")
    turn = store.record(LOCAL, None, "old", answer)
    broken = ("ALTER TABLE turns ADD COLUMN seen INTEGER", "ALTER TABLE nothing ADD COLUMN seen INTEGER")
    monkeypatch.setattr(database, "STEPS", (*database.STEPS, broken))
    with pytest.raises(StoreError):
        store.list(LOCAL)
    monkeypatch.undo()
    assert [t.asked for t in store.turns(LOCAL, turn.conversation)] == ["old"]
    with sqlite3.connect(store.file) as raw:
        assert "seen" not in {row[1] for row in raw.execute("PRAGMA table_info (turns)")}


def test_a_newer_format_is_refused_and_not_touched(tmp_path: Path, answer: Answer) -> None:
    store = Conversations(tmp_path / "c.db")
    store.record(LOCAL, None, "new", answer)
    with sqlite3.connect(store.file) as raw:
        raw.execute("PRAGMA user_version = 99")
    before = store.file.read_bytes()
    for call in (lambda: store.list(LOCAL), lambda: store.record(LOCAL, None, "Who?", answer)):
        with pytest.raises(StoreError, match="has format 99, written by a newer Symposia") as caught:
            call()
        assert "Update Symposia" in caught.value.fix
    assert store.file.read_bytes() == before


@pytest.mark.parametrize("content", [b"This is a letter, and no database at all. " * 20, b"x"])
def test_a_file_that_is_no_database_is_refused_and_not_touched(tmp_path: Path, answer: Answer, content: bytes) -> None:
    file = tmp_path / "c.db"
    file.write_bytes(content)
    store = Conversations(file)
    for call in (lambda: store.list(LOCAL), lambda: store.record(LOCAL, None, "Who?", answer)):
        with pytest.raises(StoreError, match="is no database"):
            call()
    assert file.read_bytes() == content


def test_a_damaged_file_is_said(tmp_path: Path, answer: Answer) -> None:
    store = Conversations(tmp_path / "c.db")
    for number in range(20):
        store.record(LOCAL, None, f"{number}", answer)
    content = bytearray(store.file.read_bytes())
    content[4096:] = b"\xff" * (len(content) - 4096)
    store.file.write_bytes(content)
    with pytest.raises(StoreError, match="is damaged") as caught:
        store.list(LOCAL)
    assert "a new one is made" in caught.value.fix


def test_another_programs_database_is_refused(tmp_path: Path, answer: Answer) -> None:
    file = tmp_path / "c.db"
    with sqlite3.connect(file) as raw:
        raw.execute("CREATE TABLE recipes (name TEXT)")
    with pytest.raises(StoreError, match="another program's database"):
        Conversations(file).record(LOCAL, None, "Who?", answer)


def test_an_answer_that_cannot_be_read_is_said(tmp_path: Path, answer: Answer) -> None:
    store = Conversations(tmp_path / "c.db")
    turn = store.record(LOCAL, None, "Who?", answer)
    with sqlite3.connect(store.file) as raw:
        raw.execute("UPDATE turns SET answer = '{}'")
    with pytest.raises(StoreError, match=f"answer of turn {turn.id} cannot be read"):
        store.turns(LOCAL, turn.conversation)
    store.delete(LOCAL, turn.conversation)
    assert store.list(LOCAL) == []
