from __future__ import annotations

import numpy as np
import pytest

from indexes.store.base import merge


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
