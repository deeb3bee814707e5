"""Source cards: the passages that were found, numbered as they are cited, the supporting sentence highlighted."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from app.chat.markup import element, percent, text
from generators.answer import Answer, Citation
from retrievers.evidence import Evidence

Span = tuple[int, int]
SUPPORTS = (
    (0.8, "clear", "clearly supports the answer"),
    (0.5, "likely", "supports the answer"),
    (0.0, "weak", "hints at it"),
)
"""Support from which on a citation is called so: threshold, kind, words."""
LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"  # of the sides of a conflict
SNIPPET = 200  # characters; the style sheet cuts what does not fit the line


def address(turn: int, number: int) -> str:
    """Where the passage of a source stands on the page; unique among all turns."""
    return f"sy-{turn}-{number}"


def found(turn: int, evidence: Sequence[Evidence]) -> str:
    """All cards, while nothing is known yet about which will be cited."""
    if not evidence:
        return ""
    cards = "".join(card(turn, item, ()) for item in evidence)
    return _section("Passages found", cards)


def checked(turn: int, answer: Answer) -> str:
    """The cited cards with their supporting sentences, and the others folded away."""
    cited_spans = answer.citations
    numbers = {citation.number for citation in cited_spans}
    cited = [
        card(turn, item, spans(item, cited_spans), support(item.number, answer))
        for item in answer.evidence
        if item.number in numbers
    ]
    rest = [card(turn, item, ()) for item in answer.evidence if item.number not in numbers]
    shown = _section("Sources", "".join(cited)) if cited else ""
    return shown + (_folded(len(rest), "".join(rest), more=bool(cited)) if rest else "")


def support(number: int, answer: Answer) -> str:
    """In words, what a source does for the answer: which side of a conflict it takes, else how surely it supports a sentence."""
    sides = answer.conflict.sides if answer.conflict is not None else ()
    for letter, side in zip(LETTERS, sides, strict=False):
        if any(citation.number == number for citation in side.citations):
            return element("span", "support split", f"says {letter}: {text(side.text)}")
    degree = max((c.support for claim in answer.claims for c in claim.citations if c.number == number), default=0.0)
    kind, words = next((kind, words) for least, kind, words in SUPPORTS if degree >= least)
    return element("span", f"support {kind}", words)


def card(turn: int, evidence: Evidence, highlighted: Sequence[Span], supporting: str = "") -> str:
    """One source: number, title, place, expert, date, relevance and what it does for the answer; opened, the passage.

    The address is inside the part that opens, so that following a link to it opens the card (HTML standard,
    "ancestor revealing algorithm") without any script.
    """
    passage = evidence.passage
    relevance = f"relevance {percent(evidence.probability)}".replace(" ", "\N{NO-BREAK SPACE}")
    facts = [evidence.expert, passage.date, relevance]
    head = element("span", "number", f"[{evidence.number}]")
    title = element("span", "title", text(passage.heading or passage.source or "Untitled"), dir="auto")
    meta = element("span", "meta", text(" · ".join(fact for fact in facts if fact)) + supporting)
    snippet = element("span", "snippet", text(_snippet(passage.text, highlighted)), dir="auto", aria_hidden="true")
    summary = element("summary", "head", head + element("span", "what", title + meta + snippet))
    body = element("blockquote", "passage", mark(passage.text, highlighted), dir="auto")
    place = f"{passage.source}, characters {passage.start:,} to {passage.end:,}" if passage.source else ""
    body += element("p", "origin", text(place)) if place else ""
    opened = element("div", "body", body, id=address(turn, evidence.number), tabindex="-1")
    return element("details", "card", summary + opened)


def spans(evidence: Evidence, cited: Iterable[Citation]) -> list[Span]:
    """Supporting spans in one passage, ascending; those that touch or overlap are joined.

    >>> from indexes.passage import Passage
    >>> item = Evidence(1, Passage("p", "d", "One. Two. Three."), "e", 0.5)
    >>> cited = [Citation(1, 5, 9, 0.1, 1.0), Citation(1, 0, 5, 0.1, 1.0), Citation(2, 0, 1, 0.1, 1.0)]
    >>> spans(item, cited)
    [(0, 9)]
    """
    length = len(evidence.passage.text)
    own = sorted(
        (max(0, c.start), min(length, c.end)) for c in cited if c.number == evidence.number and c.start < c.end
    )
    joined: list[Span] = []
    for start, end in own:
        if joined and start <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(end, joined[-1][1]))
        elif start < end:
            joined.append((start, end))
    return joined


def mark(passage: str, highlighted: Sequence[Span]) -> str:
    """The passage as inert HTML with ``<mark>`` around the given spans.

    >>> mark("a < b. c", [(0, 6)])
    '<mark class="sy-mark">a &lt; b.</mark> c'
    """
    pieces, position = [], 0
    for start, end in highlighted:
        pieces += [text(passage[position:start]), element("mark", "mark", text(passage[start:end]))]
        position = end
    return "".join([*pieces, text(passage[position:])])


def _snippet(passage: str, highlighted: Sequence[Span]) -> str:
    """What the closed card shows of its passage, in one line: the first supporting sentence, else the beginning."""
    start, end = highlighted[0] if highlighted else (0, len(passage))
    return " ".join(passage[start:end][:SNIPPET].split())


def _section(name: str, cards: str) -> str:
    return element("section", "sources", element("p", "heading", name) + cards)


def _folded(count: int, cards: str, *, more: bool) -> str:
    noun = "passage was" if count == 1 else "passages were"
    line = f"{count} more {noun} found and not cited" if more else f"{count} {noun} found; none is cited"
    return element("details", "rest", element("summary", "restline", line) + cards)
