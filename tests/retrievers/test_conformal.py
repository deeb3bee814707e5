from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from indexes.errors import InputError
from retrievers.calibration import Background
from retrievers.conformal import Guarantee, guarantee
from retrievers.gate import NullExpert
from retrievers.pilots import Pilots
from retrievers.probe import Probe
from retrievers.profile import Profile
from retrievers.router import ScoredRouter, Wishes
from retrievers.scorers import Logits

EXPERTS = 5


def draw(generator: np.random.Generator, n: int, sharpness: float) -> tuple[NDArray[np.float64], NDArray[np.intp]]:
    """Probabilities ``[n, experts]`` and who is right; with another sharpness than 1 the probabilities are wrong."""
    logits = 1.5 * generator.standard_normal((n, EXPERTS))
    true = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    right = (true.cumsum(axis=1) < generator.random((n, 1))).sum(axis=1).clip(max=EXPERTS - 1)
    stated = np.exp(sharpness * logits)
    return stated / stated.sum(axis=1, keepdims=True), right


def covered(probabilities: NDArray[np.float64], right: NDArray[np.intp], mass: float) -> NDArray[np.bool_]:
    """Whether the right expert is in the smallest set of the most probable that holds the mass."""
    own = probabilities[np.arange(len(right)), right]
    more = np.where(probabilities > own[:, None], probabilities, 0.0).sum(axis=1)
    return more < mass


@pytest.mark.parametrize("coverage", [0.7, 0.9, 0.95])
@pytest.mark.parametrize("sharpness", [0.5, 1.0, 4.0])
@pytest.mark.parametrize("n", [20, 100])
def test_the_right_expert_is_asked_at_least_as_often_as_promised(coverage: float, sharpness: float, n: int) -> None:
    generator = np.random.default_rng(0)
    hits = []
    for _ in range(400):
        probabilities, right = draw(generator, n, sharpness)
        found = guarantee(probabilities, right.tolist(), coverage)
        hits.append(covered(*draw(generator, 50, sharpness), found.mass).mean())
    error = np.std(hits) / math.sqrt(len(hits))
    assert np.mean(hits) >= coverage - 3 * error
    assert np.mean(hits) < 1  # or the mass would be 1 whatever was measured


def test_the_promise_holds_for_the_router_that_is_given_the_mass() -> None:
    generator = np.random.default_rng(1)
    names = [f"e{i}" for i in range(EXPERTS)]
    profiles = dict.fromkeys(names, Profile(Pilots(np.ones((1, 1), np.float32), Background(0.0, 1.0))))
    nobody = NullExpert(Probe(np.zeros(1, np.float32), -9.0), np.zeros((1, 1), np.float32), ("chitchat",))

    class Given:
        probabilities: NDArray[np.float64]

        def logits(self, *_: object) -> Logits:
            return np.log(self.probabilities)

    hits = []
    for _ in range(40):
        given_ = Given()
        router = ScoredRouter(nobody, given_, mass=guarantee(*_lists(draw(generator, 60, 2.0)), 0.8).mass, most=EXPERTS)
        for row, right in zip(*draw(generator, 25, 2.0), strict=True):
            given_.probabilities = row
            route = router.route("Who?", np.ones(1, np.float32), profiles, Wishes(retrieval=True))
            hits.append(names[right] in route.experts)
    assert np.mean(hits) >= 0.8 - 3 * math.sqrt(0.8 * 0.2 / len(hits))


def test_a_router_that_is_better_needs_less_mass_for_the_same_promise() -> None:
    generator = np.random.default_rng(2)
    honest, boastful = (guarantee(*_lists(draw(generator, 500, s)), 0.9) for s in (1.0, 4.0))
    assert honest.mass < boastful.mass


def test_the_mass_is_the_score_of_the_rank_that_the_paper_gives() -> None:
    probabilities = np.array([[0.6, 0.3, 0.1], [0.5, 0.25, 0.25], [0.7, 0.2, 0.1], [0.4, 0.35, 0.25]])
    # Scores: 0.6 (the first), 1 (one of two equals, so both), 0.9, and 0.4; of four, rank ⌈5 · 0.5⌉ = 3 is taken.
    assert guarantee(probabilities, [0, 1, 1, 0], 0.5) == Guarantee(pytest.approx(0.9), 0.5, 4)  # type: ignore[arg-type]
    assert guarantee(probabilities, [0, 1, 1, 0], 0.8).mass == 1


def test_a_mass_of_1_is_exactly_1_though_sums_are_rounded() -> None:
    probabilities = np.full((20, 10), 0.1)
    assert guarantee(probabilities, [0] * 20, 0.9).mass == 1
    sure = np.array([[1 - 1e-12, 1e-12]] * 20)
    assert guarantee(sure, [1] * 20, 0.5).mass == 1


@given(st.integers(1, 99).map(lambda n: n / 100))
def test_the_number_of_questions_that_an_error_names_is_the_least_that_does(coverage: float) -> None:
    need = math.ceil(round(100 * coverage) / (100 - round(100 * coverage)))
    probabilities, right = draw(np.random.default_rng(0), need, 1.0)
    assert guarantee(probabilities, right.tolist(), coverage).questions == need
    with pytest.raises(InputError, match=f"{need - 1} calibration questions are too few") as caught:
        guarantee(probabilities[1:], right[1:].tolist(), coverage)
    assert f"at least {need}," in caught.value.fix


@pytest.mark.parametrize("coverage", [0.0, 1.0, -0.5, 1.5, math.nan])
def test_what_cannot_be_promised_is_refused(coverage: float) -> None:
    with pytest.raises(InputError, match="cannot be promised"):
        guarantee(np.ones((50, 1)), [0] * 50, coverage)


def _lists(drawn: tuple[NDArray[np.float64], NDArray[np.intp]]) -> tuple[NDArray[np.float64], list[int]]:
    return drawn[0], drawn[1].tolist()
