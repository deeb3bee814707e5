from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from generators.citations.entailment import EntailmentModel
from indexes.errors import MissingModelError
from tests.tiny import SPECIAL, WORDS

LABELS = ("contradiction", "entailment", "neutral")


def save_classifier(folder: Path, labels: tuple[str, ...]) -> Path:
    """A random BERT that classifies pairs of texts."""
    import torch
    from transformers import BertConfig, BertForSequenceClassification, BertTokenizerFast

    folder.mkdir(parents=True)
    (folder / "vocab.txt").write_text("\n".join([*SPECIAL, *WORDS]), encoding="utf-8")
    BertTokenizerFast(str(folder / "vocab.txt"), model_max_length=32).save_pretrained(folder)
    torch.manual_seed(0)
    config = BertConfig(
        vocab_size=len(SPECIAL) + len(WORDS),
        hidden_size=16,
        num_hidden_layers=1,
        num_attention_heads=2,
        intermediate_size=32,
        max_position_embeddings=32,
        id2label=dict(enumerate(labels)),
        label2id={label: number for number, label in enumerate(labels)},
        initializer_range=0.5,
    )
    BertForSequenceClassification(config).save_pretrained(folder)
    return folder


@pytest.fixture(scope="module")
def classifier(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_classifier(tmp_path_factory.mktemp("nli") / "tiny", LABELS)


def test_the_probability_is_that_of_the_output_named_entailment(classifier: Path) -> None:
    import torch
    from transformers import AutoModelForSequenceClassification, AutoTokenizer

    found = EntailmentModel(classifier).probabilities(["the apple is red"], ["the apple is old"])
    tokenizer = AutoTokenizer.from_pretrained(classifier)
    model = AutoModelForSequenceClassification.from_pretrained(classifier).eval()
    with torch.inference_mode():
        logits = model(**tokenizer("the apple is red", "the apple is old", return_tensors="pt")).logits[0]
    assert found[0] == pytest.approx(float(logits.softmax(0)[1]), abs=1e-5)


def test_pairs_do_not_depend_on_their_batch(classifier: Path) -> None:
    premises = ["the red apple tree", "the moon", "oil of the diesel engine"]
    hypotheses = ["apple", "the ring of a planet", "engine"]
    one = EntailmentModel(classifier, batch_size=1).probabilities(premises, hypotheses)
    all_at_once = EntailmentModel(classifier, batch_size=8).probabilities(premises, hypotheses)
    np.testing.assert_allclose(one, all_at_once, atol=1e-5)


def test_a_long_premise_is_cut_and_the_hypothesis_kept(classifier: Path) -> None:
    model = EntailmentModel(classifier)
    long = "the red apple " * 50
    first, second = model.probabilities([long, long], ["the moon", "diesel engine"])
    assert first != second


def test_no_pairs_load_no_model(tmp_path: Path) -> None:
    assert EntailmentModel(tmp_path / "absent").probabilities([], []).shape == (0,)


def test_a_model_without_an_entailment_label_is_refused(tmp_path: Path) -> None:
    folder = save_classifier(tmp_path / "moods", ("happy", "sad"))
    with pytest.raises(MissingModelError, match="happy, sad"):
        EntailmentModel(folder).probabilities(["apple"], ["pear"])


def test_a_missing_folder_is_named(tmp_path: Path) -> None:
    with pytest.raises(MissingModelError, match="absent"):
        EntailmentModel(tmp_path / "absent").probabilities(["apple"], ["pear"])
