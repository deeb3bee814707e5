from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from app.access.principal import LOCAL, Principal
from app.conversations.store import Conversations
from app.training_data import Shelf, read_labelled
from tests.app.conversations.made import PASSAGE, make_answer
from tests.fakes import make_passages


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Conversations:
    monkeypatch.setenv("SYMPOSIA_HOME", str(tmp_path / "home"))
    return Conversations(tmp_path / "home" / "conversations.db")


def test_an_empty_list_says_where_conversations_begin(run: Any, store: Conversations) -> None:
    assert "symposia chat" in run("conversations", "list").out
    assert run("conversations", "list", "--json").document == {"conversations": []}
    assert not store.file.exists()


def test_list_shows_the_last_one_first_and_each_owner_its_own(run: Any, store: Conversations) -> None:
    for asked in ("First?", "Second?"):
        store.record(LOCAL, None, asked, make_answer())
    store.record(Principal("ann"), None, "Hers?", make_answer())
    lines = run("conversations", "list").out.splitlines()
    assert [line.split()[-1] for line in lines[1:]] == ["Second?", "First?"]
    assert [
        each["title"] for each in run("conversations", "list", "--of", "ann", "--json").document["conversations"]
    ] == ["Hers?"]


def test_show_prints_question_answer_sources_and_thumb(run: Any, store: Conversations) -> None:
    turn = store.record(LOCAL, None, "And how do they sleep?", make_answer())
    store.judge(LOCAL, turn.id, False, "too short")
    out = run("conversations", "show", turn.conversation[:8]).out
    wanted = (
        "And how do they sleep?",
        "Understood as: How do swifts sleep?",
        "[1]",
        "Swifts › Sleep",
        "not helpful – too short",
    )
    assert [text for text in wanted if text not in out] == []
    document = run("conversations", "show", turn.conversation, "--json").document
    assert [t["answer"]["text"] for t in document["turns"]] == [turn.answer.text]


def test_export_writes_markdown_to_stdout_or_into_a_file(run: Any, store: Conversations, tmp_path: Path) -> None:
    turn = store.record(LOCAL, None, "How do swifts sleep?", make_answer())
    ended = run("conversations", "export", turn.conversation)
    assert ended.out == store.markdown(LOCAL, turn.conversation)
    assert run("conversations", "export", turn.conversation, "--out", tmp_path / "swifts.md").out == ""
    assert (tmp_path / "swifts.md").read_text() == ended.out
    document = run("conversations", "export", turn.conversation, "--json").document
    assert document == {"conversation": turn.conversation, "markdown": ended.out, "file": None}


def test_a_file_that_cannot_be_written_is_said(run: Any, store: Conversations, tmp_path: Path) -> None:
    turn = store.record(LOCAL, None, "Who?", make_answer())
    ended = run("conversations", "export", turn.conversation, "--out", tmp_path / "no" / "swifts.md")
    assert ended.code == 1
    assert "cannot be written" in ended.err


def test_delete_removes_one(run: Any, store: Conversations) -> None:
    kept, gone = (store.record(LOCAL, None, asked, make_answer()).conversation for asked in ("Kept?", "Gone?"))
    assert run("conversations", "delete", gone).out == "Deleted 'Gone?'.\n"
    assert [each.id for each in store.list(LOCAL)] == [kept]
    assert run("conversations", "delete", kept, "--json").document == {"deleted": kept}


@pytest.mark.parametrize("command", ["show", "export", "delete"])
@pytest.mark.parametrize("start", ["ffff", ""])
def test_an_unknown_id_is_said(run: Any, store: Conversations, command: str, start: str) -> None:
    store.record(LOCAL, None, "Who?", make_answer())
    ended = run("conversations", command, start or "")
    assert ended.code == 1
    assert "There is no conversation" in ended.err
    assert len(store.list(LOCAL)) == 1


def test_a_beginning_that_several_share_is_refused(run: Any, store: Conversations) -> None:
    starts = [store.record(LOCAL, None, "Who?", make_answer()).conversation[0] for _ in range(17)]
    twice = next(s for s in starts if starts.count(s) > 1)
    ended = run("conversations", "delete", twice)
    assert ended.code == 1
    assert f"begin with '{twice}'" in ended.err
    assert len(store.list(LOCAL)) == 17


def test_feedback_exports_what_training_reads(run: Any, store: Conversations, tmp_path: Path) -> None:
    (passage,) = make_passages([PASSAGE])
    turn = store.record(LOCAL, None, "And at night?", make_answer(passage=passage.id))
    store.judge(LOCAL, turn.id, True)
    file = tmp_path / "pairs.jsonl"
    ended = run("feedback", "export", "--out", file)
    assert "1 pairs of 1 thumbs up" in ended.err
    read = read_labelled(str(file), "", Shelf([passage]))
    assert read.unmatched == 0
    assert read.labelled.questions == ("How do swifts sleep?",)
    assert run("feedback", "export").out == file.read_text()
    document = run("feedback", "export", "--json").document
    assert document["pairs"] == [json.loads(line) for line in file.read_text().splitlines()]
    assert (document["up"], document["down"], document["file"]) == (1, 0, None)


def test_feedback_of_everyone_is_exported_on_demand(run: Any, store: Conversations) -> None:
    for name in ("local", "ann"):
        turn = store.record(Principal(name), None, name, make_answer(f"Who is {name}?"))
        store.judge(Principal(name), turn.id, True)
    asked = [pair["question"] for pair in run("feedback", "export", "--json").document["pairs"]]
    everyone = [pair["question"] for pair in run("feedback", "export", "--everyone", "--json").document["pairs"]]
    assert (asked, everyone) == (["Who is local?"], ["Who is local?", "Who is ann?"])


def test_a_newer_file_ends_with_1_and_says_what_to_do(run: Any, store: Conversations) -> None:
    import sqlite3

    store.record(LOCAL, None, "Who?", make_answer())
    with sqlite3.connect(store.file) as raw:
        raw.execute("PRAGMA user_version = 99")
    ended = run("conversations", "list")
    assert ended.code == 1
    assert "Update Symposia" in ended.err
