"""Lay out a route, evidence and an answer for people: the same words on a terminal and in a pipe."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

from rich.text import Text

from app.cli.output import Output, duration, plain
from app.marks import beside_sides, moved, sayers

if TYPE_CHECKING:
    from generators.answer import Answer, Claim, Conflict
    from retrievers.evidence import Evidence, Route, Share

MARK = "cyan"
DOUBT = "yellow"
FAINT = "dim"
LONGEST_QUOTE = 300

_VERDICT_STYLES = {
    "answered": "green",
    "answered from memory": "blue",
    "sources conflict": "magenta",
    "not in the sources": "yellow",
}


def show_answer(output: Output, answer: Answer, *, sources: bool = True) -> None:
    """Write the answer with its marks, the cited sources, the route, the verdict, what memory says, and the times."""
    verdict = answer.verdict.value
    style = _VERDICT_STYLES.get(verdict, "")
    text = answer_text(answer)
    if output.is_terminal:
        from rich.panel import Panel

        output.show(Panel(text, title=Text(verdict, style=style), title_align="left", border_style=style or "none"))
    else:
        output.show(text)
    if sources and answer.cited:
        output.show(Text("\nSources", style="bold"), *source_lines(answer))
    output.show(Text(), *route_lines(answer.route))
    made = ", ".join(part for part in (answer.model, answer.policy) if part)
    output.show(_labelled("Verdict", f"{verdict} ({made})" if made else verdict, style))
    output.show(*memory_lines(answer))
    output.show(_labelled("Time", times(answer.seconds), FAINT))


def show_found(output: Output, route: Route, evidence: Iterable[Evidence]) -> None:
    """Write the route and the evidence that was found on it."""
    output.show(*route_lines(route))
    for item in evidence:
        output.show(Text(), _heading(item), Text(f"    relevance {_scores(item)}", style=FAINT))
        output.show(Text(f"    {_short(item.passage.text)}"))


def answer_text(answer: Answer) -> Text:
    """The answer with ``[n]`` behind each cited sentence; a sentence that failed its check is marked and coloured.

    Where sources conflict, their sides are a list, below those sentences that say something else.
    """
    text = _sentences(beside_sides(answer))
    if answer.conflict is not None:
        text.append("\n\n" if text else "")
        text.append_text(_sides(answer.conflict, answer.evidence))
    return text


def _sentences(answer: Answer) -> Text:
    text, position = Text(), 0
    for claim in answer.claims:
        text.append(plain(answer.text[position : claim.start]))
        text.append(plain(answer.text[claim.start : claim.end]), style=DOUBT if claim.status == "unsupported" else "")
        _append_marks(text, claim, answer)
        position = claim.end
    text.append(plain(answer.text[position:]))
    return text


def source_lines(answer: Answer) -> list[Text]:
    """For each cited piece of evidence: number, expert, title, place, date, and the spans that support a sentence."""
    lines = []
    for item in answer.cited:
        lines.append(_heading(item))
        spans = {(c.start, c.end) for c in answer.citations if c.number == item.number}
        lines += [Text(f"    “{_short(item.passage.text[start:end])}”", style="italic") for start, end in sorted(spans)]
    return lines


def memory_lines(answer: Answer) -> list[Text]:
    """What the model would have said without the sources, and what the mark ``[≠ memory]`` means where there is one."""
    lines = []
    if answer.memory:
        lines.append(f"without the sources the model would have said: “{_short(answer.memory)}”")
    if any(moved(claim, answer) for claim in answer.claims):
        lines.append("[≠ memory]: there the sources moved the model from what it remembers")
    return [_labelled("" if i else "Memory", line, FAINT) for i, line in enumerate(lines)]


def route_lines(route: Route) -> list[Text]:
    """The experts with their probabilities, the reason, and the experts that failed."""
    asked = [_share(share) for share in route.shares if share.asked]
    others = [_share(share) for share in route.shares if not share.asked]
    parts = [
        f"asked {', '.join(asked)}" if asked else "asked no expert",
        f"not asked {', '.join(others)}" if others else "",
        f"no retrieval {route.null:.2f}",
    ]
    lines = [_labelled("Route", "; ".join(part for part in parts if part)), _labelled("", route.reason, FAINT)]
    lines += [_labelled("Failed", f"{name}: {why}", "red") for name, why in sorted(route.failures.items())]
    return lines


def times(seconds: Mapping[str, float]) -> str:
    """``retrieve 0.03 s, write 2.10 s, in all 2.13 s``."""
    parts = [f"{stage} {duration(value)}" for stage, value in seconds.items()]
    return ", ".join([*parts, f"in all {duration(sum(seconds.values()))}"])


def _append_marks(text: Text, claim: Claim, answer: Answer) -> None:
    for citation in claim.citations:
        text.append(f" [{citation.number}]", style=MARK)
    if claim.status == "unsupported":
        text.append(" [unsupported]", style=DOUBT)
    if moved(claim, answer):
        text.append(" [≠ memory]", style=FAINT)


def _sides(conflict: Conflict, evidence: Sequence[Evidence]) -> Text:
    """The answers that the sources give; below each the marks of those that do, with expert and date."""
    text = Text.assemble("The sources disagree: ", (plain(conflict.question), "bold"))
    for place, side in enumerate(conflict.sides, start=1):
        text.append(f"\n  {place}. {plain(side.text)}\n     ")
        for i, (number, who) in enumerate(sayers(side.citations, evidence).items()):
            text.append("; " if i else "", style=FAINT)
            text.append(f"[{number}]", style=MARK)
            text.append(f" {plain(who)}", style=FAINT)
    return text


def _heading(item: Evidence) -> Text:
    text = Text(f"[{item.number}] ", style=MARK)
    text.append(plain(item.expert), style="bold")
    where = " ".join(plain(item.passage.heading or item.passage.source).split())
    text.append(f"  {where}" if where else "")
    text.append(f"  ({' '.join(plain(item.passage.date).split())})" if item.passage.date else "")
    return text


def _scores(item: Evidence) -> str:
    raw = ", ".join(f"{name} {value:.3f}" for name, value in item.scores.items())
    return f"{item.probability:.2f} ({raw})" if raw else f"{item.probability:.2f}"


def _share(share: Share) -> str:
    return f"{share.expert} {share.probability:.2f}"


def _labelled(label: str, text: str, style: str = "") -> Text:
    return Text.assemble((f"{label:<8} ", "bold"), (plain(text), style))


def _short(text: str) -> str:
    flat = " ".join(plain(text).split())
    return flat if len(flat) <= LONGEST_QUOTE else flat[: LONGEST_QUOTE - 1] + "…"
