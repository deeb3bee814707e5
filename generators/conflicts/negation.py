"""Denial: whether a text says "not", and whether two texts say the opposite of one another.

By words, clause by clause. What a "not" denies is the next content word behind it ("is not *allowed*", "no *dogs*"), or where
none follows in its clause, those before it ("cats are *not*"). Two texts are opposed where a clause of the one denies
what the clause of the other that has nearly all of its words affirms. Where a word such as "forbidden" or "until" turns the
sense in one of them only, or they compare ("than"), nothing is decided.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace

from indexes.terms import terms

NEARLY = 0.8
"""Share of a clause's content words that another must have to speak of the same."""

_NOT = re.compile(
    r"n['’]t\b|\b(?:not|no|never|cannot|without|neither|nor|nobody|nothing|nowhere)\b|\bnone(?= of\b)", re.IGNORECASE
)
_SAYS_NOT = re.compile(_NOT.pattern + r"|\b(?:none|false)\b", re.IGNORECASE)
_DENIES_NOTHING = re.compile(
    r"^\W*(?:yes|no)\b\s*[,.;:–—-]|\bno\.(?=\s*\d)|\bno (?:doubt|matter)\b|\bnothing but\b|\b(?:if|or|why) not\b|"
    r"\bnot (?:only|just|merely|simply|least|to mention|all|every|always|necessarily|entirely|un\w+)\b|"
    r"\b(?:no|not) (?=(?:\w+er|more|less) than\b)",
    re.IGNORECASE,
)
_SKIPPED = re.compile(
    r"(?:\s+(?:longer|yet|now|also|ever|have|has|to|be|been|being|any|appear|seem|considered|evidence|proof|"
    r"(?!(?:app|comp|fami|imp|re|rep|supp)ly\b)\w+ly)\b)+",
    re.IGNORECASE,
)
_TURNS = re.compile(
    r"\b(?:unless|except|until|till|before|forb[ai]d\w*|prohibit\w*|bann?(?:ed|s)?|exclu\w+|den(?:y|ie[sd])|refus\w+|"
    r"fail\w*|lack\w*|free|prevent\w*|impossible|unable|illegal|unlawful|unlikely|despite|falsely|hardly|rarely|seldom|barely|scarcely|few|little|"
    r"exempt\w*|void|closed|absent|missing|stop\w*|ceas\w*|only|than)\b",
    re.IGNORECASE,
)
_BREAK = re.compile(
    r";|\s[–—-]+\s|[()]|\b(?:but|whereas|while|although|though|however)\b|"
    r"\b(?:say|said|state|note|mention|indicate|specif|report|show|explain|confirm)\w*\s+that\b",
    re.IGNORECASE,
)
_JOINT = re.compile(r",\s*(?:(?:and|or)\s+)?|\s+(?:and|or)\s+", re.IGNORECASE)
_AUXILIARY = re.compile(
    r"\b(?:is|are|was|were|has|have|had|do|does|did|may|can|could|must|shall|should|will|would|might|cannot)\b|n['’]t\b",
    re.IGNORECASE,
)
_TOKEN = re.compile(r"[^\W_]+(?:[.,'’-][^\W_]+)*")


@dataclass(frozen=True, slots=True)
class Clause:
    """A part of a sentence that affirms or denies.

    Parameters
    ----------
    words
        Stems of its content words; of the whole text where it borrows its verb ("… but not in the office").
    denied
        Stems of what its "not" denies; empty where it affirms.
    scope
        Stems of ``denied`` and all that follows in the clause.
    turns
        Its words that turn the sense without a "not".
    twice
        Whether it denies that something is without something, which may affirm it.
    """

    words: frozenset[int]
    denied: frozenset[int] = frozenset()
    scope: frozenset[int] = frozenset()
    turns: frozenset[str] = frozenset()
    twice: bool = False


def negates(text: str) -> bool:
    """Whether it says "not" or the like.

    >>> negates("It isn't allowed."), negates("It is allowed.")
    (True, False)
    """
    return _SAYS_NOT.search(text) is not None


def opposes(claim: str, text: str, *, asked: frozenset[int] = frozenset(), heading: str = "") -> bool:
    """Whether a clause of ``text`` denies what a clause of ``claim`` affirms, or affirms what it denies.

    Parameters
    ----------
    asked
        Stems of what a claim of a single content word ("It is not allowed.") speaks of besides.
    heading
        What ``text`` speaks of besides.

    >>> opposes("Dogs are not allowed.", "Dogs are allowed, cats are not."), opposes("It lasts a year.", "It lasts a year, not two.")
    (True, False)
    """
    if not _NOT.search(claim) and not _NOT.search(text):
        return False
    there, about = clauses(text), terms(heading)
    return any(_opposed(_completed(each, asked), there, about) for each in clauses(claim))


def affirms(statement: str, text: str, *, heading: str = "") -> bool:
    """Whether one clause of ``text`` has all content words of the statement, and nothing in it that turns their sense.

    >>> affirms("Are dogs allowed?", "Dogs are allowed."), affirms("Are dogs allowed?", "Dogs are not allowed.")
    (True, False)
    """
    said, about = terms(statement), terms(heading)
    there = (each for each in clauses(text) if not each.denied and not each.turns)
    return bool(said) and not _TURNS.search(statement) and any(said <= each.words | about for each in there)


def clauses(text: str) -> list[Clause]:
    """Its clauses, in order; idioms that deny nothing ("not only", "no later than") are left out."""
    plain = _DENIES_NOTHING.sub(" ", text)
    return [_clause(part, plain) for piece in _BREAK.split(plain) for part in _coordinated(piece)]


def _coordinated(piece: str) -> Iterator[str]:
    """What "and", "or" and commas join, where each side has an auxiliary verb and the right one a subject of its own."""
    start = 0
    for joint in _JOINT.finditer(piece):
        right = piece[joint.end() :]
        if (
            _AUXILIARY.search(piece, start, joint.start())
            and _AUXILIARY.search(right)
            and not _AUXILIARY.match(right)
            and not _NOT.match(right)
        ):
            yield piece[start : joint.start()]
            start = joint.end()
    yield piece[start:]


def _clause(part: str, whole: str) -> Clause:
    turns = frozenset(match[0].lower() for match in _TURNS.finditer(part))
    marks = list(_NOT.finditer(part))
    if not marks:
        return Clause(terms(part), turns=turns)
    before = terms(part[: marks[0].start()])
    after = [_first_term(part, mark.end()) for mark in marks]
    borrows = not before or not all(after)
    denied = frozenset[int]().union(*(each or before for each in after))
    said = [mark[0].lower() for mark in marks]
    scope = denied | terms(part[marks[0].end() :])
    return Clause(terms(whole if borrows else part), denied, scope, turns, "without" in said and len(said) > 1)


def _first_term(text: str, start: int) -> frozenset[int]:
    """Stem of the first content word from ``start`` on, adverbs and auxiliary verbs apart; empty where there is none."""
    skipped = _SKIPPED.match(text, start)
    tokens = _TOKEN.finditer(text, skipped.end() if skipped else start)
    return next((found for found in (terms(token[0]) for token in tokens) if found), frozenset())


def _completed(clause: Clause, asked: frozenset[int]) -> Clause:
    if len(clause.words) > 1 or not asked:
        return clause
    return replace(clause, words=clause.words | asked)


def _opposed(claim: Clause, there: list[Clause], about: frozenset[int]) -> bool:
    """Whether the clauses that share most with the claim's, and nearly all, say the opposite, all of them."""
    shares = [len(claim.words & (each.words | about)) / len(claim.words) if claim.words else 0.0 for each in there]
    most = max(shares, default=0.0)
    nearest = [each for each, share in zip(there, shares, strict=True) if share == most]
    return most >= NEARLY and all(_opposite(claim, each) for each in nearest)


def _opposite(claim: Clause, other: Clause) -> bool:
    if claim.twice or other.twice or claim.turns != other.turns or "than" in claim.turns:
        return False
    denied = other.denied & claim.words
    if not claim.denied:
        return bool(denied)
    return bool(claim.denied & other.words) and not denied and not claim.denied & other.scope
