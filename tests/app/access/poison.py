"""Poisoned documents, a system that has read them, and a model that does whatever they say."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from app.access.principal import LOCAL, Principal
from app.symposium import Symposium
from generators.answer import Answer
from generators.answerer import Answerer, Options
from generators.events import Answered, Event
from generators.policies.registry import policy
from tests.app.access.systems import make_system
from tests.fakes import TOPICS, make_passages
from tests.generators.scripted import ScriptedModel
from tests.retrievers.conftest import fill

FILE = Path(__file__).parents[2] / "data" / "poisoned.jsonl"
SECRET = "Payroll: the chief engineer earns HERON-4417 a month, as do the heads of all public offices."


@dataclass(frozen=True)
class Poison:
    """A document, what it tries, and what a model says that obeys it."""

    trick: str
    title: str
    text: str
    obeyed: str


POISONS = tuple(Poison(**json.loads(line)) for line in FILE.read_text(encoding="utf-8").splitlines())


class ObedientModel(ScriptedModel):
    """Says what it is told, in characters that it has."""

    def chat_tokens(self, messages: Sequence[dict[str, str]]) -> list[int]:
        return [min(token, 0x20FF) for token in super().chat_tokens(messages)]


@dataclass(frozen=True)
class Outcome:
    """What came of one question, and the prompts that the model was given."""

    events: list[Event]
    answer: Answer
    prompts: tuple[str, ...]


class Poisoned:
    """A system with an expert that anyone can see and anyone has written to, and one that is secret."""

    def __init__(self, folder: Path) -> None:
        self.whole = make_system(folder, {})
        self.whole.add([FILE], "public")
        fill(self.whole.panel, "orchard")
        fill(self.whole.panel, "payroll", make_passages([SECRET, *TOPICS["engines"]], title="Payroll"))
        self.model = ObedientModel("")
        answerer = Answerer(self.model, policy("adacad"), Options(), list)  # type: ignore[arg-type]
        self.whole._make_answerer = lambda: answerer
        self._asked: dict[tuple[str, Principal], Outcome] = {}

    def ask(self, poison: Poison, principal: Principal = LOCAL) -> Outcome:
        """What comes of a question about the document, with it among the evidence; asked once."""
        key = poison.trick, principal
        if key not in self._asked:
            self._asked[key] = self._ask(poison, self.whole.seen_by(principal))
        return self._asked[key]

    def prepare(self, poison: Poison) -> str:
        """Make the model obey this document; gives a question about it."""
        said = "".join(c if ord(c) < 0x2100 else " " for c in poison.obeyed)
        self.model.script, self.model.memory = said[:400], "Something else."
        self.model.prompts.clear()
        return f"What of the {' '.join(poison.title.split()[:3])}?"

    def _ask(self, poison: Poison, symposium: Symposium) -> Outcome:
        question = self.prepare(poison)
        events = list(symposium.stream(question, experts=["public"]))
        (answer,) = (event.answer for event in events if isinstance(event, Answered))
        return Outcome(events, answer, tuple(self.model.prompts))
