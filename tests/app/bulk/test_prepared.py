from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from app.bulk import prepared
from app.bulk.prepared import Prepared
from app.bulk.shards import Shards
from tests.fakes import TOPICS, WordEncoder

TEXTS = [text for texts in TOPICS.values() for text in texts]


@pytest.fixture
def shards(tmp_path: Path) -> Shards:
    return Shards(tmp_path, WordEncoder().fingerprint)


@pytest.fixture
def keys(shards: Shards) -> list[str]:
    """Shards of three texts each."""
    names = []
    for start in range(0, len(TEXTS), 3):
        texts = TEXTS[start : start + 3]
        names.append(shards.key(texts))
        shards.write_texts(names[-1], texts)
        shards.encode(names[-1], WordEncoder())
    return names


def prepared_of(encoder: WordEncoder, shards: Shards, keys: list[str]) -> Prepared:
    found = Prepared(encoder)
    found.use(shards, keys)
    return found


def test_vectors_come_from_the_shards_in_any_order(
    shards: Shards, keys: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(prepared, "OPEN", 2)
    encoder = WordEncoder()
    found = prepared_of(encoder, shards, keys)
    wanted = TEXTS[::-1] + TEXTS[:5]
    assert np.array_equal(found.encode_passages(wanted), WordEncoder().encode_passages(wanted))
    assert (encoder.passages, found.encoded, found.looked_up) == (0, 0, len(wanted))


def test_what_is_in_no_shard_is_encoded(shards: Shards, keys: list[str]) -> None:
    encoder = WordEncoder()
    found = prepared_of(encoder, shards, keys)
    wanted = ["A text of today.", TEXTS[4], "Another one."]
    assert np.array_equal(found.encode_passages(wanted), WordEncoder().encode_passages(wanted))
    assert (encoder.passages, found.encoded, found.looked_up) == (2, 2, 1)


@pytest.mark.parametrize("when", ["before", "after"])
def test_the_texts_of_a_damaged_shard_are_encoded(shards: Shards, keys: list[str], when: str) -> None:
    encoder = WordEncoder()
    path = shards.folder / f"{keys[0]}.npz"
    if when == "before":
        path.write_bytes(b"damaged")
    found = prepared_of(encoder, shards, keys)
    path.write_bytes(b"damaged")
    assert np.array_equal(found.encode_passages(TEXTS), WordEncoder().encode_passages(TEXTS))
    assert encoder.passages == 3


def test_without_shards_everything_is_encoded(shards: Shards) -> None:
    encoder = WordEncoder()
    found = prepared_of(encoder, shards, [])
    assert np.array_equal(found.encode_passages(TEXTS), WordEncoder().encode_passages(TEXTS))
    assert found.encode_passages([]).shape == (0, 64)
    assert encoder.passages == len(TEXTS)


def test_questions_are_the_encoders(shards: Shards, keys: list[str]) -> None:
    encoder = WordEncoder()
    found = prepared_of(encoder, shards, keys)
    assert np.array_equal(found.encode_questions(TEXTS[:2]), WordEncoder().encode_questions(TEXTS[:2]))
    assert encoder.questions == 2
    assert found.fingerprint == encoder.fingerprint
