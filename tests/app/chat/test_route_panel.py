from __future__ import annotations

import re
from dataclasses import replace
from html import unescape

from app.chat import route_panel
from app.chat.turn import Ended, Failed, Loaded, Step, Turn
from generators.answer import Answer
from generators.events import Answered, Found, Routed
from retrievers.evidence import Share


def stripped(html: str) -> str:
    return unescape(re.sub(r"<[^>]*>", " ", html))


def finished(answer: Answer) -> Turn:
    turn = Turn(1, "q", 0.0)
    steps: list[Step] = [Loaded(), Routed(answer.route), Found(answer.evidence), Answered(answer), Ended()]
    for at, step in enumerate(steps, start=1):
        turn.absorb(step, at)
    return turn


def test_the_headline_says_what_is_done_now_and_afterwards_who_was_asked(answered: Answer) -> None:
    turn = Turn(1, "q", 0.0)
    assert route_panel.headline(turn, 0.4) == "Loading the models"
    turn.absorb(Loaded(), 1.0)
    assert route_panel.headline(turn, 2.0) == "Routing and searching · 2\N{NO-BREAK SPACE}s"
    turn.absorb(Routed(answered.route), 2.0)
    turn.absorb(Found(answered.evidence), 2.0)
    assert "Writing from 3 passages of countries and speeches" in route_panel.headline(turn, 2.0)
    headline = route_panel.headline(finished(answered), 99.0)
    assert headline == "Asked countries and speeches · 3 passages · 5.0\N{NO-BREAK SPACE}s"


def test_the_headline_never_claims_a_search_that_was_not_made(remembered: Answer) -> None:
    assert "Nobody was asked" in route_panel.headline(finished(remembered), 9.0)


def test_the_headline_of_a_stopped_or_failed_turn_says_so() -> None:
    turn = Turn(1, "q", 0.0)
    turn.absorb(Ended(), 1.0)
    assert route_panel.headline(turn, 9.0).startswith("Stopped")
    turn.absorb(Failed("a", "b"), 1.0)
    assert route_panel.headline(turn, 9.0).startswith("No answer")


def test_every_expert_has_a_bar_as_long_as_its_probability(answered: Answer) -> None:
    html = route_panel.panel(finished(answered))
    assert re.findall(r"width: ([\d.]+)%", html) == ["83.0", "10.0", "5.0", "2.0"]
    assert re.search(r"countries\s+83 %\s+asked", stripped(html))
    assert re.search(r"python\s+5 %\s+not asked", stripped(html))
    assert re.search(r"no retrieval needed\s+2 %\s+not taken", stripped(html))


def test_the_panel_gives_the_gates_decision_the_reason_and_the_times(answered: Answer, remembered: Answer) -> None:
    searched, skipped = (stripped(route_panel.panel(finished(answer))) for answer in (answered, remembered))
    assert "Searched the sources." in searched and answered.route.reason in searched
    assert "Skipped retrieval." in skipped and "It reads like small talk." in skipped
    assert re.search(r"Routing and searching\s+2.00\N{NO-BREAK SPACE}s", searched)


def test_an_experts_name_is_inert_in_the_panel_and_the_headline(answered: Answer) -> None:
    route = replace(answered.route, shares=(Share("<b>*x*", 0.9, True),))
    turn = finished(replace(answered, route=route))
    assert "<b>*x*" not in route_panel.panel(turn) and "<b>*x*" in stripped(route_panel.panel(turn))
    assert "\\<b\\>\\*x\\*" in route_panel.headline(turn, 9.0)


def test_experts_that_broke_are_named_with_the_remedy(answered: Answer) -> None:
    route = replace(answered.route, failures={"law": "The slice is in use by process 7.\nClose that program."})
    shown = stripped(route_panel.failures(route))
    assert "Expert law could not be searched" in shown
    assert "The slice is in use by process 7." in shown and "Close that program." in shown
    assert route_panel.failures(answered.route) == "" and route_panel.failures(None) == ""
