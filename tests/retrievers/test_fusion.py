from __future__ import annotations

from typing import Any, cast, get_args

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from indexes.errors import InputError
from indexes.store.base import Candidates
from retrievers.calibration import Background, Relevance
from retrievers.fusion import RRF_K, Fusion, fuse, ranking

FUSIONS: tuple[Fusion, ...] = get_args(Fusion)
BACKGROUND = Background(0.3, 0.1)
SCORES = st.sampled_from([0.0, 0.25, 0.5, 0.75, 1.0])
FOUND = st.dictionaries(st.text("abcdef", min_size=1, max_size=3), st.tuples(SCORES, SCORES), max_size=12)


def candidates(scores: dict[str, tuple[float, float]], attainable: float = 2.0) -> Candidates:
    ids = tuple(sorted(scores))
    dense, bm25 = (np.array([scores[i][column] for i in ids], dtype=np.float32) for column in (0, 1))
    return Candidates(ids, dense, bm25, attainable)


def ranked(scores: dict[str, tuple[float, float]], fusion: Fusion, limit: int = 100) -> list[tuple[str, float]]:
    found = candidates(scores)
    return ranking(found, fuse(found, BACKGROUND, fusion), limit)


@pytest.mark.parametrize("fusion", FUSIONS)
@given(FOUND, st.randoms(use_true_random=False))
@settings(max_examples=30, deadline=None)
def test_the_order_in_which_candidates_arrive_is_no_matter(fusion: Fusion, scores: Any, random: Any) -> None:
    items = list(scores.items())
    random.shuffle(items)
    assert ranked(dict(items), fusion) == ranked(scores, fusion)


@pytest.mark.parametrize("fusion", FUSIONS)
@given(FOUND, st.integers(0, 12))
@settings(max_examples=30, deadline=None)
def test_a_ranking_holds_each_candidate_once_by_score_and_then_id(fusion: Fusion, scores: Any, limit: int) -> None:
    whole = ranked(scores, fusion)
    assert sorted(i for i, _ in whole) == sorted(scores)
    assert whole == sorted(whole, key=lambda pair: (-pair[1], pair[0]))
    assert ranked(scores, fusion, limit) == whole[:limit]


@pytest.mark.parametrize("fusion", ["calibrated", "dense", "bm25", "minmax"])
@given(FOUND)
@settings(max_examples=30, deadline=None)
def test_who_is_better_at_both_is_never_worse(fusion: Fusion, scores: Any) -> None:
    places = dict(ranked(scores, fusion))
    for one in scores:
        for other in scores:
            if scores[one][0] >= scores[other][0] and scores[one][1] >= scores[other][1]:
                assert places[one] >= places[other]


@pytest.mark.parametrize("fusion", FUSIONS)
def test_no_candidates_are_no_ranking(fusion: Fusion) -> None:
    assert ranked({}, fusion) == []


@pytest.mark.parametrize("fusion", ["calibrated", "dense", "bm25", "minmax"])
def test_equal_candidates_have_equal_scores_and_go_by_id(fusion: Fusion) -> None:
    whole = ranked({"c": (0.5, 0.5), "a": (0.5, 0.5), "b": (0.5, 0.5)}, fusion)
    assert [i for i, _ in whole] == ["a", "b", "c"]
    assert len({score for _, score in whole}) == 1


def test_min_max_of_equal_scores_is_zero_and_of_others_spans_0_to_1() -> None:
    assert ranked({"a": (0.5, 0.0), "b": (0.5, 0.0)}, "minmax") == [("a", 0.0), ("b", 0.0)]
    scores = {"a": (0.2, 1.0), "b": (0.4, 0.0), "c": (0.3, 0.5)}
    assert dict(ranked(scores, "minmax")) == pytest.approx({"a": 0.5, "b": 0.5, "c": 0.5})
    assert ranked({"a": (0.1, 0.0), "b": (0.9, 1.0)}, "minmax") == [("b", 1.0), ("a", 0.0)]


def test_rrf_adds_reciprocal_ranks() -> None:
    scores = {"a": (0.9, 0.1), "b": (0.8, 0.3), "c": (0.1, 0.2)}
    expected = {"a": 1 / (RRF_K + 1) + 1 / (RRF_K + 3), "b": 1 / (RRF_K + 2) + 1 / (RRF_K + 1)}
    expected["c"] = 1 / (RRF_K + 3) + 1 / (RRF_K + 2)
    assert dict(ranked(scores, "rrf")) == pytest.approx(expected, rel=1e-5)


def test_single_scores_are_passed_on_as_they_are() -> None:
    scores = {"a": (0.25, 0.0), "b": (0.0, 0.75)}
    assert ranked(scores, "dense") == [("a", 0.25), ("b", 0.0)]
    assert ranked(scores, "bm25") == [("b", 0.75), ("a", 0.0)]


def test_calibrated_scores_are_log_odds() -> None:
    found = candidates({"a": (0.5, 1.0), "b": (0.3, 0.0)})
    np.testing.assert_allclose(
        fuse(found, BACKGROUND, "calibrated", Relevance(-1.0, 0.5, 2.0)), [-1 + 0.5 * 2 + 2 / 2**0.5, -1], atol=1e-5
    )
    assert not fuse(found, BACKGROUND, "calibrated", Relevance(0, 0, 0)).any()


def test_the_weights_of_calibrated_decide_and_a_weight_of_0_leaves_its_score_out() -> None:
    found = candidates({"a": (0.9, 0.5), "b": (0.6, 1.5), "c": (0.7, 0.0)})

    def order(dense: float, coverage: float) -> list[str]:
        scores = fuse(found, BACKGROUND, "calibrated", Relevance(-1.0, dense, coverage))
        return [i for i, _ in ranking(found, scores, 3)]

    assert order(1.0, 0.0) == [i for i, _ in ranking(found, found.dense, 3)] == ["a", "c", "b"]
    assert order(0.0, 1.0) == [i for i, _ in ranking(found, found.bm25, 3)] == ["b", "a", "c"]
    assert order(0.1, 4.0) == ["b", "a", "c"]
    assert order(1.0, 4.0) == ["a", "b", "c"]


def test_rrf_ranks_equal_scores_by_id() -> None:
    whole = ranked({"c": (0.5, 0.0), "a": (0.5, 0.0), "b": (0.5, 0.0)}, "rrf")
    assert [i for i, _ in whole] == ["a", "b", "c"]
    assert [score for _, score in whole] == pytest.approx([2 / (RRF_K + rank) for rank in (1, 2, 3)], rel=1e-6)


@pytest.mark.parametrize("fusion", FUSIONS)
def test_the_limit_cuts_among_equals_by_id(fusion: Fusion) -> None:
    scores = dict.fromkeys("dbca", (0.5, 0.5)) | {"z": (0.9, 0.9)}
    assert [i for i, _ in ranked(scores, fusion, 3)] == ["z", "a", "b"]


def test_a_score_of_0_is_a_score_between_the_positive_and_the_negative() -> None:
    scores = {"a": (-0.2, 0.0), "b": (0.0, 0.0), "c": (0.25, 0.0)}
    assert ranked(scores, "dense") == [("c", 0.25), ("b", 0.0), ("a", pytest.approx(-0.2))]
    assert [i for i, _ in ranked(scores, "calibrated")] == ["c", "b", "a"]
    assert [i for i, _ in ranked(scores, "minmax")] == ["c", "b", "a"]
    assert ranked(scores, "bm25") == [("a", 0.0), ("b", 0.0), ("c", 0.0)]


@pytest.mark.parametrize("fusion", FUSIONS)
def test_a_candidate_with_no_score_at_all_is_kept(fusion: Fusion) -> None:
    assert [i for i, _ in ranked({"a": (0.0, 0.0), "b": (0.5, 0.5)}, fusion)] == ["b", "a"]


def test_an_unknown_fusion_is_an_input_error_that_lists_the_known_ones() -> None:
    with pytest.raises(InputError, match="no fusion named 'blend'") as caught:
        fuse(candidates({}), BACKGROUND, cast("Fusion", "blend"))
    assert all(fusion in caught.value.fix for fusion in FUSIONS)
