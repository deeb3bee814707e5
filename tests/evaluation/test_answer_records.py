from __future__ import annotations

import math
from pathlib import Path

import pytest

from evaluation.answer_records import append_records, mend, read_records, read_system
from indexes.errors import InputError
from tests.evaluation.stored_answers import record, refusal, unasked


def test_records_come_back_as_they_were_written(tmp_path: Path) -> None:
    file = tmp_path / "new" / "answers.jsonl"
    written = [record(memory="Lyon", says_memory=False), unasked(), refusal(answerable=False, answers=[])]
    append_records(file, written[:1])
    append_records(file, written[1:])
    assert read_records(file) == written


def test_numbers_that_json_has_no_sign_for_become_null(tmp_path: Path) -> None:
    append_records(tmp_path / "a.jsonl", [record(signals={"divergence": math.nan, "relevance": 0.0})])
    [read] = read_records(tmp_path / "a.jsonl")
    assert read.signals == {"relevance": 0.0}


def test_a_line_that_was_cut_short_is_dropped(tmp_path: Path) -> None:
    file = tmp_path / "a.jsonl"
    assert not mend(file)
    append_records(file, [record(), record()])
    assert not mend(file)
    file.write_bytes(file.read_bytes()[:-30])
    assert mend(file)
    assert read_records(file) == [record()]
    file.write_text('{"question"')
    assert mend(file) and file.read_bytes() == b""


@pytest.mark.parametrize(
    "line", ['{"question": {}}', '{"question": {"question": "q", "answerable": false}, "answer": {}}']
)
def test_a_line_that_is_no_record_is_named(tmp_path: Path, line: str) -> None:
    (tmp_path / "a.jsonl").write_text(line + "\n")
    with pytest.raises(InputError, match=r"a\.jsonl:1: no stored answer"):
        read_records(tmp_path / "a.jsonl")


@pytest.mark.parametrize("text", ["", "[]", '{"system": 3}'])
def test_a_manifest_that_cannot_be_read_is_an_error(tmp_path: Path, text: str) -> None:
    (tmp_path / "manifest.json").write_text(text)
    with pytest.raises(InputError, match="what system gave the answers"):
        read_system(tmp_path / "manifest.json")


def test_a_refusal_says_nothing_though_its_text_names_the_nearest_passage() -> None:
    assert (refusal().said, refusal().refused, refusal().answered) == ("", True, False)
    assert (unasked().said, unasked().refused, unasked().answered, unasked().seconds) == ("", False, False, 0.0)


def test_a_record_from_before_memory_was_judged_can_be_read(tmp_path: Path) -> None:
    line = record(memory="Lyon", says_memory=True).line().replace(', "says_memory": true', "")
    (tmp_path / "a.jsonl").write_text(line + "\n")
    [read] = read_records(tmp_path / "a.jsonl")
    assert (read.says_memory, read.question.memory) == (None, ("Lyon",))
