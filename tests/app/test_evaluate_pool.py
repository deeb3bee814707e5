from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from app.evaluate import evaluate_folder
from app.evaluate_pool import PANEL, POOL_MODES, evaluate_pool
from app.settings import Settings
from evaluation.routing import read_routing
from evaluation.side_by_side import side_by_side
from evaluation.stored import read_folder
from indexes.errors import InputError
from tests.app.beir_folders import write_set
from tests.app.bench.retrieval.conftest import settings_at, stand_in
from tests.fakes import TOPICS, WordEncoder


@pytest.fixture
def encoder(monkeypatch: pytest.MonkeyPatch) -> WordEncoder:
    encoder = WordEncoder()
    stand_in(monkeypatch, encoder)
    return encoder


@pytest.fixture
def settings(tmp_path: Path, encoder: WordEncoder) -> Settings:
    return settings_at(tmp_path / "home")


@pytest.fixture
def folders(tmp_path: Path) -> list[Path]:
    return [write_set(tmp_path / topic, topic) for topic in TOPICS]


def per_question(out: Path) -> dict[tuple[str, str], float]:
    lines = map(json.loads, (out / "per_question.jsonl").read_text().splitlines())
    return {(line["run"], line["question"]): line["nDCG@10"] for line in lines}


def test_every_mode_answers_every_question_of_every_set(
    settings: Settings, folders: list[Path], tmp_path: Path, encoder: WordEncoder
) -> None:
    modes = (*POOL_MODES, PANEL)
    table = evaluate_pool(settings, folders, modes=modes, out=tmp_path / "out")
    assert [(row.name, row.n) for row in table.rows] == [(mode, 24) for mode in modes]
    assert table.baseline == "dense"
    assert encoder.passages == 24
    for mode in modes:
        means = [
            np.mean([v for (run, _), v in per_question(tmp_path / "out" / t).items() if run == mode]) for t in TOPICS
        ]
        assert table.row(mode).values["nDCG@10"].value == pytest.approx(np.mean(means))
    stored = [run for topic in TOPICS for run in read_folder(tmp_path / "out" / topic)]
    compared = side_by_side(stored, baseline="dense", resamples=100)
    assert compared.macro is not None
    assert compared.macro.row(PANEL).values["MAP"].value == pytest.approx(table.row(PANEL).values["MAP"].value)
    assert set(compared.macro.row(PANEL).cost) == {"experts asked"}


def test_a_second_evaluation_indexes_nothing_and_gives_the_same_numbers(
    settings: Settings, folders: list[Path], tmp_path: Path, encoder: WordEncoder
) -> None:
    tables, phases = [], []
    for out in ("one", "two"):
        phases.append(set[str]())
        table = evaluate_pool(
            settings,
            folders[:2],
            out=tmp_path / out,
            report=lambda what, *_: phases[-1].add(what),
            modes=("rrf", PANEL),
        )
        tables.append(table.to_dict())
    assert tables[0] == tables[1]
    assert encoder.passages == 16
    assert [("pooling" in found) for found in phases] == [True, False]


def test_each_set_is_asked_of_the_pool_and_routed_among_its_experts_alone(
    settings: Settings, folders: list[Path], tmp_path: Path
) -> None:
    evaluate_folder(settings, folders[2], out=tmp_path / "alone")  # an expert that takes no part
    evaluate_pool(settings, folders[:2], out=tmp_path / "out", split="dev", modes=("dense", PANEL))
    for topic in ("orchard", "engines"):
        [(run, records)] = read_routing(tmp_path / "out" / topic / "routing.jsonl").items()
        assert (run, len(records)) == (PANEL, 8)
        assert all(
            record.right == {topic} and set(record.probabilities) == {"orchard", "engines"} for record in records
        )
        ranked = (tmp_path / "out" / topic / "dense.trec").read_text().splitlines()
        assert len(ranked) == 8 * 16  # the pool has 16 passages
        assert {line.split()[0] for line in ranked} == {f"q{n}-2" for n in range(8)}


def test_a_pool_is_harder_than_a_set_alone_for_dense_search(
    settings: Settings, folders: list[Path], tmp_path: Path
) -> None:
    alone = evaluate_folder(settings, folders[0], out=tmp_path / "alone", modes=("dense",))
    evaluate_pool(settings, folders, out=tmp_path / "out", modes=("dense",))
    pooled = per_question(tmp_path / "out" / "orchard")
    single = per_question(tmp_path / "alone")
    assert all(pooled[key] <= value for key, value in single.items())
    assert np.mean(list(pooled.values())) < alone.row("dense").values["nDCG@10"].value


def test_a_limit_takes_the_first_questions_of_each_set(settings: Settings, folders: list[Path], tmp_path: Path) -> None:
    table = evaluate_pool(settings, folders[:2], out=tmp_path / "out", limit=3, modes=(PANEL,))
    assert [(row.name, row.n) for row in table.rows] == [(PANEL, 6)]
    assert {question for _, question in per_question(tmp_path / "out" / "engines")} == {"q0-3", "q1-3", "q2-3"}
    assert not (tmp_path / "home" / "evaluations" / "pools").exists()  # no mode needs one


def test_what_cannot_be_evaluated_is_an_error_before_anything_is_indexed(
    settings: Settings, folders: list[Path], tmp_path: Path, encoder: WordEncoder
) -> None:
    twin = write_set(tmp_path / "elsewhere" / "orchard", "orchard")
    with pytest.raises(InputError, match="same name: orchard, orchard"):
        evaluate_pool(settings, [folders[0], twin], out=tmp_path / "out")
    with pytest.raises(InputError, match="There is no folder"):
        evaluate_pool(settings, [folders[0], tmp_path / "absent"], out=tmp_path / "out")
    with pytest.raises(InputError, match=r"has no qrels/nope\.tsv"):
        evaluate_pool(settings, folders, out=tmp_path / "out", split="nope")
    assert encoder.passages == 0
    assert not (tmp_path / "out").exists()
