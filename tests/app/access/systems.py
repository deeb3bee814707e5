"""Systems on fakes, whole and with some experts left out, and everything that their surfaces say."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields, is_dataclass, replace
from functools import cache, partial
from pathlib import Path
from typing import Any

import pytest

from app.library import ExpertCard
from app.settings import Settings, load_settings
from app.symposium import Symposium
from app.wiring import make_answerer, make_router
from generators.events import Answered, Event
from indexes.errors import SymposiaError
from indexes.passage import Passage
from indexes.store.open import MEMORY, opener
from retrievers.expert import Expert
from retrievers.gate import NullExpert
from retrievers.panel import Panel
from tests.fakes import WordEncoder
from tests.generators.scripted import ScriptedModel
from tests.retrievers.conftest import fill


class EchoModel(ScriptedModel):
    """Says the beginning of the data in what it reads, so that whatever reaches a prompt reaches an answer."""

    def __init__(self) -> None:
        super().__init__("Nothing.", "Something else.")

    def chat_tokens(self, messages: Sequence[dict[str, str]]) -> list[int]:
        return [min(token, 0x20FF) for token in super().chat_tokens(messages)]

    def prefill(self, rows: Sequence[Sequence[int]]) -> Any:
        read = self.decode(rows[0])
        if "Sources:" in read:
            body = read.partition("Sources:")[2].partition("\n\nQuestion:")[0].split("\n")
            self.script = next((line for line in body if line.endswith(".")), "Nothing.")[:200]
        elif "facts" in read:
            self.script = " ".join(read.partition("\n")[2].split())[:600] + "."
        else:
            self.script = "Nothing."
        return super().prefill(rows)


@dataclass
class Pool:
    """Experts that panels are made of; each may sit on any number of them."""

    panel: Panel
    experts: dict[str, Expert] = field(default_factory=dict)

    @classmethod
    def of(cls, folder: Path, passages: Mapping[str, Sequence[Passage]], asked: Mapping[str, Sequence[str]]) -> Pool:
        """Experts with those passages; those of ``asked`` have labelled questions, so that others' heads depend on them."""
        pool = cls(Panel(folder, WordEncoder(), opener(MEMORY)))
        for name, given in passages.items():
            expert = fill(pool.panel, name, list(given))
            if name in asked:
                questions = pool.panel.encoder.encode_questions(asked[name])
                expert = replace(expert, profile=replace(expert.profile, questions=questions))
            pool.experts[name] = expert
        return pool


Prepare = Callable[[Path], None]


def make_system(
    folder: Path,
    experts: Mapping[str, Any],
    problems: Mapping[str, str] | None = None,
    flags: Mapping[str, Any] | None = None,
    encoder: WordEncoder | None = None,
) -> Symposium:
    """A system whose panel is just this; what was fitted is read from the folder."""
    settings: Settings = load_settings(flags={"home": str(folder), **(flags or {})}, env={}).settings
    model = EchoModel()
    folder.mkdir(parents=True, exist_ok=True)
    panel = Panel(
        folder, encoder or WordEncoder(), opener(MEMORY), partial(make_router, settings, folder, lambda: model)
    )
    panel._null = _null()
    panel._experts, panel._problems, panel._opened = dict(experts), dict(problems or {}), True
    return Symposium(settings, panel, lambda: make_answerer(settings, panel, lambda: model))  # type: ignore[arg-type, return-value]


@cache
def _null() -> NullExpert:
    """Encoded once: it knows nothing of the experts."""
    return NullExpert.of(WordEncoder())


@dataclass(frozen=True)
class Asked:
    """A question with the wishes of whoever asks."""

    question: str
    experts: tuple[str, ...] = ()
    forbid: tuple[str, ...] = ()
    retrieval: bool | None = None

    @property
    def wishes(self) -> dict[str, Any]:
        return {"experts": self.experts, "forbid": self.forbid, "retrieval": self.retrieval}


def said(call: Callable[[], Any]) -> Any:
    """What a surface gives, as plain values without times; or the error that it raises."""
    try:
        return plain(call())
    except SymposiaError as error:
        return {"error": type(error).__name__, "problem": error.problem, "fix": error.fix}


def plain(value: Any) -> Any:
    """Plain values, without wall times."""
    value = value.answer if isinstance(value, Answered) else value
    if hasattr(value, "to_dict"):
        return plain(value.to_dict())
    if is_dataclass(value):
        return plain({each.name: getattr(value, each.name) for each in fields(value)})
    if isinstance(value, Mapping):
        return {name: plain(inner) for name, inner in value.items() if name not in {"seconds", "updated"}}
    if isinstance(value, list | tuple):
        return [plain(inner) for inner in value]
    if isinstance(value, float):  # how a product's sum is ordered may depend on where its rows lie in memory
        return float(f"{value:.6g}")
    return value if isinstance(value, str | int | bool | None) else repr(value)


def everything(symposium: Symposium, asked: Iterable[Asked]) -> str:
    """All that the surfaces for reading say of these questions, as one text; the folder's name is left out."""
    listed = list(asked)
    found: list[Any] = [said(symposium.experts), said(symposium.answerer.facts), *known(symposium, listed)]
    for each in listed:
        found.append(said(lambda each=each: symposium.ask(each.question, **each.wishes)))  # type: ignore[misc]
        found.append(said(lambda each=each: list(_kinds(symposium.stream(each.question, **each.wishes)))))  # type: ignore[misc]
        found.append(said(lambda each=each: symposium.retrieve(each.question, passages=3, **each.wishes)))  # type: ignore[misc]
        found.append(said(lambda each=each: symposium.explain(each.question, forbid=each.forbid)))  # type: ignore[misc]
    questions = [each.question for each in listed]
    found.append(said(lambda: symposium.retrieve_many(questions)))
    found.append(said(lambda: symposium.ask_many(questions)))
    return json.dumps(found, indent=1).replace(str(symposium.panel.folder), "FOLDER")


NUMBER = re.compile(r"-?\d+\.\d+(?:e-?\d+)?")


def assert_alike(told: str, expected: str) -> None:
    """Both say the same, but for the last digits of numbers: those depend on where vectors lie in memory."""
    assert NUMBER.split(told) == NUMBER.split(expected)
    numbers, others = ([float(each) for each in NUMBER.findall(text)] for text in (told, expected))
    assert numbers == pytest.approx(others, rel=1e-4, abs=1e-6)


def known(symposium: Symposium, asked: Iterable[Asked]) -> list[Any]:
    """What is told of the experts that somebody sees, asks for or has heard of: their cards, documents and passages."""
    found: list[Any] = [said(symposium.calibrations)]
    cards = symposium.experts()
    for name in [*(card.name for card in cards), *(name for each in asked for name in (*each.experts, *each.forbid))]:
        found.append(said(lambda name=name: symposium.details(name)))  # type: ignore[misc]
        found.append(said(lambda name=name: symposium.documents(name)))  # type: ignore[misc]
        found.append(said(lambda name=name: symposium.documents(name, like="CANARY")))  # type: ignore[misc]
        ids = [card.id for card in symposium.documents(name)[1]] if _fine(name, cards) else ["1"]
        found += [said(lambda name=name, i=i: symposium.passages(name, i)) for i in ids]  # type: ignore[misc]
    return found


def _fine(name: str, cards: Iterable[ExpertCard]) -> bool:
    return any(card.name == name and not card.problem for card in cards)


def _kinds(events: Iterable[Event]) -> Iterable[Any]:
    for event in events:
        yield type(event).__name__, event if isinstance(event, Answered) else repr(event)
