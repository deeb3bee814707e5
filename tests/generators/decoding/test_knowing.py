from __future__ import annotations

import json
import math
from pathlib import Path

import pytest

from generators import prompts
from generators.decoding.drafts import drafts
from generators.decoding.knowing import DRAFT_TOKENS, FILE, Knowing, Measured, closed_book
from generators.decoding.uncertainty import margin
from generators.models.language_model import LocalModel

QUESTIONS = ("Who wrote Faust?", "Where is Oslo?", "What is a lemur?")


@pytest.fixture(scope="module")
def model(tiny_folder: Path) -> LocalModel:
    return LocalModel(tiny_folder, dtype="float32")


def test_drafts_are_closed_book_short_answers(model: LocalModel) -> None:
    (found,) = closed_book(model, QUESTIONS)
    rows = [model.chat_tokens(prompts.short_answer(question)) for question in QUESTIONS]
    expected = drafts(model, rows, max_tokens=DRAFT_TOKENS)
    assert [draft.tokens for draft in found] == [draft.tokens for draft in expected]


def test_uncertainties_are_measured_once_and_kept(model: LocalModel, tmp_path: Path) -> None:
    told: list[int] = []
    measured = Measured.of(model, QUESTIONS, report=told.append)
    assert told == [3]
    assert measured.model == model.name
    (found,) = closed_book(model, QUESTIONS)
    assert measured.values == tuple(sorted(map(margin, found)))
    measured.write(tmp_path)
    assert Measured.read(tmp_path) == measured


@pytest.mark.parametrize(("step", "sure"), [(1e-3, True), (-1e-3, False)])
def test_the_model_knows_what_it_is_surer_of_than_the_threshold(model: LocalModel, step: float, sure: bool) -> None:
    ((draft,),) = closed_book(model, QUESTIONS[:1])
    assert draft.text.strip()
    measured = Measured(model.name, (margin(draft) + step, *(2.0,) * 39))
    assert Knowing(lambda: model, measured, 0.1)(QUESTIONS[0]) == sure


def test_what_was_measured_on_another_model_says_nothing(model: LocalModel) -> None:
    assert not Knowing(lambda: model, Measured("lion", (1.0, *(2.0,) * 39)), 0.1)(QUESTIONS[0])


def test_few_questions_give_no_threshold_for_a_small_budget() -> None:
    measured = Measured("m", tuple(i / 100 for i in range(100)))
    assert measured.threshold(0.02).value == -math.inf
    assert measured.threshold(0.1).value == pytest.approx(0.04)
    assert measured.threshold(0.1).measure == "margin"


@pytest.mark.parametrize(
    "change", [{"format": 0}, {"measure": "mood"}, {"values": []}, {"values": ["x"]}, {"values": 3}, {"more": 1}]
)
def test_what_cannot_be_read_counts_for_nothing(change: dict[str, object], tmp_path: Path) -> None:
    Measured("m", (0.1, 0.2)).write(tmp_path)
    path = tmp_path / FILE
    path.write_text(json.dumps(json.loads(path.read_text()) | change))
    assert Measured.read(tmp_path) is None


@pytest.mark.parametrize("text", ["", "[]", "{", "null"])
def test_a_damaged_file_counts_for_nothing(text: str, tmp_path: Path) -> None:
    assert Measured.read(tmp_path) is None
    (tmp_path / FILE).write_text(text)
    assert Measured.read(tmp_path) is None
