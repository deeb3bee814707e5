from __future__ import annotations

import math
from pathlib import Path

import pytest
import torch

from generators import prompts
from generators.models.language_model import LocalModel
from generators.verdicts.sufficiency import prompt, sufficiency, yes_over_no
from indexes.passage import Document, Passage
from retrievers.evidence import Evidence

TEXT = "The lake is 40 m deep."
EVIDENCE = (Evidence(1, Passage.of(Document(TEXT), 0, len(TEXT)), "lakes", 0.9),)
QUESTION = "How deep is the lake?"


class Words:
    """Whole words are tokens: 0 is yes, 1 is no."""

    def encode(self, text: str) -> list[int]:
        return [0 if "yes" in text.lower() else 1]


@pytest.mark.parametrize(("yes", "no", "odds"), [(2.0, 0.5, 1.5), (0.0, 3.0, -3.0), (1.0, 1.0, 0.0)])
def test_the_odds_are_those_of_the_two_words(yes: float, no: float, odds: float) -> None:
    assert yes_over_no(Words(), torch.tensor([yes, no, 9.0])) == pytest.approx(odds)  # type: ignore[arg-type]


def test_the_prompt_begins_as_that_of_the_answer_does() -> None:
    answer, asked = prompts.with_sources(QUESTION, EVIDENCE), prompts.sufficiency(QUESTION, EVIDENCE)
    assert asked[0] == answer[0]
    assert asked[1]["content"].startswith(answer[1]["content"])
    assert asked[1]["content"].endswith("Reply with Yes or No only.")


def test_a_model_gives_the_same_odds_alone_as_beside_the_answer(tiny_folder: Path) -> None:
    model = LocalModel(tiny_folder, "float32")
    alone = sufficiency(model, QUESTION, EVIDENCE)
    answer = model.chat_tokens(prompts.with_sources(QUESTION, EVIDENCE))
    state = model.prefill([answer, prompt(model, QUESTION, EVIDENCE)])
    assert alone == pytest.approx(yes_over_no(model, state.logits[1]), abs=1e-4)
    assert alone != pytest.approx(yes_over_no(model, state.logits[0]), abs=1e-4)


def test_without_evidence_nothing_is_asked() -> None:
    assert math.isnan(sufficiency(Words(), QUESTION, ()))  # type: ignore[arg-type]
