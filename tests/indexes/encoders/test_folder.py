from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from indexes.encoders.base import Fingerprint, revision_of
from indexes.encoders.folder import fingerprint_of
from indexes.errors import MissingModelError


def write(path: Path, values: dict[str, Any]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(values), encoding="utf-8")


def test_a_folder_states_its_space(tmp_path: Path) -> None:
    write(tmp_path / "config.json", {"hidden_size": 12})
    write(tmp_path / "config_sentence_transformers.json", {"prompts": {"query": "q: ", "document": None}})
    revision = revision_of(tmp_path)
    assert fingerprint_of(tmp_path, "mine") == Fingerprint("mine", revision, 12, "q: ", "", "float32")
    changed = fingerprint_of(tmp_path, "mine", precision="int8", tag="t")
    assert changed == Fingerprint("mine", f"{revision}+t", 12, "q: ", "", "int8")


@pytest.mark.parametrize(
    ("pooling", "dimension"),
    [
        ({"word_embedding_dimension": 8, "pooling_mode_mean_tokens": True, "pooling_mode_cls_token": False}, 8),
        ({"word_embedding_dimension": 8, "pooling_mode_mean_tokens": True, "pooling_mode_cls_token": True}, 16),
        ({"embedding_dimension": 8, "pooling_mode": "mean"}, 8),
        ({"embedding_dimension": 8, "pooling_mode": ["cls", "max", "mean"]}, 24),
        ({}, 12),
    ],
)
def test_joined_poolings_widen_the_vector(tmp_path: Path, pooling: dict[str, Any], dimension: int) -> None:
    write(tmp_path / "config.json", {"dim": 12})
    write(tmp_path / "1_Pooling" / "config.json", pooling)
    assert fingerprint_of(tmp_path, "mine").dimension == dimension


def test_the_last_dense_layer_decides(tmp_path: Path) -> None:
    write(tmp_path / "1_Pooling" / "config.json", {"word_embedding_dimension": 8})
    write(tmp_path / "2_Dense" / "config.json", {"in_features": 8, "out_features": 6})
    write(tmp_path / "3_Dense" / "config.json", {"in_features": 6, "out_features": 4})
    assert fingerprint_of(tmp_path, "mine").dimension == 4


def test_a_folder_that_states_no_width_is_no_encoder(tmp_path: Path) -> None:
    write(tmp_path / "config.json", {"vocab_size": 3})
    with pytest.raises(MissingModelError, match="does not state the width"):
        fingerprint_of(tmp_path, "mine")
