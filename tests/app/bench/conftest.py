from __future__ import annotations

from pathlib import Path

import pytest

from tests.generators.conftest import save_tiny_model, save_tiny_tokenizer


@pytest.fixture(scope="session")
def tiny_generator(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a tiny language model with random weights; treat it as read-only."""
    folder = tmp_path_factory.mktemp("generators") / "tiny-qwen2"
    folder.mkdir()
    save_tiny_model(folder)
    save_tiny_tokenizer(folder)
    return folder
