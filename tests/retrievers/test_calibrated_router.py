from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from indexes.errors import InputError, SettingsError
from retrievers.calibrated_router import FILE, Calibrated, best_temperature, fit
from retrievers.conformal import Guarantee, guarantee
from retrievers.router import ROUNDING

EXPERTS = ("a", "b", "c", "d")
KEPT = Calibrated(1.5, Guarantee(0.8, 0.9, 40), EXPERTS)


def softmax(logits: np.ndarray) -> np.ndarray:
    shares = np.exp(logits - logits.max(axis=1, keepdims=True))
    return np.asarray(shares / shares.sum(axis=1, keepdims=True))


def drawn(n: int, temperature: float, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Logits, and right experts that are as probable as their softmax at that temperature says."""
    rng = np.random.default_rng(seed)
    logits = 6 * rng.standard_normal((n, len(EXPERTS)))
    right = [rng.choice(len(EXPERTS), p=row) for row in softmax(logits / temperature)]
    return logits, np.array(right)


@pytest.mark.parametrize("temperature", [0.5, 1.0, 3.0])
def test_the_temperature_that_the_questions_were_drawn_with_is_found(temperature: float) -> None:
    assert best_temperature(*drawn(3000, temperature, 0)) == pytest.approx(temperature, rel=0.15)


def test_a_scorer_that_is_always_right_is_trusted_and_one_that_never_is_is_not() -> None:
    logits = np.tile([2.0, 0.0], (20, 1))
    assert best_temperature(logits, np.zeros(20, dtype=int)) == pytest.approx(0.1)
    assert best_temperature(logits, np.ones(20, dtype=int)) == pytest.approx(10)
    assert best_temperature(np.zeros((0, 2)), np.zeros(0, dtype=int)) == 1.0


def test_huge_logits_overflow_nowhere() -> None:
    assert best_temperature(np.array([[0.0, 1e5], [1e5, 0.0]]), np.array([0, 0])) == pytest.approx(10)


def test_one_half_fits_the_temperature_and_the_other_the_mass() -> None:
    logits, right = drawn(80, 2.0, 1)
    found = fit(list(logits), right.tolist(), EXPERTS, 0.9, seed=5)
    order = np.random.default_rng(5).permutation(80)
    first, second = order[:40], order[40:]
    assert found.temperature == best_temperature(logits[first], right[first])
    assert found.guarantee == guarantee(softmax(logits[second] / found.temperature), right[second].tolist(), 0.9)
    assert (found.guarantee.questions, found.experts) == (40, EXPERTS)
    assert fit(list(logits), right.tolist(), EXPERTS, 0.9, seed=5) == found
    assert fit(list(logits), right.tolist(), EXPERTS, 0.9, seed=6) != found


@pytest.mark.parametrize("coverage", [0.6, 0.9])
def test_the_coverage_holds_on_new_questions(coverage: float) -> None:
    """Asking as the router does: the most probable first, until they hold the mass."""
    covered, asked = [], []
    for seed in range(30):
        found = fit(*map(list, drawn(100, 2.0, seed)), EXPERTS, coverage, seed)  # type: ignore[arg-type]
        logits, right = drawn(200, 2.0, 1000 + seed)
        shares = softmax(logits / found.temperature)
        order = np.argsort(-shares, axis=1)
        held = np.cumsum(np.take_along_axis(shares, order, axis=1), axis=1)
        needed = (held < found.guarantee.mass - ROUNDING).sum(axis=1) + 1
        places = (order == right[:, None]).argmax(axis=1)
        covered.append(float((places < needed).mean()))
        asked.append(float(needed.mean()))
    assert np.mean(covered) >= coverage - 0.01
    assert np.mean(asked) < len(EXPERTS) - 0.5  # not by asking everyone


def test_too_few_questions_are_an_error_that_counts_both_halves() -> None:
    logits, right = drawn(37, 1.0, 0)
    assert fit(list(logits), right.tolist(), EXPERTS, 0.95, 0).guarantee.questions == 19
    with pytest.raises(InputError, match="36 calibration questions are too few for a coverage of 95%") as caught:
        fit(list(logits[:36]), right[:36].tolist(), EXPERTS, 0.95, 0)
    assert "at least 37" in caught.value.fix


@pytest.mark.parametrize("coverage", [0.0, 1.0, 1.5])
def test_a_coverage_that_cannot_be_promised_is_an_error(coverage: float) -> None:
    with pytest.raises(InputError, match="cannot be promised"):
        fit(*map(list, drawn(10, 1.0, 0)), EXPERTS, coverage, 0)  # type: ignore[arg-type]


def test_what_is_kept_is_read_back_and_removed(tmp_path: Path) -> None:
    assert Calibrated.read(tmp_path) is None
    KEPT.write(tmp_path / "slices")
    assert Calibrated.read(tmp_path / "slices") == KEPT
    assert [path.name for path in (tmp_path / "slices").iterdir()] == [FILE]
    for _ in range(2):
        Calibrated.remove(tmp_path / "slices")
        assert Calibrated.read(tmp_path / "slices") is None


@pytest.mark.parametrize(
    "change",
    [
        {"format": 2},
        {"temperature": None},
        {"temperature": "1.5"},
        {"temperature": 0},
        {"temperature": float("nan")},
        {"guarantee": {"mass": 1.1, "coverage": 0.9, "questions": 4}},
        {"guarantee": {"mass": 0.0, "coverage": 0.9, "questions": 4}},
        {"guarantee": {"mass": 0.5}},
        {"guarantee": 3},
        {"experts": None},
        {"more": 1},
    ],
)
def test_a_value_that_makes_no_sense_is_damage(tmp_path: Path, change: dict[str, object]) -> None:
    KEPT.write(tmp_path)
    values = json.loads((tmp_path / FILE).read_text())
    (tmp_path / FILE).write_text(json.dumps({**values, **change}))
    with pytest.raises(SettingsError, match=rf"{FILE} is damaged") as caught:
        Calibrated.read(tmp_path)
    assert "symposia calibrate --reset" in caught.value.fix


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"null", b"\xff", b"[" * 100_000])
def test_a_file_that_is_no_object_is_damage(tmp_path: Path, content: bytes) -> None:
    (tmp_path / FILE).write_bytes(content)
    with pytest.raises(SettingsError, match="is damaged"):
        Calibrated.read(tmp_path)
