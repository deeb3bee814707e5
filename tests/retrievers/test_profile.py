from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from indexes.adapters.linear import Linear
from retrievers.calibration import Background
from retrievers.expert import Learned
from retrievers.pilots import PILOTS, QUESTION_PILOTS, Pilots
from retrievers.profile import FEWEST, Profile, Vocabulary

NO_BACKGROUND = Background(0.0, 1.0)
TERMS = st.integers(0, 2**32 - 1)


def vocabulary(counts: Mapping[int, int], passages: int) -> Vocabulary:
    terms = sorted(counts)
    return Vocabulary.of(np.array(terms, np.uint32), np.array([counts[t] for t in terms], np.int64), passages)


def profile(*pilots: tuple[float, float]) -> Profile:
    return Profile(Pilots(np.array(pilots, np.float32), NO_BACKGROUND))


@given(
    st.dictionaries(TERMS, st.integers(1, 300), max_size=8), st.frozensets(TERMS, max_size=8), st.integers(300, 70_000)
)
def test_the_likelihood_of_a_question_is_the_product_of_the_shares_of_passages(
    counts: dict[int, int], others: frozenset[int], passages: int
) -> None:
    question = others | set(list(counts)[:3])
    expected = sum(math.log((counts.get(term, 0) + 0.5) / (passages + 1)) for term in question)
    assert vocabulary(counts, passages).log_likelihood(question) == pytest.approx(expected)


def test_a_question_without_terms_is_equally_likely_everywhere() -> None:
    assert vocabulary({1: 2}, 5).log_likelihood(frozenset()) == 0
    assert Vocabulary().log_likelihood(frozenset()) == 0


def test_without_any_terms_every_word_is_unseen() -> None:
    assert Vocabulary().log_likelihood({7, 9}) == pytest.approx(2 * math.log(0.5 / (FEWEST + 1)))


def test_an_unseen_word_costs_more_in_a_large_slice() -> None:
    small, large = (vocabulary({1: 1}, passages).log_likelihood({2}) for passages in (10, 1000))
    assert large < small < 0


def test_a_handful_of_passages_does_not_draw_questions_about_other_things() -> None:
    many = vocabulary({1: 400, 2: 30}, 4000)
    for passages in (1, 2, 8, 32):
        few = vocabulary({1: 1, 3: 1}, passages)
        assert few.log_likelihood({1, 2}) < many.log_likelihood({1, 2})
        assert few.log_likelihood({1, 3}) > many.log_likelihood({1, 3})


def test_a_word_that_more_passages_hold_is_more_likely() -> None:
    rare, common = vocabulary({1: 2, 2: 60}, 100), vocabulary({1: 40, 2: 60}, 100)
    assert rare.log_likelihood({1, 2}) < common.log_likelihood({1, 2})


@pytest.mark.parametrize(("passages", "kind"), [(255, np.uint8), (256, np.uint16), (65_536, np.uint32)])
def test_counts_take_as_few_bytes_as_lose_nothing(passages: int, kind: type[np.unsignedinteger]) -> None:
    kept = vocabulary({1: passages, 2: 1}, passages)
    assert (kept.counts.dtype, kept.terms.dtype) == (kind, np.uint32)
    assert kept.counts.tolist() == [passages, 1]


def test_the_centre_is_the_unit_mean_of_the_pilots() -> None:
    np.testing.assert_allclose(profile((1, 0), (0, 1)).centre, [math.sqrt(0.5)] * 2, atol=1e-6)
    assert profile((1, 0)).centre.dtype == np.float32


def test_pilots_that_cancel_have_no_direction_but_no_nan_either() -> None:
    assert profile((1, 0), (-1, 0)).centre.tolist() == [0, 0]


def test_an_expert_with_a_linear_adapter_costs_at_most_a_megabyte() -> None:
    dimension, terms, passages = 384, 40_000, 50_000
    generator = np.random.default_rng(0)
    adapter = Linear(generator.standard_normal((dimension, dimension)).astype(np.float32))
    words = Vocabulary.of(np.arange(terms, dtype=np.uint32), generator.integers(1, passages, terms), passages)
    learned = Learned(np.zeros((QUESTION_PILOTS, dimension), np.float32))
    made = Profile(Pilots(np.zeros((PILOTS, dimension), np.float32), NO_BACKGROUND), words, learned.questions)
    assert made.questions is not None
    arrays = [*adapter.arrays().values(), made.pilots.vectors, made.questions, words.terms, words.counts, made.centre]
    assert 900_000 < sum(array.nbytes for array in arrays) <= 1_000_000
