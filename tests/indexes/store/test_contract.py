"""What every store does, whatever is behind it."""

from __future__ import annotations

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from uuid import UUID, uuid4

import numpy as np
import pytest

from indexes.store.base import Candidates, Point, SparseVector, Store, Vectors
from indexes.store.edge import EdgeStore
from tests.fakes import DIMENSION, QUESTIONS, WordEncoder
from tests.indexes.store.conftest import BM25, KINDS, SERVER, MakeStore

ASKED = (*QUESTIONS.values(), "How does the zorblax turn the crankshaft of an apple tree?")
NOTHING = SparseVector((), ())


def weights(vector: SparseVector) -> dict[int, float]:
    return dict(zip(vector.indices, vector.values, strict=True))


def ask(store: Store, question: str, depth: int) -> Candidates:
    return store.candidates(vector_of(question), BM25.question(question), depth)


def vector_of(question: str) -> Vectors:
    vector: Vectors = WordEncoder().encode_questions([question])[0]
    return vector


def everything(store: Store, batch: int = 1000) -> dict[str, list[float]]:
    return {i: v.tolist() for ids, vectors in store.scan(batch) for i, v in zip(ids, vectors, strict=True)}


def reference(points: list[Point], question: str) -> tuple[dict[str, float], float, set[int]]:
    """BM25 of each point, the most that is attainable, and the unseen terms, from the definition."""
    total = len(points)
    weights = {p.id: dict(zip(p.sparse.indices, p.sparse.values, strict=True)) for p in points}
    scores, attainable, unseen = dict.fromkeys(weights, 0.0), 0.0, set()
    for term in BM25.question(question).indices:
        holders = [i for i in weights if term in weights[i]]
        idf = float(np.log(1 + (total - len(holders) + 0.5) / (len(holders) + 0.5)))
        for i in holders:
            scores[i] += idf * weights[i][term]
        attainable += idf * max(weights[i][term] for i in holders) if holders else np.log(1 + (total - 0.5) / 1.5)
        if not holders:
            unseen.add(term)
    return scores, attainable, unseen


def best(scores: dict[str, float], depth: int) -> set[str]:
    return set(sorted((i for i in scores if scores[i] > 0), key=lambda i: (-scores[i], i))[:depth])


def exact(store: Store) -> bool:
    """Whether vectors keep their last bit; the client's in-memory mode scales them anew at every question."""
    return isinstance(store, EdgeStore)


def same(one: Candidates, other: Candidates) -> None:
    assert one.ids == other.ids
    assert one.unseen == other.unseen
    np.testing.assert_allclose(one.dense, other.dense, atol=1e-5)
    np.testing.assert_allclose(one.bm25, other.bm25, atol=1e-4)
    assert one.attainable == pytest.approx(other.attainable, abs=1e-4)


@pytest.mark.skipif(
    not SERVER, reason="QDRANT_URL names no Qdrant server, so the contract was not tested on a real one"
)
def test_the_contract_is_tested_on_a_real_server() -> None:
    assert "server" in KINDS


def test_a_new_store_is_empty(store: Store) -> None:
    assert store.count() == 0
    assert list(store.scan()) == []
    assert store.existing([str(uuid4())]) == set()
    assert ask(store, ASKED[0], 5).ids == ()
    assert store.candidates(vector_of("apple"), NOTHING, 5).ids == ()


def test_nothing_given_is_nothing_done(filled: Store, points: list[Point]) -> None:
    filled.upsert([])
    filled.delete([])
    assert filled.existing([]) == set()
    assert filled.fetch([]) == []
    assert filled.count() == len(points)


def test_storing_the_same_points_again_changes_nothing(filled: Store, points: list[Point]) -> None:
    before, scanned = ask(filled, ASKED[0], 5), everything(filled)
    filled.upsert(points)
    filled.flush()
    assert filled.count() == len(points)
    assert everything(filled).keys() == scanned.keys()
    np.testing.assert_allclose([*everything(filled).values()], [*scanned.values()], atol=1e-6)
    same(ask(filled, ASKED[0], 5), before)


def test_storing_another_point_with_an_id_replaces_the_old_one(filled: Store, points: list[Point]) -> None:
    old, donor = points[0], points[-1]
    filled.upsert([replace(donor, id=old.id)])
    assert filled.count() == len(points)
    assert filled.fetch([old.id]) == [donor.payload]
    np.testing.assert_allclose(everything(filled)[old.id], donor.dense, atol=1e-6)


def test_updated_vectors_replace_the_old_ones_and_nothing_else(filled: Store, points: list[Point]) -> None:
    moved, others = points[:5], points[5:]
    before, asked = everything(filled), ask(filled, ASKED[0], len(points))
    filled.update_vectors([point.id for point in moved], np.stack([-point.dense for point in moved]))
    filled.flush()
    after, again = everything(filled), ask(filled, ASKED[0], len(points))
    np.testing.assert_allclose(
        [after[p.id] for p in moved], [[-x for x in before[p.id]] for p in moved], rtol=0, atol=1e-7
    )
    kept = [[scanned[point.id] for point in others] for scanned in (after, before)]
    np.testing.assert_allclose(*kept, rtol=0, atol=0 if exact(filled) else 3e-7)
    assert filled.fetch([point.id for point in points]) == [point.payload for point in points]
    assert (again.ids, again.unseen, filled.count()) == (asked.ids, asked.unseen, len(points))
    np.testing.assert_allclose(again.bm25, asked.bm25, atol=1e-6)
    signs = [-1 if i in {point.id for point in moved} else 1 for i in again.ids]
    np.testing.assert_allclose(again.dense, asked.dense * signs, atol=1e-5)


def test_updated_vectors_are_scaled_to_length_1(filled: Store, points: list[Point]) -> None:
    filled.update_vectors([points[0].id], 7 * points[1].dense[None])
    np.testing.assert_allclose(everything(filled)[points[0].id], points[1].dense, atol=1e-6)


def test_vectors_of_unknown_ids_are_ignored(filled: Store, points: list[Point]) -> None:
    before = everything(filled)
    ids = [str(uuid4()), points[0].id, str(uuid4())]
    filled.update_vectors(ids, np.stack([points[1].dense, points[2].dense, points[3].dense]))
    filled.update_vectors(ids[:1], points[1].dense[None])
    filled.update_vectors([], np.zeros((0, DIMENSION), dtype=np.float32))
    after = everything(filled)
    assert after.keys() == before.keys()
    assert [i for i in after if after[i] != before[i]] == [points[0].id]


def test_what_was_scanned_can_be_put_back_to_the_last_bit(filled: Store) -> None:
    extra = np.random.default_rng(3).standard_normal((200, DIMENSION)).astype(np.float32)
    filled.upsert([Point(str(UUID(int=n)), 3 * vector, NOTHING, {}) for n, vector in enumerate(extra)])
    before = everything(filled)
    ids, vectors = list(before), np.array(list(before.values()), dtype=np.float32)
    filled.update_vectors(ids, vectors[::-1])
    assert everything(filled) != before
    filled.update_vectors(ids, vectors)
    after = everything(filled)
    assert list(after) == ids
    np.testing.assert_allclose(list(after.values()), vectors, rtol=0, atol=0 if exact(filled) else 3e-7)


@pytest.mark.parametrize("copies", [5, 40])
def test_of_equal_passages_those_with_the_lowest_ids_are_taken(store: Store, points: list[Point], copies: int) -> None:
    ids = [str(UUID(int=int(n) << 64)) for n in np.random.default_rng(copies).permutation(copies)]
    for i in ids:  # one by one, so that the engine spreads them over its segments
        store.upsert([replace(points[0], id=i)])
    found = ask(store, points[0].payload["text"], 3)
    assert found.ids == tuple(sorted(ids)[:3])
    np.testing.assert_allclose(found.dense, found.dense[0], atol=1e-6)
    np.testing.assert_allclose(found.coverage, 1, atol=1e-6)


def test_existing_are_those_that_are_stored(filled: Store, points: list[Point]) -> None:
    ids = [points[3].id, points[1].id]
    assert filled.existing([ids[0], str(uuid4()), ids[1]]) == set(ids)


def test_what_was_deleted_is_found_no_more(filled: Store, points: list[Point]) -> None:
    gone = ask(filled, ASKED[0], 3).ids[0]
    filled.delete([gone, str(uuid4())])
    assert filled.count() == len(points) - 1
    assert filled.existing([gone]) == set()
    assert gone not in everything(filled)
    assert gone not in ask(filled, ASKED[0], len(points)).ids
    filled.delete([gone])
    assert filled.count() == len(points) - 1


@pytest.mark.parametrize("question", ASKED)
def test_dense_scores_are_cosines(filled: Store, points: list[Point], question: str) -> None:
    vectors = {point.id: point.dense for point in points}
    found = ask(filled, question, 4)
    assert found.dense.dtype == np.float32
    expected = [float(vectors[i] @ vector_of(question)) for i in found.ids]
    np.testing.assert_allclose(found.dense, expected, atol=1e-5)


@pytest.mark.parametrize("question", ASKED)
def test_lexical_scores_are_bm25_and_0_where_no_term_occurs(filled: Store, points: list[Point], question: str) -> None:
    scores, attainable, unseen = reference(points, question)
    found = ask(filled, question, 4)
    assert found.bm25.dtype == np.float32
    np.testing.assert_allclose(found.bm25, [scores[i] for i in found.ids], atol=1e-4)
    assert 0 in found.bm25
    assert found.attainable == pytest.approx(attainable, abs=1e-4)
    assert found.unseen == unseen


@pytest.mark.parametrize("question", ASKED)
@pytest.mark.parametrize("depth", [1, 3, 24])
def test_candidates_are_the_best_of_both_searches_by_id(
    filled: Store, points: list[Point], question: str, depth: int
) -> None:
    cosines = {point.id: 2 + float(point.dense @ vector_of(question)) for point in points}
    expected = best(cosines, depth) | best(reference(points, question)[0], depth)
    assert ask(filled, question, depth).ids == tuple(sorted(expected))


def test_coverage_is_the_share_of_what_is_attainable(filled: Store) -> None:
    for question in ASKED:
        found = ask(filled, question, 24)
        assert np.all((found.coverage >= 0) & (found.coverage <= 1))
        np.testing.assert_allclose(found.coverage, found.bm25 / found.attainable, atol=1e-6)


def test_a_passage_with_all_rare_words_of_a_question_covers_it(filled: Store, points: list[Point]) -> None:
    found = ask(filled, "codling moths lay eggs in June", 24)
    covering = [point.id for point in points if "Codling" in point.payload["text"]]
    assert [i for i, share in zip(found.ids, found.coverage, strict=True) if share > 0.999] == covering


def test_an_unknown_word_lowers_coverage_as_a_rare_one_would(filled: Store) -> None:
    plain, odd = ask(filled, "codling moths", 5), ask(filled, "codling moths zorblax", 5)
    assert odd.unseen == frozenset(BM25.question("zorblax").indices)
    assert plain.unseen == frozenset()
    assert 0.5 < odd.coverage.max() < plain.coverage.max()


def test_a_question_without_terms_is_searched_by_meaning(filled: Store, points: list[Point]) -> None:
    found = filled.candidates(vector_of(ASKED[0]), NOTHING, 5)
    assert len(found.ids) == 5
    assert found.attainable == 0
    assert not found.bm25.any()
    assert not found.coverage.any()
    cosines = {point.id: 2 + float(point.dense @ vector_of(ASKED[0])) for point in points}
    assert set(found.ids) == best(cosines, 5)


def test_payloads_come_in_the_order_asked_for(filled: Store, points: list[Point]) -> None:
    wanted = [points[5], points[0], points[9], points[5]]
    assert filled.fetch([point.id for point in wanted]) == [point.payload for point in wanted]


def test_an_unknown_id_is_a_key_error(filled: Store, points: list[Point]) -> None:
    unknown = str(uuid4())
    with pytest.raises(KeyError, match=unknown):
        filled.fetch([points[0].id, unknown])


@pytest.mark.parametrize("batch", [1, 7, 24, 1000])
def test_a_scan_covers_everything_once_in_order_of_id(filled: Store, points: list[Point], batch: int) -> None:
    batches = list(filled.scan(batch))
    ids = [i for part, _ in batches for i in part]
    assert ids == sorted(point.id for point in points)
    assert max(Counter(ids).values()) == 1
    assert all(len(part) == len(vectors) <= batch for part, vectors in batches)
    vectors = np.concatenate([vectors for _, vectors in batches])
    assert vectors.shape == (len(points), DIMENSION)
    assert vectors.dtype == np.float32
    by_id = {point.id: point.dense for point in points}
    np.testing.assert_allclose(vectors, np.stack([by_id[i] for i in ids]), atol=1e-6)


def test_several_threads_get_what_one_gets(filled: Store) -> None:
    alone = [ask(filled, question, 5) for question in ASKED]
    with ThreadPoolExecutor(4) as pool:
        together = list(pool.map(lambda question: ask(filled, question, 5), ASKED * 4))
    for one, other in zip(alone * 4, together, strict=True):
        same(one, other)


@pytest.mark.parametrize("kind", ["memory", "rest", "grpc", "cluster"])
@pytest.mark.parametrize("depth", [1, 5, 24])
def test_the_embedded_store_and_a_server_find_the_same(
    make_store: MakeStore, points: list[Point], kind: str, depth: int
) -> None:
    one, other = make_store("edge"), make_store(kind)
    one.upsert(points)
    for point in reversed(points):  # neither order nor batches may matter
        other.upsert([point])
    for question in ASKED:
        same(ask(one, question, depth), ask(other, question, depth))
    assert everything(one).keys() == everything(other).keys()


def test_vectors_come_in_the_order_asked_for(filled: Store, points: list[Point]) -> None:
    wanted = [points[5], points[0], points[9], points[5]]
    found = filled.vectors([point.id for point in wanted])
    assert (found.shape, found.dtype) == ((4, DIMENSION), np.float32)
    np.testing.assert_allclose(found, np.stack([point.dense for point in wanted]), atol=1e-6)
    assert filled.vectors([]).shape == (0, DIMENSION)


def test_the_vector_of_an_unknown_id_is_a_key_error(filled: Store, points: list[Point]) -> None:
    unknown = str(uuid4())
    with pytest.raises(KeyError, match=unknown):
        filled.vectors([points[0].id, unknown])


def test_updated_vectors_are_those_that_come(filled: Store, points: list[Point]) -> None:
    filled.update_vectors([points[0].id], points[1].dense[None])
    np.testing.assert_allclose(filled.vectors([points[0].id]), points[1].dense[None], atol=1e-6)


def test_terms_are_counted_once_for_each_point_that_holds_them(store: Store, points: list[Point]) -> None:
    for part in (points[:9], points[9:]):  # more than one segment
        store.upsert(part)
    store.upsert([replace(points[0], id=str(uuid4()), sparse=NOTHING)])
    terms, counts = store.term_counts()
    expected = Counter(term for point in points for term in point.sparse.indices)
    assert terms.tolist() == sorted(expected)
    assert dict(zip(terms.tolist(), counts.tolist(), strict=True)) == expected
    assert (terms.dtype, counts.dtype, counts.max() > 1) == (np.uint32, np.int64, True)


def test_terms_of_points_that_are_gone_are_not_counted(filled: Store, points: list[Point]) -> None:
    filled.delete([point.id for point in points[1:]])
    terms, counts = filled.term_counts()
    assert terms.tolist() == sorted(points[0].sparse.indices)
    assert set(counts.tolist()) == {1}
    filled.delete([points[0].id])
    terms, counts = filled.term_counts()
    assert (terms.tolist(), counts.tolist(), terms.dtype, counts.dtype) == ([], [], np.uint32, np.int64)


@pytest.mark.parametrize("batch", [1, 7, 1000])
def test_payloads_come_once_in_order_of_id_with_the_fields_asked_for(
    filled: Store, points: list[Point], batch: int
) -> None:
    batches = list(filled.payloads(["text", "absent"], batch=batch))
    assert all(len(ids) == len(found) <= batch for ids, found in batches)
    found = [pair for ids, payloads in batches for pair in zip(ids, payloads, strict=True)]
    assert found == sorted((point.id, {"text": point.payload["text"]}) for point in points)


def test_payloads_are_of_those_points_that_hold_one_of_the_values(store: Store, points: list[Point]) -> None:
    for part in (points[:9], points[9:]):  # more than one segment
        store.upsert(part)
    texts = [points[1].payload["text"], points[20].payload["text"], "no such text"]
    found = [i for ids, _ in store.payloads(["text"], {"text": texts}, batch=1) for i in ids]
    assert found == sorted([points[1].id, points[20].id])
    assert list(store.payloads(["text"], {"text": ["no such text"]})) == []
    assert list(store.payloads(["text"], {"text": []})) == []


def test_payloads_of_an_empty_store_are_none(store: Store) -> None:
    assert list(store.payloads(["text"])) == []


@pytest.mark.parametrize("batch", [1, 7, 1000])
def test_records_are_all_points_as_they_were_given_in_order_of_id(
    store: Store, points: list[Point], batch: int
) -> None:
    bare = replace(points[0], id=str(UUID(int=5)), sparse=NOTHING, payload={})
    for part in (points[9:], [bare, *points[:9]]):  # more than one segment
        store.upsert(part)
    batches = list(store.records(batch))
    assert all(0 < len(found) <= batch for found in batches)
    found = [point for part in batches for point in part]
    expected = sorted([bare, *points], key=lambda point: point.id)
    assert [point.id for point in found] == [point.id for point in expected]
    assert [point.payload for point in found] == [point.payload for point in expected]
    assert [weights(point.sparse) for point in found] == [pytest.approx(weights(p.sparse)) for p in expected]
    assert all(point.dense.dtype == np.float32 for point in found)
    np.testing.assert_allclose([p.dense for p in found], [p.dense for p in expected], atol=1e-6)


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_recorded_in_one_store_is_the_same_in_another(
    make_store: MakeStore, points: list[Point], kind: str
) -> None:
    one, other = make_store("edge"), make_store(kind)
    one.upsert(points)
    for part in one.records(7):
        other.upsert(part)
    assert other.count() == len(points)
    assert [p.payload for part in other.records() for p in part] == [p.payload for part in one.records() for p in part]
    for question in ASKED:
        same(ask(one, question, 5), ask(other, question, 5))


def test_records_of_an_empty_store_are_none(store: Store) -> None:
    assert list(store.records()) == []


def test_optimizing_changes_nothing_that_is_found(filled: Store, points: list[Point]) -> None:
    before, scanned = [ask(filled, question, 5) for question in ASKED], everything(filled)
    for _ in range(2):
        filled.optimize()
    for question, expected in zip(ASKED, before, strict=True):
        same(ask(filled, question, 5), expected)
    assert everything(filled) == scanned
    filled.upsert([replace(points[0], id=str(UUID(int=5)))])
    filled.delete([points[1].id])
    assert filled.count() == len(points)


def test_an_empty_store_can_be_optimized(store: Store) -> None:
    store.optimize()
    assert store.count() == 0
