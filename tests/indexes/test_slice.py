from __future__ import annotations

import threading
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from indexes import slice as slices
from indexes.encoders.base import Progress, Vectors
from indexes.errors import InputError, SliceError
from indexes.lexical import average_length
from indexes.manifest import FILE, Manifest
from indexes.passage import Document, Passage
from indexes.slice import Added, Slice, check_name
from indexes.store.open import MEMORY, opener
from tests.fakes import QUESTIONS, TOPICS, WordEncoder, make_passages

PASSAGES = make_passages(TOPICS["orchard"], title="Fruit")


@pytest.fixture
def orchard(tmp_path: Path, encoder: WordEncoder) -> Slice:
    return Slice.create(tmp_path / "orchard", "orchard", "Fruit trees.", encoder, opener(MEMORY), PASSAGES)


def test_a_new_slice_is_empty_and_says_what_it_is_for(orchard: Slice, encoder: WordEncoder) -> None:
    assert orchard.store.count() == 0
    manifest = Manifest.read(orchard.folder)
    assert (manifest.name, manifest.description, manifest.passages) == ("orchard", "Fruit trees.", 0)
    assert manifest.fingerprint == encoder.fingerprint
    assert manifest.bm25.average_length == average_length([passage.searchable for passage in PASSAGES]) > 5


def test_what_was_added_is_found_and_comes_back_whole(orchard: Slice, encoder: WordEncoder) -> None:
    assert orchard.add(PASSAGES, encoder) == Added(8, 8)
    question = QUESTIONS["orchard"]
    found = orchard.search(question, encoder.encode_questions([question])[0], 3)
    best = found.ids[int(np.argmax(found.dense))]
    assert orchard.passages([best]) == [PASSAGES[0]]
    assert found.bm25[found.ids.index(best)] > 0
    ids = [passage.id for passage in PASSAGES[::-1]]
    assert orchard.passages(ids) == PASSAGES[::-1]


def test_all_of_a_passage_survives_the_store(orchard: Slice, encoder: WordEncoder) -> None:
    document = Document("Äpfel. 苹果.", "T", "a.md", "k", "2024", metadata={"speaker": "Ada", "text": "x"})
    passage = Passage.of(document, 0, 9)
    orchard.add([passage], encoder)
    assert orchard.passages([passage.id]) == [passage]


def test_adding_the_same_passages_twice_changes_nothing(orchard: Slice, encoder: WordEncoder) -> None:
    orchard.add(PASSAGES, encoder)
    assert orchard.add(PASSAGES, encoder) == Added(8, 0)
    assert encoder.passages == orchard.store.count() == Manifest.read(orchard.folder).passages == 8
    assert orchard.add([*PASSAGES[:3], *make_passages(["A new one."])], encoder) == Added(4, 1)
    assert Manifest.read(orchard.folder).passages == 9


def test_repetitions_are_embedded_once(orchard: Slice, encoder: WordEncoder) -> None:
    assert orchard.add(PASSAGES * 2, encoder) == Added(16, 8)
    assert encoder.passages == 8


def test_adding_goes_in_batches_and_says_how_far_it_is(
    orchard: Slice, encoder: WordEncoder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(slices, "BATCH", 3)
    orchard.add(PASSAGES[:1], encoder)
    seen: list[tuple[Added, int]] = []
    added = orchard.add(iter(PASSAGES), encoder, lambda added: seen.append((added, orchard.store.count())))
    # What is there already is counted with the first batch; the longest and the shortest take turns.
    assert seen == [(Added(4, 3), 4), (Added(5, 4), 5), (Added(8, 7), 8)]
    assert added == Added(8, 7)
    assert str(added) == "8 passages: 7 new, 1 already there"


def test_passages_of_like_length_are_embedded_together(
    orchard: Slice, encoder: WordEncoder, monkeypatch: pytest.MonkeyPatch
) -> None:
    together: list[list[int]] = []

    class Noting(WordEncoder):
        def encode_passages(self, texts: Sequence[str], on_progress: Progress | None = None) -> Vectors:
            together.append([len(text.split()) for text in texts])
            return super().encode_passages(texts, on_progress)

    monkeypatch.setattr(slices, "BATCH", 4)
    orchard.add(make_passages(["word " * (n % 7) + f"end{n}" for n in range(28)]), Noting())
    assert [len(set(lengths)) for lengths in together] == [1] * 7
    assert sorted(lengths[0] for lengths in together) == [1, 2, 3, 4, 5, 6, 7]


def test_the_store_is_written_while_the_next_batch_is_embedded(
    orchard: Slice, encoder: WordEncoder, monkeypatch: pytest.MonkeyPatch
) -> None:
    meanwhile = threading.Event()

    class Telling(WordEncoder):
        def encode_passages(self, texts: Sequence[str], on_progress: Progress | None = None) -> Vectors:
            if self.passages:
                meanwhile.set()
            return super().encode_passages(texts, on_progress)

    flush = orchard.store.flush
    monkeypatch.setattr(slices, "BATCH", 4)
    monkeypatch.setattr(orchard.store, "flush", lambda: (meanwhile.wait(20), flush()))
    orchard.add(PASSAGES, Telling())
    assert meanwhile.is_set() and orchard.store.count() == 8


def test_the_encoders_own_vectors_are_had_of_what_is_here(orchard: Slice, encoder: WordEncoder) -> None:
    orchard.add(PASSAGES[:3], encoder)
    found = orchard.encoded([passage.id for passage in PASSAGES])
    assert found.keys() == {passage.id for passage in PASSAGES[:3]}
    own = encoder.encode_passages([PASSAGES[1].searchable])[0]
    np.testing.assert_allclose(found[PASSAGES[1].id], own, atol=1e-6)
    assert orchard.encoded([]) == {}


def test_documents_are_renamed_with_the_vectors_that_they_have(orchard: Slice, encoder: WordEncoder) -> None:
    orchard.add(PASSAGES, encoder)
    before = orchard.store.vectors([PASSAGES[2].id])
    orchard.rename({PASSAGES[2].document_id: "b.txt"})
    assert [passage.source for passage in orchard.passages([PASSAGES[1].id, PASSAGES[2].id])] == ["", "b.txt"]
    np.testing.assert_allclose(orchard.store.vectors([PASSAGES[2].id]), before, atol=1e-6)
    assert orchard.store.count() == 8


def test_adding_nothing_is_no_error(orchard: Slice, encoder: WordEncoder) -> None:
    assert orchard.add([], encoder) == Added(0, 0)


def test_after_an_interruption_only_the_rest_is_embedded(orchard: Slice, monkeypatch: pytest.MonkeyPatch) -> None:
    class Interrupted(WordEncoder):
        def encode_passages(self, texts: Sequence[str], on_progress: Progress | None = None) -> Vectors:
            if self.passages >= 4:
                raise KeyboardInterrupt
            return super().encode_passages(texts, on_progress)

    monkeypatch.setattr(slices, "BATCH", 2)
    with pytest.raises(KeyboardInterrupt):
        orchard.add(PASSAGES, Interrupted())
    assert orchard.store.count() == 4
    encoder = WordEncoder()
    assert orchard.add(PASSAGES, encoder) == Added(8, 4)
    assert encoder.passages == 4


def test_a_slice_opens_again_with_all_it_holds(tmp_path: Path, encoder: WordEncoder) -> None:
    made = Slice.create(tmp_path / "s", "orchard", "Fruit trees.", encoder, opener(), PASSAGES)
    made.add(PASSAGES, encoder)
    made.close()
    again = Slice.open(tmp_path / "s", encoder, opener())
    assert (again.name, again.manifest) == ("orchard", made.manifest)
    assert again.passages([PASSAGES[2].id]) == [PASSAGES[2]]
    again.delete()
    assert not (tmp_path / "s").exists()


def test_another_encoder_may_neither_open_nor_add(orchard: Slice, encoder: WordEncoder) -> None:
    other = WordEncoder("words-2")
    orchard.add(PASSAGES[:2], encoder)
    with pytest.raises(SliceError, match=r"revision words-1.*revision words-2"):
        Slice.open(orchard.folder, other, opener(MEMORY))
    with pytest.raises(SliceError, match=r"revision words-1.*revision words-2"):
        orchard.add(PASSAGES, other)
    assert (other.passages, orchard.store.count()) == (0, 2)


def test_a_missing_slice_is_a_slice_error(tmp_path: Path, encoder: WordEncoder) -> None:
    with pytest.raises(SliceError, match="There is no slice"):
        Slice.open(tmp_path / "none", encoder, opener(MEMORY))
    assert not (tmp_path / "none").exists()


@pytest.mark.parametrize("name", ["python", "my-notes_2", "v1.2", "Äpfel", "7", "a" * 64])
def test_names_that_can_be_folders_and_words(name: str) -> None:
    check_name(name)


@pytest.mark.parametrize("name", ["", ".", "..", "-x", "_x", "a b", "a/b", "a\\b", "a:b", "../up", "a\n", "a" * 65])
def test_other_names_are_refused_before_anything_is_made(tmp_path: Path, encoder: WordEncoder, name: str) -> None:
    with pytest.raises(InputError, match="cannot name an expert"):
        Slice.create(tmp_path / "slice", name, "", encoder, opener(MEMORY), PASSAGES)
    assert not (tmp_path / "slice" / FILE).exists()
