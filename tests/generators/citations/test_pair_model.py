from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from generators.citations.pair_model import COLUMNS, FILE, WORDS, PairModel, fit, fitted, read_models, write_models
from indexes.errors import InputError

MODEL = PairModel({"claim": 2.0, "novel": -1.0}, 0.5, 0.3)


def test_probabilities_are_the_logistic_of_the_weighted_sum() -> None:
    features = np.array([[1.0, 0.0], [0.0, 2.0]], dtype=np.float32)
    np.testing.assert_allclose(MODEL.log_odds(features), [2.5, -1.5])
    np.testing.assert_allclose(MODEL.probabilities(features), [1 / (1 + np.exp(-2.5)), 1 / (1 + np.exp(1.5))])


def test_other_columns_than_those_fitted_are_refused() -> None:
    with pytest.raises(InputError, match="model of 2"):
        MODEL.log_odds(np.zeros((1, 3), dtype=np.float32))


def test_the_models_in_the_package_are_fitted_on_the_features_that_there_are() -> None:
    assert set(read_models(FILE)) == set(COLUMNS)
    assert all(0 < model.threshold < 1 for model in read_models(FILE).values())


def test_a_passage_that_holds_more_of_the_answer_is_more_probable() -> None:
    rows = np.zeros((2, len(COLUMNS[WORDS])), dtype=np.float32)
    for name in ("novel", "sentence", "gain"):
        rows[1, COLUMNS[WORDS].index(name)] = 1.0
    low, high = fitted(WORDS).probabilities(rows)
    assert high > low


def test_what_is_written_is_read_again(tmp_path: Path) -> None:
    models = {
        name: PairModel({column: 0.25 * i for i, column in enumerate(columns)}, -1.5, 0.35)
        for name, columns in COLUMNS.items()
    }
    write_models(tmp_path / "models.toml", models)
    assert read_models(tmp_path / "models.toml") == models


def test_models_of_other_features_are_refused_with_the_command_that_fits_them(tmp_path: Path) -> None:
    file = tmp_path / "models.toml"
    file.write_text('["words"]\nbias = 0.0\nthreshold = 0.5\n["words".weights]\n"claim" = 1.0\n', encoding="utf-8")
    with pytest.raises(InputError) as caught:
        read_models(file)
    assert "bench citations --fit" in str(caught.value)


def test_a_fit_finds_the_feature_that_tells_the_right_passages() -> None:
    generator = np.random.default_rng(0)
    features = [generator.random((4, 2)).astype(np.float32) for _ in range(60)]
    right = [matrix[:, 1] > 0.5 for matrix in features]
    model = fit(features, right, ["noise", "signal"])
    assert model.weights["signal"] > 5 * abs(model.weights["noise"])
