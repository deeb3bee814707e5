"""A real GGUF file, unpacked by the real converter in a process of its own."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from app.models.fetch import fetch
from app.models.resolve import resolve
from app.models.unpacked import unpacked_folder
from generators.decoding.decode import decode
from generators.models.language_model import LocalModel
from generators.policies.greedy import Greedy
from indexes.errors import MissingModelError
from tests.generators.conftest import save_tiny_model, save_tiny_tokenizer
from tests.generators.gguf_files import write_gguf


def greedy(folder: Path) -> list[int]:
    model = LocalModel(folder, dtype="bfloat16")
    prompt = model.chat_tokens([{"role": "user", "content": "Où est le sol?"}])
    return [step.token for step in decode(model, prompt, None, Greedy(), max_tokens=20)]


@pytest.mark.slow
def test_what_was_unpacked_says_what_the_file_says(world: Any, tmp_path: Path) -> None:
    folder = tmp_path / "tiny"
    folder.mkdir()
    save_tiny_model(folder)
    save_tiny_tokenizer(folder)
    path = write_gguf(folder, tmp_path / "tiny.gguf")
    before = greedy(resolve(path, "generator", world.cache, manifest=world.manifest))
    unpacked = fetch(str(path), world.cache, manifest=world.manifest)
    assert resolve(path, "generator", world.cache, manifest=world.manifest) == unpacked
    assert greedy(unpacked) == before
    assert path.is_file()
    assert list((world.cache / ".partial").iterdir()) == []


def test_the_folder_is_named_after_the_file_and_its_content(tmp_path: Path) -> None:
    path = tmp_path / "tiny-Q4_K_M.gguf"
    path.write_bytes(b"GGUF one")
    one = unpacked_folder(path, tmp_path)
    assert one.name.startswith("tiny-Q4_K_M-")
    path.write_bytes(b"GGUF two")
    assert unpacked_folder(path, tmp_path) != one
    with pytest.raises(MissingModelError, match="There is no file"):
        unpacked_folder(tmp_path / "none.gguf", tmp_path)
