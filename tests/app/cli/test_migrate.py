from __future__ import annotations

import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from indexes.store.open import opener
from tests.indexes.archive.conftest import make_slice, points_of
from tests.indexes.fake_qdrant import FakeQdrant


@pytest.fixture(scope="module")
def server() -> Iterator[FakeQdrant]:
    fake = FakeQdrant()
    yield fake
    fake.close()


@pytest.fixture
def slices(tmp_path: Path) -> Path:
    """Two experts in the home of the settings, with names of this test's own."""
    folder = tmp_path / ".symposia" / "slices"
    for name in ("birds", "fruit"):
        make_slice(folder, f"{name}-{tmp_path.name}"[:64], opener())
    return folder


def ids(slices: Path, url: str = "") -> dict[str, list[str]]:
    store = opener(url)
    return {path.name: [p.id for p in points_of(path, store)] for path in sorted(slices.iterdir())}


def test_all_slices_go_to_the_server_and_the_settings_follow(
    run: Any, slices: Path, server: FakeQdrant, tmp_path: Path
) -> None:
    ended = run("migrate", "--to", server.url, "--switch")
    assert ended.code == 0
    assert ended.out.count("24 passages, 24 written, 0 there already; 16 read back") == 2
    assert ids(slices, server.url) == ids(slices)
    file = tmp_path / "symposia.toml"
    assert tomllib.loads(file.read_text()) == {"store": {"url": server.url}}
    assert "The old store was only read" in ended.err
    back = run("migrate", "--to", "embedded", "--json")
    assert back.code == 0
    assert [each["written"] for each in back.document["experts"]] == [0, 0]


def test_without_switch_it_says_what_to_set(run: Any, slices: Path, server: FakeQdrant, tmp_path: Path) -> None:
    name = next(slices.iterdir()).name
    ended = run("migrate", "--to", server.url, "--expert", name)
    assert ended.code == 0
    assert f'Now set [store] url = "{server.url}".' in ended.out
    assert not (tmp_path / "symposia.toml").exists()
    again = run("migrate", "--to", server.url, "--expert", name, "--json")
    assert again.document["experts"][0] == {
        "name": name,
        "points": 24,
        "written": 0,
        "removed": 0,
        "compared": 16,
        "exact": again.document["experts"][0]["exact"],
    }


def test_a_variable_that_wins_over_the_file_is_told(
    run: Any, slices: Path, server: FakeQdrant, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert slices.is_dir()
    monkeypatch.setenv("SYMPOSIA_STORE_URL", "")
    ended = run("migrate", "--to", server.url, "--switch")
    assert ended.code == 0
    assert "The environment variable SYMPOSIA_STORE_URL still says where the slices are" in ended.err


@pytest.mark.usefixtures("slices")
@pytest.mark.parametrize(
    ("options", "why"),
    [
        (("--to", "embedded"), "The slices are in that store already: embedded."),
        (("--to", "localhost"), "which is no address of a Qdrant server"),
        (("--to", "http://127.0.0.1:9", "--expert", "x"), "There is no expert named 'x'."),
        (("--to", "http://127.0.0.1:9", "--set", "x"), "No such option"),
    ],
)
def test_what_cannot_be_done_is_explained(run: Any, options: tuple[str, ...], why: str) -> None:
    ended = run("migrate", *options)
    assert ended.code in {1, 2}
    assert why in ended.err


def test_settings_are_not_switched_while_an_expert_stays_behind(run: Any, slices: Path, server: FakeQdrant) -> None:
    first, second = sorted(path.name for path in slices.iterdir())
    ended = run("migrate", "--to", server.url, "--expert", first, "--switch")
    assert ended.code == 1
    assert f"other experts stay behind: {second}" in ended.err
