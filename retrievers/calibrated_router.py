"""What calibration questions say of a router: the temperature that makes its probabilities honest, and the mass that covers."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from indexes import atomic
from indexes.errors import InputError, SettingsError
from retrievers.calibration import softmax
from retrievers.conformal import Guarantee, fewest, guarantee

FILE = "router.json"
FORMAT = 1
TEMPERATURES = np.exp(np.linspace(np.log(0.1), np.log(10.0), 401))
Logits = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Calibrated:
    """A router's calibration on one panel.

    Parameters
    ----------
    temperature
        Of the softmax over logits, by maximum likelihood (Guo et al. 2017, section 4.2).
    guarantee
        The mass, and the coverage that it gives.
    experts
        Of the panel. With others the temperature and the mass still serve; the coverage is no longer promised.
    encoder
        Key of the panel's encoder (``indexes.generations.key_of``), with another one nothing of it holds; empty where
        that was not noted.
    """

    temperature: float
    guarantee: Guarantee
    experts: tuple[str, ...]
    encoder: str = ""

    def write(self, folder: Path) -> None:
        """Keep it beside the slices."""
        atomic.write(folder / FILE, json.dumps({"format": FORMAT, **asdict(self)}, indent=2).encode())

    @classmethod
    def read(cls, folder: Path) -> Calibrated | None:
        """Read it; ``None`` where there is none, and a ``SettingsError`` where it is damaged."""
        path = folder / FILE
        if not path.is_file():
            return None
        try:
            values: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
            if values.pop("format") != FORMAT:
                raise ValueError(f"its format is not {FORMAT}")
            values["guarantee"] = Guarantee(**values["guarantee"])
            values["experts"] = tuple(values["experts"])
            found = cls(**values)
            if not (found.temperature > 0 and 0 < found.guarantee.mass <= 1):
                raise ValueError(f"temperature {found.temperature}, mass {found.guarantee.mass}")
            return found
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
            raise SettingsError(
                f"The router's calibration at {path} is damaged: {error}",
                "`symposia calibrate --reset` removes it.",
            ) from error

    @staticmethod
    def remove(folder: Path) -> None:
        """Go back to the settings' mass."""
        (folder / FILE).unlink(missing_ok=True)


def fit(
    logits: Sequence[Logits], right: Sequence[int], experts: Sequence[str], coverage: float, seed: int
) -> Calibrated:
    """Fit the temperature on a random half of the questions, and the mass on the other, which makes the coverage hold.

    Parameters
    ----------
    logits
        ``[experts]`` for each question.
    right
        Position of the right expert of each question.

    Raises
    ------
    InputError
        Where the questions are too few for the coverage.
    """
    rows, answers = np.array(logits), np.asarray(right)
    order = np.random.default_rng(seed).permutation(len(answers))
    half = len(order) // 2
    first, second = order[:half], order[half:]
    if len(second) < fewest(coverage):
        raise InputError(
            f"{len(order)} calibration questions are too few for a coverage of {coverage:.0%}, for half of them fit the "
            "temperature.",
            f"Give at least {2 * fewest(coverage) - 1}, or ask for a lower coverage.",
        )
    temperature = best_temperature(rows[first], answers[first])
    return Calibrated(
        temperature, guarantee(softmax(rows[second] / temperature), answers[second].tolist(), coverage), tuple(experts)
    )


def best_temperature(logits: Logits, right: NDArray[np.integer]) -> float:
    """The temperature between 0.1 and 10 under which the right experts are most probable; 1 without questions."""
    if not len(right):
        return 1.0
    losses = [-_log_softmax(logits / t)[np.arange(len(right)), right].mean() for t in TEMPERATURES]
    return float(TEMPERATURES[int(np.argmin(losses))])


def _log_softmax(logits: Logits) -> Logits:
    shifted = logits - logits.max(axis=1, keepdims=True)
    return np.asarray(shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True)))
