"""Two processes on one home with a Qdrant server: each sees what the other does."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from threading import Event, Thread

import pytest

from app.access.principal import Principal
from app.noticing import INTERVAL, NoticingPanel
from app.settings import Settings, load_settings
from app.symposium import Symposium
from app.telemetry.stages import MeasuredPanel
from app.wiring import make_panel
from indexes.adapters.base import Identity
from indexes.errors import MissingModelError
from indexes.passage import Document
from indexes.slice import OpenStore
from indexes.store.open import MEMORY, opener
from tests.fakes import QUESTIONS, TOPICS, WordEncoder, make_passages
from tests.retrievers.conftest import fill

APPLES = QUESTIONS["orchard"]


@dataclass
class Clock:
    now: float = 100.0

    def __call__(self) -> float:
        return self.now


def unwritten() -> None:
    raise MissingModelError("No model.", "Fetch one.")


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def processes(tmp_path: Path, clock: Clock) -> Iterator[tuple[Symposium, Symposium]]:
    """Two systems on one folder and one server; the clock of the second one."""
    server: OpenStore = opener(MEMORY)
    settings = Settings(home=tmp_path)
    made = [
        Symposium(settings, NoticingPanel(tmp_path / "slices", WordEncoder(), server, clock=clock), unwritten)  # type: ignore[arg-type]
        for _ in range(2)
    ]
    fill(made[0].panel, "orchard")
    yield made[0], made[1]
    for each in made:
        each.close()


def names(symposium: Symposium) -> list[str]:
    return [card.name for card in symposium.experts()]


def test_experts_that_another_process_adds_are_there_after_a_second_and_not_before(
    processes: tuple[Symposium, Symposium], clock: Clock
) -> None:
    first, second = processes
    view = second.seen_by(Principal("anna", frozenset({"engines"})))
    assert names(second) == ["orchard"]
    fill(first.panel, "engines")
    clock.now += INTERVAL / 2
    assert names(second) == ["orchard"]
    clock.now += INTERVAL
    assert names(second) == ["engines", "orchard"]
    assert names(view) == ["engines"]
    assert second.retrieve(QUESTIONS["engines"])[0].experts == ("engines",)


def test_documents_that_another_process_adds_and_deletes_change_the_expert(
    processes: tuple[Symposium, Symposium], clock: Clock
) -> None:
    first, second = processes
    before = second.experts()[0].passages
    first.add_documents([Document("Plums are dried on racks of willow.", title="Plums")], "orchard")
    clock.now += INTERVAL
    assert second.experts()[0].passages == before + 1
    assert second.retrieve("How are plums dried on willow?")[1][0].passage.title == "Plums"
    (plums,) = second.documents("orchard", like="Plums")[1]
    first.remove_documents("orchard", [plums.id])
    clock.now += INTERVAL
    assert second.experts()[0].passages == before
    assert second.documents("orchard", like="Plums") == (0, [])


def test_an_expert_that_another_process_withdraws_is_gone(processes: tuple[Symposium, Symposium], clock: Clock) -> None:
    first, second = processes
    fill(first.panel, "engines")
    assert names(second) == ["engines", "orchard"]
    first.remove("orchard")
    clock.now += INTERVAL
    assert names(second) == ["engines"]
    assert second.retrieve(APPLES)[0].failures == {}


def test_what_training_leaves_in_another_process_serves_here(
    processes: tuple[Symposium, Symposium], clock: Clock
) -> None:
    first, second = processes
    assert names(second) == ["orchard"]
    expert = second.panel.experts["orchard"]
    first.panel.experts["orchard"].slice.adapt(Identity(), {"expert": "orchard"})
    clock.now += INTERVAL
    assert names(second) == ["orchard"]
    assert second.panel.experts["orchard"] is not expert


def test_what_this_process_does_itself_is_opened_once(
    processes: tuple[Symposium, Symposium], clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, _ = processes
    opened: list[Path] = []
    plain = NoticingPanel.expert_in
    monkeypatch.setattr(
        NoticingPanel, "expert_in", lambda self, folder, encoder: opened.append(folder) or plain(self, folder, encoder)
    )
    fill(first.panel, "engines")
    first.add_documents([Document("Plums are dried on racks of willow.", title="Plums")], "orchard")
    for _ in range(3):
        clock.now += INTERVAL
        assert names(first) == ["engines", "orchard"]
    assert opened == []


def test_a_slice_that_is_damaged_meanwhile_is_a_problem_and_comes_back_once_it_is_mended(
    processes: tuple[Symposium, Symposium], clock: Clock
) -> None:
    _, second = processes
    assert names(second) == ["orchard"]
    manifest = second.panel.folder / "orchard" / "slice.json"
    whole = manifest.read_text()
    manifest.write_text("{")
    clock.now += INTERVAL
    assert [bool(card.problem) for card in second.experts()] == [True]
    manifest.write_text(whole)
    clock.now += INTERVAL
    assert [bool(card.problem) for card in second.experts()] == [False]
    assert second.retrieve(APPLES)[1]


def test_a_question_under_way_ends_with_what_it_began_with(
    processes: tuple[Symposium, Symposium], clock: Clock
) -> None:
    first, second = processes
    assert names(second) == ["orchard"]
    before = second.panel.experts["orchard"].slice
    closed = Event()
    close = before.close
    before.close = lambda: (close(), closed.set())[0]  # type: ignore[method-assign]
    with second.panel.seated() as seating:
        first.add_documents([Document("Plums are dried on racks of willow.", title="Plums")], "orchard")
        clock.now += INTERVAL
        looked = Thread(target=second.experts)
        looked.start()
        looked.join(20)
        assert second.panel.experts["orchard"].slice is not before is seating.experts["orchard"].slice
        assert not closed.wait(0.2)
        assert before.store.count() > 0
    assert closed.wait(20)


def test_while_this_process_adds_nothing_is_opened_anew(processes: tuple[Symposium, Symposium], clock: Clock) -> None:
    first, second = processes
    assert names(second) == ["orchard"]
    with second.panel.changing():
        fill(first.panel, "engines", make_passages(TOPICS["engines"]))
        clock.now += INTERVAL
        assert names(second) == ["orchard"]
    clock.now += INTERVAL
    assert names(second) == ["engines", "orchard"]


@pytest.mark.parametrize(("url", "kind"), [("", MeasuredPanel), ("http://127.0.0.1:1", NoticingPanel)])
def test_a_panel_looks_around_where_its_slices_lie_on_a_server(
    tmp_path: Path, url: str, kind: type, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.wiring.encoder_of", lambda _settings: WordEncoder())
    settings = load_settings(flags={"home": str(tmp_path), "store.url": url}, env={}).settings
    assert type(make_panel(settings)) is kind
