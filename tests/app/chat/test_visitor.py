"""Who looks at the page, where a login is asked for."""

from __future__ import annotations

import json
import re
from html import unescape
from pathlib import Path
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from app.access.audit import FILE as AUDIT
from app.access.keys import Keys
from app.access.principal import LOCAL, Principal
from app.conversations.store import FILE, Conversations
from app.settings import Settings
from app.settings.schema import Access
from indexes.errors import StoreError

ANNA = {"is_logged_in": True, "email": "anna@example.org", "name": "Anna <b>", "email_verified": True}
PEOPLE = '[[people]]\nemail = "anna@example.org"\nexperts = ["countries", "speeches", "python"]\n'


class User:
    """Stands in for ``st.user``."""

    claims: dict[str, Any]

    def to_dict(self) -> dict[str, Any]:
        return dict(self.claims)


@pytest.fixture
def user(page: AppTest, fake: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> User:
    """The page asks for a login; change the claims before it runs."""
    fake.settings = Settings(home=tmp_path, access=Access(login=True))
    (tmp_path / "people.toml").write_text(PEOPLE, encoding="utf-8")
    user = User()
    monkeypatch.setattr("streamlit.user", user)
    return user


def shown(page: AppTest) -> str:
    bodies = [element.proto.body for element in page.get("html")]
    return unescape(re.sub(r"<[^>]*>", " ", "\n".join(body for body in bodies if not body.startswith("<style>"))))


def test_without_a_login_whoever_sits_here_is_asked_for_nothing(page: AppTest) -> None:
    assert "Log" not in " ".join(button.label for button in page.run().button)


def test_nobody_sees_anything_before_the_login(page: AppTest, user: User) -> None:
    user.claims = {"is_logged_in": False}
    page.run()
    assert not page.exception
    assert [button.label for button in page.button] == ["Log in"] and len(page.chat_input) == 0
    assert "countries" not in shown(page)


def test_whom_no_entry_fits_may_not_come_in(page: AppTest, user: User) -> None:
    user.claims = {**ANNA, "email": "eve@example.org"}
    page.run()
    assert "eve@example.org may not use this chat." in shown(page) and len(page.chat_input) == 0
    assert [button.label for button in page.button] == ["Log out"]


def test_a_login_without_a_provider_says_what_to_do(page: AppTest, user: User) -> None:
    user.claims = {}
    page.run()
    assert "no identity provider is set up" in shown(page) and len(page.button) == 0


def test_a_person_has_conversations_of_their_own(page: AppTest, user: User, fake: Any, tmp_path: Path) -> None:
    user.claims = ANNA
    page.run()
    assert "Logged in as Anna <b>" in shown(page)
    page.chat_input[0].set_value("How high?").run()
    kept = Conversations(tmp_path / FILE)
    assert len(kept.list(Principal("anna@example.org"))) == 1 and kept.list(LOCAL) == []
    assert fake.seen == ["anna@example.org"]
    (line,) = map(json.loads, (tmp_path / AUDIT).read_text(encoding="utf-8").splitlines())
    assert (line["principal"], line["action"], line["outcome"]) == ("anna@example.org", "ask", "answered")
    assert line["experts"] == ["countries", "speeches"] and "question" not in line


def test_whoever_asks_too_often_is_told_when_to_go_on(page: AppTest, user: User, fake: Any, tmp_path: Path) -> None:
    fake.settings = Settings(home=tmp_path, access=Access(login=True, burst=1, per_minute=1))
    user.claims = ANNA
    page.run().chat_input[0].set_value("First?").run()
    page.chat_input[0].set_value("Second?").run()
    assert "asks too often" in page.toast[0].value and len(fake.asked) == 1 and len(page.chat_message) == 2


def test_a_question_that_fails_is_logged_with_the_kind_of_error(page: AppTest, fake: Any, tmp_path: Path) -> None:
    fake.error = StoreError("In use.", "Wait.")
    page.run().chat_input[0].set_value("How high?").run()
    (line,) = map(json.loads, (tmp_path / AUDIT).read_text(encoding="utf-8").splitlines())
    assert (line["principal"], line["outcome"], line["experts"]) == ("local", "StoreError", [])


def test_who_comes_to_see_less_no_longer_sees_what_was_answered_from_it(
    page: AppTest, user: User, tmp_path: Path
) -> None:
    user.claims = ANNA
    page.run().chat_input[0].set_value("How high?").run()
    assert "Kilimanjaro" in shown(page)
    (tmp_path / "people.toml").write_text(PEOPLE.replace('"countries", ', ""), encoding="utf-8")
    page.run()
    assert not page.exception
    assert "Kilimanjaro" not in shown(page) and "There is no conversation" in shown(page)


@pytest.mark.parametrize("now", ["", PEOPLE.replace('"countries", ', "")], ids=["put out", "sees less"])
def test_a_click_on_a_page_that_was_drawn_before_does_nothing_once_its_rights_are_gone(
    page: AppTest, user: User, fake: Any, tmp_path: Path, now: str
) -> None:
    user.claims = ANNA
    page.run().chat_input[0].set_value("How high?").run()
    kept = Conversations(tmp_path / FILE)
    (conversation,) = kept.list(Principal("anna@example.org"))
    (tmp_path / "people.toml").write_text(now or "people = []", encoding="utf-8")
    page.chat_input[0].set_value("And how old?").run()
    assert len(fake.asked) == 1
    assert "has changed" in page.toast[0].value
    assert [turn.asked for turn in kept.turns(Principal("anna@example.org"), conversation.id)] == ["How high?"]


def test_a_thumb_on_such_a_page_is_not_kept(page: AppTest, user: User, tmp_path: Path) -> None:
    user.claims = ANNA
    page.run().chat_input[0].set_value("How high?").run()
    (tmp_path / "people.toml").write_text("people = []", encoding="utf-8")
    page.feedback[0].set_value(1).run()
    assert not page.exception
    anna = Principal("anna@example.org")
    assert list(Conversations(tmp_path / FILE).judged(anna)) == []


def test_what_a_person_may_do_is_looked_up_at_each_click(page: AppTest, user: User, fake: Any, tmp_path: Path) -> None:
    """A person whose key is revoked."""
    keys = Keys(tmp_path / "keys.json")
    keys.create("team", ["countries", "speeches", "python"])
    (tmp_path / "people.toml").write_text('[[people]]\nemail = "anna@example.org"\nkey = "team"\n', encoding="utf-8")
    user.claims = ANNA
    page.run().chat_input[0].set_value("How high?").run()
    keys.revoke("team")
    page.chat_input[0].set_value("And how old?").run()
    assert len(fake.asked) == 1 and "may not use this chat" in shown(page)
