"""Conversations on the page: kept, listed, reopened, renamed, exported, deleted, judged, gone on with."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable
from dataclasses import replace
from html import unescape
from pathlib import Path
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from app.access.principal import LOCAL, Principal
from app.conversations.store import FILE, Conversations
from generators.answer import Answer
from generators.events import Understood
from indexes.errors import StoreError
from tests.app.chat.conftest import make_answered

MAIN = str(Path(__file__).parents[3] / "app" / "chat" / "main.py")


def html(page: AppTest) -> str:
    bodies = [element.proto.body for element in page.get("html")]
    return "\n".join(body for body in bodies if not body.startswith("<style>"))


def shown(page: AppTest) -> str:
    return unescape(re.sub(r"<[^>]*>", " ", html(page)))


def ask(page: AppTest, question: str) -> AppTest:
    return page.chat_input[0].set_value(question).run()


def again(page: AppTest) -> AppTest:
    """The same address in a tab of its own, as after a reload."""
    other = AppTest.from_file(MAIN, default_timeout=30)
    for key, value in page.query_params.items():
        other.query_params[key] = value
    return other


@pytest.fixture
def kept(tmp_path: Path) -> Conversations:
    return Conversations(tmp_path / FILE)


def only(kept: Conversations) -> str:
    (conversation,) = kept.list(LOCAL)
    return conversation.id


def test_an_answered_question_begins_a_conversation_that_the_address_names(page: AppTest, kept: Conversations) -> None:
    assert "None yet" in shown(page.run())
    ask(page, "How high is it?")
    (turn,) = kept.turns(LOCAL, only(kept))
    assert (turn.asked, turn.answer.text) == ("How high is it?", make_answered().text)
    assert page.query_params["conversation"] == only(kept) and "turn" not in page.query_params
    assert "None yet" not in shown(page)


def test_the_next_question_joins_the_conversation(page: AppTest, kept: Conversations) -> None:
    ask(ask(page.run(), "First?"), "Second?")
    assert [turn.asked for turn in kept.turns(LOCAL, only(kept))] == ["First?", "Second?"]


def test_a_reload_shows_the_conversation_as_it_was(page: AppTest, kept: Conversations) -> None:
    ask(ask(page.run(), "First?"), "Second?")
    other = again(page).run()
    assert not other.exception
    assert len(other.chat_message) == 4 and "Ask a panel" not in shown(other)
    assert re.findall('class="sy-answer".*?</div>', html(other)) == re.findall('class="sy-answer".*?</div>', html(page))
    ask(other, "Third?")
    assert len(kept.turns(LOCAL, only(kept))) == 3


def test_a_question_that_is_answered_during_a_reload_is_not_lost(page: AppTest, fake: Any, kept: Conversations) -> None:
    reached, go = threading.Event(), threading.Event()

    def wait(number: int) -> None:
        reached.set()
        assert number == 0 or go.wait(20)

    fake.before_token = wait
    page.run()
    first = threading.Thread(target=lambda: ask(page, "How high is it?"), daemon=True)
    first.start()
    assert reached.wait(20)
    from app.chat.opening import opened

    desk = opened().desk
    (asked,) = desk.running(LOCAL)
    other = AppTest.from_file(MAIN, default_timeout=30)
    other.query_params["turn"] = asked.id
    threading.Timer(1.0, go.set).start()
    other.run()
    first.join(20)
    assert "✓ Answered" in shown(other) and len(other.chat_message) == 2
    assert len(kept.turns(LOCAL, only(kept))) == 1, "recorded once, though two pages followed it"
    assert other.query_params["conversation"] == only(kept)


def test_a_new_conversation_leaves_the_one_before_in_the_list_to_be_reopened(
    page: AppTest, kept: Conversations
) -> None:
    ask(page.run(), "Old one?")
    old = only(kept)
    page.button(key="new").click().run()
    assert "Ask a panel" in shown(page) and "conversation" not in page.query_params
    ask(page, "New one?")
    assert [conversation.title for conversation in kept.list(LOCAL)] == ["New one?", "Old one?"]
    page.button(key=f"open-{old}").click().run()
    assert "Old one?" in shown(page) and len(page.chat_message) == 2
    assert page.query_params["conversation"] == old


def test_a_conversation_is_renamed(page: AppTest, kept: Conversations) -> None:
    ask(page.run(), "How high?")
    page.text_input(key=f"rename-{only(kept)}").set_value("  Mountains <b> ").run()
    assert kept.list(LOCAL)[0].title == "Mountains <b>"
    assert "Mountains <b>" in shown(page) and "<b>" not in html(page)
    page.text_input(key=f"rename-{only(kept)}").set_value("  ").run()
    assert kept.list(LOCAL)[0].title == "Mountains <b>" and not page.exception


def test_a_conversation_is_deleted_only_when_that_is_confirmed(page: AppTest, kept: Conversations) -> None:
    ask(page.run(), "How high?")
    page.button(key="delete").click().run()
    assert "cannot be brought back" in shown(page) and kept.list(LOCAL)
    page.button(key="keep").click().run()
    assert "cannot be brought back" not in shown(page)
    page.button(key="delete").click().run()
    page.button(key="really").click().run()
    assert kept.list(LOCAL) == [] and "Ask a panel" in shown(page) and "None yet" in shown(page)


def test_an_address_that_names_no_conversation_says_so(page: AppTest) -> None:
    page.query_params["conversation"] = "gone"
    page.run()
    assert not page.exception
    assert "There is no conversation" in shown(page) and "Ask a panel" in shown(page)
    ask(page, "And now?")
    assert "✓ Answered" in shown(page) and "There is no conversation" not in shown(page)


def test_an_address_that_names_a_question_long_gone_is_an_empty_page(page: AppTest) -> None:
    page.query_params["turn"] = "0123456789abcdef"
    page.run()
    assert "Ask a panel" in shown(page) and "turn" not in page.query_params


def test_a_follow_up_is_asked_with_what_was_said_before_and_shown_as_understood(
    page: AppTest, fake: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain: Callable[..., Any] = type(fake).stream

    def stream(self: Any, question: str, **options: Any) -> Any:
        if options["before"]:
            question = "How high is <i>Kilimanjaro</i>?"
            yield Understood(question)
        yield from plain(self, question, **options)

    monkeypatch.setattr(type(fake), "stream", stream)
    ask(page.run(), "What is the highest mountain?")
    assert "Understood as" not in shown(page)
    ask(page, "How high is it?")
    assert fake.asked[1]["before"] == ["What is the highest mountain?"]
    assert "Understood as: How high is <i>Kilimanjaro</i>?" in " ".join(shown(page).split())
    assert "<i>" not in html(page)
    assert "Understood as" in shown(again(page).run())


def test_a_thumb_and_a_comment_are_kept_and_shown_after_a_reload(page: AppTest, kept: Conversations) -> None:
    ask(page.run(), "How high?")
    (turn,) = kept.turns(LOCAL, only(kept))
    assert not any(field.key == f"comment-{turn.id}" for field in page.text_input)
    page.feedback(key=f"helpful-{turn.id}").set_value(0).run()
    page.text_input(key=f"comment-{turn.id}").set_value("Cheese?").run()
    (judged,) = kept.judged(LOCAL)
    assert (judged.helpful, judged.comment) == (False, "Cheese?") and "Comment kept" in shown(page)
    other = again(page).run()
    assert other.feedback(key=f"helpful-{turn.id}").value == 0
    assert other.text_input(key=f"comment-{turn.id}").value == "Cheese?"
    other.feedback(key=f"helpful-{turn.id}").set_value(1).run()
    assert next(kept.judged(LOCAL)).helpful is True


def test_an_answer_that_cannot_be_kept_is_shown_with_the_reason(page: AppTest, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: Any) -> None:
        raise StoreError("The disk is full.", "Free some space.")

    monkeypatch.setattr(Conversations, "record", full)
    ask(page.run(), "How high?")
    assert "✓ Answered" in shown(page) and "The disk is full." in shown(page)
    assert len(page.get("feedback")) == 0


def test_a_conversation_that_was_deleted_elsewhere_says_so_when_it_is_judged(
    page: AppTest, kept: Conversations
) -> None:
    ask(page.run(), "How high?")
    (turn,) = kept.turns(LOCAL, only(kept))
    kept.delete(LOCAL, only(kept))
    page.feedback(key=f"helpful-{turn.id}").set_value(1).run()
    assert not page.exception and "There is no turn" in page.toast[0].value


def test_conversations_of_others_are_not_listed(page: AppTest, kept: Conversations, answered: Answer) -> None:
    kept.record(Principal("anna@example.org"), None, "A secret?", replace(answered, question="A secret?"))
    assert "A secret?" not in [button.label for button in page.run().sidebar.button]
    page.query_params["conversation"] = kept.list(Principal("anna@example.org"))[0].id
    page.run()
    assert "There is no conversation" in shown(page) and "Kilimanjaro" not in shown(page)


def test_many_conversations_are_folded_until_all_are_wanted(
    page: AppTest, kept: Conversations, answered: Answer
) -> None:
    for number in range(9):
        kept.record(LOCAL, None, f"Question {number}?", answered)
    page.run()
    assert len([button for button in page.sidebar.button if str(button.key).startswith("open-")]) == 6
    page.button(key="show-all").click().run()
    assert len([button for button in page.sidebar.button if str(button.key).startswith("open-")]) == 9
