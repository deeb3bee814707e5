from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
import torch

from generators.citations.measuring import FINALISTS, Checks, Pairs, measure
from indexes.passage import Document, Passage
from retrievers.evidence import Evidence
from tests.fakes import WordEncoder
from tests.generators.scripted import ScriptedModel

QUESTION = "Where was the author of The Red Lantern born?"
TEXTS = (
    ("Station", "The station serves many trains to Vienna."),
    ("The Red Lantern", "The Red Lantern is a novel by Ada Quill. It was printed in 1954."),
    ("Ada Quill", "Ada Quill is a novelist. She was born in Trieste."),
    ("Lanterns", "A red lantern is a lamp with a handle."),
    ("Ports", "Trieste is a port where many were born."),
)
EVIDENCE = tuple(
    Evidence(number, Passage.of(Document(text, title=title, whole=True), 0, len(text)), "e", 0.9)
    for number, (title, text) in enumerate(TEXTS, start=1)
)
CLAIM = "Ada Quill, the author of The Red Lantern, was born in Trieste."
TOKENS = [ord(c) for c in CLAIM]


PLAIN = Checks()


def measured(model: ScriptedModel | None, checks: Checks = PLAIN, tokens: Sequence[int] = TOKENS) -> Pairs:
    rows = [list(range(len(tokens)))]
    return measure(model, QUESTION, EVIDENCE, [CLAIM], tokens, rows, checks)[0]


def test_without_a_model_only_words_and_cosines_judge() -> None:
    for checks in (Checks(), Checks(WordEncoder().encode_passages)):
        pair = measured(None, checks)
        assert np.isnan(pair.hold).all()
        assert pair.threshold == pair.cheap.threshold
        assert set(np.argsort(-pair.probabilities)[:2]) == {1, 2}


def test_cosines_are_columns_of_their_own() -> None:
    with_cosines, without = measured(None, Checks(WordEncoder().encode_passages)), measured(None)
    assert with_cosines.features.shape[1] > without.features.shape[1]


def test_only_finalists_are_read_by_the_language_model() -> None:
    model = ScriptedModel("")
    pair = measured(model, Checks(doubt=(1.0, 0.0)))
    assert 1 <= len(pair.finalists) <= FINALISTS
    assert sorted(np.flatnonzero(np.isfinite(pair.hold))) == sorted(pair.finalists)
    assert len(model.scored) == 1
    assert len(model.scored[0]) == len(pair.finalists) + 1
    assert (pair.probabilities[np.isnan(pair.hold)] == 0).all()


def test_leave_one_out_is_for_those_in_doubt() -> None:
    nobody, everybody = ScriptedModel(""), ScriptedModel("")
    assert np.isnan(measured(nobody, Checks(doubt=(1.0, 0.0))).drop).all()
    pair = measured(everybody, Checks(doubt=(0.0, 1.0)))
    assert sorted(np.flatnonzero(np.isfinite(pair.drop))) == sorted(pair.finalists)
    assert len(everybody.scored) == 2


def test_a_text_without_tokens_is_not_contrasted() -> None:
    model = ScriptedModel("")
    assert np.isnan(measured(model, tokens=[]).hold).all()
    assert model.scored == []


class Biased(ScriptedModel):
    """Finds the answer likelier only where a certain word stands in the prompt."""

    def __init__(self, word: str) -> None:
        super().__init__("")
        self.word = word

    def log_probs(self, prompts: Sequence[Sequence[int]], continuation: Sequence[int]) -> np.ndarray:
        likely = [3.0 if self.word in self.decode(prompt) else 0.0 for prompt in prompts]
        return np.repeat(np.array(likely, dtype=np.float32)[:, None], len(continuation), axis=1)


@pytest.mark.parametrize("doubt", [(1.0, 0.0), (0.0, 1.0)])
def test_a_passage_that_raises_the_sentence_becomes_more_probable(doubt: tuple[float, float]) -> None:
    author, novel = (measured(Biased(word), Checks(doubt=doubt)) for word in ("novelist", "printed"))
    assert author.probabilities[2] > novel.probabilities[2]
    assert novel.probabilities[1] > author.probabilities[1]


class Frank(ScriptedModel):
    """Can be asked for its own word, and says yes of the passage about the author only."""

    def encode(self, text: str) -> list[int]:
        return [ord(text[0])]

    def prefill(self, rows: Sequence[Sequence[int]]) -> Any:
        state = super().prefill([rows[0]])
        state.logits = torch.zeros((len(rows), 256))
        for number, row in enumerate(rows):
            word = "Y" if "novelist" in self.decode(row) else "N"
            state.logits[number, ord(word)] = 4.0
        return state


def test_the_own_word_is_asked_of_those_in_doubt() -> None:
    pair = measured(Frank(""), Checks(doubt=(0.0, 1.0)))
    assert pair.own[2] == 4.0
    assert all(pair.own[i] == (-4.0 if i in pair.finalists else 0.0) for i in (0, 1, 3, 4))
    assert (measured(Frank(""), Checks(doubt=(1.0, 0.0))).own == 0).all()
