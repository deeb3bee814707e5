from __future__ import annotations

from dataclasses import replace
from itertools import permutations
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from indexes.encoders.base import Vectors
from indexes.errors import InputError
from retrievers.calibration import Background
from retrievers.evidence import Route, Share
from retrievers.gate import CERTAIN, FAMILIAR, RARE, NullExpert
from retrievers.pilots import Pilots
from retrievers.probe import Probe
from retrievers.profile import Profile
from retrievers.router import ScoredRouter, Wishes, combine
from retrievers.scorers import NearestPilot

NAMES = ("engines", "orchard", "planets", "rivers", "stones")
QUESTION = "When do you see them?"  # of words that small talk has
VECTOR = np.array([1.0, 0.0], np.float32)
NONE = Wishes()
SCORE = st.floats(-30, 30, allow_nan=False, width=32)
SCORES = st.dictionaries(st.sampled_from(NAMES), SCORE, max_size=5)


def pilots(score: float) -> Pilots:
    """Pilots that score ``VECTOR`` with exactly ``score``."""
    return Pilots(VECTOR[None, :], Background(1.0 - score, 1.0))


def profile(score: float) -> Profile:
    return Profile(pilots(score))


def router(null: float = -100.0, kind: str = "chitchat", **options: Any) -> ScoredRouter:
    """A router whose probe gives ``VECTOR`` the logit ``null``."""
    null_expert = NullExpert(Probe(np.zeros(2, np.float32), null + RARE), 0 * VECTOR[None, :], (kind,))
    return ScoredRouter(null_expert, NearestPilot(), **options)  # type: ignore[arg-type]


def route(scores: dict[str, float], wishes: Wishes = NONE, question: str = QUESTION, **options: Any) -> Route:
    return router(**options).route(question, VECTOR, {n: profile(s) for n, s in scores.items()}, wishes)


def softmax(scores: list[float], temperature: float = 1.0) -> Vectors:
    exponentials = np.exp((np.array(scores) - max(scores)) / temperature)
    return np.asarray(exponentials / exponentials.sum())


@given(SCORES.filter(bool), SCORE, st.floats(0.1, 10))
@settings(max_examples=50, deadline=None)
def test_probabilities_are_a_softmax_and_with_the_null_experts_sum_to_1(
    scores: dict[str, float], null: float, temperature: float
) -> None:
    found = route(scores, null=null, temperature=temperature)
    assert found.null + sum(share.probability for share in found.shares) == pytest.approx(1)
    familiar = max(0.0, max(scores.values()) - CERTAIN)
    assert found.null == pytest.approx(1 / (1 + np.exp(-(null - FAMILIAR * familiar))), abs=1e-4)
    expected = (1 - found.null) * softmax([*scores.values()], temperature)
    by_name = {share.expert: share.probability for share in found.shares}
    assert by_name == pytest.approx(dict(zip(scores, expected.tolist(), strict=True)), abs=1e-4)


@given(SCORES.filter(bool), st.floats(0, 1), st.integers(1, 5))
@settings(max_examples=50, deadline=None)
def test_the_experts_asked_are_the_smallest_set_that_holds_the_mass(
    scores: dict[str, float], mass: float, most: int
) -> None:
    found = route(scores, mass=mass, most=most)
    shares = [share.probability for share in found.shares]
    assert shares == sorted(shares, reverse=True)
    asked = len(found.experts)
    assert found.experts == tuple(share.expert for share in found.shares[:asked])
    held = np.cumsum(shares) / sum(shares)
    assert 1 <= asked <= min(most, len(scores))
    assert asked == min(most, len(scores)) or held[asked - 1] >= mass - 1e-9
    assert asked == 1 or held[asked - 2] < mass + 1e-9


@given(SCORES, SCORE)
@settings(max_examples=30, deadline=None)
def test_the_order_of_the_experts_is_no_matter(scores: dict[str, float], null: float) -> None:
    routes = [route(dict(order), null=null) for order in permutations(scores.items())]
    assert all(found == routes[0] for found in routes)


@given(SCORES, SCORE)
@settings(max_examples=30, deadline=None)
def test_a_further_expert_leaves_the_order_of_the_others(scores: dict[str, float], score: float) -> None:
    before, after = route(scores), route(scores | {"visitor": score})
    assert [s.expert for s in after.shares if s.expert != "visitor"] == [s.expert for s in before.shares]


def test_equal_experts_go_by_name() -> None:
    found = route(dict.fromkeys(reversed(NAMES), 2.0), mass=1.0, most=2)
    assert [share.expert for share in found.shares] == sorted(NAMES)
    assert found.experts == ("engines", "orchard")


def test_a_clear_question_asks_one_expert_and_an_ambiguous_one_several() -> None:
    clear = route({"orchard": 9.0, "engines": 0.0, "planets": 0.0})
    assert clear.experts == ("orchard",)
    assert "Asked orchard (100%): it is clearly the most familiar with it." in clear.reason
    ambiguous = route({"orchard": 9.0, "engines": 9.0, "planets": 0.0})
    assert ambiguous.experts == ("engines", "orchard")
    assert "no expert alone is probable enough" in ambiguous.reason
    assert (ambiguous.decision, ambiguous.kind) == ("retrieve", "domain")


@pytest.mark.parametrize(("null", "decision"), [(9.0, "skip"), (1.0, "retrieve"), (-9.0, "retrieve")])
def test_a_probable_null_expert_skips_retrieval_and_an_unsure_one_does_not(null: float, decision: str) -> None:
    found = route({"orchard": 1.0}, null=null)
    assert found.decision == decision
    assert found.kind == ("chitchat" if decision == "skip" else "domain")
    assert bool(found.experts) == (decision == "retrieve")
    assert found.reason


@pytest.mark.parametrize(("score", "decision"), [(1.9, "skip"), (9.0, "retrieve")])
def test_what_an_expert_is_familiar_with_is_retrieved_though_it_reads_like_small_talk(
    score: float, decision: str
) -> None:
    assert route({"orchard": score, "engines": 0.0}, null=2.0).decision == decision


def test_words_that_small_talk_does_not_have_count_against_it() -> None:
    assert route({"orchard": 0.0}, null=4.0, question="How are you?").decision == "skip"
    assert route({"orchard": 0.0}, null=4.0, question="okra").decision == "retrieve"
    assert route({"orchard": 0.0}, null=4.0, question="Who directed Thanksgiving Massacre?").decision == "retrieve"


@pytest.mark.parametrize(("knows", "decision"), [(True, "skip"), (False, "retrieve")])
def test_what_the_model_surely_knows_is_skipped_where_no_expert_is_familiar(knows: bool, decision: str) -> None:
    asked: list[str] = []

    def model_knows(question: str) -> bool:
        asked.append(question)
        return knows

    found = route({"orchard": 1.9}, knows=model_knows)
    assert (found.decision, found.kind) == (decision, "domain")
    assert ("the language model is sure" in found.reason) == knows
    assert asked == [QUESTION]


@pytest.mark.parametrize(
    ("score", "options", "wishes"),
    [
        (2.0, {}, NONE),  # an expert is familiar with it
        (0.0, {"null": 9.0}, NONE),  # skipped anyway
        (0.0, {}, Wishes(retrieval=True)),
        (0.0, {}, Wishes(retrieval=False)),
        (0.0, {}, Wishes(force=("orchard",))),
    ],
)
def test_the_model_is_not_asked_where_its_word_would_count_for_nothing(
    score: float, options: dict[str, float], wishes: Wishes
) -> None:
    def never(_: str) -> bool:
        raise AssertionError

    assert route({"orchard": score}, wishes, knows=never, **options).shares


@pytest.mark.parametrize(("kind", "text"), [("chitchat", "small talk"), ("about", "a question about this system")])
def test_a_skipped_question_is_called_what_it_is_nearest_to(kind: str, text: str) -> None:
    found = router(9.0, kind).route("Hello", VECTOR, {"orchard": profile(0.0)}, NONE)
    assert (found.decision, found.kind, found.experts) == ("skip", kind, ())
    assert text in found.reason


def test_a_calculation_is_skipped_whatever_the_scores_say() -> None:
    found = route({"orchard": 9.0}, question="What is 17 * 23?", null=-9.0)
    assert (found.decision, found.kind) == ("skip", "arithmetic")
    assert "calculation" in found.reason


@pytest.mark.parametrize("question", [QUESTION, "2 + 2"])
def test_retrieval_can_be_switched_on_and_off(question: str) -> None:
    scores = {"orchard": 1.0, "engines": 0.0}
    off = route(scores, Wishes(retrieval=False), question)
    assert (off.decision, off.experts) == ("skip", ())
    assert "switched off" in off.reason
    assert off.kind == ("arithmetic" if question == "2 + 2" else "domain")
    on = route(scores, Wishes(retrieval=True), question, null=9.0)
    assert (on.decision, on.kind, on.experts[0]) == ("retrieve", "domain", "orchard")


def test_forced_experts_are_asked_and_no_others() -> None:
    scores = {"orchard": 9.0, "engines": 0.0, "planets": -5.0, "rivers": 8.0}
    found = route(scores, Wishes(force=("planets", "engines")), null=30.0, most=1)
    assert found.experts == ("engines", "planets")
    assert len(found.shares) == 4
    assert found.reason == "The experts were chosen by hand: engines (0%), planets (0%)."


def test_forbidden_experts_have_no_share_and_are_not_asked() -> None:
    scores = {"orchard": 9.0, "engines": 5.0}
    found = route(scores, Wishes(forbid=("orchard",)))
    assert found.experts == tuple(share.expert for share in found.shares) == ("engines",)
    assert found == route({"engines": 5.0})
    assert route(scores, Wishes(force=("orchard",), forbid=("orchard",))).experts == ()


def test_without_experts_there_is_nobody_to_ask() -> None:
    found = route({})
    assert (found.decision, found.shares, found.experts) == ("retrieve", (), ())
    assert route({}, null=10.0).decision == "skip"
    assert route({}, null=1.0).decision == "retrieve"


def test_wishes_for_unknown_experts_list_the_known_ones() -> None:
    Wishes(force=("orchard",), forbid=("engines",)).check(NAMES)
    for wishes in (Wishes(force=("apples",)), Wishes(forbid=("apples",))):
        with pytest.raises(InputError, match="no expert named 'apples'") as caught:
            wishes.check(["orchard", "engines"])
        assert caught.value.fix == "The experts are: engines, orchard."
    with pytest.raises(InputError) as caught:
        Wishes(force=("apples",)).check([])
    assert "none yet" in caught.value.fix


@given(st.lists(st.tuples(SCORES.filter(bool), SCORE), min_size=1, max_size=3))
@settings(max_examples=30, deadline=None)
def test_a_combined_route_is_a_route(given: list[tuple[dict[str, float], float]]) -> None:
    names = {name for scores, _ in given for name in scores}
    routes = [route({n: scores.get(n, 0.0) for n in names}, null=null) for scores, null in given]
    found = combine(routes)
    searching = [one for one in routes if one.decision == "retrieve"]
    assert found.decision == ("retrieve" if searching else "skip")
    assert set(found.experts) == {name for one in searching for name in one.experts}
    assert found.null + sum(share.probability for share in found.shares) == pytest.approx(1)
    probabilities = [share.probability for share in found.shares]
    assert probabilities == sorted(probabilities, reverse=True)


def test_a_combined_route_averages_and_a_single_one_is_left_alone() -> None:
    one = Route("retrieve", "domain", (Share("a", 0.5, True), Share("b", 0.25, False)), 0.25, "First.")
    other = replace(one, shares=(Share("b", 0.5, True), Share("a", 0.25, False)), null=0.25, reason="Second.")
    skipped = replace(one, decision="skip", kind="chitchat", shares=(Share("a", 0.1, False),), null=0.9)
    assert combine([one]) is one
    assert combine([skipped, skipped]) == skipped
    found = combine([one, other])
    assert found.null == 0.25
    assert {s.expert: s.probability for s in found.shares} == {"a": 0.375, "b": 0.375}
    assert found.experts == ("a", "b")
    assert found.reason == "Part 1: First. Part 2: Second."
    assert combine([skipped, other]).experts == ("b",)
