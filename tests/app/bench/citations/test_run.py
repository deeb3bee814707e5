from __future__ import annotations

import json
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from app.bench.citations import records, run
from app.bench.citations.contexts import Cited
from app.bench.citations.fit import fit_cheap
from app.bench.citations.records import NOT_MEASURED, parse_marks, record_marked, record_text, resumed, without_marks
from app.bench.citations.refit import fit_contrasts
from app.bench.citations.run import ASKED, COSINE, LEAN, MARKS, OURS, Plan, models_of, remembering
from app.bench.citations.run import WORDS as OURS_WORDS
from app.settings import load_settings
from generators.citations.pair_model import COLUMNS, COSINES, DOUBTED, HOLD, WORDS
from indexes.errors import InputError
from retrievers.evidence import Evidence
from tests.fakes import TOPICS, WordEncoder, make_passages

MODELS = ["weights", "float32", "words"]
TEXTS = [text for texts in TOPICS.values() for text in texts][4:14]


def item(gold: int, name: str = "q") -> Cited:
    """A question whose answer is a whole passage."""
    evidence = tuple(Evidence(n, p, "e", 1.0) for n, p in enumerate(make_passages(TEXTS), start=1))
    question = " ".join(TEXTS[gold - 1].split()[:3])
    return Cited(
        f"{name}{gold}", question, evidence, frozenset({gold}), (TEXTS[gold - 1].rstrip("."),), TEXTS[gold - 1]
    )


def encode(texts: Sequence[str]) -> Any:
    return WordEncoder().encode_passages(texts)


@pytest.mark.parametrize(
    ("text", "numbers"),
    [("Red [2][4].", [2, 4]), ("Red [1, 3; 3].", [1, 3]), ("Red [0] [11] [x].", []), ("Red.", [])],
)
def test_marks_are_numbers_in_square_brackets(text: str, numbers: list[int]) -> None:
    assert parse_marks(text, 10) == numbers


def test_a_text_is_attributed_with_and_without_cosines() -> None:
    record = record_text(item(3), TEXTS[2], None, encode)
    assert record["lean"] == record["words"] == [3]
    assert np.argmax(record["cosines"][0]) == 2
    assert "full" not in record


def test_what_was_measured_is_not_measured_again(tmp_path: Path) -> None:
    file, asked = tmp_path / "deep" / "records.jsonl", list[str]()

    def measured(one: Cited) -> dict[str, Any]:
        asked.append(one.id)
        return {"seen": one.id}

    later = time.monotonic() + 60
    assert len(list(resumed([item(1)], file, measured, later, MODELS))) == 1
    file.write_text(file.read_text() + '{"id": "q2", "se')  # a run that was killed while it wrote
    for _ in range(2):
        found = resumed([item(1), item(2)], file, measured, later, MODELS)
        assert [record["seen"] for _, record in found] == ["q1", "q2"]
    assert asked == ["q1", "q2"]


def test_nothing_is_measured_after_the_time_is_up(tmp_path: Path) -> None:
    assert list(resumed([item(1)], tmp_path / "r.jsonl", lambda one: {}, time.monotonic() - 1, MODELS)) == []


def test_what_other_models_or_prompts_found_is_measured_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []

    def measured(one: Cited) -> dict[str, Any]:
        asked.append(one.id)
        return {}

    def count(models: Sequence[str], one: Cited) -> int:
        asked.clear()
        list(resumed([one], tmp_path / "r.jsonl", measured, time.monotonic() + 60, models))
        return len(asked)

    assert [count(MODELS, item(1)), count(MODELS, item(1)), count([*MODELS, "other"], item(1))] == [1, 0, 1]
    assert count(MODELS, replace(item(1), statement="Another statement.")) == 1
    monkeypatch.setattr("generators.prompts.WITH_SOURCES", "Answer.")
    assert [count(MODELS, item(1)), count(MODELS, item(1))] == [1, 0]
    assert not list(resumed([item(1)], tmp_path / "r.jsonl", measured, time.monotonic() - 1, ["new"]))


def test_records_depend_on_the_language_model_the_encoder_and_the_fitted_weights(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def models(model: Any, **changes: Any) -> tuple[str, ...]:
        settings = load_settings(flags={"home": str(tmp_path), **changes}, env={}).settings
        return tuple(models_of(settings, model, COLUMNS))

    one, other = _Named(), _Named()
    other.dtype = "int8"
    found = [models(None), models(one), models(other), models(one, **{"models.encoder": "another"})]
    monkeypatch.setattr(run, "fitted", lambda name: f"weights of {name}")
    assert len({*found, models(one)}) == 5


def test_the_fit_finds_passages_that_hold_the_answer() -> None:
    models = fit_cheap([item(gold) for gold in range(1, 11)], remembering(encode))
    assert set(models) == {WORDS, COSINES}
    for name, model in models.items():
        assert tuple(model.weights) == COLUMNS[name]
    record = record_text(item(5), TEXTS[4], None, encode)
    assert record["lean"] == [5]


def contrasts(rows: int) -> list[dict[str, Any]]:
    """Finalists of which those that raise the answer are right; every other question had some in doubt."""
    found = []
    for number in range(rows):
        drop = [0.5, 0.0, 0.1] if number % 2 else [NOT_MEASURED] * 3
        columns = [[1.0, 2.0, 0.0, drop[0], 0.1], [0.5, 0.1, 1.9, drop[1], 0.2], [0.0, 1.5, 0.5, drop[2], -0.1]]
        found.append({"contrasts": columns, "right": [True, False, True]})
    return found


def test_contrasts_are_fitted_on_what_was_measured() -> None:
    models = fit_contrasts(contrasts(30))
    assert {name: tuple(model.weights) for name, model in models.items()} == {
        HOLD: COLUMNS[HOLD],
        DOUBTED: COLUMNS[DOUBTED],
    }
    assert models[HOLD].weights["hold"] > 0
    assert all(abs(weight) < 10 for weight in models[DOUBTED].weights.values())


def test_too_few_contrasts_are_refused() -> None:
    with pytest.raises(InputError, match="minutes"):
        fit_contrasts(contrasts(5))


def test_tables_show_each_way_of_citing_and_only_right_answers_apart(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    items = {name: [item(gold, name) for gold in (2, 5, 7)] for name in run.SIZES}
    monkeypatch.setattr(run, "read", lambda name, *_: items[name])
    monkeypatch.setattr(run, "encoder", lambda _: encode)
    monkeypatch.setattr(run, "language_model", lambda _: _Named())
    monkeypatch.setattr(run, "record_answer", _recorded)
    monkeypatch.setattr(run, "record_text", lambda one, text, *_: {"text": text, **_cited(one), "asked": []})
    settings = load_settings(flags={"home": str(tmp_path)}, env={}).settings
    tables = run.run(settings, tmp_path, tmp_path / "kept", Plan(), lambda _: None)
    answers, right, marked, marked_right, statements = tables[:5]
    assert answers.row(OURS).values["F1"].value == 1.0
    assert answers.row(LEAN).n == 3
    assert right.row(OURS).n == 2
    assert "text" in statements.title
    assert {row.name for row in answers.rows} == {OURS, LEAN, OURS_WORDS, COSINE}
    assert {row.name for row in statements.rows} == {OURS, LEAN, OURS_WORDS, ASKED, COSINE}
    assert {row.name for row in marked.rows} == {LEAN, OURS_WORDS, MARKS, COSINE}
    assert {table.baseline for table in tables} == {COSINE}
    assert (marked.row(MARKS).n, marked.row(MARKS).values["F1"].value) == (3, 1 / 3)
    assert (marked_right.row(MARKS).n, marked_right.row(MARKS).values["F1"].value) == (1, 1.0)
    assert all(any("asked for marks" in note for note in table.notes) for table in (marked, marked_right))
    kept = (tmp_path / "kept" / "hotpotqa-1000-tiny-seed0.jsonl").read_text().splitlines()
    assert [json.loads(line)["id"] for line in kept] == [one.id for one in items["hotpotqa-1000"]]


class _Named:
    name = "tiny"
    fingerprint = "weights"
    dtype = "float32"


def _cited(one: Cited) -> dict[str, Any]:
    gold = sorted(one.gold)
    return {"full": gold, "lean": gold, "words": gold, "full seconds": 1.0, "cosines": [[0.5] * 10]}


def _recorded(one: Cited, *_: object) -> dict[str, Any]:
    said = "I cannot say." if one.gold == {7} else one.statement
    answer = {"text": said, **_cited(one)}
    # Asked for marks the model says something else, which is right where its own answer is not.
    wrote = f"{one.statement.rstrip('.')} [{min(one.gold)}]." if one.gold == {7} else "I cannot say."
    return {
        "answer": answer,
        "marked": record_marked(one, wrote, encode),
        "statement": {**answer, "asked": []},
    }


def test_marks_are_scored_with_the_text_that_they_stand_in() -> None:
    record = record_marked(item(3), f"{TEXTS[2].rstrip('.')} [3][9].", encode)
    assert (record["text"], record["marks"], record["lean"]) == (TEXTS[2], [3, 9], [3])
    assert record["said"].endswith("[3][9].")
    assert record_marked(item(3), "[4]", encode)["lean"] == []


@pytest.mark.parametrize(
    ("text", "left"),
    [("Red [2] [4].", "Red."), ("[1] Red [x].", "Red [x]."), ("Red\n[1, 3; 3]", "Red"), (" [2] ", "")],
)
def test_marks_are_taken_out_with_the_space_before_them(text: str, left: str) -> None:
    assert without_marks(text) == left


def test_texts_are_encoded_once() -> None:
    encoder = WordEncoder()
    remembered = remembering(encoder.encode_passages)
    remembered(["red apple", "oil"])
    np.testing.assert_array_equal(remembered(["oil", "oil"])[0], encoder.encode_passages(["oil"])[0])
    assert encoder.passages == 3


def test_the_support_of_records_is_the_default_of_the_settings() -> None:
    assert load_settings(env={}).settings.verdict.support == records.SUPPORT
