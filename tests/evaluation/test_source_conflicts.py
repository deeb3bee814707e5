from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from evaluation.intervals import wilson
from evaluation.source_conflicts import (
    SourceDocument,
    SourceQuestion,
    compare_source_conflicts,
    detection,
    load_ramdocs,
    names_all,
    names_any,
)
from indexes.errors import InputError


def question(*documents: tuple[str, str], number: int = 1) -> SourceQuestion:
    made = tuple(SourceDocument(f"text {i} {answer}", kind, answer) for i, (kind, answer) in enumerate(documents))  # type: ignore[arg-type]
    right = tuple(dict.fromkeys(answer for kind, answer in documents if kind == "correct"))
    wrong = tuple(dict.fromkeys(answer for kind, answer in documents if kind == "misinfo"))
    return SourceQuestion(str(number), f"who {number}?", made, right or ("nobody",), wrong)


AGREED = question(("correct", "Ann"), ("correct", "ann."), ("noise", "unknown"), number=1)
AMBIGUOUS = question(("correct", "Ann"), ("correct", "Bob"), ("noise", "unknown"), number=2)
MISLED = question(("correct", "Ann"), ("misinfo", "Cleo"), number=3)
BOTH = question(("misinfo", "Cleo"), ("correct", "Ann"), ("correct", "Bob"), number=4)
ITEMS = [AGREED, AMBIGUOUS, MISLED, BOTH]


@pytest.mark.parametrize(
    ("item", "kind"),
    [
        (AGREED, "none"),
        (AMBIGUOUS, "ambiguity"),
        (MISLED, "misinformation"),
        (BOTH, "both"),
        (question(("correct", "Ann"), ("misinfo", "ANN")), "none"),
        (question(("misinfo", "Cleo"), ("noise", "unknown")), "none"),
        (question(("misinfo", "Cleo"), ("misinfo", "Dan")), "misinformation"),
        (question(("noise", "unknown")), "none"),
    ],
)
def test_a_conflict_is_two_answers_of_correct_and_misinforming_documents(item: SourceQuestion, kind: str) -> None:
    assert item.kind == kind
    assert item.conflict is (kind != "none")
    assert not item.twin.conflict


def test_a_twin_keeps_the_first_correct_answer_and_the_noise() -> None:
    assert [each.answer for each in AMBIGUOUS.twin.documents] == ["Ann", "unknown"]
    assert [each.answer for each in BOTH.twin.documents] == ["Ann"]
    assert BOTH.twin.id != BOTH.id


def test_a_twin_leaves_out_what_names_another_answer_in_spite_of_its_label() -> None:
    mislabelled = replace(MISLED.documents[0], text="It was not Ann but Cleo.", kind="noise")
    item = replace(MISLED, documents=(*MISLED.documents, mislabelled))
    assert item.twin.documents == MISLED.documents[:1]


def test_an_answer_names_all_or_a_wrong_one_as_whole_words() -> None:
    assert names_all("Either Ann, or BOB.", ("Ann", "Bob"))
    assert not names_all("Annabel and Bob", ("Ann", "Bob"))
    assert names_any("It was Cleo.", ("Dan", "Cleo"))
    assert not names_any("It was Cleopatra.", ("Cleo",))
    assert not names_any("It was Ann.", ())


def test_systems_are_measured_in_one_table() -> None:
    table = compare_source_conflicts(
        ITEMS,
        {"one": lambda item: item.gold[0], "every": lambda item: " and ".join((*item.gold, *item.wrong))},
        {"every": lambda item: len(item.documents) > 2},
    )
    one, every, always = (table.row(name) for name in ("one", "every", "always"))
    assert table.baseline == "one"
    assert [one.values[m].value for m in ("strict", "all gold", "any wrong")] == [0.5, 0.5, 0.0]
    assert [every.values[m].value for m in ("strict", "all gold", "any wrong")] == [0.5, 1.0, 0.5]
    assert "F1" not in one.values
    assert every.values["precision"].value == pytest.approx(2 / 3)
    assert every.values["recall"].value == pytest.approx(2 / 3)
    assert (always.values["precision"].value, always.values["recall"].value) == (0.75, 1.0)
    assert always.values["twins F1"].value == pytest.approx(2 / 3)
    assert every.values["twins F1"].value == pytest.approx(0.8)
    assert any("ambiguity 1, misinformation 1, both 1" in note for note in table.notes)
    assert any("none 1 of 1, ambiguity 1 of 1, misinformation 0 of 1" in note for note in table.notes)


def test_the_interval_of_f1_is_that_of_resampled_questions() -> None:
    rng = np.random.default_rng(3)
    true = rng.random(200) < 0.6
    said = np.where(rng.random(200) < 0.8, true, ~true)
    found = detection([bool(v) for v in said], [bool(v) for v in true], seed=1)["F1"]
    draws = []
    for _ in range(2000):
        rows = rng.integers(0, 200, 200)
        hits = (said[rows] & true[rows]).sum()
        draws.append(2 * hits / (said[rows].sum() + true[rows].sum()))
    assert found.value == pytest.approx(2 * (said & true).sum() / (said.sum() + true.sum()))
    assert (found.low, found.high) == pytest.approx(tuple(np.quantile(draws, [0.025, 0.975])), abs=0.01)


def test_a_detector_that_finds_nothing_scores_0() -> None:
    found = detection([False, False], [True, False])
    assert [found[name].value for name in ("precision", "recall", "F1")] == [0, 0, 0]


def test_one_that_always_says_so_is_not_proved_to_miss_nothing() -> None:
    found = detection([True] * 8, [True, False] * 4)
    assert found["recall"] == wilson(4, 4)
    assert found["precision"].value == 0.5


def test_no_questions_are_an_error() -> None:
    with pytest.raises(InputError, match="no questions"):
        compare_source_conflicts([], {"one": lambda _: ""}, {})


def test_a_third_is_for_tuning_and_the_draw_repeats(tmp_path: Path) -> None:
    rows = [record(n) for n in range(9)]
    file = tmp_path / "ramdocs.jsonl"
    file.write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    tune, rest = load_ramdocs(tmp_path, seed=2)
    assert (len(tune), len(rest)) == (3, 6)
    assert {item.question for item in [*tune, *rest]} == {f"q{n}" for n in range(9)}
    assert load_ramdocs(file, seed=2) == (tune, rest)
    assert load_ramdocs(file, seed=3) != (tune, rest)
    item = next(each for each in [*tune, *rest] if each.question == "q0")
    assert item == replace(item, gold=("a",), wrong=("b",), documents=(SourceDocument("t", "correct", "a"),))


@pytest.mark.parametrize(
    "change",
    [
        {"documents": [{"text": "t", "type": "fun", "answer": "a"}]},
        {"gold_answers": []},
        {"documents": [{"text": "t"}]},
    ],
)
def test_a_bad_line_is_named(tmp_path: Path, change: dict[str, object]) -> None:
    file = tmp_path / "ramdocs.jsonl"
    file.write_text(json.dumps(record(0)) + "\n" + json.dumps(record(1) | change), encoding="utf-8")
    with pytest.raises(InputError, match=r"ramdocs\.jsonl:2"):
        load_ramdocs(file)


@pytest.mark.benchmark
def test_the_set_has_the_kinds_that_were_counted(data_folder: Path) -> None:
    tune, rest = load_ramdocs(data_folder / "qa" / "ramdocs-dev")
    kinds = [item.kind for item in [*tune, *rest]]
    assert (len(tune), len(rest)) == (50, 100)
    assert {kind: kinds.count(kind) for kind in ("none", "ambiguity", "misinformation", "both")} == {
        "none": 21,
        "ambiguity": 55,
        "misinformation": 28,
        "both": 46,
    }


def record(n: int) -> dict[str, object]:
    documents = [{"text": "t", "type": "correct", "answer": "a"}]
    return {"question": f"q{n}", "documents": documents, "gold_answers": ["a"], "wrong_answers": ["b", "b"]}
