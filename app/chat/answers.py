"""The answer as inert HTML: a verdict in words, sentences with chips, and a mark on what the sources do not support."""

from __future__ import annotations

import re
from collections.abc import Sequence

from app.chat import cards
from app.chat.markup import element, failure, text
from app.chat.turn import Stage, Turn
from app.marks import beside_sides, moved
from generators.answer import Answer, Citation, Claim, Side, Verdict
from retrievers.evidence import Evidence

VERDICTS = {
    Verdict.ANSWERED: ("answered", "✓ Answered"),
    Verdict.FROM_MEMORY: ("memory", "○ Answered from memory (no retrieval)"),
    Verdict.CONFLICT: ("conflict", "≠ Sources conflict"),
    Verdict.NOT_IN_SOURCES: ("absent", "∅ Not in the sources"),
}
MOVED_MARK = "≠\N{NO-BREAK SPACE}memory"
_NUMBER = re.compile(r"\[(\d+)\]")


def shown(turn: Turn) -> str:
    """What is known of the answer by now: the draft as it grows, then the checked answer, or why there is none."""
    if turn.failure is not None:
        return failure(turn.failure)
    if turn.answer is not None:
        return checked(turn.number, turn.answer)
    if turn.stopped:
        note = "■ Stopped. This draft was not checked." if turn.draft else "■ Stopped before an answer was written."
        return badge("stopped", note) + _body(text(turn.draft))
    if not turn.draft:
        return ""
    note = "… Checking the draft against the sources" if turn.stage is Stage.CHECKING else "… Draft, not checked yet"
    return badge("draft", note) + _body(text(turn.draft), "draft")


def checked(turn: int, answer: Answer) -> str:
    """The answer with its verdict."""
    kind, words = VERDICTS[answer.verdict]
    failed = sum(claim.status == "unsupported" for claim in answer.claims)
    verb = "is" if failed == 1 else "are"
    note = f"{failed} of {len(answer.claims)} sentences {verb} not supported by the sources" if failed else ""
    return badge(kind, words, note) + _text(turn, answer) + conflict(turn, answer) + memory(answer)


def badge(kind: str, words: str, note: str = "") -> str:
    """The verdict, or the state of the draft, in words."""
    extra = element("span", "note", text(note)) if note else ""
    return element("p", "verdict", element("span", f"badge {kind}", text(words)) + extra, role="status")


def sentences(turn: int, answer: Answer) -> str:
    """The answer's text; behind each sentence the chips of its citations, or that it is unsupported."""
    pieces, position = [], 0
    for claim in answer.claims:
        pieces += [text(answer.text[position : claim.start]), _claim(turn, claim, answer)]
        position = claim.end
    return "".join([*pieces, text(answer.text[position:])]).strip()


def conflict(turn: int, answer: Answer) -> str:
    """What the sources disagree about: source A says, source B says, the model's memory says; nothing where they agree."""
    if answer.conflict is None:
        return ""
    heading = element("p", "heading", "The sources disagree")
    question = element("p", "asked", text(answer.conflict.question), dir="auto")
    sides = [_side(turn, cards.LETTERS[i], side, answer) for i, side in enumerate(answer.conflict.sides[:26])]
    if answer.memory:
        said = element("span", "claim", text(answer.memory), dir="auto")
        sides.append(element("li", "side recalling", _says("The model’s memory says") + said + _caution(answer)))
    card = heading + question + element("ul", "sides", "".join(sides))
    return element("section", "disagreement", card, aria_label="The sources disagree")


def memory(answer: Answer) -> str:
    """One folded line on what the model would have said without the sources; nothing where that is shown or the same."""
    if not answer.memory or answer.conflict is not None:
        return ""
    line = element("summary", "restline", "What the model would have said without the sources")
    return element(
        "details", "rest", line + element("p", "recalled", text(answer.memory), dir="auto") + _caution(answer)
    )


def chip(turn: int, number: int, quote: str) -> str:
    """``[n]``: a link that opens the source card of that number; the supporting sentence is its tooltip."""
    return element(
        "a", "chip", f"[{number}]", href=f"#{cards.address(turn, number)}", title=quote, aria_label=f"Source {number}"
    )


def _claim(turn: int, claim: Claim, answer: Answer) -> str:
    said = text(answer.text[claim.start : claim.end])
    if claim.status == "unsupported":
        flag = element("span", "flag", "unsupported")
        return element("span", "claim unsupported", said) + " " + flag
    chips = "".join(chip for _, chip in sorted(_chips(turn, claim.citations, answer).items()))
    mark = " " + element("span", "moved", MOVED_MARK) if moved(claim, answer) else ""
    return element("span", "claim", said) + (" " + chips if chips else "") + mark


def _chips(turn: int, citations: Sequence[Citation], answer: Answer) -> dict[int, str]:
    """Each cited number once."""
    by_number = {item.number: item for item in answer.evidence}
    quoted = {c.number: _quote(by_number.get(c.number), c.start, c.end) for c in citations}
    return {number: chip(turn, number, quote) for number, quote in quoted.items()}


def _says(who: str) -> str:
    return element("span", "says", who)


def _caution(answer: Answer) -> str:
    words = "From the model's memory, checked against no source."
    if any(moved(claim, answer) for claim in answer.claims):
        words += f" {MOVED_MARK} marks where the sources moved the model away from it."
    return element("span", "caution", words)


def _side(turn: int, letter: str, side: Side, answer: Answer) -> str:
    by_number = {item.number: item for item in answer.evidence}
    chips = _chips(turn, side.citations, answer)
    says = [element("span", "sayer", f"{chip} {text(_who(by_number.get(number)))}") for number, chip in chips.items()]
    said = element("span", "claim", text(side.text), dir="auto")
    who = f"Sources {letter} say" if len(chips) > 1 else f"Source {letter} says"
    return element("li", "side", _says(who) + said + element("span", "meta", "".join(says)))


def _who(item: Evidence | None) -> str:
    """Title, expert and date of a source."""
    if item is None:
        return "a source that is not there"
    facts = (item.passage.heading or item.passage.source, item.expert, item.passage.date)
    return " · ".join(fact for fact in facts if fact)


def _text(turn: int, answer: Answer) -> str:
    """The answer's text, without what is shown as the sides of a conflict."""
    absent = answer.verdict is Verdict.NOT_IN_SOURCES
    return _body(_linked(turn, answer) if absent else sentences(turn, beside_sides(answer)))


def _quote(item: Evidence | None, start: int, end: int) -> str:
    return "" if item is None else item.passage.text[start:end].strip()


def _linked(turn: int, answer: Answer) -> str:
    """An abstention, which names the nearest passage as ``[n]``: those numbers become chips."""
    known = {item.number: item.passage.heading for item in answer.evidence}
    pieces: Sequence[str] = _NUMBER.split(answer.text)
    made = [
        (chip(turn, int(piece), known[int(piece)]) if int(piece) in known else text(f"[{piece}]"))
        if i % 2
        else text(piece)
        for i, piece in enumerate(pieces)
    ]
    return "".join(made).strip()


def _body(inner: str, kind: str = "") -> str:
    return element("div", f"answer {kind}".strip(), inner, dir="auto") if inner else ""
