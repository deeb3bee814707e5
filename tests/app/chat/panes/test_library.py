from __future__ import annotations

import json
from collections.abc import Callable
from html import unescape
from pathlib import Path
from threading import Event
from typing import Any

import pytest

from app.access.principal import Action, Principal
from app.chat.panes import adding
from app.library import AddProgress, AddReport
from app.symposium import Symposium
from indexes.errors import StoreError
from indexes.readers.problem import Problem
from tests.app.chat.panes.conftest import HOSTILE, OpenPage, button, finished, html, inert, said
from tests.fakes import TOPICS

NOTES = " ".join(TOPICS["planets"]).encode()


def test_an_empty_library_says_what_to_do_and_takes_files(open_page: OpenPage) -> None:
    page = open_page("library")
    assert not page.exception
    assert "There are no documents yet." in said(page) and "<code>symposia demo</code>" in html(page)
    page.button(key="add").click().run()
    assert "The new expert has no name." in said(page)
    page.text_input(key="add-name").set_value("notes").run()
    page.button(key="add").click().run()
    assert "Nothing was chosen to be added." in said(page) and not page.exception


def test_uploaded_files_become_an_expert_and_bad_ones_are_named_with_the_reason(
    open_page: OpenPage, symposium: Symposium
) -> None:
    page = open_page("library")
    page.text_input(key="add-name").set_value("sky").run()
    page.text_input(key="add-description").set_value("The planets.").run()
    page.file_uploader[0].set_value(
        [("planets.txt", NOTES, "text/plain"), ("broken.pdf", b"%PDF-1.4", "application/pdf")]
    ).run()
    page.button(key="add").click().run()
    page = finished(page)
    assert not page.exception
    assert "sky: 1 document added, 0 unchanged." in said(page)
    assert "1 problem" in said(page) and "broken.pdf" in said(page)
    (card,) = symposium.experts()
    assert (card.name, card.description) == ("sky", "The planets.")
    (document,) = symposium.documents("sky")[1]
    assert document.source == "planets.txt"
    assert "The planets." in said(page)


def test_the_same_file_again_is_unchanged_and_another_version_replaces_it(
    open_page: OpenPage, symposium: Symposium, tmp_path: Path
) -> None:
    file = tmp_path / "notes.txt"
    page = open_page("library")
    told = []
    for text in ("Pears are green.", "Pears are green.", "Pears are brown."):
        file.write_text(text)
        page.selectbox(key="add-to").set_value(adding.NEW).run()
        page.text_input(key="add-name").set_value("fruit").run()
        page.text_input(key="add-path").set_value(str(file)).run()
        page.button(key="add").click().run()
        page = finished(page)
        told.append(said(page))
    assert "fruit: 1 document added, 0 unchanged." in told[0]
    assert "fruit: 0 documents added, 1 unchanged." in told[1]
    assert "fruit: 1 document added, 0 unchanged, 1 earlier version replaced." in told[2]
    assert symposium.documents("fruit")[0] == 1


def test_what_cannot_be_added_is_a_card_that_says_why(open_page: OpenPage) -> None:
    page = open_page("library")
    page.text_input(key="add-name").set_value("a b").run()
    page.text_input(key="add-path").set_value("/nowhere/at/all").run()
    page.button(key="add").click().run()
    assert "'a b' cannot name an expert." in said(page)
    page.text_input(key="add-name").set_value("ab").run()
    page.button(key="add").click().run()
    assert "There is no file or folder /nowhere/at/all on the server." in said(page)
    assert not page.exception


def test_adding_shows_how_far_it_is_and_can_be_stopped(
    open_page: OpenPage, filled: Symposium, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, gate: Event
) -> None:
    def slow(
        *_: object, on_progress: Callable[[AddProgress], None], cancelled: Callable[[], bool], **__: object
    ) -> Any:
        on_progress(AddProgress(3, 50, 50, 10.0, 200))
        assert gate.wait(30)
        return AddReport("engines", 3, 50, 50, (), 10.0, 3, 0, cancelled())

    monkeypatch.setattr(filled._library, "add_paths", slow)
    monkeypatch.setattr(Symposium, "seen_by", lambda self, _: self)
    page = open_page("library")
    page.text_input(key="add-path").set_value(str(tmp_path)).run()
    page.button(key="add").click().run()
    page.run()
    assert page.get("progress")[0].proto.text == r"50 of 200 passages · 3 documents read · 5 passages/s · 30 s left"
    button(page, "Stop").click().run()
    assert "Stopping" in page.caption[0].value
    assert button(page, "Delete expert engines").disabled
    page = open_page("library")  # another tab of the same person
    gate.set()
    page = finished(page)
    assert "Stopped. What was read so far is kept" in said(page)
    button(page, "OK").click().run()
    assert "Stopped." not in said(page)


def test_an_expert_that_is_busy_is_not_added_to_twice(
    open_page: OpenPage, filled: Symposium, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, gate: Event
) -> None:
    monkeypatch.setattr(filled._library, "add_paths", lambda *_, **__: gate.wait(30))
    monkeypatch.setattr(Symposium, "seen_by", lambda self, _: self)
    page = open_page("library")
    for _ in range(2):
        page.text_input(key="add-path").set_value(str(tmp_path)).run()
        page.button(key="add").click().run()
    assert "Expert 'engines' is busy: adding has been going on" in said(page)


def test_slices_are_listed_with_what_they_hold(open_page: OpenPage, filled: Symposium) -> None:
    page = open_page("library")
    assert not page.exception
    words = said(page)
    assert "All about engines." in words and "words (64 dimensions)" in words
    assert words.count("8 8 ") == 2 and "9 9 " in words


def test_a_slice_that_cannot_be_opened_says_why(open_page: OpenPage, filled: Symposium) -> None:
    filled.remove_documents("engines", [card.id for card in filled.documents("engines")[1]])
    page = open_page("library")
    assert "engines: Slice 'engines' is empty." in said(page) and "cannot be asked" in said(page)
    page.selectbox(key="library-expert").set_value("engines").run()
    assert not page.exception


def test_documents_are_searched_opened_and_closed_and_nothing_in_them_is_markup(
    open_page: OpenPage, filled: Symposium
) -> None:
    page = open_page("library")
    page.selectbox(key="library-expert").set_value("orchard").run()
    assert "9 documents" in page.caption[-1].value
    page.text_input(key="like-orchard").set_value("Z.HTML").run()
    assert "1 document" in page.caption[-1].value and inert(page)
    page.button(key="document-0").click().run()
    assert not page.exception and inert(page)
    assert f"Beware. {HOSTILE}" in unescape(html(page))
    assert "z.html" in said(page)
    button(page, "All documents").click().run()
    assert page.text_input(key="like-orchard") is not None
    page.text_input(key="like-orchard").set_value("no such thing").run()
    assert "No document's title, file or key contains 'no such thing'." in said(page)


def test_many_documents_come_in_pages(open_page: OpenPage, filled: Symposium) -> None:
    from indexes.passage import Document

    filled.add_documents([Document(f"Number {n}.", f"{n:03}", whole=True) for n in range(45)], "numbers")
    page = open_page("library")
    page.selectbox(key="library-expert").set_value("numbers").run()
    assert next(b.label.split(" ")[0] for b in page.button if b.key.startswith("document-")) == "000"
    page.pagination[0].set_value(3).run()
    labels = [b.label for b in page.button if b.key and b.key.startswith("document-")]
    assert len(labels) == 5 and labels[-1].startswith("044")


def test_deleting_asks_once_more(open_page: OpenPage, filled: Symposium) -> None:
    page = open_page("library")
    page.selectbox(key="library-expert").set_value("engines").run()
    page.button(key="document-0").click().run()
    button(page, "Delete this document").click().run()
    assert "This cannot be undone." in said(page)
    button(page, "Keep it").click().run()
    assert filled.documents("engines")[0] == 8
    button(page, "Delete this document").click().run()
    button(page, "Delete it").click().run()
    assert filled.documents("engines")[0] == 7
    button(page, "Delete expert engines").click().run()
    assert "Expert 'engines' goes with its 7 passages" in said(page)
    button(page, "Delete all of it").click().run()
    assert not page.exception
    assert [card.name for card in filled.experts()] == ["orchard", "planets"]


def test_who_may_not_write_sees_no_button_that_does_and_only_what_exists_for_them(
    open_page: OpenPage, filled: Symposium, who: Callable[[Principal], None]
) -> None:
    who(Principal("ann", frozenset({"planets"}), frozenset({Action.ASK})))
    page = open_page("library")
    assert not page.exception
    assert "orchard" not in said(page) and "planets" in said(page)
    assert page.selectbox(key="library-expert").options == ["planets"]
    assert not [each for each in page.button if "Delete" in each.label or each.key == "add"]
    who(Principal("bob", frozenset({"planets"}), frozenset({Action.ASK, Action.WRITE})))
    page = open_page("library")
    assert "add-path" not in {each.key for each in page.text_input}


def test_a_store_that_fails_is_a_card(open_page: OpenPage, filled: Symposium, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise StoreError("The server did not answer.", "Start it.")

    page = open_page("library")
    monkeypatch.setattr("indexes.slice.Slice.documents", broken)
    page.run()
    assert not page.exception and "The server did not answer." in said(page)


def test_long_lists_of_problems_are_cut_and_counted() -> None:
    found = [Problem(Path(f"{n}.pdf"), "is <b>broken</b>", "Mend it.") for n in range(30)]
    shown = adding.problems(found)
    assert shown.count("<li") == 20 and "30 problems" in shown and "<b>broken" not in shown
    assert adding.problems([]) == ""


def test_who_changed_what_stands_in_the_audit_log_where_one_is_kept(
    open_page: OpenPage, filled: Symposium, home: Path
) -> None:
    access = filled.settings.access.model_copy(update={"audit": True})
    filled.settings = filled.settings.model_copy(update={"access": access})
    page = open_page("library")
    page.button(key="document-0").click().run()
    button(page, "Delete this document").click().run()
    button(page, "Delete it").click().run()
    lines = [json.loads(line) for line in (home / "audit.jsonl").read_text().splitlines()]
    assert [(line["principal"], line["action"], line["experts"], line["outcome"]) for line in lines] == [
        ("local", "write", ["engines"], "done")
    ]
