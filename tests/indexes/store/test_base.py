from __future__ import annotations

import numpy as np
import pytest

from indexes.store.base import Found, SparseVector, deepened, found_of, merge


def test_ids_ascend_and_scores_follow_them() -> None:
    found = merge({"c": 0.3, "a": 0.1, "b": -0.2}, {"a": 2.0, "c": 1.0}, {1: 2.0, 2: 1.0}, 10)
    assert found.ids == ("a", "b", "c")
    np.testing.assert_allclose(found.dense, [0.1, -0.2, 0.3])
    np.testing.assert_allclose(found.bm25, [2.0, 0.0, 1.0])
    np.testing.assert_allclose(found.coverage, [2 / 3, 0, 1 / 3])
    assert (found.attainable, found.unseen) == (3.0, frozenset())


def test_a_term_that_no_passage_has_counts_like_one_that_a_single_passage_has() -> None:
    found = merge({"a": 0.1}, {"a": 2.0}, {1: 2.0, 7: None}, 100)
    assert found.attainable == pytest.approx(2 + np.log(1 + (100 - 1 + 0.5) / (1 + 0.5)))
    assert found.unseen == {7}


def test_coverage_never_exceeds_one_and_is_zero_where_nothing_is_attainable() -> None:
    assert merge({"a": 0.1}, {"a": 2.0000002}, {1: 2.0}, 10).coverage.tolist() == [1.0]
    assert merge({"a": 0.1}, {}, {}, 10).coverage.tolist() == [0.0]
    assert merge({}, {}, {1: None}, 0).coverage.tolist() == []


def test_a_score_of_zero_is_no_missing_score() -> None:
    found = merge({"a": 0.0}, {"a": 0.0}, {1: 0.0}, 10)
    assert (found.ids, found.attainable, found.unseen) == (("a",), 0.0, frozenset())


def found(limit: int, top: dict[str, float], lexical: dict[str, float] | None = None) -> Found:
    lexical = lexical or {}
    return Found(limit, top, lexical, dict.fromkeys(top, 0.5) | lexical, dict.fromkeys(lexical, 0.1) | top, {1: 2.0})


def test_the_cut_takes_the_lowest_ids_of_equals() -> None:
    candidates = found(9, {"d": 0.9, "c": 0.5, "b": 0.5, "a": 0.4}, {"d": 3.0, "z": 1.0, "y": 1.0}).best(2, 10)
    assert candidates.ids == ("b", "d", "y")
    np.testing.assert_allclose(candidates.dense, [0.5, 0.9, 0.1])
    np.testing.assert_allclose(candidates.bm25, [0.5, 3.0, 1.0])


def test_a_cut_is_decided_unless_what_was_not_returned_may_be_equal() -> None:
    assert found(2, {"a": 0.9, "b": 0.5}).decides(1)
    assert not found(2, {"a": 0.5, "b": 0.5}).decides(1)
    assert found(3, {"a": 0.5, "b": 0.5}).decides(1)
    assert not found(2, {"a": 0.9, "b": 0.5}, {"a": 0.0, "b": 0.0}).decides(1)
    assert found(2, {}).decides(1)


def test_a_search_is_repeated_once_where_ties_go_beyond_the_spare() -> None:
    limits: list[int] = []

    def search(limit: int) -> Found:
        limits.append(limit)
        return found(limit, {f"{n:04}": 0.5 for n in range(limit)})

    assert deepened(search, 3).best(3, 10).ids == ("0000", "0001", "0002")
    assert limits == [19, 1027]


def test_a_search_whose_cut_is_clear_is_not_repeated() -> None:
    limits: list[int] = []

    def search(limit: int) -> Found:
        limits.append(limit)
        return found(limit, {f"{n:04}": 1 / (n + 1) for n in range(limit)})

    assert deepened(search, 3).best(3, 10).ids == ("0000", "0001", "0002")
    assert limits == [19]


def test_answers_are_sorted_into_what_they_answer() -> None:
    top, lexical, of_top, of_lexical = {"a": 0.1}, {"b": 2.0}, {"a": 1.0}, {"b": 0.0}
    sorted_ = found_of(5, [top, lexical, of_top, of_lexical, {"b": 0.0}, {}], SparseVector((7, 9), (1.0, 1.0)))
    assert sorted_ == Found(5, top, lexical, of_top, of_lexical, {7: 0.0, 9: None})
    assert found_of(5, [top], SparseVector((), ())) == Found(5, top, {}, {}, {}, {})


def test_the_lexical_score_lies_between_the_raw_score_and_coverage() -> None:
    found = merge({"a": 0.1, "b": 0.2}, {"a": 6.0}, {1: 4.0, 2: 5.0}, 10)
    np.testing.assert_allclose(found.lexical, [6 / 3, 0])
    np.testing.assert_allclose(found.lexical**2, found.bm25 * found.coverage, rtol=1e-6)
    assert merge({"a": 0.1}, {}, {}, 10).lexical.tolist() == [0.0]
