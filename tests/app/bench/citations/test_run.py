from __future__ import annotations

import json
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from app.bench.citations import records, run
from app.bench.citations.contexts import Cited
from app.bench.citations.fit import fit_cheap
from app.bench.citations.records import NOT_MEASURED, parse_marks, record_text, resumed
from app.bench.citations.refit import fit_contrasts
from app.bench.citations.run import LEAN, MARKS, OURS, Plan, remembering
from app.settings import load_settings
from generators.citations.pair_model import COLUMNS, COSINES, DOUBTED, HOLD, WORDS
from indexes.errors import InputError
from retrievers.evidence import Evidence
from tests.fakes import TOPICS, WordEncoder, make_passages

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
    assert len(list(resumed([item(1)], file, measured, later))) == 1
    file.write_text(file.read_text() + '{"id": "q2", "se')  # a run that was killed while it wrote
    for _ in range(2):
        assert [record["seen"] for _, record in resumed([item(1), item(2)], file, measured, later)] == ["q1", "q2"]
    assert asked == ["q1", "q2"]


def test_nothing_is_measured_after_the_time_is_up(tmp_path: Path) -> None:
    assert list(resumed([item(1)], tmp_path / "r.jsonl", lambda one: {}, time.monotonic() - 1)) == []


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
    answers, right, statements = tables[:3]
    assert answers.row(OURS).values["F1"].value == 1.0
    assert answers.row(MARKS).values["F1"].value == 0.0
    assert answers.baseline == MARKS
    assert answers.row(LEAN).n == 3
    assert right.row(OURS).n == 2
    assert "text" in statements.title
    kept = (tmp_path / "kept" / "hotpotqa-1000-tiny-seed0.jsonl").read_text().splitlines()
    assert [json.loads(line)["id"] for line in kept] == [one.id for one in items["hotpotqa-1000"]]


class _Named:
    name = "tiny"


def _cited(one: Cited) -> dict[str, Any]:
    gold = sorted(one.gold)
    return {"full": gold, "lean": gold, "words": gold, "full seconds": 1.0, "cosines": [[0.5] * 10]}


def _recorded(one: Cited, *_: object) -> dict[str, Any]:
    said = "I cannot say." if one.gold == {7} else one.statement
    answer = {"text": said, **_cited(one), "marks": [], "asked": []}
    return {"answer": answer, "statement": answer}


def test_texts_are_encoded_once() -> None:
    encoder = WordEncoder()
    remembered = remembering(encoder.encode_passages)
    remembered(["red apple", "oil"])
    np.testing.assert_array_equal(remembered(["oil", "oil"])[0], encoder.encode_passages(["oil"])[0])
    assert encoder.passages == 3


def test_the_support_of_records_is_the_default_of_the_settings() -> None:
    assert load_settings(env={}).settings.verdict.support == records.SUPPORT
