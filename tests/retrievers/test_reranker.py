from __future__ import annotations

import json
import shutil
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from indexes.errors import InputError, MissingModelError
from retrievers.reranker import CrossEncoderReranker, Hit, rerank
from tests.tiny import SPECIAL, WORDS

HITS: list[Hit] = [
    ("d", "the old tree", 0.9),
    ("c", "a red apple", 0.8),
    ("b", "an apple and a pear", 0.7),
    ("a", "a diesel engine", 0.6),
]


class WordsInCommon:
    """Scores are the number of words that the passage shares with the question, less one."""

    def scores(self, question: str, texts: Sequence[str]) -> np.ndarray:
        words = set(question.split())
        return np.float32([len(words & set(text.split())) - 1 for text in texts])


class Fixed:
    def __init__(self, *scores: float) -> None:
        self.given = np.float32(scores)

    def scores(self, question: str, texts: Sequence[str]) -> np.ndarray:
        return self.given


def test_hits_go_by_their_new_score_and_then_by_id() -> None:
    reranked = rerank(WordsInCommon(), "apple pear", HITS)
    assert reranked == [
        ("b", "an apple and a pear", 1.0),
        ("c", "a red apple", 0.0),
        ("a", "a diesel engine", -1.0),
        ("d", "the old tree", -1.0),
    ]
    assert rerank(WordsInCommon(), "apple pear", HITS[::-1]) == reranked


def test_no_hits_ask_no_reranker() -> None:
    assert rerank(Fixed(1.0), "apple", []) == []


@pytest.mark.parametrize("scores", [(1, 2, 3), (1, 2, 3, np.nan), (1, 2, 3, np.inf)])
def test_scores_that_cannot_be_ranked_are_an_input_error(scores: tuple[float, ...]) -> None:
    with pytest.raises(InputError, match="for 4 passages"):
        rerank(Fixed(*scores), "apple", HITS)


def test_nothing_is_loaded_before_there_is_something_to_score(tmp_path: Path) -> None:
    reranker = CrossEncoderReranker(tmp_path / "gone")
    assert reranker.scores("apple", []).shape == (0,)
    with pytest.raises(MissingModelError, match="gone does not exist"):
        reranker.scores("apple", ["pear"])


@pytest.mark.parametrize("config", [None, "no json", '{"architectures": ["BertModel"]}', '{"architectures": null}'])
def test_a_folder_without_a_cross_encoder_is_refused(tmp_path: Path, config: str | None) -> None:
    if config is not None:
        (tmp_path / "config.json").write_text(config)
    with pytest.raises(MissingModelError, match="holds no cross-encoder"):
        CrossEncoderReranker(tmp_path).scores("apple", ["pear"])


@pytest.fixture(scope="module")
def bare(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A random BERT with one output, as transformers saves it."""
    return make_cross_encoder(tmp_path_factory.mktemp("bare"), outputs=1)


def make_cross_encoder(folder: Path, outputs: int) -> Path:
    import torch
    from transformers import BertConfig, BertForSequenceClassification, BertTokenizerFast

    (folder / "vocab.txt").write_text("\n".join([*SPECIAL, *WORDS]), encoding="utf-8")
    config = BertConfig(
        vocab_size=len(SPECIAL) + len(WORDS),
        hidden_size=16,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=32,
        max_position_embeddings=64,
        initializer_range=0.5,
        num_labels=outputs,
    )
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        BertForSequenceClassification(config).save_pretrained(folder)
    BertTokenizerFast(str(folder / "vocab.txt"), model_max_length=64).save_pretrained(folder)
    return folder


def by_transformers(folder: Path, question: str, texts: Sequence[str]) -> np.ndarray:
    import torch
    from transformers import AutoModelForSequenceClassification, AutoTokenizer

    model = AutoModelForSequenceClassification.from_pretrained(folder).eval()
    tokenizer: Any = AutoTokenizer.from_pretrained(folder)
    with torch.no_grad():
        logits = [model(**tokenizer(question, text, return_tensors="pt")).logits[0, 0].item() for text in texts]
    return np.float32(logits)


@pytest.mark.slow
def test_scores_are_the_models_logits_in_the_order_of_the_texts(bare: Path) -> None:
    texts = ["a red apple", "the old tree is in the orchard", "engine", "a moon of a planet", "oil"]
    wanted = by_transformers(bare, "what is an apple", texts)
    assert np.ptp(wanted) > 0.01
    assert (np.abs(wanted) < 20).all()
    scores = CrossEncoderReranker(bare, batch_size=2).scores("what is an apple", texts)
    assert scores.dtype == np.float32
    np.testing.assert_allclose(scores, wanted, atol=1e-4)
    reranked = rerank(CrossEncoderReranker(bare), "what is an apple", [(str(i), t, 0.0) for i, t in enumerate(texts)])
    assert [int(passage) for passage, _, _ in reranked] == np.argsort(-wanted).tolist()


@pytest.mark.slow
@pytest.mark.parametrize("activation", ["torch.nn.modules.activation.Sigmoid", "torch.nn.modules.linear.Identity"])
def test_what_sentence_transformers_saved_gives_log_odds_whatever_its_activation(
    bare: Path, tmp_path: Path, activation: str
) -> None:
    from sentence_transformers import CrossEncoder

    CrossEncoder(str(bare), device="cpu").save_pretrained(str(tmp_path))
    config = json.loads((tmp_path / "config.json").read_text())
    config["sentence_transformers"] = {"activation_fn": activation}
    (tmp_path / "config.json").write_text(json.dumps(config))
    texts = ["a red apple", "engine"]
    scores = CrossEncoderReranker(tmp_path).scores("pear", texts)
    np.testing.assert_allclose(scores, by_transformers(bare, "pear", texts), atol=1e-4)


@pytest.mark.slow
def test_several_threads_get_the_scores_of_one(bare: Path) -> None:
    reranker = CrossEncoderReranker(bare)
    texts = ["a red apple", "the old tree", "engine"]
    results: list[np.ndarray] = []
    threads = [threading.Thread(target=lambda: results.append(reranker.scores("pear", texts))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(results) == 4
    for scores in results:
        np.testing.assert_allclose(scores, by_transformers(bare, "pear", texts), atol=1e-4)


@pytest.mark.slow
def test_damaged_weights_and_several_outputs_are_refused(bare: Path, tmp_path: Path) -> None:
    damaged = tmp_path / "damaged"
    shutil.copytree(bare, damaged)
    (damaged / "model.safetensors").write_bytes((damaged / "model.safetensors").read_bytes()[:100])
    with pytest.raises(MissingModelError, match="cannot be loaded"):
        CrossEncoderReranker(damaged).scores("apple", ["pear"])
    (tmp_path / "three").mkdir()
    with pytest.raises(MissingModelError, match="has 3 outputs"):
        CrossEncoderReranker(make_cross_encoder(tmp_path / "three", outputs=3)).scores("apple", ["pear"])
