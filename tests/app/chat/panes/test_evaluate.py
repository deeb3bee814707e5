from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from app.access.principal import Action, Principal
from app.evaluations import compare_evaluations, open_evaluation, stored_evaluations
from app.symposium import Symposium
from evaluation.beir import BeirSet
from evaluation.experiment import evaluate_runs
from evaluation.report import Table
from evaluation.routing import Routed
from evaluation.runs import Run
from indexes.errors import InputError
from tests.app.chat.panes.conftest import MAIN, OpenPage, html, said

QUESTIONS = {f"q{n}": f"Question {n}?" for n in range(20)}


def evaluated(folder: Path, title: str = "birds", wrong: int = 4, *, routed: bool = False) -> Path:
    """An evaluation of two systems on 20 questions; the second misses some."""
    qrels = {question: {f"d{question}": 1} for question in QUESTIONS}
    beir = BeirSet(title, folder, "test", QUESTIONS, qrels)
    best = Run("dense", {question: [(f"d{question}", 2.0), ("x", 1.0)] for question in QUESTIONS})
    other = Run("bm25", {q: [("x", 2.0), *([] if n < wrong else [(f"d{q}", 1.0)])] for n, q in enumerate(QUESTIONS)})
    routes = [Routed(q, frozenset({"a"}), ("a",), {"a": 0.5 + n / 50, "b": 0.1}) for n, q in enumerate(QUESTIONS)]
    evaluate_runs(beir, [best, other], folder, resamples=200, routing={"dense": routes} if routed else None)
    return folder


def answered(folder: Path, right: int) -> Path:
    """Stored answers to eight questions, of which so many are right, the surest ones."""
    folder.mkdir(parents=True)
    lines, scores = [], []
    for n in range(8):
        question = {"id": str(n), "question": f"Q{n}?", "answers": ["yes"], "slice": "demo"}
        evidence = {"number": 1, "expert": "e", "probability": 0.5, "passage": {"id": "p", "text": "yes"}}
        answer = {
            "text": "yes" if n < right else "no",
            "verdict": "answered",
            "evidence": [evidence],
            "route": {"decision": "retrieve"},
            "signals": {"confidence": 0.9 - n / 10},
            "seconds": {"write": 1.0},
        }
        lines.append({"question": question, "answer": answer, "problem": ""})
        scores.append({"run": folder.name, "set": "demo", "question": str(n), "contains": float(n < right)})
    write = {"answers.jsonl": lines, "per_question.jsonl": scores}
    for name, rows in write.items():
        (folder / name).write_text("".join(json.dumps(row) + "\n" for row in rows))
    table = {"title": "Answers", "measures": ["contains"], "rows": [], "notes": ["<b>A note</b>"]}
    table["rows"] = [
        {"name": "all questions", "n": 8, "values": {"contains": {"value": 0.5, "low": 0.2, "high": None}}}
    ]
    (folder / "metrics.json").write_text(json.dumps({"tables": [table], "notes": ["One was skipped."]}))
    data = [{"name": "demo", "split": "", "sha256": "s", "n": 8}]
    manifest = {"data": data, "finished": "2026-02-02T02:02:02+00:00", "complete": right != 5, "cpu": "<i>fast</i>"}
    (folder / "manifest.json").write_text(json.dumps(manifest))
    return folder


@pytest.fixture
def evaluations(home: Path) -> Path:
    evaluated(home / "evaluations" / "birds-test", routed=True)
    evaluated(home / "benchmarks" / "retrieval" / "runs" / "fish", "fish")
    answered(home / "evaluations" / "answers-a", 6)
    answered(home / "evaluations" / "answers-b", 4)
    return home


def test_what_was_stored_is_found_below_the_home_folder_the_latest_first(evaluations: Path) -> None:
    (evaluations / "evaluations" / "slices" / "x").mkdir(parents=True)
    evaluated(evaluations / "evaluations" / "slices" / "x")
    broken = evaluated(evaluations / "evaluations" / "broken")
    (broken / "manifest.json").write_text("{")
    found = stored_evaluations(evaluations)
    names = {
        "evaluations/birds-test",
        "evaluations/answers-a",
        "evaluations/answers-b",
        "benchmarks/retrieval/runs/fish",
    }
    assert {each.name for each in found} == names
    assert [each.finished for each in found] == sorted((each.finished for each in found), reverse=True)
    (birds,) = (each for each in found if each.name == "evaluations/birds-test")
    assert (birds.kind, birds.data, birds.complete) == ("retrieval", ("birds, test split, n = 20",), True)
    assert stored_evaluations(evaluations / "nowhere") == []


def test_one_is_opened_with_its_tables_probabilities_and_confidence(evaluations: Path) -> None:
    opened = open_evaluation(evaluations / "evaluations" / "birds-test")
    metrics = json.loads((evaluations / "evaluations" / "birds-test" / "metrics.json").read_text())
    assert [table.to_dict() for table in opened.tables] == [metrics]
    assert [each.name for each in opened.calibrated] == ["dense"] and opened.confidence is None
    answers = open_evaluation(evaluations / "evaluations" / "answers-a").confidence
    assert answers is not None
    assert (answers.n, answers.curves["confidence"].risk.tolist()[-1]) == (8, 0.25)
    assert answers.curves["confidence"].risk.tolist()[:6] == [0.0] * 6


def test_damaged_measures_are_an_error_that_names_the_file(evaluations: Path) -> None:
    folder = evaluations / "evaluations" / "birds-test"
    for text in ("{", "[]", '{"rows": [{}]}', '{"tables": 3}'):
        (folder / "metrics.json").write_text(text)
        with pytest.raises(InputError, match=r"metrics\.json"):
            open_evaluation(folder)


def test_answers_of_two_runs_are_compared_under_their_short_names(evaluations: Path) -> None:
    chosen = [each for each in stored_evaluations(evaluations) if each.kind == "answers"]
    found = compare_evaluations(sorted(chosen, key=lambda each: each.name))
    (table,) = found.whole.tables
    assert [row.name for row in table.rows] == ["answers-a", "answers-b"]
    assert table.row("answers-b").difference["contains"].value == pytest.approx(-0.25)
    assert found.steps


def test_a_table_comes_back_from_its_dictionary(evaluations: Path) -> None:
    (table,) = open_evaluation(evaluations / "evaluations" / "birds-test").tables
    assert Table.from_dict(json.loads(json.dumps(table.to_dict()))) == table


def test_without_evaluations_the_page_says_what_to_run(open_page: OpenPage) -> None:
    page = open_page("evaluate")
    assert not page.exception and "<code>symposia evaluate FOLDER</code>" in html(page)


def test_evaluations_are_listed_and_one_is_opened_with_figures(open_page: OpenPage, evaluations: Path) -> None:
    page = open_page("evaluate")
    assert "birds, test split, n = 20" in said(page)
    page.multiselect(key="evaluations").set_value(["evaluations/birds-test"]).run()
    assert not page.exception
    assert "dense (baseline)" in said(page) and "nDCG@10" in said(page) and "*" in said(page)
    assert len(page.get("vega_lite_chart")) == 2
    page.selectbox(key="measure-0").set_value("R@100").run()
    assert '"title": "R@100"' in page.get("vega_lite_chart")[0].proto.spec


def test_stored_answers_show_risk_against_coverage_and_reliability(open_page: OpenPage, evaluations: Path) -> None:
    page = open_page("evaluate")
    page.multiselect(key="evaluations").set_value(["evaluations/answers-a"]).run()
    assert not page.exception
    assert "One was skipped." in said(page) and "<b>A note" not in html(page) and "<i>fast" not in html(page)
    specs = [chart.proto.spec for chart in page.get("vega_lite_chart")]
    assert ["share of the answers that are given (coverage)" in spec for spec in specs] == [True, False]


def test_several_are_compared_with_paired_tests_against_a_chosen_baseline(
    open_page: OpenPage, evaluations: Path
) -> None:
    page = open_page("evaluate")
    page.multiselect(key="evaluations").set_value(["evaluations/answers-a", "evaluations/answers-b"]).run()
    assert not page.exception
    assert "difference to answers-a" in said(page) and "-0.250" in said(page)
    box = next(each for each in page.selectbox if each.label == "Baseline")
    box.set_value("answers-b").run()
    assert "difference to answers-b" in said(page) and "+0.250" in said(page)


def test_evaluations_of_different_questions_do_not_compare_and_say_so(
    open_page: OpenPage, evaluations: Path, symposium: Symposium
) -> None:
    evaluated(evaluations / "evaluations" / "birds-other", wrong=9)
    other = evaluations / "evaluations" / "birds-other" / "manifest.json"
    other.write_text(other.read_text().replace('"sha256": "', '"sha256": "0'))
    page = open_page("evaluate")
    page.multiselect(key="evaluations").set_value(["evaluations/birds-test", "evaluations/birds-other"]).run()
    assert not page.exception and "is not the same for" in said(page)


def test_one_that_was_stopped_says_so(open_page: OpenPage, home: Path) -> None:
    answered(home / "evaluations" / "half", 5)
    page = open_page("evaluate")
    assert "stopped 2026-02-02" in said(page)
    page.multiselect(key="evaluations").set_value(["evaluations/half"]).run()
    assert "It was stopped before its end." in said(page)


def test_measures_are_for_those_who_see_everything(
    open_page: OpenPage, evaluations: Path, who: Callable[[Principal], None]
) -> None:
    for principal in (Principal("ann", frozenset({"planets"})), Principal("bob", None, frozenset({Action.ASK}))):
        who(principal)
        with pytest.raises(ValueError, match=r"evaluate\.py"):
            open_page("evaluate")
        page = AppTest.from_file(str(MAIN.parent / "views" / "evaluate.py"), default_timeout=60).run()
        assert "You may not see this page." in said(page) and "birds" not in said(page)
