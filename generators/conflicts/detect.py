"""Do the sources contradict one another? Each passage answers alone; answers that differ are the sides.

A conflict needs two sides, each with a passage that is about the question's subject, holds its answer in so many words,
and of whose answer the model is sure. Passages that say nothing to the question make no side, and neither do the
values of one list; and a document is on one side only. Ambiguity ("which Springfield?") shows as sides as well: each keeps its own passages, so that two bearers
of one name are not blended into one.

Reading each passage alone is also how RAMDocs' multi-agent debate begins (arXiv 2504.13079); here it ends there.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence

from generators.answer import Citation, Conflict, Side
from generators.conflicts.candidates import says, settled, worth_asking
from generators.conflicts.cluster import Encode, clusters
from generators.conflicts.kinds import fits
from generators.conflicts.per_passage import Asked, PassageAnswer, answers_per_passage
from generators.conflicts.thresholds import DEFAULT, ConflictThresholds
from generators.sentences import sentences
from indexes.passage import Passage
from indexes.terms import terms
from retrievers.evidence import Evidence

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

    The model is asked in one batch, and only where it matters: not where the passages that are worth asking are of one
    document, nor where their words settle it (see ``settled``). Where ``answer`` is given, the passages that do not hold it are asked
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
    if len({item.passage.document_id for item in asked}) < 2 or settled(question, asked, answer):
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
    sure = _same_subject(question, sure, passages, thresholds)
    groups = [[sure[i] for i in group] for group in clusters([each.text for each in sure], question, encode)]
    groups = _undivided(_without_lists(groups, passages), passages)
    groups = _one_voice(groups, passages, thresholds)
    if len(groups) < 2:
        return None
    groups.sort(key=lambda group: (-_sources(group, passages), -max(a.log_prob for a in group), group[0].number))
    return Conflict(question, tuple(_side(group) for group in groups))


def _sure(answer: PassageAnswer, question: str, thresholds: ConflictThresholds) -> bool:
    if not answer.text or _margin(answer, thresholds) < 0 or answer.support < thresholds.support:
        return False
    return len(answer.text.split()) <= MOST_WORDS and fits(answer.text, question)


def _same_subject(
    question: str, answers: Sequence[PassageAnswer], passages: dict[int, Evidence], thresholds: ConflictThresholds
) -> list[PassageAnswer]:
    """Without what headed passages say of other things: in a sentence further from the question, or of themselves.

    To "which function …?" the passage on ``choice`` says ``choice`` and that on ``sample`` says ``sample``: no contradiction.
    """
    near = {answer: _near(question, answer, passages[answer.number].passage) for answer in answers}
    nearest = max((near[a] for a in answers if passages[a.number].passage.heading), default=0.0)

    def kept(answer: PassageAnswer) -> bool:
        heading = passages[answer.number].passage.heading
        if not heading:
            return True
        itself = bool(terms(answer.text)) and terms(answer.text) <= terms(heading)
        return near[answer] >= thresholds.same * nearest and not itself

    return [answer for answer in answers if kept(answer)]


def _near(question: str, answer: PassageAnswer, passage: Passage) -> float:
    """Share of the question's words in the heading, the answer's sentence, and the one before it, which it may refer to."""
    asked = terms(question)
    before = max((start for start, end in sentences(passage.text) if end <= answer.start), default=answer.start)
    return len(asked & terms(f"{passage.heading}\n{passage.text[before : answer.end]}")) / len(asked) if asked else 0.0


def _undivided(groups: list[list[PassageAnswer]], passages: dict[int, Evidence]) -> list[list[PassageAnswer]]:
    """Without answers whose own sentence also says what another side answers: it may well mean that."""

    def divided(answer: PassageAnswer, place: int) -> bool:
        sentence = passages[answer.number].passage.text[answer.start : answer.end].casefold()
        others = (other.text.casefold() for number, group in enumerate(groups) if number != place for other in group)
        apart = (text for text in others if text not in answer.text.casefold())  # "not allowed" says "allowed"
        return any(re.search(rf"(?<!\w){re.escape(text)}(?!\w)", sentence) for text in apart)

    kept = [[a for a in group if not divided(a, place)] for place, group in enumerate(groups)]
    return [group for group in kept if group]


def _margin(answer: PassageAnswer, thresholds: ConflictThresholds) -> float:
    """By how much the model is surer of an answer than it must be, in nats."""
    return answer.log_prob - thresholds.log_prob + thresholds.near * answer.near


def _one_voice(
    groups: list[list[PassageAnswer]], passages: dict[int, Evidence], thresholds: ConflictThresholds
) -> list[list[PassageAnswer]]:
    """Leave each document on the side of its surest answer: what one document says here and there are different facts."""
    ranked = sorted(
        ((answer, place) for place, group in enumerate(groups) for answer in group),
        key=lambda pair: (-_margin(pair[0], thresholds), pair[0].number),
    )
    side: dict[str, int] = {}
    for answer, place in ranked:
        side.setdefault(passages[answer.number].passage.document_id, place)
    kept = (
        [answer for answer in group if side[passages[answer.number].passage.document_id] == place]
        for place, group in enumerate(groups)
    )
    return [group for group in kept if group]


def _without_lists(groups: list[list[PassageAnswer]], passages: dict[int, Evidence]) -> list[list[PassageAnswer]]:
    """Join groups whose answers one passage enumerates ("Ann, Bob and Cleo"): a list is no contradiction."""
    joined: list[list[PassageAnswer]] = []
    for group in groups:
        listed = [other for other in joined if _listed(group, other, passages) or _listed(other, group, passages)]
        apart = [other for other in joined if other not in listed]
        joined = [*apart, [answer for each in (*listed, group) for answer in each]]
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
