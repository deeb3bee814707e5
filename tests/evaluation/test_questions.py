from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from evaluation.questions import Given, question_of, read_questions
from indexes.errors import InputError


def written(path: Path, *records: Any) -> Path:
    path.write_text("".join((r if isinstance(r, str) else json.dumps(r)) + "\n" for r in records), encoding="utf-8")
    return path


def question(number: int = 1, **more: Any) -> dict[str, Any]:
    return {"id": str(number), "question": "When?", "slice": "s", "answers": ["1974"], **more}


def test_a_line_with_everything_is_read_and_written_back() -> None:
    record = question(
        answerable=True,
        conflict=False,
        passages=["p1"],
        memory=["1980"],
        slice="s",
        context=["One.", {"text": "Two.", "key": "k"}],
    )
    read = question_of(record)
    assert read.context == (Given("One.", "1"), Given("Two.", "k"))
    assert question_of(read.to_dict()) == read


def test_what_a_line_leaves_out_comes_from_its_place(tmp_path: Path) -> None:
    [read] = read_questions([written(tmp_path / "mine.jsonl", {"question": "When?", "answers": ["1974"]})]).questions
    assert (read.id, read.slice, read.answerable) == ("mine:1", "mine", True)


def test_bad_lines_are_reported_with_their_place_and_the_others_kept(tmp_path: Path) -> None:
    file = tmp_path / "mixed.jsonl"
    bad = [
        "{not json",
        "[1]",
        {"answers": ["x"]},
        question(2, answers="1974"),
        question(3, answerable="no"),
        question(8, conflict=1),
    ]
    bad += [question(4, answers=[]), question(5, context=[{"title": "no text"}]), question(6, context=7), question(1)]
    written(file, question(1), *bad, "", question(7))
    file.write_bytes(file.read_bytes() + b'{"question": "\xff"}\n')
    found = read_questions([file])
    assert [q.id for q in found.questions] == ["1", "7"]
    assert [problem.split(": ")[0] for problem in found.problems] == [
        f"{file}:{number}" for number in (*range(2, 12), 14)
    ]
    assert "the id '1' stands at" in found.problems[9]


def test_a_question_without_answers_must_have_passages_or_be_unanswerable() -> None:
    assert question_of(question(answers=[], passages=["p"])).answers == ()
    assert not question_of(question(answers=[], answerable=False)).answerable
    with pytest.raises(ValueError, match="neither answers nor passages"):
        question_of(question(answers=[]))


def test_no_usable_line_is_an_error_that_says_why(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"no question can be used\. .*not JSON"):
        read_questions([written(tmp_path / "q.jsonl", "{")])
    with pytest.raises(InputError, match="The file is empty"):
        read_questions([written(tmp_path / "q.jsonl")])
    with pytest.raises(InputError, match="Cannot read"):
        read_questions([tmp_path / "absent.jsonl"])


def test_a_smaller_draw_is_the_beginning_of_a_larger_in_each_slice(tmp_path: Path) -> None:
    lines = [question(n, slice="ab"[n % 2]) for n in range(40)]
    found = read_questions([written(tmp_path / "q.jsonl", *lines)])
    small, large = (found.drawn(n, 3).slices() for n in (4, 9))
    assert all(large[name][:4] == small[name] for name in ("a", "b"))
    assert {name: len(each) for name, each in large.items()} == {"a": 9, "b": 9}
    assert found.drawn(9, 4).slices()["a"] != large["a"]
    assert found.drawn(None, 0) == found


def test_the_fingerprint_of_a_slice_depends_on_gold_and_not_on_order(tmp_path: Path) -> None:
    def sha(*lines: dict[str, Any]) -> Any:
        return read_questions([written(tmp_path / "q.jsonl", *lines)]).data()[0]["sha256"]

    assert sha(question(1), question(2)) == sha(question(2), question(1))
    assert sha(question(1)) != sha(question(1, answers=["1975"]))


def test_an_answer_stays_good_while_question_and_context_stay() -> None:
    one = question_of(question())
    assert one.asked == question_of(question(answers=["1975"], memory=["1980"])).asked
    assert one.asked != question_of(question(context="Something.")).asked
