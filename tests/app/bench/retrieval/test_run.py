from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from io import StringIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from app.bench.retrieval import run as module
from app.bench.retrieval.run import BASE, OURS, Outcome
from app.bench.retrieval.sets import Questions
from app.bench.retrieval.show import show
from app.cli.output import Output
from evaluation.routing import read_routing
from evaluation.side_by_side import side_by_side
from evaluation.stored import read_folder
from indexes.errors import InputError
from indexes.store.open import opener
from tests.app.beir_folders import write_set
from tests.app.bench.retrieval.conftest import SPLITS, Bench, settings_at
from tests.fakes import TOPICS, WordEncoder

Finished = tuple[Bench, Outcome, list[str]]
QUESTIONS = 8
ONE_EXPERT = ("nearest centroid", "nearest question", "RouterRetriever", "logistic classifier", "ours, one expert")


def test_every_row_is_over_the_same_test_questions(finished: Finished) -> None:
    bench, outcome, _ = finished
    names = [row.name for row in outcome.table.rows]
    assert {row.n for row in outcome.table.rows} == {QUESTIONS * len(SPLITS)}
    assert {"BM25", BASE, "base + BM25", "multi-task adapter", "multi-task + BM25", "all experts", OURS} < set(names)
    for name in SPLITS:
        scores = bench.scores(name)
        assert set(scores) == set(names)
        asked = {f"q{passage}-3" for passage in range(QUESTIONS)}
        assert all(set(values) == asked for values in scores.values())
        for row, values in scores.items():
            assert outcome.by_set[row][name] == pytest.approx(np.mean(list(values.values())))


def test_the_table_holds_the_means_of_the_sets_means(finished: Finished) -> None:
    _, outcome, _ = finished
    for row in outcome.table.rows:
        assert row.values["nDCG@10"].value == pytest.approx(np.mean(list(outcome.by_set[row.name].values())))
        gain = outcome.to_base.row(row.name).difference.get("nDCG@10")
        base = np.mean(list(outcome.by_set[BASE].values()))
        assert (gain is None) == (row.name == BASE)
        assert gain is None or gain.value == pytest.approx(row.values["nDCG@10"].value - base)
    assert (outcome.table.baseline, outcome.to_base.baseline) == (OURS, BASE)


def test_no_single_expert_beats_the_oracle_on_any_question(finished: Finished) -> None:
    bench, _, _ = finished
    beaten = 0
    for name in SPLITS:
        scores = bench.scores(name)
        for row in (*ONE_EXPERT, "oracle, per set"):
            for question, value in scores["oracle, per question"].items():
                assert value >= scores[row][question]
                beaten += value > scores[row][question]
    assert beaten > 0


def test_asking_everyone_asks_all_and_one_expert_rows_ask_one(finished: Finished) -> None:
    bench, outcome, _ = finished
    everyone = outcome.routing["all experts"]
    assert (everyone.coverage.value, everyone.asked.value) == (1.0, len(SPLITS))
    oracle = outcome.routing["oracle, per set"]
    assert (oracle.accuracy.value, oracle.coverage.value, oracle.asked.value) == (1.0, 1.0, 1.0)
    for row in ONE_EXPERT:
        summary = outcome.routing[row]
        assert summary.asked.value == 1.0
        assert summary.coverage.value == summary.accuracy.value < 1.0
    for name in SPLITS:
        records = read_routing(bench.out / name / "routing.jsonl")
        assert set(records) == set(outcome.routing)
        assert {right for found in records.values() for record in found for right in record.right} == {name}


@dataclass
class Again:
    """A second run, in which a language model chose too, and what was judged before any test question was asked."""

    outcome: Outcome
    phases: list[str]
    judged: list[tuple[str, tuple[str, ...]]]
    prompts: list[str]


@pytest.fixture(scope="module")
def again(finished: Finished) -> Again:
    bench = finished[0]
    judged: list[tuple[str, tuple[str, ...]]] = []
    prompts: list[str] = []
    ndcg = module.ndcg

    def watched(questions: Questions, rankings: Sequence[Any]) -> Any:
        if "asking" not in bench.phases:
            judged.append((questions.expert, questions.ids))
        return ndcg(questions, rankings)

    def complete(prompt: str) -> str:
        prompts.append(prompt)
        return "planets"

    with pytest.MonkeyPatch.context() as monkeypatch:
        monkeypatch.setattr(module, "ndcg", watched)
        monkeypatch.setattr(module, "chooser", lambda _: complete)
        outcome = bench.run(language_questions=2)
    return Again(outcome, list(bench.phases), judged, prompts)


def test_every_passage_is_embedded_once_over_all_runs(finished: Finished, again: Again) -> None:
    bench, first, phases = finished
    assert bench.encoder.passages == sum(map(len, TOPICS.values()))
    assert phases.count("linear") == 2
    assert "pooling" in phases
    assert not {"linear", "nudge", "encoding training questions", "pooling"} & set(again.phases)
    # The row that is trained at every run depends in its last bits on where arrays lie in memory.
    steady = [row for row in first.by_set if not row.startswith("multi-task")]
    assert {row: again.outcome.by_set[row] for row in steady} == {row: first.by_set[row] for row in steady}


def test_a_training_after_which_no_adapter_serves_is_not_made_again(finished: Finished) -> None:
    bench, _, _ = finished
    slices = bench.home / "benchmarks" / "retrieval" / "slices"
    for name, splits in SPLITS.items():
        assert (slices / name / "learned.npz").is_file() == ("train" in splits)


def test_the_rival_s_fusion_is_chosen_on_questions_of_no_test_split(finished: Finished, again: Again) -> None:
    asked = {name: {ids for expert, ids in again.judged if expert == name} for name in SPLITS}
    assert asked["orchard"] == {tuple(f"q{n}-2" for n in range(QUESTIONS))}  # dev
    assert asked["engines"] == {tuple(f"q{n}-{i}" for n in range(QUESTIONS) for i in (0, 1))}  # train
    assert asked["planets"] == set()
    assert len(again.judged) == 2 * len(module.FUSIONS)
    notes = finished[1].notes
    assert again.outcome.notes == notes
    assert "on dev or train questions of orchard, engines; 12 tried" in notes[0]


def test_the_runs_can_be_compared_afterwards(finished: Finished) -> None:
    bench, outcome, _ = finished
    stored = [run for name in SPLITS for run in read_folder(bench.out / name)]
    compared = side_by_side(stored, baseline=OURS, resamples=100)
    assert compared.macro is not None
    for row in outcome.table.rows:
        assert compared.macro.row(row.name).values["nDCG@10"].value == pytest.approx(row.values["nDCG@10"].value)
        cost = compared.macro.row(row.name).cost.get("experts asked")
        summary = outcome.routing.get(row.name)
        assert cost is None if summary is None else cost == pytest.approx(summary.asked.value)


def test_what_a_question_costs_is_measured_for_every_arm_that_could_serve(finished: Finished) -> None:
    _, outcome, _ = finished
    assert set(outcome.milliseconds) == {row.name for row in outcome.table.rows} - {"oracle, per question"}
    assert all(value > 0 for value in outcome.milliseconds.values())


def test_the_outcome_is_shown_with_a_line_for_every_row(finished: Finished) -> None:
    _, outcome, _ = finished
    stdout = StringIO()
    show(outcome, Output(stdout, StringIO()))
    lines = stdout.getvalue().splitlines()
    assert lines[0] == "nDCG@10 x 100 over the pool of 3 sets, n = 24 test questions"
    assert lines[1].split()[:4] == ["system", *SPLITS]
    shown = {row.name: next(line for line in lines[2:] if line.startswith(row.name)) for row in outcome.table.rows}
    for name, line in shown.items():
        assert f"{100 * outcome.by_set[name]['engines']:.1f}" in line
    assert list(outcome.notes) == [line for line in lines if line in outcome.notes]
    document = outcome.to_dict()
    assert list(document["rows"]) == list(shown)
    assert document["rows"]["BM25"]["routing"] is None


def test_a_language_model_s_choice_is_measured_beside_ours(finished: Finished, again: Again) -> None:
    bench, outcome, prompts = finished[0], again.outcome, again.prompts
    assert len(prompts) == 2 * len(SPLITS)
    assert all(f"- {name}: The set {name}." in prompt for name in SPLITS for prompt in prompts)
    assert outcome.language is not None
    assert {row.name: row.n for row in outcome.language.rows} == {"LLM choice": 6, OURS: 6}
    planets = [bench.scores("planets")["oracle, per set"][f"q{n}-3"] for n in range(2)]
    found = outcome.language.row("LLM choice").values["nDCG@10"].value
    assert found == pytest.approx(np.mean(planets) / len(SPLITS))  # a wrong expert finds nothing


def test_experts_of_another_run_take_no_part_and_without_other_questions_the_fusion_is_plain(
    tmp_path: Path, words: WordEncoder
) -> None:
    folders = {name: write_set(tmp_path / name, name, ("test",)) for name in TOPICS}
    home = tmp_path / "home"
    for pair, other in ((("orchard", "engines"), "planets"), (("engines", "planets"), "orchard")):
        outcome = module.run(settings_at(home), [folders[name] for name in pair], out=tmp_path / "-".join(pair))
        assert outcome.routing["all experts"].asked.value == 2.0
        records = [r for name in pair for r in read_routing(tmp_path / "-".join(pair) / name / "routing.jsonl")[OURS]]
        assert all(other not in record.probabilities for record in records)
        assert "plain RRF" in outcome.notes[0]
        assert not any(row.name.startswith("multi-task") for row in outcome.table.rows)
        store = opener()("pool", home / "benchmarks" / "retrieval" / "pool", 64)
        assert store.count() == 16
        store.close()
    assert words.passages == 24


def test_one_folder_makes_no_pool(tmp_path: Path, words: WordEncoder) -> None:
    with pytest.raises(InputError, match="several sets"):
        module.run(settings_at(tmp_path), [write_set(tmp_path / "a", "orchard")], out=tmp_path / "runs")
    assert words.passages == 0
