"""A language model that answers each prompt by the words that the prompt holds."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import torch

from indexes.passage import Document, Passage
from retrievers.evidence import Evidence

END = 0
SURE = 12.0


class Speaker:
    """Says the value of the first key that stands in the prompt, else "not stated". A character is a token.

    Parameters
    ----------
    says
        Words of a prompt to the answer.
    unsure
        Answers whose tokens are hardly more probable than others.
    """

    name = "speaker"
    window = 4000
    eos_ids = frozenset({END})

    def __init__(self, says: Mapping[str, str], unsure: Sequence[str] = ()) -> None:
        self.says = says
        self.unsure = unsure
        self.prompts: list[str] = []

    def chat_tokens(self, messages: Sequence[Mapping[str, str]]) -> list[int]:
        self.prompts.append("\n".join(message["content"] for message in messages))
        return [ord(c) for c in self.prompts[-1]]

    def decode(self, tokens: Sequence[int]) -> str:
        return "".join(chr(t) for t in tokens if t != END)

    def prefill(self, rows: Sequence[Sequence[int]]) -> Any:
        texts = [self.decode(row) for row in rows]
        answers = [next((said for key, said in self.says.items() if key in text), "not stated") for text in texts]
        return _State(answers, self.unsure)

    def advance(self, state: Any, tokens: Sequence[int]) -> torch.Tensor:
        assert len(tokens) == len(state.answers)
        state.position += 1
        return state.logits


class _State:
    def __init__(self, answers: list[str], unsure: Sequence[str]) -> None:
        self.answers = answers
        self.unsure = unsure
        self.position = 0

    @property
    def logits(self) -> torch.Tensor:
        logits = torch.zeros((len(self.answers), 0x2100))
        for row, answer in enumerate(self.answers):
            token = ord(answer[self.position]) if self.position < len(answer) else END
            logits[row, token] = 1.0 if answer in self.unsure else SURE
        return logits

    def select(self, rows: Sequence[int]) -> None:
        self.answers = [self.answers[row] for row in rows]


def log_probability(height: float) -> float:
    """Of a token whose logit is ``height`` among zeros."""
    return height - math.log(math.exp(height) + 0x2100 - 1)


def found(number: int, text: str, heading: str = "", *, date: str = "", probability: float = 0.9) -> Evidence:
    """Evidence with a passage of its own document."""
    document = Document(text, title=heading, date=date)
    return Evidence(number, Passage.of(document, 0, len(text)), f"expert{number}", probability)
