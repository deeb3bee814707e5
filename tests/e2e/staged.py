"""The chat with a language model that reads aloud: all else is real. ``python -m tests.e2e.staged PORT``.

What it says is the sentence of its sources that shares most words with the question, so that what the page shows does not
hang on what a small model happens to write. A question with the word "slowly" is answered slowly.
"""

from __future__ import annotations

import re
import sys
import time
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from app.cli.chat import streamlit_command

END = 0
LONGEST = 115  # characters: an answer has at most 120 tokens
PRICE = re.compile(r"\d+ crowns")
REMEMBERED = {"Solvik ferry": "The ferry to Solvik costs 20 crowns."}
"""What it believes without sources, by words of the question."""


class Reader:
    """A language model; a character is a token."""

    name = "reader"
    window = 20_000
    eos_ids = frozenset({END})

    def load(self) -> None:
        """Nothing to load."""

    def chat_tokens(self, messages: Sequence[Mapping[str, str]]) -> list[int]:
        return [ord(c) for c in "\n".join(message["content"] for message in messages)]

    def decode(self, tokens: Sequence[int]) -> str:
        return "".join(chr(t) for t in tokens if t != END)

    def prefill(self, rows: Sequence[Sequence[int]]) -> Any:
        return _State([self.decode(row) for row in rows])

    def prefill_apart(self, rows: Sequence[Sequence[int]]) -> list[Any]:
        return [self.prefill([row]) for row in rows]

    def advance(self, state: Any, tokens: Sequence[int]) -> Any:
        time.sleep(state.delay)
        state.position += 1
        return state.logits

    def extend(self, state: Any, tokens: Sequence[int]) -> Any:
        import torch

        return torch.cat([self.advance(state, [token]) for token in tokens])

    def log_probs(self, prompts: Sequence[Sequence[int]], continuation: Sequence[int]) -> np.ndarray:
        texts = [self.decode(prompt).lower() for prompt in prompts]
        said = self.decode(continuation).lower().strip(". ").split()
        share = [sum(word in text for word in said) / max(1, len(said)) for text in texts]
        return np.array([[value - 2.0] * len(continuation) for value in share], dtype=np.float32)


class _State:
    def __init__(self, prompts: Sequence[str]) -> None:
        self.replies = [reply(prompt) for prompt in prompts]
        self.delay = 0.1 if any("slowly" in prompt for prompt in prompts) else 0.012  # a draft can be seen
        self.position = 0

    @property
    def logits(self) -> Any:
        import torch

        logits = torch.zeros((len(self.replies), 0x3000))
        for row, text in enumerate(self.replies):
            logits[row, ord(text[self.position]) % 0x3000 if self.position < len(text) else END] = 15.0
        return logits

    def select(self, rows: Sequence[int]) -> None:
        self.replies = [self.replies[row] for row in rows]


def reply(prompt: str) -> str:
    """What it says to a prompt."""
    if "You rewrite the last question" in prompt:
        return in_full(prompt)
    question = re.split(r"Question: ", prompt)[-1].splitlines()[0]
    if "\nSources:" in prompt:
        sources = prompt.partition("Sources:")[2].rpartition("\n\nQuestion: ")[0]
        return nearest(question, sources)
    if "\nPassage:" in prompt:
        found = PRICE.search(prompt.partition("Passage:")[2]) if "cost" in question else None
        return found.group() if found else "not stated"
    if "small talk" in prompt:
        return "Hello! Ask me anything about the documents."
    return next((said for words, said in REMEMBERED.items() if words in prompt), "I do not remember.")


def in_full(prompt: str) -> str:
    """The last question with what "it" stands for: the last thing of Solvik that was spoken of."""
    before, _, question = prompt.rpartition("Last question: ")
    thing = re.findall(r"Solvik \w+", before)[-1:] or [""]
    return re.sub(r"\bit\b", f"the {thing[0]}", question.splitlines()[0])


def nearest(question: str, sources: str) -> str:
    """The sentence that shares most of its long words with the question, the first of several."""
    wanted = {word for word in re.findall(r"\w+", question.lower()) if len(word) > 3}
    lines = [part.strip() for part in re.split(r"(?<=[.!?])\s+|\n+", sources) if len(part.split()) > 3]
    lines = [line for line in lines if not line.startswith("[") and len(line) <= LONGEST]
    return max(lines, key=lambda line: len(wanted & set(re.findall(r"\w+", line.lower()))), default="I cannot say.")


def main() -> None:
    """Run Streamlit in this process, where the model is in place."""
    from streamlit.web import cli

    from app import wiring

    wiring.language_model = lambda _: Reader()  # type: ignore[assignment, return-value]
    sys.argv = streamlit_command(int(sys.argv[1]))[2:]
    cli.main()


if __name__ == "__main__":
    main()
