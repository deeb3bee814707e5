"""The page as Streamlit draws it, over a symposium without models."""

from __future__ import annotations

import re
import sys
from dataclasses import replace
from html import unescape
from pathlib import Path
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from app.chat import conversation, desk
from app.chat.examples import examples
from app.chat.worker import Worker
from app.library import ExpertCard
from app.symposium import Symposium
from generators.answer import Answer
from indexes.errors import InputError, MissingModelError

CHAT = Path(conversation.__file__).parent


def html(page: AppTest) -> str:
    bodies = [element.proto.body for element in page.get("html")]
    return "\n".join(body for body in bodies if not body.startswith("<style>"))


def shown(page: AppTest) -> str:
    return unescape(re.sub(r"<[^>]*>", " ", html(page)))


def ask(page: AppTest, question: str) -> AppTest:
    return page.chat_input[0].set_value(question).run()


def test_the_empty_page_says_what_this_is_and_offers_three_questions(page: AppTest) -> None:
    page.run()
    assert not page.exception
    assert "Ask a panel of 3 experts" in shown(page)
    assert [button.key for button in page.main.button] == ["example-0", "example-1", "example-2"]
    assert "3,361 passages" in shown(page)


def test_an_example_is_asked_by_a_click_and_the_welcome_makes_room(page: AppTest, fake: Any) -> None:
    page.run().button(key="example-0").click().run()
    assert fake.asked[0]["question"] == examples(["countries"])[0]
    assert "Ask a panel" not in shown(page) and len(page.chat_message) == 2


def test_a_question_gives_a_cited_answer_with_its_sources_route_and_verdict(page: AppTest) -> None:
    ask(page.run(), "What is the highest point of Tanzania?")
    assert not page.exception
    assert "✓ Answered" in shown(page)
    assert set(re.findall(r'href="#([^"]*)"', html(page))) <= set(re.findall(r'id="([^"]*)"', html(page)))
    assert '<mark class="sy-mark">Highest point: Kilimanjaro' in html(page)
    assert re.search(r"It is made of cheese\.\s+unsupported", shown(page))
    assert page.status[0].label.startswith("Asked countries and speeches · 3 passages")
    assert page.status[0].state == "complete"
    assert "no expert alone is probable enough" in shown(page)


def test_turns_add_up_until_a_new_conversation_is_begun(page: AppTest, remembered: Answer, fake: Any) -> None:
    ask(page.run(), "First?")
    fake.answer = lambda _: remembered
    ask(page, "Second?")
    assert len(page.chat_message) == 4 and "Answered from memory (no retrieval)" in shown(page)
    assert len(set(re.findall(r'id="([^"]*)"', html(page)))) == 3
    page.button(key="new").click().run()
    assert len(page.chat_message) == 0 and "Ask a panel" in shown(page)


def test_an_abstention_is_shown_as_one(page: AppTest, abstained: Answer, fake: Any) -> None:
    fake.answer = lambda _: abstained
    ask(page.run(), "What does Wakanda export?")
    assert "Not in the sources" in shown(page) and "none is cited" in shown(page)


def test_questions_and_documents_are_inert_on_the_page(page: AppTest) -> None:
    ask(page.run(), "<b>Is it</b> ![x](https://example.com/x.png)?")
    assert "<b>" not in html(page) and "<script>" not in html(page) and "<img" not in html(page)
    assert "<b>Is it</b> ![x](https://example.com/x.png)?" in shown(page)
    markdown = [element.value for element in page.markdown] + [element.value for element in page.caption]
    assert not any("example.com" in value for value in markdown)


def test_the_router_decides_unless_the_sidebar_says_otherwise(page: AppTest, fake: Any) -> None:
    ask(page.run(), "First?")
    page.multiselect(key="only").set_value(["python"]).run()
    page.multiselect(key="never").set_value(["speeches"]).run()
    page.segmented_control(key="search").select("Always").run()
    assert "always search; ask only python; never ask speeches" in page.caption[0].value
    ask(page, "Second?")
    assert [(a["experts"], a["forbid"], a["retrieval"]) for a in fake.asked] == [
        ((), (), None),
        (("python",), ("speeches",), True),
    ]
    next(button for button in page.sidebar.button if button.label == "Back to automatic").click().run()
    ask(page, "Third?")
    assert (fake.asked[2]["experts"], fake.asked[2]["retrieval"]) == ((), None)


def test_an_expert_cannot_be_both_forced_and_forbidden(page: AppTest) -> None:
    page.run().multiselect(key="only").set_value(["python"]).run()
    assert page.multiselect(key="never").options == ["countries", "speeches"]


def test_without_retrieval_no_expert_is_named(page: AppTest, fake: Any) -> None:
    page.run().multiselect(key="only").set_value(["python"]).run()
    page.segmented_control(key="search").select("Never").run()
    ask(page, "From memory?")
    assert (fake.asked[0]["experts"], fake.asked[0]["retrieval"]) == ((), False)


def test_stop_keeps_the_draft_and_says_that_it_was_not_checked(
    page: AppTest, fake: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    workers: list[Worker] = []

    class Recorded(Worker):
        def __init__(self, *arguments: Any) -> None:
            workers.append(self)
            super().__init__(*arguments)

    def stop_at_the_third_token(number: int) -> None:
        if number == 2:
            workers[-1].stop()

    monkeypatch.setattr(desk, "Worker", Recorded)
    fake.before_token = stop_at_the_third_token
    ask(page.run(), "Long?")
    assert "Stopped. This draft was not checked." in shown(page) and "Kilimanjaro is" in shown(page)
    assert "highest point of Tanzania. " not in shown(page).split("Passages found")[0]
    assert page.status[0].label.startswith("Stopped")
    assert not page.chat_input[0].disabled


def test_a_refused_question_says_what_to_do_and_the_next_one_is_answered(page: AppTest, fake: Any) -> None:
    fake.error = InputError("The question is empty.", "Type a question, as in `symposia ask`.")
    ask(page.run(), "   ?")
    assert "The question is empty." in shown(page) and "<code>symposia ask</code>" in html(page)
    assert page.status[0].state == "error"
    fake.error = None
    ask(page, "And now?")
    assert "✓ Answered" in shown(page)


def test_a_defect_is_a_card_and_never_a_traceback(page: AppTest, fake: Any) -> None:
    fake.error = ZeroDivisionError("division by zero")
    ask(page.run(), "Boom?")
    assert "This is a defect in Symposia: ZeroDivisionError" in shown(page)
    assert not page.exception and "Traceback" not in shown(page)


def test_a_page_that_cannot_be_drawn_is_a_card_too(page: AppTest, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken() -> None:
        raise ZeroDivisionError("division by zero")

    monkeypatch.setattr(conversation, "show", broken)
    page.run()
    assert "This is a defect in Symposia: ZeroDivisionError" in shown(page) and not page.exception


def test_a_missing_encoder_shows_the_command_and_trying_again_opens(
    page: AppTest, fake: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def missing() -> Symposium:
        raise MissingModelError("The encoder was not fetched.", "Run `symposia models fetch`.")

    monkeypatch.setattr(Symposium, "open", missing)
    page.run()
    assert "<code>symposia models fetch</code>" in html(page) and not page.exception
    assert len(page.chat_input) == 0
    monkeypatch.setattr(Symposium, "open", lambda: fake)
    page.main.button[0].click().run()
    assert "Ask a panel" in shown(page)


def test_no_experts_shows_the_command_and_trying_again_closes_what_was_open(page: AppTest, fake: Any) -> None:
    cards, fake.cards = fake.cards, ()
    page.run()
    assert "<code>symposia demo</code>" in html(page) and len(page.chat_input) == 0
    fake.cards = cards
    page.main.button[0].click().run()
    assert fake.closed and "Ask a panel" in shown(page)


def test_a_missing_generator_is_told_before_anything_was_asked(page: AppTest, fake: Any) -> None:
    fake.cold = MissingModelError("The generator was not fetched.", "Run `symposia models fetch`.")
    page.run().run()
    assert "The generator was not fetched." in shown(page) and len(page.chat_input) == 0


def test_an_expert_that_cannot_be_asked_is_listed_with_its_problem(page: AppTest, fake: Any) -> None:
    fake.cards = (*fake.cards, ExpertCard("law", problem="In use by process 7.\nClose that program."))
    page.run()
    assert "cannot be asked" in shown(page) and "In use by process 7. Close that program." in shown(page)
    assert "law" not in page.multiselect(key="only").options


def test_an_expert_that_broke_during_the_search_is_named_beside_the_answer(
    page: AppTest, fake: Any, answered: Answer
) -> None:
    route = replace(answered.route, failures={"law": "In use by process 7.\nClose that program."})
    fake.answer = lambda _: replace(answered, route=route)
    ask(page.run(), "Partly?")
    assert "Expert law could not be searched" in shown(page) and "✓ Answered" in shown(page)


def test_no_module_hides_one_of_pythons_own() -> None:
    names = {path.stem for path in CHAT.iterdir()} - {"__init__", "__pycache__"}
    assert not names & set(sys.stdlib_module_names)
