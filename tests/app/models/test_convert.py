"""The converter on GGUF files of a few kilobytes, made here: real format, real transformers, random weights."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from app.models.child import convert_in_child
from indexes.errors import MissingModelError

WIDTH, LAYERS, HEADS, INNER = 64, 2, 4, 128
TEMPLATE = "{% for message in messages %}<|im_start|>{{ message['content'] }}<|im_end|>{% endfor %}"


def write_gguf(path: Path, head: np.ndarray | None, embedding: np.ndarray) -> None:
    """A tiny Qwen2 whose vocabulary is the 256 byte symbols, one pair and three control tokens."""
    import gguf
    from tokenizers.pre_tokenizers import ByteLevel

    writer = gguf.GGUFWriter(str(path), "qwen2")
    tokens = [*sorted(ByteLevel.alphabet()), "ab", "<|endoftext|>", "<|im_start|>", "<|im_end|>"]
    writer.add_context_length(128)
    writer.add_embedding_length(WIDTH)
    writer.add_block_count(LAYERS)
    writer.add_feed_forward_length(INNER)
    writer.add_head_count(HEADS)
    writer.add_head_count_kv(HEADS)
    writer.add_rope_freq_base(10_000.0)
    writer.add_layer_norm_rms_eps(1e-6)
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("qwen2")
    writer.add_token_list(tokens)
    writer.add_token_types([1] * 257 + [3] * 3)
    writer.add_token_merges(["a b"])
    writer.add_bos_token_id(257)
    writer.add_eos_token_id(259)
    writer.add_pad_token_id(257)
    writer.add_chat_template(TEMPLATE)
    for name, values in tensors(head, embedding).items():
        writer.add_tensor(name, values.astype(np.float32))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def tensors(head: np.ndarray | None, embedding: np.ndarray) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(3)
    made = {"token_embd.weight": embedding, "output_norm.weight": np.ones(WIDTH)}
    if head is not None:
        made["output.weight"] = head
    for layer in range(LAYERS):
        shapes = {"attn_q": (WIDTH, WIDTH), "attn_k": (WIDTH, WIDTH), "attn_v": (WIDTH, WIDTH)}
        shapes |= {"attn_output": (WIDTH, WIDTH), "ffn_gate": (INNER, WIDTH), "ffn_up": (INNER, WIDTH)}
        shapes["ffn_down"] = (WIDTH, INNER)
        for part, shape in shapes.items():
            made[f"blk.{layer}.{part}.weight"] = rng.normal(0, 0.05, shape)
        for part in ("attn_q", "attn_k", "attn_v"):
            made[f"blk.{layer}.{part}.bias"] = np.zeros(WIDTH)
        for part in ("attn_norm", "ffn_norm"):
            made[f"blk.{layer}.{part}.weight"] = np.ones(WIDTH)
    return made


@pytest.fixture
def embedding() -> np.ndarray:
    return np.random.default_rng(1).normal(0, 0.3, (260, WIDTH))


def converted(tmp_path: Path, head: np.ndarray | None, embedding: np.ndarray) -> tuple[dict[str, Any], Path]:
    write_gguf(tmp_path / "tiny.gguf", head, embedding)
    folder = tmp_path / "out"
    folder.mkdir()
    return dict(convert_in_child(tmp_path / "tiny.gguf", folder)), folder


def stored(folder: Path) -> dict[str, Any]:
    from safetensors.torch import load_file

    return load_file(folder / "model.safetensors")


@pytest.mark.slow
def test_a_head_that_is_a_finer_copy_of_the_embedding_becomes_both(tmp_path: Path, embedding: np.ndarray) -> None:
    import torch

    noise = np.random.default_rng(2).normal(0, 0.015, embedding.shape)
    facts, folder = converted(tmp_path, embedding, embedding + noise)
    weights = stored(folder)
    assert "lm_head.weight" not in weights
    assert torch.equal(weights["model.embed_tokens.weight"], torch.tensor(embedding, dtype=torch.float32).bfloat16())
    assert 0 <= facts["tie_divergence"] < 0.02
    assert json.loads((folder / "config.json").read_text())["tie_word_embeddings"] is True


@pytest.mark.slow
def test_a_head_of_its_own_is_left_alone(tmp_path: Path, embedding: np.ndarray) -> None:
    import torch

    head = np.random.default_rng(9).normal(0, 0.3, embedding.shape)
    facts, folder = converted(tmp_path, head, embedding)
    weights = stored(folder)
    assert torch.equal(weights["lm_head.weight"], torch.tensor(head, dtype=torch.float32).bfloat16())
    assert torch.equal(weights["model.embed_tokens.weight"], torch.tensor(embedding, dtype=torch.float32).bfloat16())
    assert facts["tie_divergence"] is None
    assert json.loads((folder / "config.json").read_text())["tie_word_embeddings"] is False


@pytest.mark.slow
def test_chat_template_end_token_and_dtype_survive_and_nothing_says_quantised(
    tmp_path: Path, embedding: np.ndarray
) -> None:
    from transformers import AutoTokenizer

    facts, folder = converted(tmp_path, None, embedding)
    tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True)
    config = json.loads((folder / "config.json").read_text())
    assert tokenizer.chat_template == TEMPLATE
    assert tokenizer.eos_token == "<|im_end|>"
    assert json.loads((folder / "generation_config.json").read_text())["eos_token_id"] == 259
    assert "quantization_config" not in config
    assert config["dtype"] == facts["dtype"] == "bfloat16"
    assert {str(weight.dtype) for weight in stored(folder).values()} == {"torch.bfloat16"}
    assert (folder / "model.safetensors").stat().st_mode == (folder / "config.json").stat().st_mode


@pytest.mark.slow
def test_a_file_that_is_no_gguf_is_a_clear_error(tmp_path: Path) -> None:
    (tmp_path / "bad.gguf").write_bytes(b"not a model" * 100)
    (tmp_path / "out").mkdir()
    with pytest.raises(MissingModelError, match=r"bad\.gguf was downloaded but could not be converted: \S"):
        convert_in_child(tmp_path / "bad.gguf", tmp_path / "out")


@pytest.mark.parametrize(
    ("status", "stderr", "reason", "advice"),
    [
        (-9, "", "stopped by signal 9, most likely for lack of memory", "Close other programs"),
        (1, "Traceback\n  line\nValueError: no such arch.\n", "ValueError: no such arch.", "Install the versions"),
        (3, "", "ended with status 3", "Install the versions"),
    ],
)
def test_why_a_conversion_failed_is_told_with_what_to_do(
    status: int, stderr: str, reason: str, advice: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(subprocess, "run", lambda *_, **__: subprocess.CompletedProcess([], status, "", stderr))
    with pytest.raises(MissingModelError) as caught:
        convert_in_child(tmp_path / "w.gguf", tmp_path)
    assert reason in caught.value.problem
    assert caught.value.fix.startswith(advice)
    assert "the download is kept" in caught.value.fix


def test_a_full_disk_under_the_converter_is_an_error_of_the_disk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stderr = "safetensors_rust.SafetensorError: I/O error: No space left on device (os error 28)\n"
    monkeypatch.setattr(subprocess, "run", lambda *_, **__: subprocess.CompletedProcess([], 1, "", stderr))
    with pytest.raises(OSError, match="No space left"):
        convert_in_child(tmp_path / "w.gguf", tmp_path)
