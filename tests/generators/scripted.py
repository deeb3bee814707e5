"""A language model that says what it is told to, and finds it likelier behind prompts that hold its words."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch

END = 0


class ScriptedModel:
    """Speaks ``script`` character by character. A character is a token."""

    name = "scripted"
    window = 20_000
    eos_ids = frozenset({END})

    def __init__(self, script: str, memory: str = "") -> None:
        self.script = script
        self.memory = memory or script
        self.prompts: list[str] = []
        self.scored: list[list[str]] = []

    def load(self) -> None:
        """Nothing to load."""

    def chat_tokens(self, messages: Sequence[dict[str, str]]) -> list[int]:
        text = "\n".join(message["content"] for message in messages)
        self.prompts.append(text)
        return [ord(c) for c in text]

    def decode(self, tokens: Sequence[int]) -> str:
        return "".join(chr(t) for t in tokens if t != END)

    def prefill(self, rows: Sequence[Sequence[int]]) -> Any:
        return _State(self._logits(len(rows), 0))

    def advance(self, state: Any, tokens: Sequence[int]) -> torch.Tensor:
        state.position += 1
        state.logits = self._logits(len(tokens), state.position)
        return state.logits

    def log_probs(self, prompts: Sequence[Sequence[int]], continuation: Sequence[int]) -> np.ndarray:
        texts = [self.decode(prompt) for prompt in prompts]
        self.scored.append(texts)
        said = self.decode(continuation).lower().strip(". ").split()
        share = [sum(word in text.lower() for word in said) / max(1, len(said)) for text in texts]
        return np.array([[value - 2.0] * len(continuation) for value in share], dtype=np.float32)

    def _logits(self, rows: int, position: int) -> torch.Tensor:
        logits = torch.full((rows, 0x2100), -10.0)
        for row, text in zip(range(rows), (self.script, self.memory), strict=False):
            logits[row, ord(text[position]) if position < len(text) else END] = 10.0
        return logits


class _State:
    def __init__(self, logits: torch.Tensor) -> None:
        self.logits = logits
        self.position = 0
