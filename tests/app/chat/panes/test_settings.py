from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from app.access.principal import Action, Principal
from app.settings import Settings, load_settings
from app.settings.show import changed_since, shown
from app.symposium import Symposium
from indexes.errors import MissingModelError
from tests.app.chat.panes.conftest import MAIN, OpenPage, html, said

TOML = """
preset = "fast"
[retrieval]
passages = 7
[store]
api_key = "very-secret-words"
"""


@pytest.fixture
def file(tmp_path: Path, home: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    file = tmp_path / "symposia.toml"
    file.write_text(f'home = "{home}"\n{TOML}', encoding="utf-8")
    monkeypatch.setenv("SYMPOSIA_CONFIG", str(file))
    monkeypatch.setenv("SYMPOSIA_SPLIT_SIZE", "90")
    return file


def row(page_html: str, key: str) -> str:
    return next(part for part in page_html.split("<tr") if f">{key}</span>" in part)


def test_every_value_is_shown_with_where_it_comes_from_and_secrets_are_not(open_page: OpenPage, file: Path) -> None:
    page = open_page("settings")
    assert not page.exception
    assert ">7<" in row(html(page), "retrieval.passages") and str(file) in row(html(page), "retrieval.passages")
    assert "SYMPOSIA_SPLIT_SIZE" in row(html(page), "split.size")
    assert "preset fast" in row(html(page), "generation.policy")
    assert ">default<" in row(html(page), "store.url")
    assert "very-secret" not in str(page) and "********" in row(html(page), "store.api_key")
    assert str(file) in said(page)


def test_settings_are_searched_and_those_that_were_set_are_found(open_page: OpenPage, file: Path) -> None:
    page = open_page("settings")
    page.text_input(key="settings-search").set_value("ENTAILMENT").run()
    assert html(page).count("<tr") == 3
    page.text_input(key="settings-search").set_value("no such thing").run()
    assert "No setting is like that." in said(page)
    page.text_input(key="settings-search").set_value("").run()
    page.toggle(key="settings-set").set_value(True).run()
    assert "retrieval.passages" in said(page) and "retrieval.depth" not in said(page)


def test_how_to_change_one_names_file_variable_and_flag(open_page: OpenPage, file: Path) -> None:
    page = open_page("settings")
    page.selectbox(key="settings-change").set_value("retrieval.passages").run()
    assert [block.value for block in page.code] == [
        "[retrieval]\npassages = 7",
        "export SYMPOSIA_RETRIEVAL_PASSAGES=7\nsymposia --set retrieval.passages=7 chat",
    ]
    page.selectbox(key="settings-change").set_value("store.api_key").run()
    assert page.code[0].value == '[store]\napi_key = "…"'


def test_what_was_changed_since_the_start_is_named(open_page: OpenPage, file: Path, symposium: Symposium) -> None:
    symposium.settings = load_settings().settings
    page = open_page("settings")
    assert "Changed since" not in said(page)
    file.write_text(file.read_text().replace("passages = 7", "passages = 8"))
    page.run()
    assert "Changed since this page was started: retrieval.passages." in said(page)


def test_a_file_that_cannot_be_read_is_a_card_with_the_line(open_page: OpenPage, file: Path) -> None:
    page = open_page("settings")
    file.write_text("[retrieval]\npasages = 7\n")
    page.run()
    assert not page.exception and "pasages" in said(page)


def test_without_a_file_the_page_says_how_to_make_one(
    open_page: OpenPage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("SYMPOSIA_CONFIG", raising=False)
    monkeypatch.chdir(tmp_path)
    page = open_page("settings")
    assert "There is no settings file" in said(page)


def test_settings_are_shown_where_the_symposium_cannot_be_opened(
    open_page: OpenPage, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def missing() -> Symposium:
        raise MissingModelError("The encoder was not fetched.", "Run `symposia models fetch`.")

    monkeypatch.setattr(Symposium, "open", missing)
    page = open_page("settings")
    assert not page.exception and "retrieval.passages" in said(page)
    page = open_page("library")
    assert "The encoder was not fetched." in said(page) and not page.exception


def test_nobody_sees_the_page_where_it_cannot_be_read_who_may(
    file: Path, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def missing() -> Symposium:
        raise MissingModelError("The encoder was not fetched.", "Run `symposia models fetch`.")

    file.write_text(f'home = "{home}"\n[access]\nlogin = true\n', encoding="utf-8")
    home.mkdir()
    home.joinpath("people.toml").write_text("[[people", encoding="utf-8")
    claims = {"is_logged_in": True, "email": "anna@example.org", "email_verified": True}
    monkeypatch.setattr("streamlit.user", SimpleNamespace(to_dict=lambda: claims))
    monkeypatch.setattr(Symposium, "open", missing)
    st.cache_resource.clear()
    page = AppTest.from_file(str(MAIN.parent / "views" / "settings.py"), default_timeout=60).run()
    assert "You may not see this page." in said(page) and "retrieval.passages" not in said(page)


def test_only_who_administers_sees_the_page(open_page: OpenPage, file: Path, who: Callable[[Principal], None]) -> None:
    for principal in (Principal("ann", None, frozenset({Action.ASK})), Principal("bob", frozenset({"x"}))):
        who(principal)
        with pytest.raises(ValueError, match=r"settings\.py"):
            open_page("settings")
        page = AppTest.from_file(str(MAIN.parent / "views" / "settings.py"), default_timeout=60).run()
        assert "You may not see this page." in said(page) and "retrieval.passages" not in said(page)


def test_examples_are_quoted_for_the_shell(tmp_path: Path) -> None:
    loaded = load_settings(flags={"home": str(tmp_path / "a b")}, env={}, folder=tmp_path)
    home = next(each for each in shown(loaded) if each.key == "home")
    assert home.as_variable == f"export SYMPOSIA_HOME='{tmp_path / 'a b'}'"
    assert home.as_toml == f'home = "{tmp_path / "a b"}"'
    assert home.as_flag == f"symposia --set 'home={tmp_path / 'a b'}' chat"


def test_what_differs_is_named_by_its_key() -> None:
    before = Settings()
    other = before.model_copy(update={"split": before.split.model_copy(update={"size": 7})})
    assert changed_since(before, other) == ["split.size"] and changed_since(before, Settings()) == []
