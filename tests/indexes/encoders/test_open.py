from __future__ import annotations

from pathlib import Path

import pytest

from indexes.encoders.onnx import OnnxEncoder
from indexes.encoders.open import Runtime, open_encoder
from indexes.encoders.sentence_transformer import SentenceTransformerEncoder


@pytest.mark.parametrize("runtime", ["int8", "float32"])
def test_onnx_runs_the_encoder_in_either_precision(tmp_path: Path, runtime: Runtime) -> None:
    encoder = open_encoder(tmp_path / "model", "mine", runtime, tmp_path / "cache", threads=3)
    assert isinstance(encoder, OnnxEncoder)
    assert (encoder.folder, encoder.name, encoder.precision) == (tmp_path / "model", "mine", runtime)
    assert (encoder.cache, encoder.threads) == (tmp_path / "cache", 3)


def test_torch_is_the_reference(tmp_path: Path) -> None:
    encoder = open_encoder(tmp_path / "model", "mine", "torch", tmp_path / "cache")
    assert isinstance(encoder, SentenceTransformerEncoder)
    assert (encoder.folder, encoder.name) == (tmp_path / "model", "mine")
