from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from app.bench.gate.questions import TRICKY, TRIVIA
from app.bench.gate.run import HELD, KNOWN, QUESTION_ONLY, UNKNOWN, Messages, Sizes, run
from evaluation.gate import ALWAYS, FALSE_SKIPS, NEVER, ORACLE, SAVED
from evaluation.report import Table
from generators.decoding.drafts import Draft
from indexes.errors import InputError
from tests.app.beir_folders import write_lines
from tests.app.bench.retrieval.conftest import build_home, settings_at, stand_in
from tests.fakes import TOPICS, WordEncoder

SIZES = Sizes(domain=4, trivia=6, fit=40, answers=3)


class Reader:
    """Knows that a lion roars, and answers from sources that name the orchard's months; sure where ``sure`` says so."""

    def __init__(self, sure: str) -> None:
        self.sure = sure
        self.asked: list[str] = []

    def __call__(self, messages: Sequence[Messages]) -> list[Draft]:
        texts = [each[-1]["content"] for each in messages]
        self.asked += texts
        return [self._draft(text) for text in texts]

    def _draft(self, text: str) -> Draft:
        said = "August" if "carry fruit from August" in text else "a lion" if "roars" in text else "no idea"
        gap = 9.0 if self.sure in text else 0.5 + len(text) / 1000
        return Draft(said, (1, 2), *(np.full(2, value, np.float32) for value in (-0.1, 1 / gap, gap)))


@pytest.fixture
def tables(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[Table]:
    return measured(tmp_path, monkeypatch, "roars")


def measured(place: Path, monkeypatch: pytest.MonkeyPatch, sure: str) -> list[Table]:
    stand_in(monkeypatch, WordEncoder())
    monkeypatch.setattr("app.bench.gate.run.BUDGETS", (0.0, 0.5))
    home = build_home(place)
    for name in TRIVIA:
        (place / "qa" / name).mkdir(parents=True)
        records = [{"question": f"Which zebulon {i} roars?", "golden_answers": ["a lion"]} for i in range(3)]
        records += [{"question": f"Wherefore wumpus {i}?", "golden_answers": ["a gnu"]} for i in range(3)]
        write_lines(place / "qa" / name / "test.jsonl", records)
    folders = [home.folders / topic for topic in TOPICS]
    answers = [{"_id": f"q{n}-3", "reference": "['August']"} for n in range(8)]
    write_lines(folders[0] / "answers.jsonl", answers)
    return run(home.settings, home.slices, folders, place / "qa", SIZES, report=lambda _: None, drafter=Reader(sure))


def test_every_question_is_counted_under_its_kind(tables: list[Table]) -> None:
    kinds = {row.name: row.n for row in tables[1].rows}
    assert kinds.pop(f"{KNOWN} (needless)") == 6
    assert kinds.pop(UNKNOWN) == 6
    assert HELD not in kinds
    assert {kinds.pop(topic) for topic in TOPICS} == {4}
    assert set(kinds) == {"chitchat (needless)", "about (needless)", "arithmetic (needless)", TRICKY}


def test_what_the_model_surely_knows_is_skipped_with_the_draft_alone(tables: list[Table]) -> None:
    known, unknown = tables[1].row(f"{KNOWN} (needless)"), tables[1].row(UNKNOWN)
    skipped = [
        known.values[gate].value for gate in (QUESTION_ONLY, "and the model sure, 0%", "and the model sure, 50%")
    ]
    assert skipped == [0, 0, 1]
    assert unknown.values[QUESTION_ONLY].value == 0


def test_sums_are_skipped_and_the_references_stand_beside_the_gates(tables: list[Table]) -> None:
    assert tables[1].row("arithmetic (needless)").values[QUESTION_ONLY].value > 0.5
    for table in tables[2:4]:
        assert [row.name for row in table.rows][:3] == [NEVER, ALWAYS, QUESTION_ONLY]
        assert table.row(ORACLE).values[SAVED].value == 1
        assert table.row(QUESTION_ONLY).values[FALSE_SKIPS].value < 0.2
    assert tables[3].rows[0].n < tables[2].rows[0].n


def test_the_others_are_counted_by_where_they_come_from(tables: list[Table]) -> None:
    test_questions = 4 * len(TOPICS)
    everything, plain = (" ".join(table.notes) for table in tables[2:4])
    assert f"The others are {test_questions} test questions of the slices, 60 written {TRICKY}." in plain
    assert f"{test_questions} test questions of the slices, 60 written {TRICKY}, 6 of trivia that" in everything
    assert f", {test_questions + 60} others." in plain


def test_what_the_model_knows_is_told_apart_from_what_it_does_not(tables: list[Table]) -> None:
    for row in tables[0].rows:
        assert (row.n, row.values["contains"].value) == (6, 0.5)
        assert row.values["AUROC margin"].value == 1


def test_answers_are_compared_with_and_without_sources(tables: list[Table]) -> None:
    found = {row.name: row.values["right"].value for row in tables[4].rows}
    assert tables[4].rows[0].n == 3 + 2 * 3
    assert found[ORACLE] >= max(found[NEVER], found[ALWAYS])


def test_a_panel_without_the_sets_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stand_in(monkeypatch, WordEncoder())
    home = build_home(tmp_path)
    with pytest.raises(InputError, match="slice on the panel"):
        run(
            settings_at(home.path),
            home.slices,
            [tmp_path / "x"],
            tmp_path,
            SIZES,
            report=lambda _: None,
            drafter=Reader(""),
        )
