"""The chat in a real browser, over the demo panel and the real models."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from app.cli.chat import streamlit_command
from tests.e2e.browsing import (
    CHROMIUM,
    NO_CHROMIUM,
    PATIENCE,
    ask,
    opened,
    serving,
    take_pictures,
    wait_for_one,
    wait_for_the_end,
)

if TYPE_CHECKING:
    from playwright.sync_api import Browser

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.skipif(CHROMIUM is None, reason=NO_CHROMIUM)]

QUESTION = "Which mountain is the highest point of Tanzania?"
LONG = (  # two parts, so that there is time to stop between the first word and the last
    "Within how many years did President Obama want most Americans to have access to high-speed rail, "
    "and which countries share a border with Paraguay?"
)


@pytest.fixture(scope="module")
def address(demo_copy: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with serving(demo_copy, tmp_path_factory.mktemp("server"), streamlit_command) as url:
        yield url


def test_a_demo_question_is_answered_with_a_citation_that_opens_its_source(
    browser: Browser, address: str, screenshots: Path
) -> None:
    with opened(browser, address) as (page, foreign):
        page.screenshot(path=screenshots / "real-empty.png")
        ask(page, QUESTION)
        first = page.wait_for_function(
            """() => {
                const shown = ['.sy-card', '.sy-answer'].filter(name => document.querySelector(name));
                return shown.length ? shown : null;
            }""",
            timeout=PATIENCE,
        )
        assert first.json_value() == [".sy-card"], "the sources must be there before the first token"
        page.wait_for_selector(".sy-answer.sy-draft", timeout=PATIENCE)
        page.screenshot(path=screenshots / "real-draft.png")
        wait_for_the_end(page)

        wait_for_one(page, ".sy-badge", "✓ Answered")
        wait_for_one(page, ".sy-answer", "Kilimanjaro")
        chip = page.locator("a.sy-chip").first
        chip.wait_for(timeout=PATIENCE)
        assert page.locator("mark:visible").count() == 0
        number = chip.inner_text()
        chip.click()
        card = page.locator("details.sy-card[open]")
        card.wait_for(timeout=PATIENCE)
        assert card.locator(".sy-number").inner_text() == number
        sentence = card.locator("mark").first
        sentence.wait_for(state="visible")
        assert "Kilimanjaro" in sentence.inner_text()
        assert sentence.inner_text() in card.locator(".sy-passage").inner_text()
        take_pictures(page, screenshots, "real-answer")
        assert foreign == []


def test_a_click_while_an_answer_is_written_neither_loses_nor_repeats_it(browser: Browser, address: str) -> None:
    with opened(browser, address) as (page, _):
        ask(page, QUESTION)
        page.wait_for_selector(".sy-answer.sy-draft", timeout=PATIENCE)
        page.get_by_role("radio", name="Always").click()
        wait_for_the_end(page)
        wait_for_one(page, "[data-testid=stCaptionContainer]", "Next question: always search.")
        wait_for_one(page, ".sy-answer", "Kilimanjaro")
        wait_for_one(page, ".sy-question", QUESTION)


def test_stop_ends_the_writing_and_keeps_the_draft(browser: Browser, address: str) -> None:
    with opened(browser, address) as (page, _):
        ask(page, LONG)
        page.wait_for_selector(".sy-answer.sy-draft", timeout=PATIENCE)
        page.get_by_role("button", name="Stop").click()
        wait_for_the_end(page)
        wait_for_one(page, ".sy-badge", "■ Stopped. This draft was not checked.")
        assert page.locator(".sy-answer").inner_text().strip()
        page.get_by_role("button", name="Stop").wait_for(state="detached", timeout=PATIENCE)
