"""The writer for a language model that is held here, and the choice of the writer that fits a model."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Protocol

from generators import prompts
from generators.citations.contrasts import Scores
from generators.decoding.decode import Decodable, Step, decode
from generators.decoding.drafts import Drafting
from generators.policies.base import Policy
from generators.policies.greedy import Greedy
from generators.prompts import Messages
from generators.remote.model import RemoteModel
from generators.remote.writer import RemoteWriter
from generators.writing.base import Cancelled, Limits, Writer, Writing, fitting, no_memory
from retrievers.evidence import Evidence


class LanguageModel(Decodable, Drafting, Scores, Protocol):
    """A language model held locally: it decodes, and it scores what was said."""

    @property
    def name(self) -> str:
        """Name for people."""

    def load(self) -> object:
        """Load the weights now rather than at first use."""


def writer_for(model: LanguageModel | RemoteModel, policy: Policy, limits: Limits) -> Writer:
    """The writer that fits the model. A server decodes by itself: of the policy, it heeds whether memory is to be asked."""
    if isinstance(model, RemoteModel):
        return RemoteWriter(model, limits, asks_memory=policy.needs_memory)
    return LocalWriter(model, policy, limits)


class LocalWriter:
    """Decodes with a model held here.

    Parameters
    ----------
    policy
        How the branches with and without evidence are combined.
    """

    def __init__(self, model: LanguageModel, policy: Policy, limits: Limits) -> None:
        self.model = model
        self._policy = policy
        self._limits = limits

    @property
    def name(self) -> str:
        """Name of the model, for people."""
        return self.model.name

    @property
    def policy(self) -> str:
        """Name of the decoding policy."""
        return self._policy.name

    @property
    def scores(self) -> Scores:
        """The model itself."""
        return self.model

    def load(self) -> object:
        """Load the weights."""
        return self.model.load()

    def from_sources(self, question: str, evidence: Sequence[Evidence], cancelled: Cancelled | None = None) -> Writing:
        """Decode with the policy; ``memory`` is decoded when it is asked for."""

        def tokens(kept: Sequence[Evidence]) -> int:
            return len(self.model.chat_tokens(prompts.with_sources(question, kept)))

        kept = fitting(evidence, tokens, self.model.window - self._limits.max_tokens)
        row = self.model.chat_tokens(prompts.with_sources(question, kept))
        alone = self.model.chat_tokens(prompts.without_sources(question))
        steps = self._decode(row, alone if self._policy.needs_memory else None, cancelled)
        return Writing(steps, lambda: "".join(step.text for step in self._decode(alone, None, cancelled)), kept)

    def from_memory(self, messages: Messages, cancelled: Cancelled | None = None) -> Writing:
        """Decode greedily: there is nothing to contrast with."""
        return Writing(self._decode(self.model.chat_tokens(messages), None, cancelled), no_memory)

    def _decode(self, row: Sequence[int], memory: Sequence[int] | None, cancelled: Cancelled | None) -> Iterator[Step]:
        return decode(
            self.model,
            row,
            memory,
            Greedy() if memory is None else self._policy,
            max_tokens=self._limits.max_tokens,
            temperature=self._limits.temperature,
            seed=self._limits.seed,
            cancelled=cancelled,
        )
