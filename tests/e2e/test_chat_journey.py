"""From the first run to a reload, in a real browser: all that a person does with the chat, over a model that reads aloud."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from app.settings import load_settings
from app.symposium import Symposium
from tests.e2e.browsing import (
    CHROMIUM,
    NO_CHROMIUM,
    PATIENCE,
    ask,
    opened,
    pick,
    serving,
    take_pictures,
    wait_for_one,
    wait_for_the_end,
    wait_until_ready,
)
from tests.indexes.readers.test_pdf import pdf

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.skipif(CHROMIUM is None, reason=NO_CHROMIUM)]

GUIDE = "The Solvik ferry leaves the old pier every hour. A single ticket for the Solvik ferry costs 28 crowns."
NOTICE = "Notice of the harbour office. From May on, a single ticket for the Solvik ferry costs 35 crowns."
MUSEUM = "The Solvik museum opens at nine in the morning.\nThe Solvik museum is closed on Mondays."
ABOARD = (  # a slice of two passages would think itself familiar with everything
    "Bicycles travel free of charge on the upper deck.",
    "Dogs must be kept on a leash in the saloon.",
    "In winter the crossing takes forty minutes because of the ice.",
    "The cafe on board sells soup, bread and coffee.",
    "Groups of ten or more write to the harbour office a week ahead.",
    "The captain may cancel a crossing when the wind is above twenty metres a second.",
    "Lost luggage is kept at the ticket booth for thirty days.",
    "Cars drive aboard from the north ramp.",
    "Seasick passengers are best seated amidships.",
    "The lighthouse at Solvik can be visited in summer.",
    "Children below six need no ticket.",
    "Monthly passes are sold at the booth by the old pier.",
    "The last boat leaves Solvik at ten in the evening.",
    "Life jackets lie beneath the seats.",
    "The vessel was built in 1974 in a yard at Bergen.",
)
PRICE = "What does a single ticket for the Solvik ferry cost?"
WAKANDA = "What are the main exports and the currency of Wakanda?"


@pytest.fixture(scope="module")
def home(demo_copy: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The demo's experts, and one with two documents that disagree."""
    documents = tmp_path_factory.mktemp("journey") / "documents"
    write_documents(documents)
    with Symposium.open(load_settings(flags={"home": str(demo_copy)}, env={}).settings) as symposium:
        symposium.add([documents], "ferries", "Timetables and fares of the Solvik ferry.")
    return demo_copy


def write_documents(folder: Path) -> None:
    folder.mkdir()
    texts = {"harbour-guide": GUIDE, "notice-2025": NOTICE} | {f"aboard-{i}": line for i, line in enumerate(ABOARD)}
    for name, text in texts.items():
        (folder / f"{name}.txt").write_text(text, encoding="utf-8")


@pytest.fixture(scope="module")
def address(home: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    def command(port: int) -> list[str]:
        return [sys.executable, "-m", "tests.e2e.staged", str(port)]

    with serving(home, tmp_path_factory.mktemp("server"), command) as url:
        yield url


def test_the_journey(browser: Browser, address: str, screenshots: Path) -> None:
    with opened(browser, address) as (page, foreign):
        take_pictures(page, screenshots, "01-first-run")
        an_example_is_answered(page, screenshots)
        a_source_is_opened(page, screenshots)
        an_expert_is_forced(page, screenshots)
        a_conflict_is_shown(page, screenshots)
        an_abstention_is_shown(page, screenshots)
        a_pdf_is_uploaded(page, screenshots)
        the_upload_is_asked_about(page, screenshots)
        the_answer_is_judged(page, screenshots)
        a_follow_up_is_understood(page, screenshots)
        a_reload_keeps_the_conversation(page, screenshots)
        the_sidebar_of_a_narrow_page_is_used(page, screenshots)
        assert foreign == []


def test_a_thumb_and_a_reload_leave_alone_what_is_being_answered(browser: Browser, address: str) -> None:
    slow = "Tell me slowly, what does the cafe on board sell?"
    with opened(browser, address) as (page, _):
        ask(page, "Where do cars drive aboard?")
        wait_for_the_end(page)
        ask(page, slow)
        page.wait_for_selector(".sy-answer.sy-draft", timeout=PATIENCE)
        page.get_by_role("radio", name="Thumbs down").first.click()
        page.get_by_label("Comment on this answer").wait_for(timeout=PATIENCE)
        page.wait_for_selector(".sy-answer.sy-draft", timeout=PATIENCE)
        page.reload()
        wait_for_one(page, ".sy-badge", "✓ Answered", 2)
        wait_for_the_end(page)
        wait_for_one(page, ".sy-answer", "soup, bread and coffee", 2)
        assert page.locator(".sy-question").all_inner_texts().count(slow) == 1
        assert page.get_by_role("radio", name="Thumbs down").first.get_attribute("aria-checked") == "true"


def test_a_first_question_that_is_being_answered_is_found_again_after_a_reload(browser: Browser, address: str) -> None:
    with opened(browser, address) as (page, _):
        ask(page, "Tell me slowly, where are seasick passengers best seated?")
        page.wait_for_selector(".sy-answer.sy-draft", timeout=PATIENCE)
        assert "turn=" in page.url
        page.reload()
        wait_for_one(page, ".sy-badge", "✓ Answered")
        wait_for_the_end(page)
        wait_for_one(page, ".sy-answer", "amidships")
        page.wait_for_url("**/?conversation=*", timeout=PATIENCE)


def an_example_is_answered(page: Page, pictures: Path) -> None:
    page.locator("[class*=st-key-example-] button").first.click()
    page.wait_for_selector(".sy-card", timeout=PATIENCE)
    page.wait_for_selector(".sy-answer.sy-draft", timeout=PATIENCE)  # the draft, before its end
    page.screenshot(path=pictures / "02-streaming.png")
    wait_for_one(page, ".sy-badge", "✓ Answered")
    wait_for_the_end(page)
    take_pictures(page, pictures, "03-answered")


def a_source_is_opened(page: Page, pictures: Path) -> None:
    page.locator("a.sy-chip").first.click()
    page.locator("details.sy-card[open] mark").first.wait_for(state="visible", timeout=PATIENCE)
    page.locator("[data-testid=stStatus], [data-testid=stExpander]").first.locator("summary").click()
    page.locator(".sy-shares").first.wait_for(state="visible", timeout=PATIENCE)
    take_pictures(page, pictures, "04-source-and-route")


def an_expert_is_forced(page: Page, pictures: Path) -> None:
    pick(page, page.get_by_role("combobox", name="Ask only"), "ferries")
    page.keyboard.press("Escape")
    page.get_by_text("Next question: ask only ferries.").wait_for(timeout=PATIENCE)
    assert page.locator("details.sy-card[open]").count() == 1, "a click must not close an opened source"
    take_pictures(page, pictures, "05-forced")
    ask(page, "How often does the boat leave the old pier?")
    wait_for_the_end(page)
    wait_for_one(page, ".sy-answer", "every hour", 2)
    page.get_by_role("button", name="Back to automatic").click()
    page.get_by_role("button", name="Back to automatic").wait_for(state="detached", timeout=PATIENCE)


def a_conflict_is_shown(page: Page, pictures: Path) -> None:
    ask(page, PRICE)
    wait_for_the_end(page)
    wait_for_one(page, ".sy-disagreement", "Source A says")
    card = page.inner_text(".sy-disagreement")
    assert "35 crowns" in card and "28 crowns" in card and "Source B says" in card
    assert "The model’s memory says" in card and "20 crowns" in card
    take_pictures(page, pictures, "06-conflict")


def an_abstention_is_shown(page: Page, pictures: Path) -> None:
    ask(page, WAKANDA)
    wait_for_the_end(page)
    wait_for_one(page, ".sy-badge", "∅ Not in the sources", 4)
    take_pictures(page, pictures, "07-abstention")


def a_pdf_is_uploaded(page: Page, pictures: Path) -> None:
    page.get_by_role("link", name="Library").click()
    page.locator("summary", has_text="Add files").click()
    pick(page, page.get_by_role("combobox", name="To which expert?"), "ferries")
    upload = {"name": "museum.pdf", "mimeType": "application/pdf", "buffer": pdf([MUSEUM], title="Solvik museum")}
    with page.expect_response(lambda reply: "upload_file" in reply.url and reply.request.method == "PUT"):
        page.set_input_files("[data-testid=stFileUploaderDropzoneInput]", [upload])  # type: ignore[list-item]
    page.get_by_text("museum.pdf").first.wait_for(timeout=PATIENCE)
    page.get_by_role("button", name="Add", exact=True).click()
    page.locator(".sy-outcome").get_by_text("1 document added").wait_for(timeout=PATIENCE)
    take_pictures(page, pictures, "08-uploaded")


def the_upload_is_asked_about(page: Page, pictures: Path) -> None:
    page.get_by_role("link", name="Chat").click()
    wait_for_one(page, ".sy-badge", "∅ Not in the sources", 4)
    ask(page, "When does the Solvik museum open?")
    wait_for_the_end(page)
    wait_for_one(page, ".sy-answer", "opens at nine", 4)
    take_pictures(page, pictures, "09-asked-about-the-upload")


def the_answer_is_judged(page: Page, pictures: Path) -> None:
    page.get_by_role("radio", name="Thumbs up").last.click()
    field = page.get_by_label("Comment on this answer")
    field.fill("It says when.")
    field.press("Enter")
    wait_for_one(page, ".sy-kept", "Comment kept")
    take_pictures(page, pictures, "10-judged")


def a_follow_up_is_understood(page: Page, pictures: Path) -> None:
    ask(page, "And on which days is it closed?")
    wait_for_the_end(page)
    wait_for_one(page, ".sy-understood", "And on which days is the Solvik museum closed?")
    wait_for_one(page, ".sy-answer", "closed on Mondays", 5)
    take_pictures(page, pictures, "11-follow-up")


def a_reload_keeps_the_conversation(page: Page, pictures: Path) -> None:
    shown = page.locator(".sy-answer").all_inner_texts()
    page.reload()
    wait_until_ready(page)
    wait_for_one(page, ".sy-badge", "✓ Answered", 6)
    assert page.locator(".sy-answer").all_inner_texts() == shown
    assert page.get_by_label("Comment on this answer").input_value() == "It says when."
    take_pictures(page, pictures, "12-reloaded")


def the_sidebar_of_a_narrow_page_is_used(page: Page, pictures: Path) -> None:
    page.set_viewport_size({"width": 400, "height": 850})
    page.reload()
    wait_until_ready(page)
    page.get_by_test_id("stExpandSidebarButton").click()
    page.get_by_role("button", name="New conversation").wait_for(timeout=PATIENCE)
    page.wait_for_timeout(700)
    page.screenshot(path=pictures / "13-sidebar-400.png")
    page.get_by_role("button", name="More").click()
    with page.expect_download() as download:
        page.get_by_role("button", name="Download as Markdown").click()
    page.screenshot(path=pictures / "14-menu-400.png")
    written = Path(download.value.path()).read_text(encoding="utf-8")
    assert PRICE in written and "28 crowns" in written and "Understood as" in written
    page.get_by_role("button", name="Delete", exact=True).click()
    page.get_by_text("It cannot be brought back").wait_for(timeout=PATIENCE)
    page.screenshot(path=pictures / "15-deletion-400.png")
    page.get_by_role("button", name="Delete for good").click()
    page.get_by_text("Ask a panel of 4 experts").wait_for(timeout=PATIENCE)
