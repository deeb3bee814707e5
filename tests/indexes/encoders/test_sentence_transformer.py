from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from indexes.encoders.base import Fingerprint, revision_of, unit
from indexes.encoders.sentence_transformer import SentenceTransformerEncoder
from indexes.errors import InputError, MissingModelError


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """What a model folder looks like, with weights of 3 MiB that are all zeros."""
    folder = tmp_path / "tiny"
    (folder / "1_Pooling").mkdir(parents=True)
    (folder / "config.json").write_text(json.dumps({"hidden_size": 12}))
    (folder / "1_Pooling" / "config.json").write_text(json.dumps({"word_embedding_dimension": 8}))
    (folder / "model.safetensors").write_bytes(bytes(3 << 20))
    (folder / "README.md").write_text("A model.")
    return folder


class Counting:
    """Stands in for the loaded model: a vector is the text's length, and batches are remembered."""

    def __init__(self) -> None:
        self.batches: list[list[str]] = []

    def encode_document(self, texts: Sequence[str], **_: Any) -> np.ndarray:
        self.batches.append(list(texts))
        return np.array([[len(text)] * 8 for text in texts], dtype=np.float32)


def test_the_fingerprint_is_read_without_loading_anything(folder: Path) -> None:
    prompts = {"prompts": {"query": "query: ", "document": "passage: "}}
    (folder / "config_sentence_transformers.json").write_text(json.dumps(prompts))
    encoder = SentenceTransformerEncoder(folder)
    assert encoder.fingerprint == Fingerprint("tiny", revision_of(folder), 8, "query: ", "passage: ")
    assert encoder._model is None
    assert json.loads(json.dumps(encoder.fingerprint.to_dict()))["dimension"] == 8
    assert SentenceTransformerEncoder(folder, name="mine").fingerprint.model == "mine"


def test_the_dimension_is_the_poolings_and_else_the_models(folder: Path) -> None:
    (folder / "1_Pooling" / "config.json").write_text(json.dumps({"embedding_dimension": 9}))
    assert SentenceTransformerEncoder(folder).fingerprint.dimension == 9
    (folder / "1_Pooling" / "config.json").unlink()
    assert SentenceTransformerEncoder(folder).fingerprint.dimension == 12


def test_a_missing_folder_is_noticed_at_first_use_and_not_before(tmp_path: Path) -> None:
    encoder = SentenceTransformerEncoder(tmp_path / "gone")
    with pytest.raises(MissingModelError, match="gone does not exist"):
        _ = encoder.fingerprint


def test_a_copy_of_a_model_has_its_revision(folder: Path, tmp_path: Path) -> None:
    shutil.copytree(folder, tmp_path / "copy")
    assert revision_of(tmp_path / "copy") == revision_of(folder)
    assert len(revision_of(folder)) == 16


@pytest.mark.parametrize("position", [0, -1])
def test_another_first_or_last_byte_of_large_weights_is_another_revision(folder: Path, position: int) -> None:
    before = revision_of(folder)
    weights = bytearray((folder / "model.safetensors").read_bytes())
    weights[position] = 1
    (folder / "model.safetensors").write_bytes(weights)
    assert revision_of(folder) != before


def test_other_settings_and_other_names_are_another_revision(folder: Path) -> None:
    revisions = {revision_of(folder)}
    (folder / "config.json").write_text(json.dumps({"hidden_size": 13}))
    revisions.add(revision_of(folder))
    (folder / "1_Pooling").rename(folder / "2_Pooling")
    revisions.add(revision_of(folder))
    assert len(revisions) == 3


@pytest.mark.parametrize("name", ["README.md", "symposia.json"])
def test_what_does_not_change_vectors_does_not_change_the_revision(folder: Path, name: str) -> None:
    before = revision_of(folder)
    (folder / name).write_text('{"another": "text"}')
    assert revision_of(folder) == before


def test_passages_are_batched_by_length_and_come_back_in_their_order(folder: Path) -> None:
    encoder = SentenceTransformerEncoder(folder, batch_size=2)
    model: Any = Counting()
    encoder._model = model
    seen: list[tuple[int, int]] = []
    texts = ["aa", "aaaaa", "a", "aaaa", "bb"]
    vectors = encoder.encode_passages(texts, lambda done, total: seen.append((done, total)))
    assert vectors.dtype == np.float32
    assert vectors[:, 0].tolist() == [2, 5, 1, 4, 2]
    assert model.batches == [["aaaaa", "aaaa"], ["aa", "bb"], ["a"]]
    assert seen == [(2, 5), (4, 5), (5, 5)]


def test_no_passages_are_no_vectors(folder: Path) -> None:
    encoder = SentenceTransformerEncoder(folder)
    model: Any = Counting()
    encoder._model = model
    assert encoder.encode_passages([]).shape == (0, 8)


@given(st.lists(st.lists(st.floats(-1e3, 1e3, width=32), min_size=3, max_size=3), min_size=1, max_size=5))
@settings(max_examples=50, deadline=None)
def test_unit_rows_have_length_one_and_their_old_direction(rows: list[list[float]]) -> None:
    vectors = np.array(rows, dtype=np.float64)
    lengths = np.linalg.norm(vectors, axis=1)
    if not np.all(lengths > 0):
        with pytest.raises(InputError, match="no direction"):
            unit(vectors)
        return
    scaled = unit(vectors)
    assert scaled.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(scaled, axis=1), 1, atol=1e-5)
    np.testing.assert_allclose(scaled * lengths[:, None], vectors, atol=1e-4 * lengths.max())


@pytest.mark.slow
def test_the_default_encoder_puts_a_question_beside_its_answer(model_folder: Callable[[str], Path]) -> None:
    import torch

    encoder = SentenceTransformerEncoder(model_folder("all-minilm-l6-v2"))
    threads = torch.get_num_threads()
    questions = encoder.encode_questions(["What is the capital of France?", "How do I sort a list in Python?"])
    texts = ["sorted(list) returns a new sorted list.", "Paris.", "Paris is the seat of the French government. " * 40]
    passages = encoder.encode_passages(texts)
    assert encoder.fingerprint.dimension == questions.shape[1] == passages.shape[1] == 384
    np.testing.assert_allclose(np.linalg.norm(np.vstack([questions, passages]), axis=1), 1, atol=1e-5)
    cosines = questions @ passages.T
    assert cosines[0, 1] > cosines[0, 0] + 0.2
    assert cosines[1, 0] > cosines[1, 1] + 0.2
    np.testing.assert_allclose(encoder.encode_passages(texts[::-1])[::-1], passages, atol=1e-5)
    assert torch.get_num_threads() == threads
