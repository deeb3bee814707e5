"""Do the sources contradict one another? Each passage answers alone; answers that differ are the sides.

A conflict needs two sides, each with a passage that is about the question's subject, holds its answer in so many words,
and of whose answer the model is sure. Passages that say nothing to the question make no side, and neither do the
values of one list. Ambiguity ("which Springfield?") shows as sides as well: each keeps its own passages, so that two bearers
of one name are not blended into one.

Reading each passage alone is also how RAMDocs' multi-agent debate begins (arXiv 2504.13079); here it ends there.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass

from generators.answer import Citation, Conflict, Side
from generators.conflicts.cluster import Encode, clusters, negates
from generators.conflicts.kinds import fits, wanted_quantities
from generators.conflicts.per_passage import Asked, PassageAnswer, answers_per_passage, held, where
from generators.numbers import numbers
from generators.sentences import sentences
from generators.support import names
from indexes.terms import terms
from retrievers.evidence import Evidence


@dataclass(frozen=True, slots=True)
class ConflictThresholds:
    """Where the lines are drawn.

    Parameters
    ----------
    relevance
        Least probability of relevance of a passage that is asked.
    relative
        And least share of the best passage's.
    subject
        Least share of the question's names (of its content words where it has no name) that a passage with a heading
        holds; what a passage without a heading is about is not known, so its relevance decides.
    close
        And least share, relative to the closest passage's, of the question's words in one of its sentences.
    log_prob
        Least log-probability that every token of an answer must have, in nats, where its sentence has no word of the
        question.
    near
        By how much less will do where its sentence, with the heading, has all of them; in proportion between.
    support
        Least share of an answer's words that its passage holds.
    """

    relevance: float = 0.1
    relative: float = 0.5
    subject: float = 0.6
    close: float = 0.5
    log_prob: float = -0.9
    near: float = 1.5
    support: float = 0.75


DEFAULT = ConflictThresholds()
MOST_WORDS = 12  # of a short answer; a longer one tells a story that others cannot be compared with
MOST_IN_ITEM = 3  # words of an item of an enumeration
_SEPARATOR = re.compile(r"[,;/&]|\band\b|\bor\b")


def find_conflict(
    model: Asked,
    question: str,
    evidence: Sequence[Evidence],
    *,
    answer: str = "",
    thresholds: ConflictThresholds = DEFAULT,
    encode: Encode | None = None,
) -> Conflict | None:
    """The sides that the evidence takes on one question; ``None`` where it does not disagree.

    The model is asked in one batch, and only where it matters: not where fewer than two passages are worth asking, nor
    where their words settle it (see ``settled``). Where ``answer`` is given, the passages that do not hold it are asked
    first, and the others only where one of those gives another answer.

    Parameters
    ----------
    question
        One question; of one with several parts, the part that ``evidence`` was found for.
    answer
        What was written from all of the evidence, where that is known: passages that all hold it do not disagree.
    encode
        Vectors of short texts, to see that answers in other words say the same.
    """
    asked = worth_asking(question, evidence, thresholds)
    if len(asked) < 2 or settled(question, asked, answer):
        return None
    rivals = [item for item in asked if not answer or not says(answer, question, item)]
    given = answers_per_passage(model, question, rivals)
    if not any(_sure(each, question, thresholds) for each in given):
        return None
    rest = [item for item in asked if item not in rivals]
    given = (*given, *answers_per_passage(model, question, rest))
    return conflict_of(question, given, asked, thresholds, encode)


def conflict_of(
    question: str,
    answers: Sequence[PassageAnswer],
    evidence: Sequence[Evidence],
    thresholds: ConflictThresholds = DEFAULT,
    encode: Encode | None = None,
) -> Conflict | None:
    """What ``find_conflict`` decides once the passages have answered; asks no model."""
    passages = {item.number: item for item in evidence}
    sure = sorted((a for a in answers if _sure(a, question, thresholds)), key=lambda a: a.number)
    groups = [[sure[i] for i in group] for group in clusters([each.text for each in sure], question, encode)]
    groups = _without_lists(groups, passages)
    if len(groups) < 2:
        return None
    groups.sort(key=lambda group: (-_sources(group, passages), -max(a.log_prob for a in group), group[0].number))
    return Conflict(question, tuple(_side(group) for group in groups))


def worth_asking(question: str, evidence: Sequence[Evidence], thresholds: ConflictThresholds) -> list[Evidence]:
    """The passages that may answer: relevant, about the question's subject, with something of the sort that it wants.

    Of equal texts the first.
    """
    best = max((item.probability for item in evidence), default=0.0)
    least = max(thresholds.relevance, thresholds.relative * best)
    kept: dict[str, Evidence] = {}
    for item in evidence:
        if (
            item.probability >= least
            and _about(question, item, thresholds.subject)
            and fits(item.passage.text, question)
        ):
            kept.setdefault(" ".join(item.passage.text.split()), item)
    closeness = {item.number: _closeness(question, item) for item in kept.values()}
    least = thresholds.close * max(closeness.values(), default=0.0)
    return [item for item in kept.values() if not item.passage.heading or closeness[item.number] >= least]


def settled(question: str, evidence: Sequence[Evidence], answer: str = "") -> bool:
    """Whether words alone show that the passages agree.

    They do where all say the ``answer`` that was written from them, or where the question wants a quantity, and the
    sentence of each that is nearest to it has the same numbers, and some.
    """
    if answer and all(says(answer, question, item) for item in evidence):
        return True
    if wanted_quantities("", question) is None:
        return False
    spans = [where(question, question, item.passage.text) for item in evidence]
    found = [numbers(item.passage.text[a:b]) - numbers(question) for item, (a, b) in zip(evidence, spans, strict=True)]
    return bool(found[0]) and all(each == found[0] for each in found)


def says(answer: str, question: str, item: Evidence) -> bool:
    """Whether a passage holds every word of ``answer``, and denies nothing that it affirms."""
    start, end = where(answer, question, item.passage.text)
    sentence = item.passage.text[start:end]
    return held(answer, question, item.passage) >= 1 and negates(answer) == negates(sentence)


def _about(question: str, item: Evidence, least: float) -> bool:
    if not item.passage.heading:
        return True
    wanted, there = names(question) or terms(question), terms(item.passage.searchable)
    return not wanted or len(wanted & there) / len(wanted) >= least


def _closeness(question: str, item: Evidence) -> float:
    """Largest share of the question's words that one sentence has, with the heading."""
    asked, heading = terms(question), terms(item.passage.heading)
    spans = sentences(item.passage.text)
    shared = (len(asked & (heading | terms(item.passage.text[start:end]))) for start, end in spans)
    return max(shared, default=0) / len(asked) if asked else 0.0


def _sure(answer: PassageAnswer, question: str, thresholds: ConflictThresholds) -> bool:
    least = thresholds.log_prob - thresholds.near * answer.near
    if not answer.text or answer.log_prob < least or answer.support < thresholds.support:
        return False
    return len(answer.text.split()) <= MOST_WORDS and fits(answer.text, question)


def _without_lists(groups: list[list[PassageAnswer]], passages: dict[int, Evidence]) -> list[list[PassageAnswer]]:
    """Join groups whose answers one passage enumerates ("Ann, Bob and Cleo"): a list is no contradiction."""
    joined: list[list[PassageAnswer]] = []
    for group in groups:
        listed = [other for other in joined if _listed(group, other, passages) or _listed(other, group, passages)]
        if listed:
            listed[0].extend(group)
        else:
            joined.append(list(group))
    return joined


def _listed(one: Sequence[PassageAnswer], other: Sequence[PassageAnswer], passages: dict[int, Evidence]) -> bool:
    """Whether the sentence of an answer of ``one`` enumerates it beside an answer of ``other``."""
    return any(
        enumerated(answer.text, mentioned.text, passages[answer.number].passage.text[answer.start : answer.end])
        for answer in one
        for mentioned in other
    )


def enumerated(one: str, other: str, sentence: str) -> bool:
    """Whether both stand in one enumeration of the sentence: between them only short items and what separates them.

    >>> enumerated("Ann", "Cleo", "It was written by Ann, Bob Ray and Cleo."), enumerated("1998", "2005", "1998 2005")
    (True, False)
    """
    small = sentence.casefold()
    places = [(small.find(each.casefold()), len(each)) for each in (one, other)]
    if min(start for start, _ in places) < 0:
        return False
    (first, length), (second, _) = sorted(places)
    pieces = _SEPARATOR.split(sentence[first + length : second])
    return len(pieces) > 1 and not pieces[0].strip() and all(len(piece.split()) <= MOST_IN_ITEM for piece in pieces)


def _sources(group: Sequence[PassageAnswer], passages: dict[int, Evidence]) -> int:
    """Different documents: two passages of one document are one source."""
    return len({passages[answer.number].passage.document_id for answer in group})


def _side(group: Sequence[PassageAnswer]) -> Side:
    said = [" ".join(answer.text.casefold().split()) for answer in group]
    usual = min(range(len(group)), key=lambda i: (-said.count(said[i]), -group[i].log_prob, group[i].number))
    cited = sorted(group, key=lambda answer: answer.number)
    return Side(group[usual].text, tuple(Citation(a.number, a.start, a.end, math.nan, a.support) for a in cited))
