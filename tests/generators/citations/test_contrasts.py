from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from generators import prompts
from generators.citations.contrasts import drop, hold, per_sentence, yes_no
from generators.models.language_model import LocalModel
from indexes.passage import Document, Passage
from retrievers.evidence import Evidence

TEXTS = ("Figs are green.", "Plums are blue.", "Pears are long.")
EVIDENCE = tuple(
    Evidence(number, Passage.of(Document(text), 0, len(text)), "e", 0.9) for number, text in enumerate(TEXTS, start=1)
)
QUESTION = "Which?"


@pytest.fixture(scope="module")
def model(tiny_folder: Path) -> LocalModel:
    return LocalModel(tiny_folder, dtype="float32")


class Wide:
    """A model whose prompts are cut to what the tiny model can read."""

    def __init__(self, model: LocalModel) -> None:
        self.model = model

    def chat_tokens(self, messages: prompts.Messages) -> list[int]:
        return self.model.encode(messages[1]["content"])

    def encode(self, text: str) -> list[int]:
        return self.model.encode(text)

    def log_probs(self, rows: list[list[int]], tokens: list[int]) -> np.ndarray:
        return self.model.log_probs(rows, tokens)

    def prefill(self, rows: list[list[int]]) -> object:
        return self.model.prefill(rows)


def test_hold_is_the_passage_alone_against_nothing(model: LocalModel) -> None:
    wide, tokens = Wide(model), model.encode("blue")
    found = hold(wide, QUESTION, EVIDENCE, tokens)
    assert found.shape == (3, len(tokens))
    alone = model.log_probs([wide.chat_tokens(prompts.with_sources(QUESTION, [EVIDENCE[1]]))], tokens)
    nothing = model.log_probs([wide.chat_tokens(prompts.without_sources(QUESTION))], tokens)
    np.testing.assert_allclose(found[1], (alone - nothing)[0], atol=1e-4)


def test_drop_is_all_passages_against_all_but_one_with_the_finalists_last(model: LocalModel) -> None:
    wide, tokens = Wide(model), model.encode("blue")
    found = drop(wide, QUESTION, EVIDENCE, [0, 1], tokens)
    figs, plums, pears = EVIDENCE
    whole, without_figs, without_plums = (
        model.log_probs([wide.chat_tokens(prompts.with_sources(QUESTION, items))], tokens)[0]
        for items in ([pears, figs, plums], [pears, plums], [pears, figs])
    )
    np.testing.assert_allclose(found, [whole - without_figs, whole - without_plums], atol=1e-4)


def test_dropping_the_only_passage_compares_with_nothing(model: LocalModel) -> None:
    wide, tokens = Wide(model), model.encode("green")
    np.testing.assert_allclose(
        drop(wide, QUESTION, EVIDENCE[:1], [0], tokens), hold(wide, QUESTION, EVIDENCE[:1], tokens), atol=1e-4
    )


def test_the_own_word_is_the_difference_of_the_two_log_probabilities(model: LocalModel) -> None:
    wide = Wide(model)
    found = yes_no(wide, QUESTION, "Plums are blue.", EVIDENCE[:2])
    row = wide.chat_tokens(prompts.does_it_support(QUESTION, "Plums are blue.", EVIDENCE[1]))
    yes, no = (model.log_probs([row], model.encode(word)[:1])[0, 0] for word in ("Yes", "No"))
    assert found[1] == pytest.approx(yes - no, abs=1e-3)
    assert yes_no(wide, QUESTION, "Plums are blue.", []).shape == (0,)


def test_gains_are_averaged_over_the_tokens_of_each_sentence() -> None:
    gains = np.array([[1.0, 3.0, 5.0], [0.0, 0.0, 6.0]], dtype=np.float32)
    np.testing.assert_allclose(per_sentence(gains, [[0, 1], [2], []]), [[2.0, 5.0, 0.0], [0.0, 6.0, 0.0]])
