r"""A conversation as Markdown: for reading, printing and mailing, without this program.

Nothing that was typed, written by a model or retrieved is markup here. What would mean something to a renderer is escaped,
and whatever a renderer might make a link of (addresses, with or without brackets) is set as code, the one place where none
looks for links (CommonMark 0.31, sections 2.4 and 6.1; GitHub's autolinks reach through backslashes).
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from app.markdown import ADDRESS, code
from generators.answer import Answer, Verdict
from indexes.invisible import words_of

if TYPE_CHECKING:
    from app.conversations.store import Conversation, StoredTurn
    from retrievers.evidence import Evidence

_MARKS = re.compile(r"([\\`*_{}\[\]<>|~&$!:^])")
_OPENING = re.compile(r"^(?:([#+=-])|(\d+)([.)]))")  # what begins a heading, a list or a rule where a line begins
_JOINERS = "\u200c\u200d"  # they shape letters and emoji; other format characters hide or reorder text


def markdown(conversation: Conversation, turns: Sequence[StoredTurn]) -> str:
    """The whole conversation, each turn under its question."""
    count = f"{len(turns)} question{'' if len(turns) == 1 else 's'}"
    blocks = [f"# {inert(conversation.title)}", f"Begun {_when(conversation.began)}, {count}."]
    for number, turn in enumerate(turns, start=1):
        blocks += _turn(number, turn)
    return "\n\n".join(blocks) + "\n"


def inert(text: str) -> str:
    r"""The text in one line of Markdown that a renderer shows as it is.

    >>> inert("<b>Look</b> at ![x](https://example.com/x.png)")
    '\\<b\\>Look\\</b\\> at `![x](https://example.com/x.png)`'
    """
    words = [code(word) if ADDRESS.search(word) else _MARKS.sub(r"\\\1", word) for word in _visible(text).split()]
    return _OPENING.sub(_opened, " ".join(words))


def _turn(number: int, turn: StoredTurn) -> Iterator[str]:
    answer = turn.answer
    yield f"## {number}. {inert(turn.asked)}"
    if _plain(answer.question) != _plain(turn.asked):
        yield f"Understood as: {inert(answer.question)}"
    yield from _lines(answer)
    if answer.memory:
        yield f"Without the sources, the model says: {inert(answer.memory)}"
    yield f"**{_verdict(answer)}**, {_when(turn.at)}."
    if answer.cited:
        yield "Sources:"
        yield "\n".join(_source(item, answer) for item in answer.cited)
    if turn.helpful is not None:
        comment = f" {inert(turn.comment)}" if turn.comment.strip() else ""
        yield f"Judged {'helpful' if turn.helpful else 'not helpful'}.{comment}"


def _lines(answer: Answer) -> Iterator[str]:
    """The answer's lines, with ``[n]`` behind each cited sentence as on the screen."""
    pieces, position = [], 0
    for claim in answer.claims:
        marks = "".join(f" [{citation.number}]" for citation in claim.citations)
        marks += " [unsupported]" if claim.status == "unsupported" else ""
        pieces += [(answer.text[position : claim.end], marks)]
        position = claim.end
    line: list[str] = []
    for text, marks in [*pieces, (answer.text[position:], "")]:
        first, *others = text.split("\n")
        line.append(inert(first))
        for other in others:
            yield from _joined(line)
            line = [inert(other)]
        line.append(marks.strip())
    yield from _joined(line)


def _joined(pieces: Sequence[str]) -> Iterator[str]:
    text = " ".join(filter(None, pieces))
    if text:
        yield text


def _source(item: Evidence, answer: Answer) -> str:
    """One source: number, heading, expert, date and place; under it, what it was cited for."""
    passage = item.passage
    where = ", ".join(filter(None, (inert(item.expert), inert(passage.date), inert(passage.source))))
    lines = [f"- [{item.number}] {inert(passage.heading) or 'Untitled'} ({where})"]
    spans = dict.fromkeys((c.start, c.end) for c in answer.citations if c.number == item.number)
    lines += [f"  > {quote}\n" for start, end in sorted(spans) if (quote := inert(passage.text[start:end]))]
    return "\n".join(lines)


def _verdict(answer: Answer) -> str:
    verdict = answer.verdict.value
    asked = f", asked: {', '.join(map(inert, answer.route.experts))}" if answer.route.experts else ""
    return f"{'Sources conflict' if answer.verdict is Verdict.CONFLICT else verdict.capitalize()}{asked}"


def _opened(match: re.Match[str]) -> str:
    sign, number, stop = match.groups()
    return f"\\{sign}" if sign else f"{number}\\{stop}"


def _visible(text: str) -> str:
    """Without characters that are not seen: controls, and marks that hide text or turn its direction."""
    kept = (
        " " if c.isspace() else c
        for c in words_of(text)
        if c in _JOINERS or unicodedata.category(c) not in ("Cf", "Co", "Cs")
    )
    return "".join("\N{REPLACEMENT CHARACTER}" if unicodedata.category(c) == "Cc" else c for c in kept)


def _plain(text: str) -> str:
    return " ".join(text.split())


def _when(at: str) -> str:
    """``2026-11-23 05:08 UTC``."""
    return f"{at[:10]} {at[11:16]} UTC"
