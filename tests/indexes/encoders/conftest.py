from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

WORDS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
WORDS += [
    "river",
    "mill",
    "grain",
    "flour",
    "wheel",
    "miller",
    "stone",
    "water",
    "flood",
    "gate",
    "query",
    "passage",
    ":",
    ".",
    ",",
    "?",
]
WORDS += [*"abcdefghijklmnopqrstuvwxyz", *(f"##{letter}" for letter in "abcdefghijklmnopqrstuvwxyz"), "ö", "東"]
LIMIT = 24


@pytest.fixture(scope="session")
def tiny_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A sentence-transformers folder with a random BERT: mean pooling, no normalisation, prompts, 24 tokens at most."""
    folder = tmp_path_factory.mktemp("encoders") / "tiny"
    save(folder, tmp_path_factory.mktemp("bert"), "mean", prompts={"query": "query: ", "document": "passage: "})
    return folder


@pytest.fixture(scope="session")
def dense_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same with the first token's and the largest values joined, a dense layer to 12 dimensions, and no prompts."""
    folder = tmp_path_factory.mktemp("encoders") / "dense"
    save(folder, tmp_path_factory.mktemp("bert"), ("cls", "max"), dense=12)
    return folder


def save(folder: Path, workshop: Path, pooling: Any, *, dense: int = 0, prompts: Any = None) -> None:
    import torch
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.base.modules import Dense, Normalize, Transformer
    from sentence_transformers.sentence_transformer.modules import Pooling
    from transformers import BertConfig, BertModel, BertTokenizerFast

    torch.manual_seed(0)
    config = BertConfig(
        vocab_size=len(WORDS),
        hidden_size=32,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=64,
        max_position_embeddings=64,
        initializer_range=0.2,
    )
    (workshop / "vocab.txt").write_text("\n".join(WORDS), encoding="utf-8")
    BertModel(config).save_pretrained(workshop)
    BertTokenizerFast(str(workshop / "vocab.txt")).save_pretrained(workshop)
    transformer = Transformer(str(workshop), max_seq_length=LIMIT)
    modules: list[Any] = [transformer, Pooling(32, pooling_mode=pooling)]
    if dense:
        width = 32 * (1 if isinstance(pooling, str) else len(pooling))
        modules += [Dense(width, dense), Normalize()]
    SentenceTransformer(modules=modules, prompts=prompts, device="cpu").save(str(folder))
