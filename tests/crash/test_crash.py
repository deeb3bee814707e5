"""Processes that add documents are killed; see ``app.bench.crash``."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from app.bench import crash
from app.bench.crash import Crashes, Death, run
from app.bench.crash_child import (
    Acknowledged,
    Checked,
    HashedWords,
    State,
    expected,
    state,
    write_documents,
)

FINE = Death(1.0, 10, 0, 0, 0, 12, 3, True, True)


@pytest.mark.slow
def test_five_processes_that_are_killed_lose_nothing_and_double_nothing() -> None:
    found = run(times=5, documents=500, seed=3)
    assert len(found.deaths) == 5
    assert [death for death in found.deaths if not death.fine] == []
    assert found.ok
    assert found.passages > 500
    assert all(death.after > 0 for death in found.deaths)


@pytest.fixture
def trial(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[crash._Trial]:
    """Three documents, and no process."""
    monkeypatch.setattr(crash._Trial, "_undisturbed", lambda self: (1.0, State(("a", "b"), "digest", 2)))
    yield crash._Trial(tmp_path, 3, 0)


def examined(trial: crash._Trial, monkeypatch: pytest.MonkeyPatch, checked: Checked, *said: object) -> Death:
    monkeypatch.setattr(trial, "_check", lambda home: checked)
    return trial._examined(Path(), 1.0, said)


def test_a_document_that_was_acknowledged_and_is_not_there_is_counted(
    trial: crash._Trial, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, last = trial.expected[0][0], trial.expected[-1][0]
    stored = tuple(passage for document, passage in trial.expected if document != first)
    said = (Acknowledged(1, ()), Acknowledged(len(trial.expected), (first, last)))
    found = examined(trial, monkeypatch, Checked(State(stored)), *said)
    assert (found.acknowledged, found.lost) == (2, 1)
    assert found.short == len(trial.expected) - len(stored)
    assert not found.fine


def test_a_passage_that_is_there_twice_is_counted(trial: crash._Trial, monkeypatch: pytest.MonkeyPatch) -> None:
    ids = tuple(passage for _, passage in trial.expected)
    found = examined(trial, monkeypatch, Checked(State((*ids, ids[0])), 0, trial._wanted))
    assert (found.doubled, found.resumed, found.equal) == (1, True, True)
    assert not found.fine


def test_embedding_what_was_there_is_no_resuming(trial: crash._Trial, monkeypatch: pytest.MonkeyPatch) -> None:
    ids = tuple(passage for _, passage in trial.expected)
    found = examined(trial, monkeypatch, Checked(State(ids), 1, trial._wanted))
    assert not found.resumed
    assert not found.fine


def test_another_slice_than_undisturbed_is_not_equal(trial: crash._Trial, monkeypatch: pytest.MonkeyPatch) -> None:
    ids = tuple(passage for _, passage in trial.expected)
    found = examined(trial, monkeypatch, Checked(State(ids), 0, replace(trial._wanted, digest="other")))
    assert not found.equal
    assert not found.fine


@pytest.mark.parametrize(
    "harm", [{"lost": 1}, {"short": 1}, {"doubled": 1}, {"resumed": False}, {"equal": False}, {"problem": "locked"}]
)
def test_any_harm_is_no_success(harm: dict[str, object]) -> None:
    assert Crashes(10, 15, 0, 1.0, 2.0, (FINE,)).ok
    hurt = Crashes(10, 15, 0, 1.0, 2.0, (FINE, replace(FINE, **harm)))  # type: ignore[arg-type]
    assert not hurt.ok
    assert hurt.to_dict()["ok"] is False
    assert dict(hurt.rows())["processes killed"] == "2"


def test_documents_are_the_same_every_time_and_no_two_passages_are(tmp_path: Path) -> None:
    for name in ("one", "other"):
        write_documents(tmp_path / name, 30, seed=5)
    assert [i for _, i in expected(tmp_path / "one")] == [i for _, i in expected(tmp_path / "other")]
    ids = [passage for _, passage in expected(tmp_path / "one")]
    assert len(set(ids)) == len(ids) > 30


def test_where_there_is_no_slice_nothing_is_there(tmp_path: Path) -> None:
    assert state(tmp_path) == State()


def test_hashed_words_tell_texts_apart_and_take_a_text_without_words() -> None:
    vectors = HashedWords().encode_passages(["apples and pears", "diesel engines", "…"])
    assert vectors.shape == (3, 64)
    assert abs(float(vectors[0] @ vectors[1])) < 0.9
    assert (HashedWords().encode_questions(["apples and pears"]) == vectors[:1]).all()
