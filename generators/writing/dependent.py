"""Whether a question needs the conversation before it, told by its words, and the least that makes it searchable.

English conversations refer back by pronouns and other anaphors, by openings that only go on ("what about …"), and by leaving
out what was just said; see the classes of Elgohary et al., "Can You Unpack That?" (EMNLP 2019, section 2). Rewriting a question
that stands for itself costs time and more often harms the search than helps it, so whatever these rules do not name is
left alone: a question about something else must find that, and thanks need no topic. In other languages only questions of one
or two words are told.
"""

from __future__ import annotations

import re

from indexes.terms import terms, words
from retrievers.gate import expression

NAMED = 2  # content words of a clause, which can be what a pronoun in a later one stands for
COMPARED = 3  # content words before "other", "same" and the like, among which is what they compare with
ELLIPTIC = 2  # content words of a question without a verb or interrogative that still leave out what they are about
MOST_TOPIC = 6  # words of the last question that are put behind an elliptic one

_PRONOUN = re.compile(
    r"\b(?:it|they|them|he|him|his|she|her|hers|this|these|those|ones|former|latter)\b"
    r"|(?<!is )(?<!are )(?<!was )(?<!were )\bthere\b(?!\s*(?:'s|is|are|was|were|will|has|have)\b)"
    r"|\bone\b(?=\s*(?:[?.,;!]|$)|\s+(?:is|are|was|that|which|of these|of those|should|would|do|does)\b)",
    re.IGNORECASE,
)
_OWN = re.compile(r"\b(?:its|itself|their|theirs)\b", re.IGNORECASE)
_COMPARES = re.compile(
    r"\b(?:such(?! as)|others?(?! than)|another|else|instead(?! of)|same(?! as)|both|either|neither)\b", re.IGNORECASE
)
_CLAUSE = re.compile(
    r"[,;:?.!]|\b(?:and|or|but|if|when|while|that|which|who|because|since|so|than|before|after)\b", re.IGNORECASE
)
_THAT = re.compile(
    r"^(?:and |so |but )?that\b"
    r"|\b(?:about|like|of|for|with|is|was|does|do|did|at|on|than|before|after|if|to|by|from) that\b"
    r"|\bthat(?='s\b|\s*[?.,;!]|\s*$|\s+(?:is|was|means?|works?|one|thing|case)\b)",
    re.IGNORECASE,
)
_EXPLETIVE = re.compile(
    r"\b(?:is|was|will|would|does|can|could|might|may|should) it (?:(?:be|make|takes?|makes?|still|really|also|more) )*"
    r"\w+ (?:\w+ )?(?:to|that|if|for|when|in)\b"
    r"|\bit(?:'s| is| was| will be| would be) (?:\w+ )?\w+ (?:to|that|if)\b"
    r"|\bit (?:takes?|costs?|makes? sense)\b",
    re.IGNORECASE,
)
_FILLER = r"(?:(?:ok(?:ay)?|oh|well|hmm|great|thanks|thank you|yes|no|sure|right|aha|wow|oops|sorry)\b[\s,.!]*)*"
_GOES_ON = re.compile(
    rf"^{_FILLER}(?:and|but|or|nor|then|what about|how about|i mean|i meant|not|why not|how so|in that case"
    r"|which(?= (?:is|are|was|one|of)))\b",
    re.IGNORECASE,
)
_PAIR = re.compile(r"^(?:both|either|neither)$", re.IGNORECASE)
_JOINS = re.compile(r"\b(?:and|or|nor)\b", re.IGNORECASE)
_ASKS = re.compile(
    r"\b(?:what|which|who|whom|whose|when|where|why|how|is|are|was|were|am|do|does|did|can|could|should|would|will|may"
    r"|might|has|have|had|explain|describe|tell|list|define|show|give|compare|name)\b",
    re.IGNORECASE,
)
_SMALL_TALK = re.compile(
    r"^\W*(?:(?:hi|hello|hey|thanks?|thank you|thx|cheers|(?:good)?bye|good (?:morning|afternoon|evening|night|day|job)|great"
    r"|nice|cool|perfect|awesome|wonderful|ok(?:ay)?|yes|no|sure|please|sorry|well done|got it|i see|so much|very much|a lot"
    r"|again|there|for (?:that|your help|the help)|that(?:'s| is) (?:great|nice|good|all|helpful|fine|right|perfect))\b\W*)+$"
    r"|^\W*(?:who|what|how) (?:are|can|do|made|built) you\b|\byour name\b|\babout yourself\b",
    re.IGNORECASE,
)
_DEFINITE = re.compile(r"\bthe\b", re.IGNORECASE)


def dependent(question: str) -> bool:
    """Whether the question leaves to the conversation what it is about.

    >>> dependent("What benefits does it offer?"), dependent("What about the peso?"), dependent("Backups")
    (True, True, True)
    >>> dependent("Is it possible to dry plums?"), dependent("When do apple trees blossom, and do they need bees?")
    (False, False)
    """
    text = question.strip()
    content = words(text)
    if _SMALL_TALK.search(text) or expression(text) is not None:
        return False
    if not content or _GOES_ON.search(text) or _refers(text):
        return True
    if len(content) <= ELLIPTIC:
        return bool(_DEFINITE.search(text)) or not _ASKS.search(text)
    return False


def topic(question: str, last: str) -> str:
    """The words that the last question is about and the present one does not say, in their order; empty where there are none."""
    said = terms(question)
    return " ".join([word for word in words(last) if not terms(word) <= said][:MOST_TOPIC])


def joined(question: str, last: str) -> str:
    """The question with the topic of the last one behind it.

    >>> joined("What benefits does it offer?", "What is Red Hat OpenShift?")
    'What benefits does it offer? (Red Hat OpenShift)'
    """
    about = topic(question, last)
    return f"{question} ({about})" if about else question


def _refers(text: str) -> bool:
    """Whether it holds a pronoun, or the like, that nothing before it in the question explains."""
    plain = _EXPLETIVE.sub(" ", text)
    that = _THAT.search(plain)
    return (
        (that is not None and not _said_before(plain[: that.start()]))
        or any(not _said_before(plain[: found.start()]) for found in _PRONOUN.finditer(plain))
        or any(len(words(plain[: found.start()])) < NAMED for found in _OWN.finditer(plain))
        or any(not _compared(plain, found) for found in _COMPARES.finditer(plain))
    )


def _said_before(head: str) -> bool:
    """Whether a clause before the one that ``head`` ends in says enough for a pronoun to stand for it."""
    ends = [found.start() for found in _CLAUSE.finditer(head)]
    return bool(ends) and len(words(head[: ends[-1]])) >= NAMED


def _compared(text: str, found: re.Match[str]) -> bool:
    if _PAIR.match(found[0]) and _JOINS.search(text[found.end() :]):
        return True
    return len(words(text[: found.start()])) >= COMPARED
