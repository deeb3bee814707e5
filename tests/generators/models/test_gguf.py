"""GGUF files that are real ones, written here from the tiny model and read by transformers."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from generators.decoding.decode import decode
from generators.models.gguf import is_gguf
from generators.models.language_model import LocalModel
from generators.models.model_files import fingerprint, load_model
from generators.policies.greedy import Greedy
from indexes.errors import MissingModelError
from tests.generators.gguf_files import write_gguf

QUESTION = [{"role": "user", "content": "Où est le sol?"}]


@pytest.fixture(scope="module")
def tiny_gguf(tiny_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_gguf(tiny_folder, tmp_path_factory.mktemp("gguf") / "tiny.gguf")


def greedy(model: LocalModel, prompt: list[int]) -> list[int]:
    return [step.token for step in decode(model, prompt, None, Greedy(), max_tokens=20)]


def test_a_gguf_file_says_what_the_folder_says_that_it_was_made_of(tiny_folder: Path, tiny_gguf: Path) -> None:
    one, other = LocalModel(tiny_folder, dtype="float32"), LocalModel(tiny_gguf, dtype="float32")
    prompt = one.chat_tokens(QUESTION)
    assert other.chat_tokens(QUESTION) == prompt
    assert (other.window, other.eos_ids, other.name) == (one.window, one.eos_ids, "tiny.gguf")
    assert greedy(other, prompt) == greedy(one, prompt)
    assert torch.allclose(other.prefill([prompt]).logits, one.prefill([prompt]).logits, atol=1e-5)
    assert other.decode(prompt) == one.decode(prompt)


def test_packed_weights_are_unpacked(tiny_folder: Path, tmp_path: Path) -> None:
    packed = LocalModel(write_gguf(tiny_folder, tmp_path / "tiny.gguf", packing="Q8_0"), dtype="float32")
    exact = LocalModel(tiny_folder, dtype="float32")
    prompt = exact.chat_tokens(QUESTION)
    one, other = packed.prefill([prompt]).logits.softmax(-1), exact.prefill([prompt]).logits.softmax(-1)
    assert 0 < float((one - other).abs().sum()) < 0.2
    assert {parameter.dtype for parameter in packed.load().model.parameters()} == {torch.float32}


@pytest.mark.parametrize("dtype", ["bfloat16", "int8"])
def test_every_number_format_serves(tiny_gguf: Path, dtype: str) -> None:
    model = LocalModel(tiny_gguf, dtype=dtype)
    assert len(greedy(model, model.chat_tokens(QUESTION))) == 20


def test_reading_one_draws_no_bars(tiny_gguf: Path, capfd: pytest.CaptureFixture[str]) -> None:
    load_model(tiny_gguf, "float32")
    assert "%" not in capfd.readouterr().err


def test_a_file_without_a_chat_template_is_refused(tiny_folder: Path, tmp_path: Path) -> None:
    path = write_gguf(tiny_folder, tmp_path / "bare.gguf", template=False)
    with pytest.raises(MissingModelError, match="no chat template") as caught:
        load_model(path, "float32")
    assert str(path) in caught.value.problem


def test_a_weight_that_the_file_lacks_is_not_made_up(tiny_folder: Path, tmp_path: Path) -> None:
    path = write_gguf(tiny_folder, tmp_path / "less.gguf", leave_out="model.layers.1.mlp.up_proj.weight")
    with pytest.raises(MissingModelError, match=r"1 weights are missing.*layers\.1\.mlp\.up_proj"):
        load_model(path, "float32")


def test_an_architecture_that_transformers_does_not_read_points_to_a_server(tiny_folder: Path, tmp_path: Path) -> None:
    path = write_gguf(tiny_folder, tmp_path / "new.gguf", kind="brandnew")
    with pytest.raises(MissingModelError, match="brandnew") as caught:
        load_model(path, "float32")
    assert "models.server" in caught.value.fix


@pytest.mark.parametrize("kept", [8, 40, 400, 5000, -1000])
def test_a_cut_file_is_refused(tiny_gguf: Path, tmp_path: Path, kept: int) -> None:
    path = tmp_path / "cut.gguf"
    path.write_bytes(tiny_gguf.read_bytes()[:kept])
    with pytest.raises(MissingModelError, match="cannot be used"):
        load_model(path, "float32")


def test_what_is_no_gguf_file_is_told_before_anything_is_loaded(tmp_path: Path) -> None:
    (tmp_path / "page.gguf").write_bytes(b"<html>")
    with pytest.raises(MissingModelError, match="no GGUF file: it begins with b'<htm'"):
        load_model(tmp_path / "page.gguf", "float32")
    with pytest.raises(MissingModelError, match="There is no file"):
        load_model(tmp_path / "none.gguf", "float32")


def test_one_part_of_several_says_how_to_join_them(tiny_gguf: Path, tmp_path: Path) -> None:
    part = tmp_path / "big-00001-of-00003.gguf"
    part.write_bytes(tiny_gguf.read_bytes())
    with pytest.raises(MissingModelError, match="one of 3 parts") as caught:
        load_model(part, "float32")
    assert "llama-gguf-split --merge" in caught.value.fix


def test_the_fingerprint_of_a_file_follows_its_content(tiny_gguf: Path, tmp_path: Path) -> None:
    copy = tmp_path / tiny_gguf.name
    copy.write_bytes(tiny_gguf.read_bytes())
    assert fingerprint(copy) == fingerprint(tiny_gguf) == LocalModel(copy).fingerprint
    copy.write_bytes(tiny_gguf.read_bytes()[:-1] + b"x")
    assert fingerprint(copy) != fingerprint(tiny_gguf)


def test_a_folder_of_that_name_is_no_file(tmp_path: Path) -> None:
    (tmp_path / "model.gguf").mkdir()
    assert is_gguf(tmp_path / "other.GGUF")
    assert not is_gguf(tmp_path / "model.gguf")
    assert not is_gguf(tmp_path)
