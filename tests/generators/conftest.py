from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

CHAT_TEMPLATE = (
    "{% for m in messages %}<|im_start|>{{ m['role'] }}\n{{ m['content'] }}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)


def save_tiny_tokenizer(folder: Path, chat_template: str | None = CHAT_TEMPLATE) -> None:
    """A byte-level tokenizer without merges: every byte is a token."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers
    from transformers import PreTrainedTokenizerFast

    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    inner = Tokenizer(models.BPE(vocab={piece: number for number, piece in enumerate(alphabet)}, merges=[]))
    inner.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    inner.decoder = decoders.ByteLevel()
    make: Any = PreTrainedTokenizerFast  # its constructor is untyped
    tokenizer = make(tokenizer_object=inner, eos_token="<|im_end|>", pad_token="<|endoftext|>")
    tokenizer.add_special_tokens({"additional_special_tokens": ["<|im_start|>"]})
    tokenizer.chat_template = chat_template
    tokenizer.save_pretrained(folder)


def save_tiny_model(folder: Path, **changes: Any) -> None:
    """A randomly initialised Qwen2 with 3 layers; ``changes`` go to its configuration."""
    import torch
    from transformers import Qwen2Config, Qwen2ForCausalLM

    torch.manual_seed(0)
    options: dict[str, Any] = {
        "vocab_size": 300,
        "hidden_size": 32,
        "intermediate_size": 64,
        "num_hidden_layers": 3,
        "num_attention_heads": 4,
        "num_key_value_heads": 2,
        "max_position_embeddings": 512,
        "initializer_range": 0.3,  # far enough from 0 for the distributions to differ
        "tie_word_embeddings": True,
        "eos_token_id": 256,
        "pad_token_id": 257,
    }
    Qwen2ForCausalLM(Qwen2Config(**(options | changes))).save_pretrained(folder)


@pytest.fixture(scope="session")
def tokenizer_saver() -> Callable[[Path, str | None], None]:
    return save_tiny_tokenizer


@pytest.fixture(scope="session")
def tiny_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A complete model folder; treat it as read-only."""
    folder = tmp_path_factory.mktemp("models") / "tiny-qwen2"
    folder.mkdir()
    save_tiny_model(folder)
    save_tiny_tokenizer(folder)
    return folder


@pytest.fixture(scope="session")
def sliding_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model whose upper layers see only the last 8 tokens, so that its caches cannot be joined."""
    folder = tmp_path_factory.mktemp("models") / "tiny-sliding"
    folder.mkdir()
    save_tiny_model(folder, use_sliding_window=True, sliding_window=8, max_window_layers=1)
    save_tiny_tokenizer(folder)
    return folder


@pytest.fixture(scope="session")
def real_folder() -> Path:
    """The default generator, where it was fetched."""
    from platformdirs import user_cache_path

    folder = user_cache_path("symposia") / "models" / "qwen2.5-coder-0.5b"
    if not (folder / "config.json").is_file():
        pytest.skip("the default generator is not there: symposia models fetch")
    return folder
