from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from indexes.manifest import Manifest
from indexes.store.open import opener
from tests.fakes import WordEncoder
from tests.indexes.archive.conftest import make_slice, points_of


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """The home of the settings, with one expert."""
    make_slice(tmp_path / ".symposia" / "slices", "birds", opener())
    return tmp_path / ".symposia"


@pytest.fixture
def words(monkeypatch: pytest.MonkeyPatch) -> None:
    """The settings name the encoder that the slices were built with."""
    monkeypatch.setattr("app.wiring.encoder_of", lambda _: WordEncoder())


@pytest.mark.usefixtures("words")
def test_an_expert_is_exported_and_imported_under_another_name(run: Any, home: Path) -> None:
    ended = run("export", "birds", "b.symposia")
    assert ended.code == 0
    assert ended.out.startswith("Exported birds: 24 passages in ")
    assert " to b.symposia, " in ended.out
    ended = run("import", "b.symposia", "--expert", "swifts", "--json")
    assert ended.code == 0
    assert {key: ended.document[key] for key in ("expert", "passages", "replaced", "problem")} == {
        "expert": "swifts",
        "passages": 24,
        "replaced": False,
        "problem": "",
    }
    assert len(points_of(home / "slices" / "swifts", opener())) == 24


@pytest.mark.usefixtures("words")
def test_a_taken_name_needs_replace(run: Any, home: Path) -> None:
    run("export", "birds", "b.symposia")
    ended = run("import", "b.symposia")
    assert ended.code == 1
    assert "There is an expert named 'birds' already." in ended.err
    ended = run("import", "b.symposia", "--replace")
    assert ended.code == 0
    assert "in place of the old one" in ended.out
    assert Manifest.read(home / "slices" / "birds").generation


def test_another_encoder_is_told_and_the_slice_is_there(run: Any, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.wiring.encoder_of", lambda _: WordEncoder("words-2"))
    run("export", "birds", "b.symposia")
    ended = run("import", "b.symposia", "--expert", "swifts")
    assert ended.code == 0
    assert "It cannot be asked with these settings yet." in ended.err
    assert "was built with encoder words (revision words-1" in ended.err
    assert (home / "slices" / "swifts" / "slice.json").is_file()


@pytest.mark.usefixtures("home")
def test_a_model_that_was_not_fetched_hinders_neither(run: Any, tmp_path: Path) -> None:
    here = ("--set", f"models.cache={tmp_path / 'no-models'}")
    assert run(*here, "export", "birds", "b.symposia").code == 0
    ended = run(*here, "import", "b.symposia", "--expert", "swifts")
    assert ended.code == 0
    assert "symposia models fetch" in ended.err


@pytest.mark.usefixtures("home")
def test_what_cannot_be_imported_says_why(run: Any, tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("no archive")
    ended = run("import", "notes.txt", "--json")
    assert ended.code == 1
    assert ended.document["error"]["kind"] == "InputError"
    assert "is no archive of Symposia" in ended.document["error"]["problem"]
    assert "There is no expert named 'x'" in run("export", "x", "x.symposia").err


@pytest.mark.usefixtures("words")
def test_an_import_that_was_decided_is_finished_by_the_next_command(run: Any, home: Path) -> None:
    staged = home / "slices" / ".incoming" / "new"
    staged.mkdir(parents=True)
    (home / "slices" / "birds").rename(staged / "swifts")
    (staged.parent / "commit.json").write_text(json.dumps({"install": ["swifts"], "remove": []}))
    assert run("export", "swifts", "s.symposia").code in {0, 1}
    assert (home / "slices" / "swifts" / "slice.json").is_file()
