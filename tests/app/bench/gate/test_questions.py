from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import pytest

from app.bench.gate.questions import TRICKY, TRIVIA, domain, to_fit, trivia, written
from indexes.errors import InputError
from retrievers.calibration import background_questions
from retrievers.gate import examples
from tests.app.beir_folders import write_lines, write_set


def write_trivia(folder: Path, n: int = 6) -> Path:
    for name in TRIVIA:
        (folder / name).mkdir(parents=True)
        records = [{"question": f'"Who is ""number"" {i}?"', "golden_answers": [f"a{i}", "b"]} for i in range(n)]
        write_lines(folder / name / "test.jsonl", records)
    return folder


def test_the_written_questions_are_enough_and_no_examples_of_the_gate() -> None:
    found = written()
    counts = Counter(put.kind for put in found)
    assert set(counts) == {"chitchat", "about", "arithmetic", TRICKY}
    assert len(found) - counts[TRICKY] >= 120
    texts = [put.text.lower().strip(" .?!") for put in found]
    known = {text.lower().strip(" .?!") for text in (*background_questions(), *(text for text, _ in examples()))}
    assert len(set(texts)) == len(texts)
    assert not {put.text for put in found if put.kind != "arithmetic"} & known
    assert not [text for text in texts if text in known]


def test_domain_questions_are_the_test_questions_with_their_answers(tmp_path: Path) -> None:
    folder = write_set(tmp_path / "orchard", "orchard")
    write_lines(folder / "answers.jsonl", [{"_id": "q0-3", "reference": "['April', 'in April']"}])
    found = domain([folder], 100, 0)
    assert len(found) == 8
    assert {put.kind for put in found} == {"orchard"}
    assert [put.gold for put in found if put.gold] == [("April", "in April")]
    assert domain([folder], 3, 0) == domain([folder], 3, 0)
    assert len(domain([folder], 3, 0)) == 3


def test_thresholds_are_fitted_on_questions_that_are_no_test_questions(tmp_path: Path) -> None:
    dev, train = (
        write_set(tmp_path / t, t, splits) for t, splits in (("orchard", ("dev", "test")), ("engines", ("train",)))
    )
    test = write_set(tmp_path / "planets", "planets", ("test",))
    found = to_fit([dev, train, test], 100, 0)
    assert len(found) == 8 + 16
    assert not set(found) & {put.text for put in domain([dev, test], 100, 0)}
    with pytest.raises(InputError, match="dev or training split"):
        to_fit([test], 5, 0)


def test_trivia_loses_the_quotes_that_its_file_puts_around_it(tmp_path: Path) -> None:
    found = trivia(write_trivia(tmp_path), 2, 0)
    assert [put.kind for put in found] == [name for name in TRIVIA for _ in range(2)]
    assert all(put.text.startswith('Who is "number" ') for put in found)
    assert all(put.gold[1] == "b" for put in found)
    with pytest.raises(InputError, match=r"test\.jsonl"):
        trivia(tmp_path / "elsewhere", 2, 0)


def test_the_file_has_an_id_for_every_question() -> None:
    lines = (Path(__file__).parents[4] / "data" / "gate.jsonl").read_text(encoding="utf-8").splitlines()
    assert len({json.loads(line)["id"] for line in lines}) == len(lines)
