from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from filelock import FileLock

from app.adding import LOCK
from app.library import AddProgress, Library
from app.settings import Settings
from indexes.errors import InputError, SliceError, StoreError
from indexes.passage import Document
from indexes.store.open import MEMORY, opener
from retrievers.panel import Panel
from retrievers.view import View
from tests.fakes import TOPICS, WordEncoder


@pytest.fixture(params=["", MEMORY], ids=["edge", "memory"])
def panel(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Panel]:
    panel = Panel(tmp_path / "slices", WordEncoder(), opener(request.param))
    yield panel
    panel.close()


@pytest.fixture
def library(panel: Panel) -> Library:
    return Library(panel, Settings())


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Three notes and a file that cannot be read."""
    folder = tmp_path / "notes"
    folder.mkdir()
    for name, topic in zip("abc", TOPICS, strict=True):
        (folder / f"{name}.txt").write_text(" ".join(TOPICS[topic]), encoding="utf-8")
    (folder / "broken.pdf").write_bytes(b"%PDF-1.4 no more than this")
    return folder


def test_documents_come_by_title_in_parts_with_how_many_there_are(library: Library, folder: Path) -> None:
    library.add_paths([folder], "notes")
    total, cards = library.documents("notes", offset=1, limit=1)
    assert (total, [card.title for card in cards]) == (3, ["b"])
    assert library.documents("notes", offset=7) == (3, [])
    total, cards = library.documents("notes", like="C.TXT")
    assert (total, [card.source for card in cards]) == (1, [str(folder / "c.txt")])


def test_the_passages_of_a_document_are_read_in_order(library: Library, folder: Path) -> None:
    library.add_paths([folder], "notes")
    (card,) = library.documents("notes", like="a.txt")[1]
    found = library.passages("notes", card.id)
    assert len(found) == card.passages
    assert found[0].text.startswith(TOPICS["orchard"][0])
    with pytest.raises(InputError, match="no document 'other'"):
        library.passages("notes", "other")


def test_deleted_documents_are_neither_listed_nor_found(library: Library, folder: Path) -> None:
    library.add_paths([folder], "notes")
    ids = [card.id for card in library.documents("notes")[1]]
    assert library.remove_documents("notes", [ids[0], "other"]) == 1
    assert library.documents("notes")[0] == 2
    assert library.cards()[0].passages == sum(card.passages for card in library.documents("notes")[1])
    evidence = library.panel.retrieve("When do apple trees blossom?")[1]
    assert ids[0] not in {item.passage.document_id for item in evidence}
    assert library.remove_documents("notes", [ids[0]]) == 0


def test_an_expert_without_documents_says_so_and_takes_new_ones(library: Library, folder: Path) -> None:
    library.add_paths([folder], "notes", "All my notes.")
    library.remove_documents("notes", [card.id for card in library.documents("notes")[1]])
    (card,) = library.cards()
    assert "is empty" in card.problem
    with pytest.raises(SliceError, match="is empty"):
        library.documents("notes")
    library.add_paths([folder / "a.txt"], "notes")
    assert library.documents("notes")[0] == 1
    assert library.cards()[0].description == "All my notes."


def test_unknown_experts_are_told_from_known_ones(library: Library, folder: Path) -> None:
    library.add_paths([folder], "notes")
    for refused in (library.documents, lambda name: library.remove_documents(name, ["x"])):
        with pytest.raises(InputError, match="nots"):
            refused("nots")


def test_a_report_tells_new_documents_from_unchanged_ones(library: Library, folder: Path) -> None:
    first = library.add_paths([folder], "notes")
    assert (first.documents, first.new, first.unchanged, first.replaced) == (3, 3, 0, 0)
    assert [problem.path.name for problem in first.problems] == ["broken.pdf"]
    (folder / "d.txt").write_text("Something else entirely.", encoding="utf-8")
    again = library.add_paths([folder], "notes")
    assert (again.documents, again.new, again.unchanged, again.replaced) == (4, 1, 3, 0)


def test_a_changed_file_replaces_its_earlier_version_unless_that_is_to_be_kept(library: Library, folder: Path) -> None:
    library.add_paths([folder], "notes")
    (folder / "a.txt").write_text("Apples were given up.", encoding="utf-8")
    kept = library.add_paths([folder], "notes", replacing=False)
    assert (kept.new, kept.replaced, library.documents("notes")[0]) == (1, 0, 4)
    report = library.add_paths([folder], "notes")
    assert (report.new, report.unchanged, report.replaced) == (0, 3, 1)
    (card,) = library.documents("notes", like="a.txt")[1]
    assert library.passages("notes", card.id)[0].text == "Apples were given up."


def rows(file: Path, *rows: dict[str, str]) -> None:
    file.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")


OLD = ({"_id": "1", "text": "Old one."}, {"_id": "2", "text": "Number two."}, {"text": "Nameless row."})
NOW = ({"_id": "1", "text": "New one."}, {"text": "Another nameless row."})


def texts_of(library: Library, expert: str) -> set[str]:
    return {library.passages(expert, card.id)[0].text for card in library.documents(expert)[1]}


def test_rows_that_are_in_a_file_no_more_are_removed(library: Library, tmp_path: Path) -> None:
    file = tmp_path / "rows.jsonl"
    rows(file, *OLD)
    library.add_paths([file], "rows")
    rows(file, *NOW)
    report = library.add_paths([file], "rows")
    assert (report.replaced, report.removed) == (1, 2)
    assert texts_of(library, "rows") == {"New one.", "Another nameless row."}


def test_rows_that_were_uploaded_replace_those_of_their_name_and_key_and_none_without_a_key(
    library: Library, tmp_path: Path
) -> None:
    file = tmp_path / "rows.jsonl"
    rows(file, *OLD)
    library.add_paths([file], "rows", below=tmp_path)
    rows(file, *NOW)
    report = library.add_paths([file], "rows", below=tmp_path)
    assert (report.replaced, report.removed) == (1, 0)
    assert texts_of(library, "rows") == {"New one.", "Number two.", "Nameless row.", "Another nameless row."}


def test_what_lay_in_a_folder_for_a_moment_is_named_without_it(library: Library, folder: Path) -> None:
    report = library.add_paths([folder / "a.txt", folder / "broken.pdf"], "notes", below=folder)
    assert [card.source for card in library.documents("notes")[1]] == ["a.txt"]
    assert [str(problem.path) for problem in report.problems] == ["broken.pdf"]


def test_progress_knows_how_much_there_is_once_all_has_been_read(
    library: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    read: list[int] = []

    def documents() -> Iterator[Document]:
        for n in range(60):
            while n == 40 and not seen:  # what is read ahead is less than all
                time.sleep(0.01)
            read.append(n)
            yield Document(f"Note number {n}.", str(n), whole=True)

    monkeypatch.setattr("indexes.sync.filling.BATCH", 10)
    monkeypatch.setattr("indexes.sync.filling.WINDOW", 20)
    monkeypatch.setattr("app.adding.SAMPLE", 5)
    seen: list[AddProgress] = []
    library.add_documents(documents(), "notes", on_progress=seen.append)
    assert [each.passages for each in seen] == [10, 20, 30, 40, 50, 60]
    assert (seen[0].total, seen[-1].total) == (None, 60)
    assert sorted(i for each in seen for i in each.stored) == sorted(
        card.id for card in library.documents("notes", 0, 60)[1]
    )


def test_rate_and_time_left_follow_from_what_is_done() -> None:
    progress = AddProgress(3, 50, 50, 10.0, 200)
    assert (progress.rate, progress.left) == (5.0, 30.0)
    assert AddProgress(3, 50, 50, 10.0).left is None
    assert (AddProgress(3, 50, 50, 0.5, 200).rate, AddProgress(3, 50, 50, 0.5, 200).left) == (None, None)


def test_what_was_taken_up_before_a_stop_is_kept_and_nothing_is_replaced(
    library: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    library.add_documents([Document("An old note.", "0", "notes/0", whole=False)], "notes")
    monkeypatch.setattr("indexes.sync.filling.BATCH", 3)
    monkeypatch.setattr("app.adding.SAMPLE", 1)
    documents = [Document(f"Note number {n}.", str(n), f"notes/{n}") for n in range(30)]
    seen: list[AddProgress] = []
    report = library.add_documents(
        documents, "notes", replacing=True, on_progress=seen.append, cancelled=lambda: bool(seen)
    )
    assert (report.stopped, report.documents, report.new, report.unchanged, report.replaced) == (True, 3, 3, 0, 0)
    assert library.documents("notes")[0] == 4
    rest = library.add_documents(documents, "notes", replacing=True)
    assert (rest.stopped, rest.new, rest.unchanged, rest.replaced) == (False, 27, 3, 1)


def test_a_stop_before_anything_was_taken_up_is_no_error(library: Library) -> None:
    report = library.add_documents([Document("A note.", "0")], "notes", cancelled=lambda: True)
    assert (report.stopped, report.documents, report.to_dict()["unchanged"]) == (True, 0, 0)
    assert library.cards() == []


def test_those_who_see_a_part_of_the_panel_list_and_delete_there_alone(
    library: Library, panel: Panel, folder: Path
) -> None:
    library.add_paths([folder / "a.txt"], "notes")
    library.add_paths([folder / "b.txt"], "others")
    part = Library(View(panel, frozenset({"notes"})), Settings())
    with pytest.raises(InputError, match="others"):
        part.documents("others")
    with pytest.raises(InputError, match="others"):
        part.remove_documents("others", [library.documents("others")[1][0].id])
    assert part.remove_documents("notes", [part.documents("notes")[1][0].id]) == 1
    assert list(panel.problems) == ["notes"] and library.documents("others")[0] == 1


def test_each_addition_brings_the_index_up_to_date_and_one_that_fails_costs_nothing_else(
    library: Library, panel: Panel, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    asked: list[str] = []

    def optimize(_: object) -> None:
        asked.append("")
        if len(asked) == 1:
            raise StoreError("The disk is too full.", "Free some space.")

    documents = [Document(f"Words about {number}", title=f"{number}", source=f"{number}") for number in range(3)]
    library.add_documents(documents[:1], "notes")
    monkeypatch.setattr(type(panel.experts["notes"].slice.store), "optimize", optimize)
    library.add_documents(documents[:2], "notes")
    assert "notes" in panel.experts and "The disk is too full" in caplog.text
    library.add_documents(documents[:2], "notes")
    library.add_documents(documents, "notes")
    assert len(asked) == 3, "also where nothing was new, since the last time may have failed"


def test_an_addition_waits_for_another_one_to_the_same_slice_until_somebody_says_stop(
    library: Library, panel: Panel, folder: Path
) -> None:
    library.add_paths([folder], "notes")
    (folder / "d.txt").write_text("One more note, about the sea.", encoding="utf-8")
    with FileLock(panel.folder / "notes" / LOCK, is_singleton=False):
        assert library.add_paths([folder], "notes", cancelled=Patience(3)).stopped
    assert library.documents("notes")[0] == 3 and "notes" in panel.experts
    assert library.add_paths([folder], "notes").new == 1


class Patience:
    """Says stop after being asked so many times."""

    def __init__(self, times: int) -> None:
        self.left = times

    def __call__(self) -> bool:
        self.left -= 1
        return self.left < 0


def test_a_file_that_was_emptied_takes_its_text_away(library: Library, folder: Path) -> None:
    library.add_paths([folder], "notes")
    (folder / "b.txt").write_text("", encoding="utf-8")
    report = library.add_paths([folder], "notes")
    assert (report.removed + report.replaced, library.documents("notes")[0]) == (1, 2)
    assert any("b.txt" in str(problem.path) for problem in report.problems)


@pytest.mark.parametrize("text", [" ", "\n\t\u3000", "… — !", ""])
def test_a_text_without_words_is_refused_and_takes_nothing_away(library: Library, text: str) -> None:
    library.add_documents([Document("Apples ripen in autumn.", source="ledger")], "notes", replacing=True)
    with pytest.raises(InputError, match=r"no text was found\. ledger: has no words"):
        library.add_documents([Document(text, source="ledger")], "notes", replacing=True)
    assert [card.source for card in library.documents("notes")[1]] == ["ledger"]
    with pytest.raises(InputError, match="A document: has no words"):
        library.add_documents([Document(text)], "fresh")
    assert [card.name for card in library.cards()] == ["notes"]


def test_a_text_without_words_is_a_problem_beside_others_that_are_added(library: Library) -> None:
    library.add_documents([Document("Apples ripen in autumn.", source="ledger")], "notes")
    given = [Document(" ", source="ledger"), Document("Pears ripen in summer.", source="book")]
    report = library.add_documents(given, "notes", replacing=True)
    assert (report.documents, report.new, report.unchanged, report.replaced) == (1, 1, 0, 0)
    assert [(str(each.path), each.reason) for each in report.problems] == [("ledger", "has no words")]
    assert library.documents("notes")[0] == 2
