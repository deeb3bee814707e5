from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from app.bench.retrieval.pool import Copied, pooled, ranked_by
from indexes.encoders.base import Vectors
from indexes.store.base import Candidates
from indexes.store.open import opener
from retrievers.panel import Panel
from tests.fakes import TOPICS, WordEncoder, make_passages
from tests.retrievers.conftest import fill

NAMES = tuple(TOPICS)


@pytest.fixture
def panel(tmp_path: Path) -> Iterator[Panel]:
    panel = Panel(tmp_path / "slices", WordEncoder(), opener())
    for name in NAMES:
        fill(panel, name)
    yield panel
    panel.close()


def contents(panel: Panel, names: tuple[str, ...]) -> dict[str, Vectors]:
    return {
        i: row
        for name in names
        for ids, vectors in panel.experts[name].slice.base_vectors()
        for i, row in zip(ids, vectors, strict=True)
    }


def encoded(panel: Panel) -> int:
    assert isinstance(panel.encoder, WordEncoder)
    return panel.encoder.passages


def test_the_pool_holds_every_passage_once_and_embeds_none(panel: Panel, tmp_path: Path) -> None:
    before = encoded(panel)
    steps: list[tuple[int, int]] = []
    pool = pooled(panel, NAMES, tmp_path / "pool", lambda _what, done, total: steps.append((done, total)))
    expected = contents(panel, NAMES)
    found = {i: row for ids, rows in pool.store.scan() for i, row in zip(ids, rows, strict=True)}
    assert set(found) == set(expected)
    assert pool.store.count() == pool.manifest.passages == 24
    assert all(found[i] == pytest.approx(row, abs=1e-6) for i, row in expected.items())
    assert encoded(panel) == before
    assert steps == [(8, 24), (16, 24), (24, 24)]
    assert {p.text for p in pool.passages(list(found))} == {text for texts in TOPICS.values() for text in texts}
    pool.close()


def test_a_passage_of_two_experts_is_in_the_pool_once(panel: Panel, tmp_path: Path) -> None:
    fill(panel, "copy", [*make_passages(TOPICS["orchard"], "Orchard"), *make_passages(["Only here."])])
    steps: list[int] = []
    for _ in range(2):
        pool = pooled(panel, ("orchard", "copy"), tmp_path / "pool", lambda _what, done, _total: steps.append(done))
        assert pool.store.count() == 9
        pool.close()
    assert len(steps) == 2  # the second time it was whole


def test_a_whole_pool_is_opened_and_another_is_made_anew(panel: Panel, tmp_path: Path) -> None:
    steps: list[int] = []

    def ids(*names: str) -> set[str]:
        pool = pooled(panel, names, tmp_path / "pool", lambda _what, done, _total: steps.append(done))
        found = {i for batch, _ in pool.store.scan() for i in batch}
        pool.close()
        return found

    assert ids("orchard", "engines") == set(contents(panel, ("orchard", "engines")))
    assert ids("engines", "orchard") == set(contents(panel, ("orchard", "engines")))
    assert steps == [8, 16]
    assert ids("orchard", "planets") == set(contents(panel, ("orchard", "planets")))  # as many, but others
    fill(panel, "planets", make_passages(["Pluto is no planet any more."]))
    assert len(ids("orchard", "planets")) == 17
    assert steps == [8, 16, 8, 16, 8, 17]


def test_a_pool_that_was_interrupted_is_made_anew(panel: Panel, tmp_path: Path) -> None:
    def stop(_what: str, done: int, _total: int) -> None:
        if done > 8:
            raise KeyboardInterrupt

    # The interrupted process is gone: what it has left is seen through a copy.
    with pytest.raises(KeyboardInterrupt):
        pooled(panel, NAMES, tmp_path / "broken", stop)
    shutil.copytree(tmp_path / "broken", tmp_path / "pool")
    pool = pooled(panel, NAMES, tmp_path / "pool", lambda *_: None)
    assert pool.store.count() == 24
    pool.close()


def test_a_copying_encoder_knows_only_its_texts() -> None:
    encoder = WordEncoder()
    copied = Copied(encoder, {"one": np.ones(3, dtype=np.float32)})
    assert copied.encode_passages(["one", "one"]).tolist() == [[1, 1, 1], [1, 1, 1]]
    assert (encoder.passages, copied.fingerprint) == (0, encoder.fingerprint)
    assert copied.encode_questions(["apple"]) == pytest.approx(WordEncoder().encode_questions(["apple"]))
    with pytest.raises(KeyError):
        copied.encode_passages(["two"])


def candidates(dense: list[float], bm25: list[float]) -> Candidates:
    ids = tuple("abcdefgh"[: len(dense)])
    return Candidates(ids, np.array(dense, dtype=np.float32), np.array(bm25, dtype=np.float32), 1.0, frozenset())


@pytest.mark.parametrize(
    ("fusion", "order"),
    [
        ("dense", "bcad"),
        ("bm25", "ad"),  # those without any of its words are no results
        (("rrf", 0.0), "bcad"),
        (("rrf", 1.0), "ad"),
        (("minmax", 0.5), "abcd"),
        (("minmax", 0.3), "bacd"),
    ],
)
def test_standard_fusions_rank_by_hand_worked_scores(fusion: object, order: str) -> None:
    # Scaled, dense gives a .5, b 1, c .75, d 0, and BM25 a 1, d 0: a has .75 at equal weights, and .65 at .3 for BM25.
    found = candidates([0.4, 0.8, 0.6, 0.0], [5.0, 0.0, 0.0, 2.0])
    assert "".join(i for i, _ in ranked_by(found, fusion)) == order  # type: ignore[arg-type]


def test_alone_each_ranking_is_that_of_the_pool_s_own_scores(panel: Panel, tmp_path: Path) -> None:
    pool = pooled(panel, NAMES, tmp_path / "pool", lambda *_: None)
    known = contents(panel, NAMES)
    text = "apple trees by the exhaust gas of the engine, which saturn needs"
    vector = panel.encoder.encode_questions([text])[0]
    found = pool.search(text, vector, 100)
    scores = dict(zip(found.ids, found.bm25.tolist(), strict=True))
    positive = sorted((i for i in scores if scores[i] > 0), key=lambda i: (-scores[i], i))
    assert [i for i, _ in ranked_by(found, "bm25")] == positive
    assert 2 < len(positive) < 24
    cosines = {i: float(row @ vector) for i, row in known.items()}
    assert [i for i, _ in ranked_by(found, "dense")] == sorted(cosines, key=lambda i: (-cosines[i], i))
    pool.close()
