"""An expert that cannot be asked is removed like any other, with its points, or stays as it is and says why."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from indexes.errors import StoreError
from indexes.manifest import FILE as MANIFEST
from indexes.manifest import Manifest
from indexes.slice import OpenStore
from indexes.store.base import Store
from indexes.store.connection import Connection
from indexes.store.edge import EdgeStore
from indexes.store.open import SHARD, connect, opener
from indexes.store.server import ServerStore
from retrievers.panel import Panel
from retrievers.reencoding import Reencoding
from tests.fakes import DIMENSION, QUESTIONS, WordEncoder
from tests.indexes.fake_qdrant import FakeQdrant
from tests.indexes.test_room import leave
from tests.retrievers.conftest import MakePanel, facts


@pytest.fixture
def server() -> Iterator[FakeQdrant]:
    fake = FakeQdrant()
    yield fake
    fake.close()


@pytest.fixture
def on_server(server: FakeQdrant) -> Iterator[OpenStore]:
    """Opens stores on the server, and asks once."""
    connection = Connection(connect(server.url).client, server.url, pauses=())

    def open_store(name: str, _folder: Path, dimension: int) -> Store:
        return ServerStore(connection, name, dimension)

    yield open_store
    connection.client.close()


def collections(server: FakeQdrant) -> list[str]:
    return sorted(each.name for each in server.engine.get_collections().collections)


def unable(panel: Panel) -> Panel:
    """The same folder as an encoder finds it that none of its slices was built with."""
    panel.close()
    other = Panel(panel.folder, WordEncoder("words-9"), panel.open_store)
    other.open()
    assert other.problems and not other.experts
    return other


def test_an_expert_that_another_program_has_open_stays_until_that_is_closed(make_panel: MakePanel) -> None:
    serving = make_panel("orchard", "engines", open_store=opener())
    before = facts(serving.retrieve(QUESTIONS["engines"]))
    panel = make_panel(open_store=opener())
    panel.open()
    with pytest.raises(StoreError, match="is in use by") as caught:
        panel.withdraw("engines")
    assert "Close that program" in caught.value.fix
    assert list(panel.problems) == ["engines", "orchard"]
    assert facts(serving.retrieve(QUESTIONS["engines"])) == before
    serving.close()
    panel.withdraw("engines")
    assert list(panel.problems) == ["orchard"]
    assert not (panel.folder / "engines").exists()


@pytest.mark.parametrize("asked", [True, False], ids=["open", "not-open"])
def test_an_expert_whose_server_is_down_stays_and_later_goes_with_its_passages(
    make_panel: MakePanel, server: FakeQdrant, on_server: OpenStore, asked: bool
) -> None:
    panel = make_panel("orchard", "engines", open_store=on_server)
    before = facts(panel.retrieve(QUESTIONS["engines"]))
    if not asked:
        panel.close()
    server.fault = 503
    panel.open()
    with pytest.raises(StoreError, match="did not answer") as caught:
        panel.withdraw("engines")
    assert "Check that the server runs" in caught.value.fix
    assert sorted(panel.experts if asked else panel.problems) == ["engines", "orchard"]
    server.fault = None
    panel.withdraw("engines")
    assert collections(server) == ["orchard"]
    assert not (panel.folder / "engines").exists()
    panel.close()
    again = make_panel("engines", open_store=on_server)
    assert facts(again.retrieve(QUESTIONS["engines"])) == before


def test_the_generations_of_an_expert_that_cannot_be_asked_go_with_it(
    make_panel: MakePanel, server: FakeQdrant, on_server: OpenStore
) -> None:
    panel = make_panel("orchard", open_store=on_server)
    Reencoding(panel, WordEncoder("words-2")).run(keep_old=True)
    assert len(collections(server)) == 2
    unable(panel).withdraw("orchard")
    assert (collections(server), list(panel.folder.glob("orchard*"))) == ([], [])


def test_a_generation_that_another_program_has_open_keeps_the_others(make_panel: MakePanel) -> None:
    panel = make_panel("orchard", open_store=opener())
    Reencoding(panel, WordEncoder("words-2")).run(keep_old=True)
    folder = panel.folder / "orchard"
    homes = folder, Manifest.read(folder).store_folder(folder)
    panel = unable(panel)
    for home in homes:
        holder = EdgeStore(home / SHARD, DIMENSION)
        with pytest.raises(StoreError, match="is in use by"):
            panel.withdraw("orchard")
        holder.close()
    for home in homes:
        store = EdgeStore(home / SHARD, DIMENSION)
        assert store.count() == 8
        store.close()
    panel.withdraw("orchard")
    assert not folder.exists()


@pytest.mark.parametrize("damaged", [MANIFEST, f"{SHARD}/edge_config.json"])
def test_a_damaged_expert_is_removed_with_its_folder(make_panel: MakePanel, damaged: str) -> None:
    panel = make_panel("orchard", open_store=opener())
    (panel.folder / "orchard" / damaged).write_bytes(b"{")
    panel.close()
    panel.open()
    panel.withdraw("orchard")
    assert (panel.problems, (panel.folder / "orchard").exists()) == ({}, False)


def test_on_a_full_disk_an_expert_is_removed_unless_another_program_has_it(
    make_panel: MakePanel, monkeypatch: pytest.MonkeyPatch
) -> None:
    panel = make_panel("orchard", open_store=opener())
    panel.close()
    shard = panel.folder / "orchard" / SHARD
    holder = EdgeStore(shard, DIMENSION)
    leave(monkeypatch, 0)
    panel.open()
    with pytest.raises(StoreError, match="is in use by"):
        panel.withdraw("orchard")
    holder.close()
    assert shutil.disk_usage(shard).free == 0
    panel.withdraw("orchard")
    assert not shard.exists()
