from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import pairwise
from typing import Any, cast, get_args

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from qdrant_client.http.models import ScoredPoint
from qdrant_client.hybrid.fusion import distribution_based_score_fusion

from indexes.errors import InputError
from retrievers.merging import Merging, Ranked, merge

METHODS: tuple[Merging, ...] = get_args(Merging)
SUMS: tuple[Merging, ...] = ("rrf", "minmax", "zscore", "dbsf")

IDS = st.text("abcdef", min_size=1, max_size=2)
SCORES = st.sampled_from([-2.0, -0.5, 0.0, 0.25, 1.0, 3.0])  # few, so that ties are frequent
WEIGHTS = st.sampled_from([0.25, 1.0, 1.5, 4.0])
FOUND = st.dictionaries(IDS, st.tuples(SCORES, SCORES), max_size=8)


def ranked(scores: Mapping[str, float], weight: float = 1.0, expert: str = "one") -> Ranked:
    """A list whose cosines are its scores."""
    values = np.array(list(scores.values()), dtype=np.float32)
    return Ranked(expert, tuple(scores), values, weight, values)


def of(found: Mapping[str, tuple[float, float]], weight: float = 1.0) -> Ranked:
    values = np.array(list(found.values()), dtype=np.float32).reshape(-1, 2)
    return Ranked("one", tuple(found), values[:, 0], weight, values[:, 1])


def shuffled(one: Ranked, random: Any) -> Ranked:
    rows = list(range(len(one.ids)))
    random.shuffle(rows)
    assert one.base is not None
    return replace(one, ids=tuple(one.ids[row] for row in rows), scores=one.scores[rows], base=one.base[rows])


def order(lists: Sequence[Ranked], method: Merging) -> list[str]:
    return [passage for passage, _ in merge(lists, method)]


LISTS = st.lists(st.builds(of, FOUND, WEIGHTS), max_size=4)
each_method = pytest.mark.parametrize("method", METHODS)
many = settings(max_examples=60, deadline=None)


@each_method
@given(LISTS, st.randoms(use_true_random=False))
@many
def test_neither_the_order_of_the_lists_nor_that_within_them_is_any_matter(
    method: Merging, lists: list[Ranked], random: Any
) -> None:
    others = [shuffled(one, random) for one in lists]
    random.shuffle(others)
    assert merge(others, method) == merge(lists, method)


@each_method
@given(LISTS)
@many
def test_every_passage_comes_once_by_score_and_then_id(method: Merging, lists: list[Ranked]) -> None:
    merged = merge(lists, method)
    assert sorted(passage for passage, _ in merged) == sorted({passage for one in lists for passage in one.ids})
    assert merged == sorted(merged, key=lambda pair: (-pair[1], pair[0]))
    assert all(math.isfinite(score) for _, score in merged)


@each_method
@given(st.dictionaries(IDS, st.floats(-20, 20, width=16), max_size=20), WEIGHTS)
@many
def test_one_expert_alone_keeps_its_order(method: Merging, scores: dict[str, float], weight: float) -> None:
    assert order([ranked(scores, weight)], method) == sorted(scores, key=lambda passage: (-scores[passage], passage))


@each_method
@given(LISTS, FOUND, st.integers(0, 4))
@many
def test_a_list_of_weight_0_is_as_if_it_were_absent(method: Merging, lists: list[Ranked], found: Any, at: int) -> None:
    assert merge([*lists[:at], of(found, weight=0.0), *lists[at:]], method) == merge(lists, method)


@each_method
@given(LISTS, st.integers(0, 3), st.sampled_from([1.0, 1.1, 2.0, 8.0]))
@many
def test_raising_a_lists_weight_never_lowers_what_it_speaks_for_against_the_others(
    method: Merging, lists: list[Ranked], which: int, factor: float
) -> None:
    assume(which < len(lists))
    chosen = lists[which]
    alone = merge([replace(chosen, weight=1.0)], method)
    spoken_for = {passage for passage, score in alone if method == "probability" or score >= 0}
    before = order(lists, method)
    raised = [*lists[:which], replace(chosen, weight=factor * chosen.weight), *lists[which + 1 :]]
    after = order(raised, method)
    for passage in spoken_for:
        for other in set(before) - set(chosen.ids):
            if before.index(passage) < before.index(other):
                assert after.index(passage) < after.index(other)


@each_method
@pytest.mark.parametrize("heavy", [0, 1])
def test_the_heavier_of_two_like_lists_comes_first(method: Merging, heavy: int) -> None:
    lists = [ranked({"a1": 0.75, "a2": 0.5}), ranked({"b1": 0.75, "b2": 0.5})]
    lists[heavy] = replace(lists[heavy], weight=1.5)
    assert order(lists, method)[0] == "ab"[heavy] + "1"


@pytest.mark.parametrize("method", ["rrf", "minmax", "zscore", "dbsf"])
@given(LISTS, st.integers(0, 3), st.sampled_from([0.25, 4.0, 1024.0]))
@many
def test_the_scale_of_an_experts_scores_is_no_matter(
    method: Merging, lists: list[Ranked], which: int, factor: float
) -> None:
    assume(which < len(lists))
    scaled = replace(lists[which], scores=lists[which].scores * np.float32(factor))
    assert merge([*lists[:which], scaled, *lists[which + 1 :]], method) == merge(lists, method)


@each_method
def test_nothing_found_is_nothing_merged(method: Merging) -> None:
    assert merge([], method) == []
    empty = Ranked("none", (), np.empty(0, dtype=np.float32))
    assert merge([empty], method) == []
    assert merge([empty, ranked({"a": 0.5})], method) == merge([ranked({"a": 0.5})], method)


@pytest.mark.parametrize("method", ["probability", "base"])
def test_a_score_of_0_is_kept_and_stands_between_the_others(method: Merging) -> None:
    merged = merge([ranked({"a": -0.5, "b": 0.0}), ranked({"c": 0.5})], method)
    assert merged == [("c", 0.5), ("b", 0.0), ("a", -0.5)]


def test_probability_multiplies_the_odds_by_the_weight_and_keeps_the_larger() -> None:
    merged = merge([ranked({"a": 1.0, "b": -1.0}, weight=2.0), ranked({"a": 3.0, "c": 0.5})], "probability")
    assert [passage for passage, _ in merged] == ["a", "c", "b"]
    assert dict(merged) == pytest.approx({"a": 3.0, "b": -1.0 + math.log(2), "c": 0.5})


def test_base_ranks_by_the_weighted_cosine_and_not_by_the_experts_scores() -> None:
    one = Ranked("one", ("a", "b"), np.float32([9, 8]), 2.0, np.float32([0.25, 0.5]))
    two = Ranked("two", ("b", "c"), np.float32([1, 7]), 1.0, np.float32([0.5, 0.75]))
    assert merge([one, two], "base") == [("b", 1.0), ("c", 0.75), ("a", 0.5)]


def test_rrf_adds_weighted_reciprocal_ranks_and_ranks_equal_scores_by_id() -> None:
    lists = [ranked({"b": 0.5, "a": 0.5, "c": 0.75}), ranked({"a": -3.0, "d": -4.0}, weight=2.0)]
    expected = {"a": 1 / 62 + 2 / 61, "b": 1 / 63, "c": 1 / 61, "d": 2 / 62}
    assert dict(merge(lists, "rrf")) == pytest.approx(expected)


def test_minmax_scales_to_0_and_the_weight() -> None:
    lists = [ranked({"a": 5.0, "b": 1.0, "c": 2.0}), ranked({"a": -4.0, "d": -2.0}, weight=3.0)]
    assert merge(lists, "minmax") == [("d", 3.0), ("a", 1.0), ("c", 0.25), ("b", 0.0)]


def test_zscore_adds_weighted_standard_deviations_from_the_mean() -> None:
    lists = [ranked({"a": 1.0, "b": 2.0, "c": 3.0}), ranked({"a": 30.0, "d": 10.0}, weight=2.0)]
    step = math.sqrt(1.5)
    assert dict(merge(lists, "zscore")) == pytest.approx({"a": 2 - step, "b": 0.0, "c": step, "d": -2.0})


@given(st.lists(st.dictionaries(st.integers(0, 30), SCORES, min_size=1, max_size=25), min_size=1, max_size=3))
@many
def test_dbsf_is_qdrants(found: list[dict[int, float]]) -> None:
    points = [[ScoredPoint(id=i, version=0, score=score) for i, score in one.items()] for one in found]
    theirs = {f"{point.id}": point.score for point in distribution_based_score_fusion(points, limit=100)}
    ours = merge([ranked({f"{i}": score for i, score in one.items()}) for one in found], "dbsf")
    assert dict(ours) == pytest.approx(theirs, abs=1e-9)


def test_dbsf_keeps_two_outliers_of_one_list_apart() -> None:
    scores = {f"{i}": 0.0 for i in range(50)} | {"best": 10.0, "second": 9.5}
    merged = merge([ranked(scores)], "dbsf")
    assert [passage for passage, _ in merged[:2]] == ["best", "second"]
    assert merged[1][1] > 1


@pytest.mark.parametrize(("method", "middle"), [("minmax", 1.0), ("dbsf", 1.0), ("zscore", 0.0)])
@pytest.mark.parametrize("scores", [{"b": 0.3}, {"b": 0.3, "a": 0.3}, {"b": 0.0, "a": 0.0, "c": 0.0}])
def test_equal_scores_get_the_middle_of_the_scale(method: Merging, middle: float, scores: dict[str, float]) -> None:
    assert merge([ranked(scores, weight=2.0)], method) == [(passage, middle) for passage in sorted(scores)]


@pytest.mark.parametrize("method", SUMS)
def test_a_passage_that_two_experts_like_best_comes_before_what_one_of_them_does(method: Merging) -> None:
    lists = [ranked({"z": 3.0, "a": 2.0, "b": 0.0}), ranked({"z": 0.9, "c": 0.8, "d": 0.1})]
    assert order(lists, method)[0] == "z"
    assert all(first > second for (_, first), (_, second) in pairwise(merge(lists, method)[:2]))


@pytest.mark.parametrize("weight", [-1.0, -1e-9, math.nan, math.inf, -math.inf])
def test_a_weight_that_is_negative_or_not_finite_is_an_input_error(weight: float) -> None:
    with pytest.raises(InputError, match=r"weight of expert 'cooks' is .*"):
        ranked({"a": 1.0}, weight, "cooks")


@pytest.mark.parametrize(
    ("ids", "scores", "base", "problem"),
    [
        (("a", "a"), [1, 2], None, "names a passage twice"),
        (("a", "b"), [1], None, r"scores of the shape \(1,\) for 2 passages"),
        (("a",), [1], [1, 2], r"base scores of the shape \(2,\) for 1 passages"),
        (("a",), [math.nan], None, "scores that are not finite"),
        (("a",), [1], [math.inf], "base scores that are not finite"),
    ],
)
def test_a_list_that_is_no_ranking_is_an_input_error(ids: Any, scores: Any, base: Any, problem: str) -> None:
    with pytest.raises(InputError, match=f"expert 'cooks' .*{problem}"):
        Ranked("cooks", ids, np.float32(scores), base=None if base is None else np.float32(base))


def test_base_without_base_scores_is_an_input_error_unless_the_list_counts_for_nothing() -> None:
    bare = Ranked("cooks", ("a",), np.float32([1]))
    with pytest.raises(InputError, match="'cooks' has no scores in the base space"):
        merge([bare], "base")
    assert merge([replace(bare, weight=0.0)], "base") == []


def test_an_unknown_method_is_an_input_error_that_lists_the_known_ones() -> None:
    with pytest.raises(InputError, match="no merging named 'vote'") as caught:
        merge([], cast("Merging", "vote"))
    assert all(method in caught.value.fix for method in METHODS)
