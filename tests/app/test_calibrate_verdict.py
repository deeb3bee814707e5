from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from app.calibrate_verdict import Labelled, calibrate_verdict, read_labelled
from app.settings import Settings
from generators.answer import Answer, Verdict
from generators.answerer import Options
from generators.verdicts.calibrated_verdict import CalibratedVerdict
from generators.verdicts.verdict import Thresholds
from indexes.errors import InputError
from retrievers.evidence import Route
from tests.fakes import WordEncoder

ROUTE = Route("retrieve", "domain", (), 0.0, "")


class Panelled:
    """Stands for a ``Symposium``: question ``n`` is answered ``right`` or ``wrong`` with the confidence that it names."""

    def __init__(self, folder: Path, serving: float = 0.7) -> None:
        self.settings = Settings()
        self.panel = SimpleNamespace(folder=folder, experts=("countries", "python"), encoder=WordEncoder())
        self.answerer = SimpleNamespace(
            options=Options(thresholds=Thresholds(confidence=serving)), model=SimpleNamespace(name="speaker")
        )
        self.thresholds: set[float] = set()
        self.asked: list[str] = []

    def ask_many(self, questions: Sequence[str], *, retrieval: bool | None = None) -> list[Answer]:
        assert retrieval
        self.thresholds.add(self.answerer.options.thresholds.confidence)
        self.asked += questions
        return [self._answer(question) for question in questions]

    def _answer(self, question: str) -> Answer:
        said, confidence = question.rsplit(" ", 1)
        if said == "refused":
            return answer(said, Verdict.NOT_IN_SOURCES, float(confidence))
        return answer(f"It is {said}.", Verdict.ANSWERED, float(confidence))


def answer(text: str, verdict: Verdict, confidence: float) -> Answer:
    return Answer("", text, verdict, (), (), ROUTE, "", "", {"confidence": confidence})


def write(path: Path, records: Sequence[dict[str, Any]]) -> Path:
    path.write_text("".join(json.dumps(record) + "\n" for record in records))
    return path


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Sure answers are right, unsure ones wrong."""
    sure = [{"question": f"right {0.6 + i / 1000}", "answers": ["right"]} for i in range(100)]
    unsure = [{"question": f"wrong {0.1 + i / 1000}", "answers": ["right"]} for i in range(40)]
    refused = [{"question": "refused 0.9", "answerable": True}] * 10
    return write(tmp_path / "labelled.jsonl", [*sure, *unsure, *refused])


def test_the_threshold_parts_the_right_from_the_wrong_and_is_kept(tmp_path: Path, file: Path) -> None:
    symposium: Any = Panelled(tmp_path)
    done = calibrate_verdict(symposium, [file], risk=0.1, certainty=0.9)
    assert done.calibrated.confidence == pytest.approx(0.134)  # 6 of 106 may be wrong
    assert (done.answered, done.wrong, done.calibrated.questions) == (140, 40, 150)
    assert CalibratedVerdict.read(tmp_path) == done.calibrated
    assert done.calibrated.model == "speaker"
    document = json.loads(json.dumps(done.to_dict()))
    assert document["curve"][-1] == {"confidence": 0.1, "coverage": 140 / 150, "risk": 40 / 140}


def test_what_serves_does_not_hide_answers_from_the_fit_and_is_put_back(tmp_path: Path, file: Path) -> None:
    symposium: Any = Panelled(tmp_path)
    seen = []
    calibrate_verdict(symposium, [file], report=lambda done, total: seen.append((done, total)))
    assert symposium.thresholds == {0.0}
    assert symposium.answerer.options.thresholds.confidence == 0.7
    assert len(symposium.asked) == 150
    assert seen[0] == (0, 150)


def test_an_interruption_puts_back_what_serves(tmp_path: Path, file: Path) -> None:
    symposium: Any = Panelled(tmp_path)
    symposium.ask_many = lambda *_, **__: (_ for _ in ()).throw(KeyboardInterrupt)
    with pytest.raises(KeyboardInterrupt):
        calibrate_verdict(symposium, [file])
    assert symposium.answerer.options.thresholds.confidence == 0.7
    assert CalibratedVerdict.read(tmp_path) is None


def test_too_few_questions_are_an_error_before_any_is_asked(tmp_path: Path) -> None:
    symposium: Any = Panelled(tmp_path)
    path = write(tmp_path / "few.jsonl", [{"question": "right 0.5", "answerable": True}] * 43)
    with pytest.raises(InputError, match=r"43 questions are too few: .* from 44 answered ones on"):
        calibrate_verdict(symposium, [path], risk=0.1, certainty=0.9)
    assert not symposium.asked


@pytest.mark.parametrize(
    ("question", "problem"),
    [
        ("?!", "holds no word and no number"),
        ("word " * 2000, "characters; at most"),
        ("a\u0007b", r"control character U\+0007"),
        ("Что это такое?", "script"),
    ],
)
def test_a_question_that_would_be_refused_is_named_by_its_line_before_any_is_asked(
    tmp_path: Path, file: Path, question: str, problem: str
) -> None:
    symposium: Any = Panelled(tmp_path)
    path = write(tmp_path / "odd.jsonl", [{"question": "right 0.5", "answerable": True}] * 2)
    with path.open("a") as stream:
        stream.write(json.dumps({"question": question, "answerable": False}))
    with pytest.raises(InputError, match=rf"odd\.jsonl:3: .*{problem}") as caught:
        calibrate_verdict(symposium, [file, path])
    assert caught.value.fix
    assert ".." not in caught.value.problem
    assert not symposium.asked


def test_a_question_in_any_script_is_asked_where_the_encoder_reads_it(tmp_path: Path) -> None:
    path = write(tmp_path / "l.jsonl", [{"question": "Что это такое?", "answerable": True}])
    assert read_labelled(path) == [Labelled("Что это такое?", (), True)]


@pytest.mark.parametrize(
    ("label", "text", "right"),
    [
        (Labelled("?", ("right",), True), "It is right.", True),
        (Labelled("?", ("right",), True), "It is bright.", False),
        (Labelled("?", (), True), "Anything.", True),
        (Labelled("?", (), False), "Anything.", False),
        (Labelled("?", ("right",), False), "It is right.", False),
    ],
)
def test_an_answer_is_right_as_far_as_the_label_tells(label: Labelled, text: str, right: bool) -> None:
    assert label.right(replace(answer("", Verdict.ANSWERED, 1.0), text=text)) is right


def test_either_label_is_read(tmp_path: Path) -> None:
    path = write(
        tmp_path / "l.jsonl",
        [
            {"question": "a", "answers": ["x", "y"]},
            {"question": "b", "answerable": False},
            {"question": "c", "answerable": True},
        ],
    )
    assert read_labelled(path) == [Labelled("a", ("x", "y"), True), Labelled("b", (), False), Labelled("c", (), True)]


@pytest.mark.parametrize(
    ("record", "problem"),
    [
        ({"answerable": True}, "there is no question"),
        ({"question": " ", "answerable": True}, "there is no question"),
        ({"question": "a"}, "neither answers nor a word"),
        ({"question": "a", "answers": "x"}, "must be a list of texts"),
        ({"question": "a", "answers": [""]}, "must be a list of texts"),
        ({"question": "a", "answerable": "no"}, "must be true or false"),
    ],
)
def test_a_bad_line_is_an_error_with_its_place(tmp_path: Path, record: dict[str, Any], problem: str) -> None:
    path = write(tmp_path / "l.jsonl", [{"question": "fine", "answerable": True}, record])
    with pytest.raises(InputError, match=rf"l\.jsonl:2: .*{problem}"):
        read_labelled(path)
