from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from generators.models.language_model import LocalModel
from generators.models.model_files import fingerprint, load_model
from indexes.errors import MissingModelError


@pytest.fixture
def copy(tiny_folder: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(tiny_folder, tmp_path / "copy"))


def test_a_folder_becomes_a_model(tiny_folder: Path) -> None:
    loaded = load_model(tiny_folder, "float32")
    assert loaded.window == 512
    assert loaded.eos_ids == {256, 257}
    assert "<|im_start|>" in loaded.controls
    assert not loaded.model.training


def test_several_end_tokens_are_kept(copy: Path) -> None:
    settings = json.loads((copy / "generation_config.json").read_text())
    (copy / "generation_config.json").write_text(json.dumps({**settings, "eos_token_id": [256, 299]}))
    assert load_model(copy, "float32").eos_ids == {256, 257, 299}


def test_an_absent_folder_is_named_with_the_command_that_fetches_it(tmp_path: Path) -> None:
    for use in (lambda: load_model(tmp_path / "none", "auto"), lambda: fingerprint(tmp_path / "none")):
        with pytest.raises(MissingModelError) as refused:
            use()
        assert "none" in refused.value.problem
        assert "symposia models fetch" in refused.value.fix


def test_a_cut_weights_file_is_refused(copy: Path) -> None:
    weights = copy / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-1000])
    with pytest.raises(MissingModelError, match="cannot be used"):
        load_model(copy, "float32")


def test_a_folder_without_weights_is_refused(copy: Path) -> None:
    (copy / "model.safetensors").unlink()
    with pytest.raises(MissingModelError, match="cannot be used"):
        load_model(copy, "float32")


def test_a_broken_configuration_is_refused(copy: Path) -> None:
    (copy / "config.json").write_text("{")
    with pytest.raises(MissingModelError, match="cannot be used"):
        load_model(copy, "float32")


def test_a_missing_tokenizer_is_refused(copy: Path) -> None:
    for file in copy.glob("tokenizer*"):
        file.unlink()
    with pytest.raises(MissingModelError, match="cannot be used"):
        load_model(copy, "float32")


def test_weights_that_the_files_lack_are_not_made_up(copy: Path) -> None:
    from safetensors.torch import load_file, save_file

    weights = load_file(copy / "model.safetensors")
    del weights["model.layers.1.mlp.up_proj.weight"]
    save_file(weights, copy / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(MissingModelError, match=r"1 weights are missing.*layers\.1\.mlp\.up_proj"):
        load_model(copy, "float32")


def test_a_model_without_a_chat_template_is_refused(
    copy: Path, tokenizer_saver: Callable[[Path, str | None], None]
) -> None:
    for file in [*copy.glob("tokenizer*"), *copy.glob("*.jinja")]:
        file.unlink()
    tokenizer_saver(copy, None)
    with pytest.raises(MissingModelError, match="chat template"):
        load_model(copy, "float32")


def test_the_fingerprint_follows_the_content_and_not_the_place(tiny_folder: Path, copy: Path) -> None:
    assert fingerprint(copy) == fingerprint(tiny_folder) == LocalModel(copy).fingerprint
    config = copy / "config.json"
    config.write_text(config.read_text() + " ")
    assert fingerprint(copy) != fingerprint(tiny_folder)


@pytest.mark.parametrize("position", [40, -40])
def test_the_fingerprint_sees_changed_weights(copy: Path, position: int) -> None:
    before = fingerprint(copy)
    content = bytearray((copy / "model.safetensors").read_bytes())
    content[position] ^= 1
    (copy / "model.safetensors").write_bytes(content)
    assert fingerprint(copy) != before


def test_the_fingerprint_reads_only_the_ends_of_large_weights(copy: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("generators.models.model_files.SAMPLE_BYTES", 16)
    before = fingerprint(copy)
    weights = copy / "model.safetensors"
    content = bytearray(weights.read_bytes())
    content[len(content) // 2] ^= 1
    weights.write_bytes(content)
    assert fingerprint(copy) == before
    content[-1] ^= 1
    weights.write_bytes(content)
    assert fingerprint(copy) != before
