"""What each passage answers on its own: one short answer a passage, all written in one batch."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from generators import prompts
from generators.citations.support import names
from generators.conflicts.kinds import wanted_quantities
from generators.decoding.drafts import Drafting, drafts
from generators.numbers import held_numbers, said_numbers, spelled
from generators.sentences import sentences
from indexes.passage import Passage
from indexes.terms import terms
from retrievers.evidence import Evidence

MAX_TOKENS = 20
FEW_WORDS = 4
LEAST_REPEATED = 2  # words of the question that a sentence begins or ends with, if it repeats the question
_EDGES = " \t\r\n.,;:\"'“”‘’`*_"
_TOKEN = re.compile(r"\S+")
_YES_NO = re.compile(r"yes|no", re.IGNORECASE)
_CHOICE = re.compile(
    r"\bor\b|^(?:is|are|was|were|do|does|did|can|could|may|must|should|has|have|had|will)\b", re.IGNORECASE
)
_NOT_STATED = re.compile(
    r"(?:\bnot|n['’]t)\s+(?:\w+\s+)?(?:stated?|given|mention\w*|specif\w*|provid\w*|know\w*|say)\b|^unknown$",
    re.IGNORECASE,
)


class Asked(Drafting, Protocol):
    """What is asked of a language model here (``generators.models.language_model.LocalModel`` is one)."""

    def chat_tokens(self, messages: prompts.Messages) -> list[int]:
        """Tokens of a chat prompt, up to where the reply begins."""


@dataclass(frozen=True, slots=True)
class PassageAnswer:
    """The answer that one passage gives.

    Parameters
    ----------
    number
        The evidence's number.
    text
        A few words; empty where the model says that the passage does not state it.
    log_prob
        Of its least probable token, in nats: how sure the model is that this is what the passage says.
    support
        Share of its words that the passage in fact holds, 0 to 1; 0 where it holds none of them, or where the answer has a
        number or a name that neither the passage nor the question has.
    near
        Share of the question's words that stand in that sentence or the passage's heading, 0 to 1.
    start, end
        The sentence of the passage's text that says it.
    """

    number: int
    text: str
    log_prob: float
    support: float
    near: float
    start: int
    end: int


def answers_per_passage(model: Asked, question: str, evidence: Sequence[Evidence]) -> tuple[PassageAnswer, ...]:
    """Ask for the answer of each passage alone, in the order of ``evidence``; passages longer than the window are left out."""
    rows = [(item, model.chat_tokens(prompts.from_one_passage(question, item))) for item in evidence]
    fitting = [(item, row) for item, row in rows if len(row) + MAX_TOKENS <= model.window]
    if not fitting:
        return ()
    written = drafts(model, [row for _, row in fitting], max_tokens=MAX_TOKENS)
    return tuple(
        passage_answer(question, item, draft.text, float(draft.log_probs.min()))
        for (item, _), draft in zip(fitting, written, strict=True)
    )


def passage_answer(question: str, item: Evidence, said: str, log_prob: float) -> PassageAnswer:
    """Check what was ``said`` of one passage against its text."""
    text = shortened(said, question)
    if not text or _NOT_STATED.search(text):
        return PassageAnswer(item.number, "", log_prob, 0.0, 0.0, 0, 0)
    start, end = where(text, question, item.passage.text)
    asked, there = terms(question), terms(f"{item.passage.heading}\n{item.passage.text[start:end]}")
    near = len(asked & there) / len(asked) if asked else 0.0
    return PassageAnswer(item.number, text, log_prob, held(text, question, item.passage), near, start, end)


def shortened(said: str, question: str) -> str:
    """What a sentence answers, without what it repeats of the question; a few words stay as they are.

    >>> shortened("The capital of Namibia is Windhoek.", "What is the capital of Namibia?")
    'Windhoek'
    >>> shortened("The mill was finished in May 1902, they say.", "When was the mill built?")
    'May 1902'
    """
    text = said.strip(_EDGES)
    if len(text.split()) <= FEW_WORDS:
        return text
    wanted = wanted_quantities(text, question)
    if wanted and len(wanted) == 1:
        return text[wanted[0].start : wanted[0].end]
    asked, tokens = terms(question), list(_TOKEN.finditer(text))
    meant = [terms(token[0]) for token in tokens]
    novel = [i for i, each in enumerate(meant) if each - asked]
    if not novel:
        return text
    first, last = novel[0], novel[-1]
    start = tokens[first].start() if sum(map(len, meant[:first])) >= LEAST_REPEATED else 0
    end = tokens[last].end() if sum(map(len, meant[last + 1 :])) >= LEAST_REPEATED else len(text)
    return text[start:end].strip(_EDGES)


def held(answer: str, question: str, passage: Passage) -> float:
    """Share of the answer's words that stand in the passage or its heading; see ``PassageAnswer.support``.

    An answer whose words all stand in the question repeats it, and is held by none; but to "is it …?" and "… or …?" that
    is how one answers. "Yes" and "no" are held as far as the passage has the question's words.
    """
    said, there, asked = (terms(_whole(text)) for text in (answer, passage.searchable, question))
    if _YES_NO.fullmatch(answer):
        return len(asked & there) / len(asked) if asked else 0.0
    figures = held_numbers(passage.searchable)
    if not said or said_numbers(answer) - figures or names(answer) - terms(passage.searchable) - terms(question):
        return 0.0
    there |= terms(_whole(" ".join(spelled(answer, figures))))
    novel = said - asked
    if not novel and not _CHOICE.search(question):
        return 0.0
    return len((novel or said) & there) / len(novel or said)


def where(answer: str, question: str, text: str) -> tuple[int, int]:
    """The sentence that holds the answer literally, or else most of its words; among such, most of the question's.

    >>> text = "Its capital was Ohrid. Skopje is the capital today."
    >>> text[slice(*where("Skopje", "What is the capital?", text))]
    'Skopje is the capital today.'
    """
    said, asked = terms(answer), terms(question)
    best, span = (False, -1, -1), (0, len(text))
    for start, end in sentences(text):
        sentence = text[start:end]
        here = terms(sentence)
        score = (_literally(answer, sentence), len(said & here), len(asked & here))
        if score > best:
            best, span = score, (start, end)
    return span


def _whole(text: str) -> str:
    """Without the commas between thousands."""
    return re.sub(r"(?<=\d),(?=\d{3}(?!\d))", "", text)


def _literally(answer: str, sentence: str) -> bool:
    return re.search(rf"(?<!\w){re.escape(answer)}(?!\w)", sentence, re.IGNORECASE) is not None
