from __future__ import annotations

import numpy as np
import pytest

from evaluation.metrics import score_run
from evaluation.runs import Run
from indexes.encoders.base import unit
from retrievers.training import measure
from retrievers.training.measure import ndcg, top


def test_ndcg_is_that_of_the_evaluation() -> None:
    generator = np.random.default_rng(0)
    questions, passages = unit(generator.standard_normal((30, 8))), unit(generator.standard_normal((100, 8)))
    relevant = [
        {int(row): float(generator.integers(1, 4)) for row in generator.choice(100, size=generator.integers(1, 20))}
        for _ in questions
    ]
    scores = questions @ passages.T
    results = {
        f"q{n}": sorted(((f"{row:03d}", float(s)) for row, s in enumerate(scores[n])), key=lambda hit: -hit[1])
        for n in range(30)
    }
    qrels = {f"q{n}": {f"{row:03d}": int(grade) for row, grade in rows.items()} for n, rows in enumerate(relevant)}
    expected = score_run(Run("r", results), qrels, ["nDCG@10"]).values["nDCG@10"]
    assert ndcg(questions, passages, relevant) == pytest.approx(expected)


def test_of_equal_passages_the_lower_row_comes_first(monkeypatch: pytest.MonkeyPatch) -> None:
    passages = np.array([[0, 1], [1, 0], [1, 0], [1, 0], [0.8, 0.6]], dtype=np.float32)
    questions = np.array([[1, 0], [0, 1]], dtype=np.float32)
    assert top(questions, passages, 2).tolist() == [[1, 2], [0, 4]]
    monkeypatch.setattr(measure, "BLOCK", 1)
    assert top(questions, passages, 9).tolist() == [[1, 2, 3, 4, 0], [0, 4, 1, 2, 3]]


def test_fewer_passages_than_the_depth() -> None:
    passages = np.array([[1, 0], [0, 1]], dtype=np.float32)
    assert ndcg(passages, passages, [{0: 1.0}, {0: 2.0}]) == pytest.approx([1, 1 / np.log2(3)])
