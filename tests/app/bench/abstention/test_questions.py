from __future__ import annotations

import json
from pathlib import Path

import pytest

from app.bench.abstention.questions import (
    DEVELOPMENT,
    LABELLED,
    as_typed,
    development,
    lacking,
    read_reference,
    require,
)
from evaluation.beir import BeirSet
from indexes.errors import InputError


def test_the_last_turn_is_asked_and_other_labels_are_left_out(data: Path) -> None:
    reference = read_reference(data / LABELLED)
    assert len(reference.questions) == 24
    assert [q.answerable for q in reference.questions] == [True] * 12 + [False] * 12
    assert {q.slice for q in reference.questions} == {"mtrag-cloud", "mtrag-fiqa"}
    assert all(q.question != "Hello" and q.sources == "all" for q in reference.questions)
    assert reference.questions[3].relevant == {"d3"}
    assert reference.left_out == {"partial": 1, "underspecified": 1}


def test_a_follow_up_is_understood_by_what_was_said_before_it(tmp_path: Path) -> None:
    path = tmp_path / "reference.jsonl"
    said = ["Which services does OpenShift offer?", "Builds and routes.", "How do I delete them?"]
    turns = [{"speaker": ("user", "agent")[n % 2], "text": text} for n, text in enumerate(said)]
    record = {"task_id": "1", "input": turns, "answerability": ["ANSWERABLE"], "Collection": "fiqa", "contexts": []}
    path.write_text(json.dumps(record) + "\n")
    (question,) = read_reference(path).questions
    assert question.typed == said[-1] and question.question.startswith(said[-1]) and "OpenShift" in question.question
    assert as_typed([question])[0].question == said[-1]


def test_the_answerable_ones_are_asked_again_without_their_slice(data: Path) -> None:
    questions = lacking(read_reference(data / LABELLED).questions)
    assert [q.answerable for q in questions] == [True] * 12 + [False] * 12
    assert [q.question for q in questions[:12]] == [q.question for q in questions[12:]]
    assert {q.sources for q in questions[12:]} == {"without the slice"}


def test_a_line_without_its_fields_is_an_error_with_its_place(tmp_path: Path) -> None:
    path = tmp_path / "reference.jsonl"
    path.write_text(json.dumps({"task_id": "1", "answerability": ["ANSWERABLE"], "input": []}) + "\n")
    with pytest.raises(InputError, match=r"reference\.jsonl:1"):
        read_reference(path)


def test_no_development_question_is_of_a_test_split_and_the_parts_differ(data: Path) -> None:
    questions = development(data, 2, seed=0)
    assert len(questions) == len(DEVELOPMENT) * 3 * 2
    for name, split in DEVELOPMENT.items():
        own = [q for q in questions if q.slice == name]
        assert {q.id for q in own} <= set(BeirSet.read(data / "beir" / name, split).qrels)
        assert len({q.id for q in own}) == 6
        assert {(q.sources, q.answerable) for q in own} == {
            ("all", True),
            ("without the slice", False),
            ("without the passages", False),
        }
    assert development(data, 2, seed=0) == questions


def test_a_missing_set_is_an_error(data: Path) -> None:
    with pytest.raises(InputError, match=r"no corpus in .*absent"):
        require(data, ("scifact", "absent"))
