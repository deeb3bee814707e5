from __future__ import annotations

from itertools import chain

import numpy as np

from app.bench.scale.synthetic import Batch, Synthetic

DATA = Synthetic(2_500, clusters=5, dimension=16)


def flat(data: Synthetic) -> tuple[list[str], np.ndarray, list[str], list[str]]:
    batches: list[Batch] = list(data.batches())
    return (
        [*chain.from_iterable(batch.ids for batch in batches)],
        np.concatenate([batch.vectors for batch in batches]),
        [*chain.from_iterable(batch.texts for batch in batches)],
        [*chain.from_iterable(batch.documents for batch in batches)],
    )


def test_there_are_as_many_passages_as_asked_for_in_order_of_id() -> None:
    ids, vectors, texts, documents = flat(DATA)
    assert len(ids) == len(texts) == len(documents) == len(set(ids)) == 2_500
    assert ids == sorted(ids)
    assert len(set(documents)) == 500
    assert (vectors.shape, vectors.dtype) == ((2_500, 16), np.float32)
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)


def test_they_are_the_same_every_time_and_others_with_another_seed() -> None:
    one, again, other = flat(DATA), flat(DATA), flat(Synthetic(2_500, clusters=5, dimension=16, seed=1))
    assert one[2] == again[2] != other[2]
    assert np.array_equal(one[1], again[1])
    assert not np.allclose(one[1], other[1])


def test_fewer_points_are_the_first_of_many() -> None:
    few, many = flat(Synthetic(1_300, clusters=5, dimension=16)), flat(DATA)
    assert few[0] == many[0][:1_300]
    assert few[2] == many[2][:1_300]
    assert np.array_equal(few[1], many[1][:1_300])


def test_vectors_are_clustered() -> None:
    vectors = flat(DATA)[1][:500]
    cosines = (vectors @ vectors.T)[~np.eye(500, dtype=bool)]
    assert 0.1 < np.mean(cosines > 0.3) < 0.4  # of five clusters, a fifth of all pairs share one


def test_the_nearest_are_those_of_the_definition() -> None:
    ids, vectors, _, _ = flat(DATA)
    asked, _ = DATA.questions(20)
    expected = [[ids[row] for row in np.argsort(-(vectors @ question), kind="stable")[:7]] for question in asked]
    assert DATA.nearest(asked, 7) == expected


def test_a_question_has_words_of_a_passage_near_it() -> None:
    _, vectors, texts, _ = flat(DATA)
    asked, words = DATA.questions(20)
    nearest = [texts[int(np.argmax(vectors @ question))] for question in asked]
    shared = [set(said.split()) <= set(text.split()) for said, text in zip(words, nearest, strict=True)]
    assert np.mean(shared) > 0.8
    assert len(DATA.questions(3)[1]) == 3
