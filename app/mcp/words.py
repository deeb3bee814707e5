"""The same results in words, for the language model that called the tool."""

from __future__ import annotations

from collections.abc import Sequence

from app.mcp.results import Asked, Experts, Explained, Found, Route, Source


def asked(result: Asked) -> str:
    """The answer, its verdict, and the sources that it cites with the spans that support it."""
    cited = [source for source in result.sources if source.supports]
    lines = [result.answer, f"Verdict: {result.verdict}."]
    if result.memory:
        lines.append(f"Without the sources the language model would have said: {result.memory}")
    lines += [f"{_head(source)}\n{_quoted(source.supports)}" for source in cited]
    return "\n\n".join(lines)


def found(result: Found) -> str:
    """The passages, in full."""
    passages = [f"{_head(source)}\n{_quoted([source.text])}" for source in result.passages]
    return "\n\n".join(passages or [f"Nothing was found. {result.route.reason}"])


def experts(result: Experts) -> str:
    """A line an expert."""
    lines = [
        f"{expert.name} ({expert.passages} passages): {expert.description or 'no description'}"
        + (f" It cannot be asked: {expert.problem}" if expert.problem else "")
        for expert in result.experts
    ]
    return "\n".join(lines or ["There are no experts yet."])


def explained(result: Explained) -> str:
    """The route and the rules."""
    return "\n".join([*_route(result.route), *result.rules])


def _route(route: Route) -> list[str]:
    lines = [route.reason, f"No sources needed: {route.null:.1%}."]
    lines += [f"{s.expert}: {s.probability:.1%}, {'asked' if s.asked else 'not asked'}." for s in route.shares]
    lines += [f"{name} could not be asked: {why}" for name, why in route.failures.items()]
    if route.unknown:
        lines.append(f"Words that none of the passages holds: {', '.join(route.unknown)}.")
    return lines


def _head(source: Source) -> str:
    where = " › ".join(part for part in (source.title, source.place) if part)
    details = ", ".join(part for part in (source.expert, source.date, f"relevant: {source.probability:.0%}") if part)
    return f"[{source.number}] {where} ({details})"


def _quoted(texts: Sequence[str]) -> str:
    """Each line behind ``> ``: what comes from documents is told from what Symposia says."""
    return "\n".join(f"> {line}" for text in texts for line in text.splitlines())
