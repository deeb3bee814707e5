"""A language model that answers with what the first source says, so that an answer tells which question it belongs to."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Callable, Sequence
from typing import Any

import torch

from tests.generators.scripted import END, ScriptedModel, _State

MEMORY = "I do not remember."

_FIRST = re.compile(r"\[1\] [^\n]*\n(.+?)\n\n", re.DOTALL)


class ReadingModel(ScriptedModel):
    """See the module.

    Parameters
    ----------
    delay
        Seconds for a token. A character is a token.
    """

    name = "reading"

    def __init__(self, delay: float = 0.0) -> None:
        super().__init__(MEMORY)
        self.delay = delay
        self.tokens = 0
        self.at_once = 0
        self.most_at_once = 0
        self.loaded = False
        self.on_token: Callable[[int], None] = lambda _: None
        self._lock = threading.Lock()

    def load(self) -> None:
        self.loaded = True

    def chat_tokens(self, messages: Sequence[dict[str, str]]) -> list[int]:
        text = "\n".join(message["content"] for message in messages)
        return [min(ord(c), 0x20FF) for c in text]

    def prefill(self, rows: Sequence[Sequence[int]]) -> Any:
        scripts = [answer_to(self.decode(row)) for row in rows]
        state = _State(self._said(scripts, 0))
        state.scripts = scripts  # type: ignore[attr-defined]
        return state

    def prefill_apart(self, rows: Sequence[Sequence[int]]) -> list[Any]:
        return [self.prefill([row]) for row in rows]

    def advance(self, state: Any, tokens: Sequence[int]) -> Any:
        with self._lock:
            self.at_once += 1
            self.most_at_once = max(self.most_at_once, self.at_once)
        self.tokens += 1
        self.on_token(self.tokens)
        time.sleep(self.delay)
        state.position += 1
        state.logits = self._said(state.scripts, state.position)
        with self._lock:
            self.at_once -= 1
        return state.logits

    def _said(self, scripts: Sequence[str], position: int) -> torch.Tensor:
        logits = torch.full((len(scripts), 0x2100), -10.0)
        for row, script in zip(logits, scripts, strict=True):
            row[ord(script[position]) if position < len(script) else END] = 10.0
        return logits


def answer_to(prompt: str) -> str:
    """The first source's text, or the same for every prompt without sources."""
    found = _FIRST.search(prompt)
    return found[1] if found else MEMORY
