"""What the answerer asks for text, and what it gets: one answer being written.

A writer puts as much evidence before the model as its window holds, best first, and can say what the model answers without
the sources. What only logits give, a writer for text alone lacks: its steps have no divergence, and ``scores`` is ``None``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from generators.citations.contrasts import Scores
from generators.decoding.decode import Step
from generators.prompts import Messages
from generators.remote.model import Usage
from retrievers.evidence import Evidence

Cancelled = Callable[[], bool]


class Limits(Protocol):
    """How answers are written (``generators.answerer.Options`` says it)."""

    @property
    def max_tokens(self) -> int:
        """Longest answer."""

    @property
    def temperature(self) -> float:
        """Of sampling; 0 takes the most probable token."""

    @property
    def seed(self) -> int:
        """Of sampling."""


@dataclass(frozen=True, slots=True)
class Writing:
    """One answer being written.

    Parameters
    ----------
    steps
        Draw them to have it written.
    memory
        What the model says without the sources, once the steps are drawn; empty where it was not asked, or was in vain.
    evidence
        What is put before the model; the rest did not fit its window.
    usage
        What it cost, once the steps are drawn.
    """

    steps: Iterator[Step]
    memory: Callable[[], str]
    evidence: tuple[Evidence, ...] = ()
    usage: Callable[[], Usage] = Usage


class Writer(Protocol):
    """What the answerer asks for text."""

    @property
    def name(self) -> str:
        """Name of the model, for people."""

    @property
    def policy(self) -> str:
        """Name of the decoding policy."""

    @property
    def scores(self) -> Scores | None:
        """What gives log-probabilities; ``None`` where there are none to be had."""

    def load(self) -> object:
        """Load the model, or ask whether it is there."""

    def from_sources(self, question: str, evidence: Sequence[Evidence], cancelled: Cancelled | None = None) -> Writing:
        """Answer from evidence, best first."""

    def from_memory(self, messages: Messages, cancelled: Cancelled | None = None) -> Writing:
        """Answer without evidence."""


LONG = 2_000
"""Characters from which a passage may be cut: three times what the splitter makes by default."""


def fitting(
    evidence: Sequence[Evidence], tokens: Callable[[Sequence[Evidence]], int], room: int
) -> tuple[Evidence, ...]:
    """As much of the evidence, from its beginning, as fits into ``room`` tokens with the rest of the prompt; at least one.

    Long passages are cut before others are left out, so that a document of one endless passage crowds out nobody. What is
    left of one is its beginning: offsets hold.
    """
    kept = list(evidence)
    while kept and tokens(kept) > room:
        longest = max(range(len(kept)), key=lambda i: len(kept[i].passage.text))
        text = kept[longest].passage.text
        if len(text) > LONG:
            passage = kept[longest].passage
            kept[longest] = replace(kept[longest], passage=replace(passage, text=text[: len(text) // 2].rstrip()))
        elif len(kept) > 1:
            kept.pop()
        else:
            break
    return tuple(kept)


def no_memory() -> str:
    """What memory says where it was not asked."""
    return ""
