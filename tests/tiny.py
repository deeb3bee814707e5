"""A sentence-transformers model of a few thousand weights, made on the spot, for tests in which weights must be real."""

from __future__ import annotations

from pathlib import Path

WORDS = [
    "apple",
    "pear",
    "plum",
    "cherry",
    "quince",
    "tree",
    "ladder",
    "orchard",
    "blossom",
    "fruit",
    "engine",
    "piston",
    "valve",
    "turbine",
    "crankshaft",
    "diesel",
    "oil",
    "spark",
    "moon",
    "planet",
    "ring",
    "comet",
    "star",
    "orbit",
    "telescope",
    "who",
    "what",
    "when",
    "where",
    "why",
    "how",
    "is",
    "are",
    "the",
    "a",
    "of",
    "in",
    "it",
    "does",
    "red",
    "old",
]
SPECIAL = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]


def make_tiny_model(folder: Path, *, hidden: int = 16, layers: int = 2, seed: int = 0, prompt: str = "") -> Path:
    """A random BERT with mean pooling in ``folder``; ``prompt`` is put before questions."""
    import torch
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.sentence_transformer.modules import Pooling, Transformer
    from transformers import BertConfig, BertModel, BertTokenizerFast

    bare = folder.with_name(folder.name + "-bare")
    bare.mkdir(parents=True)
    (bare / "vocab.txt").write_text("\n".join([*SPECIAL, *WORDS]), encoding="utf-8")
    config = BertConfig(
        vocab_size=len(SPECIAL) + len(WORDS),
        hidden_size=hidden,
        num_hidden_layers=layers,
        num_attention_heads=2,
        intermediate_size=2 * hidden,
        max_position_embeddings=64,
        initializer_range=0.2,
    )
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        BertModel(config).save_pretrained(bare)
    BertTokenizerFast(str(bare / "vocab.txt")).save_pretrained(bare)
    body = Transformer(str(bare), max_seq_length=32)
    model = SentenceTransformer(
        modules=[body, Pooling(hidden)], prompts={"query": prompt, "document": ""} if prompt else None, device="cpu"
    )
    model.save(str(folder))
    return folder
