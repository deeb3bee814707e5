from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from evaluation.beir import BeirSet
from evaluation.experiment import evaluate_runs
from evaluation.runs import Run
from evaluation.stored import read_folder, read_judgements, score_file
from indexes.errors import InputError

MakeSet = Callable[..., Path]
GOOD = Run("good", {"q1": [("d1", 3.0), ("d2", 2.0)], "q2": [("d2", 1.0)]})
HALF = Run("half", {"q1": [("d1", 3.0), ("d2", 2.0)]})


@pytest.fixture
def folder(make_set: MakeSet, tmp_path: Path) -> Path:
    evaluate_runs(BeirSet.read(make_set()), [GOOD, HALF], tmp_path / "out", costs={"half": {"CPU ms": 0.0}})
    return tmp_path / "out"


def test_a_folder_gives_back_what_was_measured(folder: Path) -> None:
    good, half = read_folder(folder)
    assert (good.name, half.name) == ("good", "half")
    assert good.questions == ("q1", "q2")
    assert half.values["nDCG@10"].tolist() == [1.0, 0.0]
    assert (good.judged.label, good.judged.n) == ("small, test split", 2)
    assert (good.cost, half.cost) == ({}, {"CPU ms": 0.0})


def test_values_are_put_in_any_order_of_the_questions(folder: Path) -> None:
    half = read_folder(folder)[1]
    assert half.in_order(("q2", "q1"))["nDCG@10"].tolist() == [0.0, 1.0]


def test_a_name_stands_before_the_names_of_several_runs_and_replaces_that_of_one(
    folder: Path, make_set: MakeSet, tmp_path: Path
) -> None:
    assert [run.name for run in read_folder(folder, "new")] == ["new good", "new half"]
    evaluate_runs(BeirSet.read(make_set()), [GOOD], tmp_path / "one")
    assert [run.name for run in read_folder(tmp_path / "one", "new")] == ["new"]


def test_a_folder_may_hold_several_sets(folder: Path) -> None:
    manifest = json.loads((folder / "manifest.json").read_text())
    other = {"name": "other", "split": "dev", "sha256": "ff", "n": 1}
    (folder / "manifest.json").write_text(json.dumps({**manifest, "data": [manifest["data"], other]}))
    lines = [
        {"run": "good", "set": "small", "question": "q1", "results": 1, "MAP": 0.5},
        {"run": "good", "set": "other", "question": "x1", "results": 1, "MAP": 0.25},
    ]
    (folder / "per_question.jsonl").write_text("\n".join(map(json.dumps, lines)))
    assert [(run.judged.label, run.questions) for run in read_folder(folder)] == [
        ("small, test split", ("q1",)),
        ("other, dev split", ("x1",)),
    ]


def test_a_run_file_is_scored_like_the_evaluation_scored_it(folder: Path, make_set: MakeSet) -> None:
    judged, qrels = read_judgements(make_set())
    run = score_file(folder / "half.trec", judged, qrels)
    stored = read_folder(folder)[1]
    assert run.judged == stored.judged
    assert {m: v.tolist() for m, v in run.values.items()} == {m: v.tolist() for m, v in stored.values.items()}


def test_a_qrels_file_inside_a_set_is_that_set_and_one_alone_is_its_own(make_set: MakeSet, tmp_path: Path) -> None:
    folder = make_set()
    inside, _ = read_judgements(folder / "qrels" / "test.tsv")
    assert inside == read_judgements(folder)[0]
    (tmp_path / "alone.tsv").write_text((folder / "qrels" / "test.tsv").read_text())
    alone, qrels = read_judgements(tmp_path / "alone.tsv")
    assert (alone.label, alone.n, set(qrels)) == ("alone", 2, {"q1", "q2"})
    assert alone.sha256 != inside.sha256


def test_a_run_file_for_other_questions_is_refused(make_set: MakeSet, tmp_path: Path) -> None:
    Run("r", {"x9": [("d1", 1.0)]}).write(tmp_path / "r.trec")
    with pytest.raises(InputError, match=r"no results for any of the 2 questions judged in small, test split"):
        score_file(tmp_path / "r.trec", *read_judgements(make_set()))


def test_a_folder_without_the_files_is_refused(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no folder"):
        read_folder(tmp_path / "absent")
    (folder / "per_question.jsonl").unlink()
    with pytest.raises(InputError, match=r"has no per_question\.jsonl"):
        read_folder(folder)


@pytest.mark.parametrize("line", ['{"run": "r", "question": "q1"}', '{"run": "r", "question": "q", "MAP": "high"}'])
def test_a_bad_line_is_named_by_its_number(folder: Path, line: str) -> None:
    (folder / "per_question.jsonl").write_text(line + "\n")
    with pytest.raises(InputError, match=r"per_question\.jsonl:1: "):
        read_folder(folder)


@pytest.mark.parametrize("text", ["{", "[]", "{}", '{"data": {"name": "small"}}', '{"data": []}'])
def test_a_manifest_that_does_not_say_what_was_judged_is_refused(folder: Path, text: str) -> None:
    (folder / "manifest.json").write_text(text)
    with pytest.raises(InputError, match=r"manifest\.json"):
        read_folder(folder)
