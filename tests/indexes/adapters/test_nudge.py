from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from indexes.adapters.linear import Linear
from indexes.adapters.nudge import Nudged
from tests.fakes import WordEncoder
from tests.indexes.adapters.conftest import residual, rows

IDS = ("b", "d")
MOVES = np.float32(0.4) * rows(2, seed=7)


def test_passages_with_questions_move_and_others_stay_bit_for_bit() -> None:
    vectors = rows(4)
    adapter = Nudged(IDS, MOVES)
    searched = adapter.passages(["d", "a", "b", "c"], vectors)
    np.testing.assert_array_equal(searched[[1, 3]], vectors[[1, 3]])
    for row, move in ((0, MOVES[1]), (2, MOVES[0])):
        there = vectors[row] + move
        np.testing.assert_allclose(searched[row], there / np.linalg.norm(there), atol=1e-6)
        assert float(searched[row] @ move) > float(vectors[row] @ move)
    np.testing.assert_array_equal(vectors, rows(4))
    assert adapter.moves_passages
    assert adapter.passages(["a", "c"], vectors[:2]) is vectors[:2] or np.array_equal(vectors[:2], rows(4)[:2])


def test_questions_stay_unless_there_is_a_map_for_them() -> None:
    vectors = rows(2)
    assert Nudged(IDS, MOVES).questions(["x", "y"], vectors) is vectors
    linear = Linear(residual(1))
    np.testing.assert_array_equal(
        Nudged(IDS, MOVES, linear).questions(["x", "y"], vectors), linear.questions([], vectors)
    )


def test_a_two_sided_map_goes_before_the_moves() -> None:
    vectors, linear = rows(2), Linear(residual(1), 1.0, residual(2))
    searched = Nudged(IDS, MOVES, linear).passages(["a", "b"], vectors)
    mapped = linear.passages([], vectors)
    np.testing.assert_array_equal(searched[0], mapped[0])
    there = mapped[1] + MOVES[0]
    np.testing.assert_allclose(searched[1], there / np.linalg.norm(there), atol=1e-6)


@pytest.mark.parametrize("linear", [None, Linear(residual(1), 0.5), Linear(residual(1), 1.0, residual(2))])
def test_arrays_make_the_same_adapter(linear: Linear | None) -> None:
    adapter = Nudged(IDS, MOVES, linear)
    again = Nudged.from_arrays(adapter.arrays(), WordEncoder())
    assert (again.key, again.kind, again.ids) == (adapter.key, "nudge", IDS)
    np.testing.assert_array_equal(again.passages(["b"], rows(1)), adapter.passages(["b"], rows(1)))


def test_the_key_changes_with_every_part() -> None:
    adapters = [
        Nudged(IDS, MOVES),
        Nudged(IDS[::-1], MOVES),
        Nudged(IDS, MOVES[::-1]),
        Nudged(IDS, MOVES, Linear(residual(1))),
    ]
    assert len({adapter.key for adapter in adapters}) == len(adapters)


def test_without_moves_it_is_the_identity() -> None:
    vectors = rows(2)
    adapter = Nudged((), MOVES[:0])
    assert not adapter.moves_passages
    assert adapter.passages(["a", "b"], vectors) is vectors
    assert Nudged.from_arrays(adapter.arrays(), WordEncoder()).ids == ()


@pytest.mark.parametrize(
    ("ids", "moves"),
    [(("a",), MOVES), (("a", "a"), MOVES), (("a", "b"), MOVES[0]), (("a", "b"), np.full((2, 3), np.nan))],
)
def test_moves_that_cannot_be_applied_are_refused(ids: tuple[str, ...], moves: NDArray[np.float32]) -> None:
    with pytest.raises(ValueError, match=r"do not fit|finite"):
        Nudged(ids, moves)
