from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from app.bulk.shards import Encoded, Shards, digests
from indexes.errors import InputError
from tests.fakes import TOPICS, WordEncoder

TEXTS = list(TOPICS["orchard"])


@pytest.fixture
def shards(tmp_path: Path, encoder: WordEncoder) -> Shards:
    return Shards(tmp_path / "work", encoder.fingerprint)


def encoded(shards: Shards, encoder: WordEncoder, texts: list[str]) -> str:
    key = shards.key(texts)
    shards.write_texts(key, texts)
    shards.encode(key, encoder)
    return key


def test_a_shard_gives_back_the_vector_of_each_text(shards: Shards, encoder: WordEncoder) -> None:
    key = encoded(shards, encoder, TEXTS)
    found = shards.read(key)
    assert found is not None
    rows = found.rows(digests(TEXTS))
    assert np.array_equal(found.vectors[rows], encoder.encode_passages(TEXTS))


def test_a_text_that_is_not_in_a_shard_has_no_row(shards: Shards, encoder: WordEncoder) -> None:
    found = shards.read(encoded(shards, encoder, TEXTS))
    assert found is not None
    assert (found.rows(digests(["another text", "\uffff"])) == -1).all()
    empty = Encoded(digests([]), np.zeros((0, 64), dtype=np.float32))
    assert empty.rows(digests(["a"])).tolist() == [-1]


def test_a_text_that_occurs_twice_is_kept_once(shards: Shards, encoder: WordEncoder) -> None:
    found = shards.read(encoded(shards, encoder, [*TEXTS, *TEXTS]))
    assert found is not None
    assert len(found.digests) == len(found.vectors) == len(TEXTS)


def test_what_is_done_is_not_done_again(shards: Shards, encoder: WordEncoder) -> None:
    key = encoded(shards, encoder, TEXTS)
    assert shards.encode(key, encoder) == 0
    assert encoder.passages == len(TEXTS)


@pytest.mark.parametrize("place", [0, -1])
def test_a_damaged_shard_counts_as_not_done(shards: Shards, encoder: WordEncoder, place: int) -> None:
    key = encoded(shards, encoder, TEXTS)
    path = shards.folder / f"{key}.npz"
    content = bytearray(path.read_bytes())
    content[place] ^= 1
    path.write_bytes(content)
    assert shards.read(key) is None
    assert not shards.holds(key, TEXTS)
    assert shards.encode(key, encoder) == len(TEXTS)
    assert shards.holds(key, TEXTS)


def test_vectors_without_their_note_count_as_not_done(shards: Shards, encoder: WordEncoder) -> None:
    key = encoded(shards, encoder, TEXTS)
    (shards.folder / f"{key}.json").unlink()
    assert shards.read(key) is None


def test_the_note_says_how_many_texts_there_are(shards: Shards, encoder: WordEncoder) -> None:
    key = encoded(shards, encoder, TEXTS)
    assert json.loads((shards.folder / f"{key}.json").read_text())["texts"] == len(TEXTS)


def test_the_name_depends_on_the_texts_their_order_and_the_encoder(shards: Shards) -> None:
    other = Shards(shards.folder, WordEncoder("words-2").fingerprint)
    names = {shards.key(TEXTS), shards.key(TEXTS[::-1]), shards.key(TEXTS[1:]), other.key(TEXTS)}
    assert len(names) == 4


def test_a_worker_that_does_not_see_the_folder_says_so(shards: Shards, encoder: WordEncoder) -> None:
    with pytest.raises(InputError, match="does not see") as caught:
        shards.encode("absent", encoder)
    assert "--work" in caught.value.fix


def test_a_worker_with_another_encoder_is_refused(shards: Shards) -> None:
    with pytest.raises(InputError, match="words-2"):
        shards.encode("any", WordEncoder("words-2"))


def test_shards_are_cleared_and_what_others_have_put_there_stays(shards: Shards, encoder: WordEncoder) -> None:
    ours, others = encoded(shards, encoder, ["one", "two"]), encoded(shards, encoder, ["three"])
    foreign = shards.folder / "thesis.txt"
    foreign.write_text("mine")
    (shards.folder / "notes").mkdir()
    shards.clear([ours])
    assert shards.read(others) is not None and shards.read(ours) is None
    shards.clear([others])
    assert sorted(path.name for path in shards.folder.iterdir()) == ["notes", "thesis.txt"]
    foreign.unlink()
    (shards.folder / "notes").rmdir()
    shards.clear([])
    assert not shards.folder.exists()
