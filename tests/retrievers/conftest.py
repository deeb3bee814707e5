from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from indexes.errors import StoreError
from indexes.passage import Passage
from indexes.slice import OpenStore
from indexes.store.open import MEMORY, opener
from retrievers.expert import Expert
from retrievers.panel import Found, Panel
from tests.fakes import TOPICS, WordEncoder, make_passages

MakePanel = Callable[..., Panel]


def fill(panel: Panel, name: str, passages: list[Passage] | None = None) -> Expert:
    """Add passages, by default those of the topic, to an expert as the library does it."""
    given = make_passages(TOPICS[name], title=name.title()) if passages is None else passages
    slice_ = panel.slice(name, f"All about {name}.", given)
    slice_.add(given, panel.encoder)
    return panel.install(slice_)


def facts(found: Found) -> tuple[object, ...]:
    """All of a route and its evidence, numbers to five places: the last bits depend on where vectors lie in memory."""
    route, evidence = found
    shares = [(share.expert, round(share.probability, 5), share.asked) for share in route.shares]
    numbered = [
        (e.number, e.expert, e.passage, round(e.probability, 5), {name: round(s, 4) for name, s in e.scores.items()})
        for e in evidence
    ]
    others = (route.decision, route.kind, round(route.null, 5), route.reason, dict(route.failures), route.unknown)
    return (*others, shares, numbered)


def break_store(expert: Expert, method: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let one method of the expert's store fail."""

    def fail(*_: object) -> None:
        raise StoreError("The store is broken.", "Mend it.")

    monkeypatch.setattr(expert.slice.store, method, fail)


@pytest.fixture
def make_panel(tmp_path: Path) -> Iterator[MakePanel]:
    """Makes panels with the experts named, all in one folder and in memory unless told otherwise."""
    panels: list[Panel] = []
    memory = opener(MEMORY)

    def make(
        *names: str, open_store: OpenStore = memory, encoder: WordEncoder | None = None, folder: Path = tmp_path
    ) -> Panel:
        panel = Panel(folder, encoder or WordEncoder(), open_store)
        panels.append(panel)
        for name in names:
            fill(panel, name)
        return panel

    yield make
    for panel in panels:
        panel.close()


@pytest.fixture(scope="session")
def panel(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Panel]:
    """A panel of three experts; treat it as read-only."""
    panel = Panel(tmp_path_factory.mktemp("slices"), WordEncoder(), opener())
    for name in TOPICS:
        fill(panel, name)
    yield panel
    panel.close()
