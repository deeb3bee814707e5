"""What thumbs teach a retriever: pairs of a question and a passage that answers it, as ``symposia train --data`` reads them.

A thumb up says that the answer was good, and each of its supported sentences was checked to rest on the passages that it cites:
these are relevant to the question. It is the question as it was understood, since that is what was searched for. Passages
that were found and not cited may be relevant all the same, so nothing is said of them.

A thumb down gives no pair. The answer may be wrong because the passages were, or the writing, or because the documents hold no
better; which of them, the thumb does not tell, and training on wrong negatives does harm. It only withdraws: where the same
question and passage also stand behind an answer that was found unhelpful, the pair is left out.

An answer from memory, an abstention and a sentence that failed its check cite nothing and give no pair, whatever the thumb.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from app.conversations.store import StoredTurn
    from generators.answer import Answer
    from retrievers.evidence import Evidence


@dataclass(frozen=True, slots=True)
class Pair:
    """A passage that is relevant to a question.

    Parameters
    ----------
    expert
        In whose slice the passage lies.
    """

    question: str
    passage_id: str
    expert: str

    def to_dict(self) -> dict[str, Any]:
        """One line of the file: what training reads, and the expert for people."""
        return {"question": self.question, "passage_id": self.passage_id, "grade": 1, "expert": self.expert}


@dataclass(frozen=True, slots=True)
class Taught:
    """What all thumbs together teach.

    Parameters
    ----------
    pairs
        In the order in which they were first praised, each once.
    up, down
        Thumbs that were read.
    silent
        Thumbs up for answers that cite nothing, of any expert.
    withdrawn
        Pairs left out because a thumb down stands against them.
    """

    pairs: tuple[Pair, ...]
    up: int
    down: int
    silent: int
    withdrawn: int

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON types."""
        counts = {name: getattr(self, name) for name in ("up", "down", "silent", "withdrawn")}
        return {"pairs": [pair.to_dict() for pair in self.pairs], **counts}


def taught(turns: Iterable[StoredTurn], expert: str = "") -> Taught:
    """The pairs of judged turns; of one expert alone where one is named."""
    praised, blamed = dict[Pair, None](), set[Pair]()
    up = down = silent = 0
    for turn in turns:
        found = list(_pairs(turn.answer))
        pairs = [pair for pair in found if expert in ("", pair.expert)]
        if turn.helpful:
            up += 1
            silent += not found
            praised |= dict.fromkeys(pairs)
        elif turn.helpful is not None:
            down += 1
            blamed |= set(pairs)
    kept = tuple(pair for pair in praised if pair not in blamed)
    return Taught(kept, up, down, silent, len(praised) - len(kept))


def _pairs(answer: Answer) -> Iterator[Pair]:
    question = " ".join(answer.question.split())
    return (Pair(question, item.passage.id, item.expert) for item in _supporting(answer) if question)


def _supporting(answer: Answer) -> Iterator[Evidence]:
    """What the supported sentences, or the sides of a conflict, rest on."""
    numbers = {c.number for claim in answer.claims if claim.status == "supported" for c in claim.citations}
    if answer.conflict is not None:
        numbers |= {c.number for side in answer.conflict.sides for c in side.citations}
    return (item for item in answer.evidence if item.number in numbers)
