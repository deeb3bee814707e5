from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray

from indexes.adapters.linear import Linear
from indexes.encoders.base import unit
from tests.fakes import WordEncoder
from tests.indexes.adapters.conftest import residual, rows

D = 4
NUMBERS = st.floats(-8, 8, width=32)
MAPS = arrays(np.float32, (D, D), elements=NUMBERS)
VECTORS = (
    arrays(np.float32, st.tuples(st.integers(0, 5), st.just(D)), elements=NUMBERS)
    .filter(lambda v: bool(np.all(np.linalg.norm(v, axis=1) > 1e-3)))
    .map(unit)
)
STRENGTHS = st.floats(-2, 2, width=32)


def names(vectors: NDArray[np.float32]) -> list[str]:
    return [str(i) for i in range(len(vectors))]


@given(VECTORS, MAPS, MAPS)
def test_no_strength_is_the_identity(vectors: NDArray[np.float32], question: NDArray, passage: NDArray) -> None:
    adapter = Linear(question, 0.0, passage)
    assert adapter.questions(names(vectors), vectors) is vectors
    assert adapter.passages(names(vectors), vectors) is vectors
    assert not adapter.moves_passages


@given(VECTORS, STRENGTHS)
def test_a_zero_map_is_the_identity(vectors: NDArray[np.float32], strength: float) -> None:
    nothing = np.zeros((D, D), dtype=np.float32)
    adapter = Linear(nothing, strength, nothing)
    np.testing.assert_allclose(adapter.questions(names(vectors), vectors), vectors, atol=1e-6)
    np.testing.assert_allclose(adapter.passages(names(vectors), vectors), vectors, atol=1e-6)


@given(VECTORS, MAPS, MAPS, STRENGTHS)
def test_what_comes_out_has_unit_length(
    vectors: NDArray[np.float32], question: NDArray, passage: NDArray, strength: float
) -> None:
    adapter = Linear(question, strength, passage)
    for adapted in (adapter.questions(names(vectors), vectors), adapter.passages(names(vectors), vectors)):
        assert adapted.shape == vectors.shape
        assert adapted.dtype == np.float32
        np.testing.assert_allclose(np.linalg.norm(adapted, axis=1), 1, atol=1e-5)


@given(VECTORS, MAPS, STRENGTHS)
def test_a_vector_is_adapted_alone_as_among_others(
    vectors: NDArray[np.float32], question: NDArray, strength: float
) -> None:
    adapter = Linear(question, strength)
    together = adapter.questions(names(vectors), vectors)
    for row, vector in enumerate(vectors):
        sums = vector.astype(np.float64) + strength * (question.astype(np.float64) @ vector)
        if np.linalg.norm(sums) > 1e-3:
            np.testing.assert_allclose(together[row], sums / np.linalg.norm(sums), atol=1e-3)
            np.testing.assert_allclose(adapter.questions(["x"], vectors[row : row + 1])[0], together[row], atol=1e-3)


@given(MAPS, st.none() | MAPS, STRENGTHS)
def test_arrays_make_the_same_adapter(question: NDArray, passage: NDArray | None, strength: float) -> None:
    adapter = Linear(question, strength, passage)
    again = Linear.from_arrays(adapter.arrays(), WordEncoder(dimension=D))
    assert (again.key, again.kind, again.strength) == (adapter.key, adapter.kind, strength)
    assert again.kind == ("linear" if passage is None else "two-sided")


def test_the_key_changes_with_every_part() -> None:
    one, other = residual(1), residual(2)
    adapters = [Linear(one), Linear(other), Linear(one, 0.5), Linear(one, 1.0, other), Linear(one, 1.0, one)]
    assert len({adapter.key for adapter in adapters}) == len(adapters)
    assert Linear(one.copy()).key == adapters[0].key


def test_a_one_sided_map_gives_back_the_very_passages() -> None:
    vectors = rows(3)
    assert Linear(residual(1)).passages(names(vectors), vectors) is vectors
    assert not Linear(residual(1)).moves_passages
    assert Linear(residual(1), 1.0, residual(2)).moves_passages


def test_an_adapter_is_its_own_copy() -> None:
    given = residual(1)
    adapter = Linear(given)
    key, before = adapter.key, adapter.questions(["a"], rows(1))
    given[:] = 0
    assert Linear.from_arrays(adapter.arrays(), WordEncoder()).key == key
    np.testing.assert_array_equal(adapter.questions(["a"], rows(1)), before)
    with pytest.raises(ValueError, match="read-only"):
        adapter.question[0, 0] = 1


@pytest.mark.parametrize(
    ("question", "strength", "passage"),
    [
        (np.zeros((3, 4)), 1.0, None),
        (np.zeros(3), 1.0, None),
        (np.zeros((3, 3)), 1.0, np.zeros((4, 4))),
        (np.full((3, 3), np.nan), 1.0, None),
        (np.zeros((3, 3)), 1.0, np.full((3, 3), np.inf)),
        (np.zeros((3, 3)), float("nan"), None),
    ],
)
def test_maps_that_cannot_be_applied_are_refused(question: NDArray, strength: float, passage: NDArray | None) -> None:
    with pytest.raises(ValueError, match=r"shape|finite|strength"):
        Linear(question, strength, passage)


def test_an_adapter_of_384_dimensions_takes_less_than_a_megabyte() -> None:
    kept = Linear(residual(1, 384).astype(np.float64)).arrays().values()
    assert 384 * 384 * 4 <= sum(array.nbytes for array in kept) < 1_000_000
