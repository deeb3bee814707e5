"""Follow-ups: a question that leans on the conversation before it, as a question that stands for itself.

A search sees one question and not the conversation. Where the rules (``generators.writing.dependent``) find that a question
leans on what was said, the language model is asked to say it in full, and its word is checked: whatever it brings in must
stand in the conversation, and whatever it leaves out must be little. A rewriting that fails is replaced by the question with
the topic of the last one behind it, so that no follow-up is lost. See Vakulenko et al., "Question Rewriting for
Conversational Question Answering" (arXiv 2004.14652).
"""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from generators import prompts
from generators.decoding.decode import decode
from generators.policies.greedy import Greedy
from generators.remote.model import RemoteModel
from generators.writing.dependent import dependent, joined
from generators.writing.writers import LanguageModel
from indexes.errors import ServerError
from indexes.terms import terms

log = logging.getLogger(__name__)

LATEST = 3  # exchanges that are read
LONGEST_SAID = 300  # characters of each question and of each answer that are read
MAX_TOKENS = 60
LONGER = 200  # characters by which a rewriting may be longer than the question
KEPT = 0.5  # of the question's content words, at least, stand in its rewriting

_NUMBER = re.compile(r"\d+")
_LABEL = re.compile(r"^\W*(?:(?:rewritten|standalone|new)\s+)?question\s*:\s*", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Exchange:
    """A question that was asked before, and its answer.

    Parameters
    ----------
    question
        As it was understood (``Answer.question``), so that what it stood for is not lost with the next follow-up.
    answer
        Its text; empty where there was none.
    """

    question: str
    answer: str = ""


Say = Callable[[str, Sequence[Exchange]], str]


def standalone(
    model: LanguageModel | RemoteModel | None,
    question: str,
    before: Sequence[Exchange],
    cancelled: Callable[[], bool] | None = None,
) -> str:
    """The question as one that stands for itself; as it is, where it does so already or nothing was asked before.

    Parameters
    ----------
    model
        Says it in full; without one, the topic of the last question is put behind it.
    before
        The conversation, oldest first.
    cancelled
        Looked at before each token; once true, the question is given as if there were no model.
    """
    if model is None:
        return understood(question, before)
    return understood(question, before, lambda asked, heard: in_full(model, asked, heard, cancelled))


def understood(question: str, before: Sequence[Exchange], say: Say | None = None) -> str:
    """``standalone`` with whatever says a question in full: it is given the question and as much of what was said as is read."""
    if not before or not dependent(question):
        return question
    fallback = joined(question, before[-1].question)
    if say is None:
        return fallback
    heard = [Exchange(_clipped(e.question), _clipped(e.answer)) for e in before[-LATEST:]]
    try:
        said = tidied(say(question, heard))
    except ServerError as error:
        log.warning("The follow-up was not rewritten: %s", error.problem)
        return fallback
    return said if faithful(said, question, heard) else fallback


def faithful(said: str, question: str, before: Sequence[Exchange]) -> bool:
    """Whether a rewriting says what the question asks, in words of the question and of the conversation, and adds to it.

    Numbers must all be kept: one that is lost or comes in changes what is asked.
    """
    asked, new = terms(question), terms(said)
    heard = " ".join(text for exchange in before for text in (exchange.question, exchange.answer))
    return (
        bool(new - asked)
        and new <= asked | terms(heard)
        and len(new & asked) >= KEPT * len(asked)
        and len(said) <= len(question) + LONGER
        and set(_NUMBER.findall(question)) <= set(_NUMBER.findall(said))
    )


def tidied(said: str) -> str:
    """The first line of what the model said, without a label and without quotation marks around it."""
    line = next((line.strip() for line in said.splitlines() if line.strip()), "")
    return " ".join(_LABEL.sub("", line).strip("\"“”' ").split())


def in_full(
    model: LanguageModel | RemoteModel,
    question: str,
    before: Sequence[Exchange],
    cancelled: Callable[[], bool] | None = None,
) -> str:
    """What the model says when it is asked to say the question in full, unchecked; nothing where it came to no end."""
    messages = prompts.in_full(question, [(exchange.question, exchange.answer) for exchange in before])
    if isinstance(model, RemoteModel):
        reply = model.stream(messages, max_tokens=MAX_TOKENS, stop=("\n",), cancelled=cancelled)
        said, reason = "".join(reply), reply.reason
    else:
        row = model.chat_tokens(messages)
        steps = list(decode(model, row, None, Greedy(), max_tokens=MAX_TOKENS, stop=("\n",), cancelled=cancelled))
        said, reason = "".join(step.text for step in steps), steps[-1].reason if steps else ""
    return "" if reason in ("", "length") else said


def _clipped(text: str) -> str:
    """The beginning of a text in one line, up to a word's end."""
    line = " ".join(text.split())
    return line if len(line) <= LONGEST_SAID else line[:LONGEST_SAID].rpartition(" ")[0] + " …"
