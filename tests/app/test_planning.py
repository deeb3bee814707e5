from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from app.library import Library
from app.settings import Settings
from indexes.errors import InputError
from indexes.store.open import opener
from retrievers.panel import Panel
from tests.fakes import TOPICS, WordEncoder


@pytest.fixture
def encoder() -> WordEncoder:
    return WordEncoder()


@pytest.fixture
def library(tmp_path: Path, encoder: WordEncoder) -> Iterator[Library]:
    panel = Panel(tmp_path / "slices", encoder, opener())
    yield Library(panel, Settings())
    panel.close()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "notes"
    folder.mkdir()
    for number, text in enumerate(TOPICS["orchard"]):
        (folder / f"{number}.txt").write_text(text, encoding="utf-8")
    return folder


def test_for_a_new_expert_all_is_new_and_nothing_is_made(library: Library, folder: Path, encoder: WordEncoder) -> None:
    (folder / "twice").mkdir()
    (folder / "twice" / "0.txt").write_text(TOPICS["orchard"][0], encoding="utf-8")
    (folder / "broken.pdf").write_bytes(b"%PDF-1.4 no more than this")
    plan = library.plan([folder], "notes")
    assert (plan.documents, plan.new, plan.changed, plan.unchanged, plan.removed) == (9, 8, 0, 1, 0)
    assert (plan.embedded, plan.measured, plan.seconds > 0) == (8, True, True)
    assert [problem.path.name for problem in plan.problems] == ["broken.pdf"]
    assert encoder.passages <= 10  # tried, to see how long it takes
    assert library.cards() == [] and not (library.panel.folder / "notes").exists()


def test_what_a_plan_says_is_what_adding_then_does(library: Library, folder: Path) -> None:
    library.add_paths([folder], "notes")
    (folder / "0.txt").write_text("Apples were given up.", encoding="utf-8")
    (folder / "1.txt").unlink()
    (folder / "new.txt").write_text("Something else entirely.", encoding="utf-8")
    slice_ = library.panel.experts["notes"].slice
    points = slice_.store.count()
    kept = (library.panel.folder / "notes" / "journal.db").read_bytes()
    plan = library.plan([folder], "notes")
    assert (library.panel.folder / "notes" / "journal.db").read_bytes() == kept
    assert slice_.store.count() == points
    report = library.add_paths([folder], "notes")
    assert (plan.documents, plan.passages) == (report.documents, report.passages)
    assert (plan.new + plan.changed, plan.changed, plan.unchanged) == (report.new, report.replaced, report.unchanged)
    assert (plan.removed, plan.embedded, plan.reused) == (report.removed, report.embedded, report.reused) == (1, 2, 0)


def test_what_would_not_be_removed_is_said(library: Library, folder: Path) -> None:
    library.add_paths([folder], "notes")
    for path in folder.iterdir():
        path.unlink()
    plan = library.plan([folder], "notes")
    assert (plan.removed, len(plan.withheld), plan.to_dict()["withheld"][0]["path"]) == (0, 1, str(folder))
    assert library.plan([folder], "notes", prune=True).removed == 8
    assert library.documents("notes")[0] == 8


def test_a_plan_goes_by_the_pace_of_the_last_time(
    library: Library, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("indexes.sync.sync.TELLING", 1)
    library.add_paths([folder], "notes")
    (folder / "new.txt").write_text("Something else entirely.", encoding="utf-8")
    plan = library.plan([folder], "notes")
    assert (plan.embedded, plan.measured) == (1, False)
    assert 0 < plan.seconds < 60


def test_a_path_that_is_not_there_is_an_error(library: Library, folder: Path) -> None:
    with pytest.raises(InputError, match="does not exist"):
        library.plan([folder / "nothing"], "notes")
