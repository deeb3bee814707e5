"""Does a passage support a claim? Checked by what the claim says beyond its question.

By words. A claim's content words and numbers must stand in the passage or its heading, numbers in digits or in words; those
that the question did not hold already, which are the answer proper, count more. A number or a name of the claim that stands in
neither the passage nor the question rules support out, and so does a labelled line (``Lowest point: …``) where the question's
words are those of another label (``Highest point: …``), and a sentence that says the opposite of the claim: lowest for
highest, or "not allowed" for "allowed".
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass

from generators.conflicts.negation import affirms, negates, opposes
from generators.conflicts.quantities import Comparison, Quantity, compare, quantities, sterling
from generators.conflicts.units import CURRENCIES, UNITS
from generators.numbers import held_numbers, numbers, said_numbers, spelled
from generators.sentences import sentences
from indexes.passage import Passage
from indexes.terms import terms

NOVEL_WEIGHT = 0.7
REFERRING = "yes, no, the answer, according to the sources, passages or text provided"  # what says nothing of its own
_OPPOSITES = (
    ("highest", "lowest"),
    ("largest", "smallest"),
    ("longest", "shortest"),
    ("oldest", "youngest"),
    ("maximum", "minimum"),
    ("most", "least"),
    ("first", "last"),
    ("former", "current"),
    ("imports", "exports"),
    ("import", "export"),
    ("increase", "decrease"),
    ("increased", "decreased"),
    ("birth", "death"),
    ("male", "female"),
)
_AGREES = re.compile(r"\b(?:yes|no)\b", re.IGNORECASE)
_DENIES = re.compile(r"\bno\b", re.IGNORECASE)
_LETTERS = re.compile(r"[^\W\d_]+")
_LABEL = re.compile(r"^([^:\n]{2,40}):\s", re.MULTILINE)
_SIGN = re.compile(r"[$€£¥₹]")
_MONEY = frozenset(CURRENCIES.values())
_MEASURED = _MONEY | {each.name for each in UNITS.values()}  # what else is counted has many names: countries, nations
_NAME = re.compile(r"(?<![\w.])(?:[^\W\d_a-zß-ÿ][\w'’-]*|\w+[._]\w[\w.]*)")


@dataclass(frozen=True, slots=True)
class Support:
    """How far a passage supports a claim, and where.

    Parameters
    ----------
    degree
        0 to 1.
    start, end
        The sentence of the passage's text that shares most with the claim.
    """

    degree: float
    start: int
    end: int


def support(claim: str, question: str, passage: Passage) -> Support:
    """Check one claim against one passage."""
    start, end = supporting_span(claim, question, passage)
    degree = 0.0 if contradicts(claim, question, passage, (start, end)) else joint_degree(claim, question, [passage])
    return Support(degree, start, end)


def joint_degree(claim: str, question: str, passages: Sequence[Passage]) -> float:
    """Degree, 0 to 1, to which the words of several passages together support a claim, which may need more than one."""
    texts = [passage.searchable for passage in passages]
    asked = terms(question)
    said = (terms(claim) - terms(REFERRING)) or (asked if _AGREES.search(claim) else frozenset())
    held = frozenset[int]().union(*map(terms, texts))
    figures = frozenset[str]().union(*map(held_numbers, texts))
    if not said or said_numbers(claim) - figures - held_numbers(question):
        return 0.0
    if said - held:
        held |= _rewritten(claim, texts, figures)
    if names(claim) - held - asked or _other_units(claim, question, texts):
        return 0.0
    degree, novel = _share(said, held), said - asked
    if degree > 0 and novel:
        degree = (1 - NOVEL_WEIGHT) * degree + NOVEL_WEIGHT * _share(novel, held)
    return degree


def _other_units(claim: str, question: str, texts: Sequence[str]) -> bool:
    """Whether the claim has money where no text has any, or a measure whose number the texts have in other units only."""
    if set(_SIGN.findall(claim)) - set(_SIGN.findall(question)) and not any(
        _SIGN.search(text) or any(sterling(each).unit in _MONEY for each in quantities(text)) for text in texts
    ):
        return True
    wanted = [each for each in quantities(claim) if each.unit in _MEASURED]
    there = [(each, text[each.start : each.end]) for text in texts for each in quantities(text)] if wanted else []
    measured = [(each, numbers(written)) for each, written in there if each.unit in _MEASURED]
    for said in wanted:
        if any(compare(said, each) is Comparison.SAME for each, _ in measured):
            continue
        if any(numbers(claim[said.start : said.end]) & written for _, written in measured):
            return True
    return False


def _rewritten(claim: str, texts: Sequence[str], figures: frozenset[str]) -> frozenset[int]:
    """Stems of how the claim writes numbers and measures that the texts write otherwise: "12" and "twelve", "$3.5B"."""
    measured = [each for each in quantities(claim) if sterling(each).unit in _MEASURED]
    there = [each for text in texts for each in quantities(text)] if measured else []
    equal = [each for each in measured if any(_equal(each, other) for other in there)]
    written = [*spelled(claim, figures), *(claim[each.start : each.end] for each in equal)]
    return frozenset[int]().union(*map(terms, written))


def _equal(one: Quantity, other: Quantity) -> bool:
    """Whether they are the same number of the same measure, not only within what they were rounded to."""
    pairs = ((one, other), (sterling(one), sterling(other)))
    return any(a.unit in _MEASURED and a.unit == b.unit and math.isclose(a.value, b.value) for a, b in pairs)


def supporting_span(claim: str, question: str, passage: Passage) -> tuple[int, int]:
    """The sentence of the passage's text that shares most with the claim, above all with what the question did not hold."""
    said = terms(claim) - terms(REFERRING)
    return _span(passage.text, said, said - terms(question))


def contradicts(claim: str, question: str, passage: Passage, span: tuple[int, int]) -> bool:
    """Whether that sentence of the passage is about another label's fact, or says the opposite of the claim."""
    wanted = _plain(claim) & _plain(question)
    sentence = passage.text[slice(*span)]
    return (
        _label_of_another_fact(passage.text, *span, wanted)
        or _opposed(claim, sentence)
        or _denied(claim, question, sentence, passage.heading)
    )


def _denied(claim: str, question: str, sentence: str, heading: str) -> bool:
    """Whether the claim denies what the sentence affirms, or affirms what it denies; a bare "no" denies the question."""
    asks_not = negates(question)
    if terms(claim) - terms(REFERRING) or not _AGREES.search(claim):
        asked = frozenset[int]() if asks_not else terms(question)
        return opposes(claim, sentence, asked=asked, heading=heading)
    denied = affirms if _DENIES.search(claim) else opposes
    return not asks_not and denied(question, sentence, heading=heading)


def _label_of_another_fact(text: str, start: int, end: int, wanted: frozenset[str]) -> bool:
    """Whether the span is a labelled line that lacks a wanted word which stands in the label of another line."""
    span = text[start:end]
    if not _LABEL.match(span):
        return False
    others = frozenset[str]().union(*(_plain(match[1]) for match in _LABEL.finditer(text) if match.start() != start))
    return bool((wanted & others) - _plain(span))


def _opposed(claim: str, span: str) -> bool:
    """Whether the claim says one of two opposites and the span the other."""
    said, held = _plain(claim), _plain(span)
    pairs = (pair for one, other in _OPPOSITES for pair in ((one, other), (other, one)))
    return any(a in said and a not in held and b in held and b not in said for a, b in pairs)


def _plain(text: str) -> frozenset[str]:
    """Words as they are written, in small letters: stems would make "important" an import."""
    return frozenset(_LETTERS.findall(text.lower()))


def names(claim: str) -> frozenset[int]:
    """Stems of the capitalised words and identifiers of a sentence, but for its first word."""
    return frozenset[int]().union(*(terms(match[0]) for match in _NAME.finditer(claim) if match.start() > 0))


def _share(wanted: frozenset[int], held: frozenset[int]) -> float:
    return len(wanted & held) / len(wanted)


def _span(text: str, said: frozenset[int], novel: frozenset[int]) -> tuple[int, int]:
    best, span = -1.0, (0, len(text))
    for start, end in sentences(text):
        here = terms(text[start:end])
        shared = len(said & here) + len(novel & here)
        if shared > best:
            best, span = shared, (start, end)
    return span
