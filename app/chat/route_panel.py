"""The route panel: which experts were asked and how probable each was, why, what failed, and how long each stage took."""

from __future__ import annotations

from app.chat.markup import element, failure, label, percent, text
from app.chat.turn import Failed, Stage, Turn
from retrievers.evidence import Route


def headline(turn: Turn, now: float) -> str:
    """One line on where a turn stands, for the status element, whose label is Markdown; ``now`` is a clock reading."""
    seconds = turn.waited(now)
    if turn.done:
        return f"{label(_outcome(turn))} · {_time(seconds, 1)}"
    waiting = f" · {_time(seconds, 0)}" if seconds >= 1 else ""
    return label(_doing(turn)) + waiting


def panel(turn: Turn) -> str:
    """The stages with their times, then the route."""
    return _stages(turn) + (_route(turn.route) if turn.route is not None else "")


def failures(route: Route | None) -> str:
    """A line for each expert that could not be searched, which opens to say why; the others' evidence stands."""
    broken = route.failures if route is not None else {}
    return "".join(_broken(name, message) for name, message in sorted(broken.items()))


def _doing(turn: Turn) -> str:
    if turn.stage is Stage.WRITING and turn.evidence:
        return f"Writing from {_count(len(turn.evidence), 'passage')} of {_names(turn)}"
    return str(turn.stage)


def _outcome(turn: Turn) -> str:
    if turn.failure is not None:
        return "No answer"
    if turn.stopped:
        return "Stopped"
    if turn.route is None or turn.route.decision == "skip":
        return "Nobody was asked"
    return f"Asked {_names(turn)} · {_count(len(turn.evidence), 'passage')}"


def _names(turn: Turn) -> str:
    names = turn.route.experts if turn.route is not None else ()
    return " and ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names) or "nobody"


def _stages(turn: Turn) -> str:
    parts = [
        element("li", "stage", f"{text(stage)} {element('b', 'time', _time(seconds, 2))}")
        for stage, seconds in turn.seconds.items()
        if stage is not Stage.LOADING or seconds >= 0.1
    ]
    return element("ol", "stages", "".join(parts)) if parts else ""


def _route(route: Route) -> str:
    gate = "Searched the sources." if route.decision == "retrieve" else "Skipped retrieval."
    why = element("p", "why", f"{element('b', 'gate', gate)} {text(route.reason)}")
    rows = [_bar(share.expert, share.probability, "asked" if share.asked else "not asked") for share in route.shares]
    rows.append(_bar("no retrieval needed", route.null, "taken" if route.decision == "skip" else "not taken"))
    return why + element("ul", "shares", "".join(rows))


def _bar(name: str, probability: float, state: str) -> str:
    filled = element("span", "fill", "", style=f"width: {min(max(probability, 0.0), 1.0) * 100:.1f}%")
    bar = element("span", "bar", filled, aria_hidden="true")
    words = element("span", "name", text(name)) + bar + element("span", "percent", percent(probability))
    kind = "share chosen" if state in {"asked", "taken"} else "share"
    return element("li", kind, words + element("span", "state", state))


def _broken(name: str, message: str) -> str:
    problem, _, fix = message.partition("\n")
    line = element("summary", "restline", f"⚠ Expert {text(name)} could not be searched")
    return element("details", "rest broken", line + failure(Failed(problem, fix)))


def _time(seconds: float, decimals: int) -> str:
    return f"{seconds:.{decimals}f}\N{NO-BREAK SPACE}s"


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
