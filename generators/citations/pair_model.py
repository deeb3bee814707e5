"""How probable it is that a sentence rests on a passage: logistic regressions over the features of the pair.

There is one over words and one over words and cosines; a third corrects the log-odds of either by how far each finalist alone
raises the sentence ("hold"); the last, for those still in doubt, by how far the sentence falls without it ("drop") and by
the model's own word, yes or no. They lie in ``pair_model.toml`` beside this file and are fitted
again, on HotpotQA's training questions, by ``symposia bench citations --fit``.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from generators.citations.pairs import EMBEDDING, LEXICAL
from indexes.errors import InputError

REFIT = "Fit them again: symposia bench citations --fit."
FILE = Path(__file__).with_name("pair_model.toml")
WORDS, COSINES, HOLD, DOUBTED = "words", "words and cosines", "hold", "in doubt"
COLUMNS = {
    WORDS: LEXICAL,
    COSINES: (*LEXICAL, *EMBEDDING),
    HOLD: ("log-odds", "hold", "hold lag"),
    DOUBTED: ("log-odds", "hold", "hold lag", "drop", "own word"),
}
"""What each model is given: log-odds by the first or second, contrasts in nats per token, and log-odds of yes (``generators.citations.contrasts``)."""

Matrix = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class PairModel:
    """``p = 1 / (1 + exp(−(bias + Σ weight · feature)))``.

    Parameters
    ----------
    weights
        Feature name to weight, in the order of the columns.
    threshold
        Probability from which a further passage is cited beside the best.
    """

    weights: Mapping[str, float]
    bias: float
    threshold: float

    def log_odds(self, features: Matrix) -> NDArray[np.float64]:
        """One for each row of ``features``, ``[passages, len(weights)]``.

        Raises
        ------
        InputError
            The columns are not those that the model was fitted on.
        """
        weights = np.array(list(self.weights.values()))
        if features.ndim != 2 or features.shape[1] != len(weights):
            raise InputError(f"Features of the shape {features.shape} were given to a model of {len(weights)}.", REFIT)
        return np.asarray(features @ weights + self.bias)

    def probabilities(self, features: Matrix) -> NDArray[np.float64]:
        """Like ``log_odds``, as probabilities."""
        return np.asarray(1 / (1 + np.exp(-self.log_odds(features))))

    def to_toml(self, name: str) -> str:
        """A table of the file."""
        lines = [f'["{name}"]', f"bias = {self.bias:.4f}", f"threshold = {self.threshold:.2f}", f'["{name}".weights]']
        return "\n".join([*lines, *(f'"{key}" = {value:.4f}' for key, value in self.weights.items())])


def fitted(name: str) -> PairModel:
    """The model of that name in the file."""
    return read_models(FILE)[name]


def fit(features: Sequence[Matrix], right: Sequence[NDArray[np.bool_]], names: Sequence[str]) -> PairModel:
    """Fit on questions of several passages each, with threshold 0.5 until one is chosen.

    Parameters
    ----------
    features
        For each question ``[passages, len(names)]``.
    right
        For each question, whether each passage is one that the answer rests on.
    """
    from sklearn.linear_model import LogisticRegression

    model = LogisticRegression(C=1.0, max_iter=2000).fit(np.concatenate(features), np.concatenate(right))
    weights = {name: float(weight) for name, weight in zip(names, model.coef_[0], strict=True)}
    return PairModel(weights, float(model.intercept_[0]), 0.5)


@cache
def read_models(path: Path) -> dict[str, PairModel]:
    """The four models by name.

    Raises
    ------
    InputError
        A model or a column is missing, or one too many.
    """
    tables: dict[str, Any] = tomllib.loads(path.read_text(encoding="utf-8"))
    models = {name: PairModel(table["weights"], table["bias"], table["threshold"]) for name, table in tables.items()}
    if {name: tuple(model.weights) for name, model in models.items()} != COLUMNS:
        raise InputError(f"The models in {path} were not fitted on the features that there are now.", REFIT)
    return models


def write_models(path: Path, models: Mapping[str, PairModel]) -> None:
    """Write the four models so that ``read_models`` reads them."""
    path.write_text("\n\n".join(models[name].to_toml(name) for name in COLUMNS) + "\n", encoding="utf-8")
