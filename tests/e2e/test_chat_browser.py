"""The chat in a real browser, over the demo panel and the real models."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.error import URLError
from urllib.request import urlopen

import pytest

from app.cli.chat import streamlit_command

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

CHROMIUM = shutil.which("chromium")
pytestmark = [
    pytest.mark.browser,
    pytest.mark.slow,
    pytest.mark.skipif(
        CHROMIUM is None,
        reason="Chromium is not installed: apt-get install -y --no-install-recommends chromium",
    ),
]

FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
ROOT = Path(__file__).parents[2]
QUESTION = "Which mountain is the highest point of Tanzania?"
LONG = (  # two parts, so that there is time to stop between the first word and the last
    "Within how many years did President Obama want most Americans to have access to high-speed rail, "
    "and which countries share a border with Paraguay?"
)
INPUT = "[data-testid=stChatInputTextArea]"
PATIENCE = 240_000  # milliseconds; a busy machine loads the models slowly
VIEWS = [(1280, 900, "light"), (1280, 900, "dark"), (400, 850, "light"), (400, 850, "dark")]


@pytest.fixture(scope="module")
def address(demo_home: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A server of our own on a free port; its log must hold no traceback in the end."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    folder = tmp_path_factory.mktemp("server")
    env = {name: value for name, value in os.environ.items() if name != "SYMPOSIA_SCREENSHOTS"}
    env |= {"SYMPOSIA_HOME": str(demo_home), "PYTHONPATH": str(ROOT)}
    with (folder / "log").open("w+", encoding="utf-8") as log:
        process = subprocess.Popen(streamlit_command(port), cwd=folder, env=env, stdout=log, stderr=subprocess.STDOUT)
        try:
            _wait_until_healthy(process, f"http://127.0.0.1:{port}/_stcore/health")
            yield f"http://127.0.0.1:{port}"
        finally:
            process.terminate()
            process.wait(timeout=30)
            log.seek(0)
            written = log.read()
    assert "Traceback" not in written, written


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed: pip install '.[dev]'")
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture
def screenshots(tmp_path: Path) -> Path:
    folder = Path(os.environ.get("SYMPOSIA_SCREENSHOTS") or tmp_path)
    folder.mkdir(parents=True, exist_ok=True)
    return folder


@contextmanager
def opened(browser: Browser, address: str) -> Iterator[tuple[Page, list[str]]]:
    """The chat in a fresh tab, and the addresses elsewhere that it asked for."""
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    page, foreign = context.new_page(), []

    def note(request: Any) -> None:
        if not request.url.startswith((address, address.replace("http", "ws"), "data:", "blob:")):
            foreign.append(request.url)

    page.on("request", note)
    page.goto(address)
    page.wait_for_selector(f"{INPUT}, .sy-failure", timeout=PATIENCE)
    assert page.locator(".sy-failure").count() == 0, page.inner_text(".sy-failure")
    yield page, foreign
    context.close()


def ask(page: Page, question: str) -> None:
    page.fill(INPUT, question)
    page.press(INPUT, "Enter")
    page.wait_for_selector(f"{INPUT}[disabled]", timeout=PATIENCE)


def wait_for_the_end(page: Page) -> None:
    page.wait_for_selector(f"{INPUT}:not([disabled])", timeout=PATIENCE)


def wait_for_one(page: Page, selector: str, words: str) -> None:
    """Until one element is left there, and it holds the words.

    Streamlit takes what is no longer on a page away a moment after the rest is drawn, so reading once is too early.
    """
    page.wait_for_function(
        """([selector, words]) => {
            const found = document.querySelectorAll(selector);
            return found.length === 1 && found[0].innerText.includes(words);
        }""",
        arg=[selector, words],
        timeout=PATIENCE,
    )


def test_a_demo_question_is_answered_with_a_citation_that_opens_its_source(
    browser: Browser, address: str, screenshots: Path
) -> None:
    with opened(browser, address) as (page, foreign):
        page.screenshot(path=screenshots / "empty.png")
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
        page.screenshot(path=screenshots / "draft.png")
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
        take_pictures(page, screenshots)
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


def take_pictures(page: Page, folder: Path) -> None:
    """The page as it is, in every view; nothing may stick out sideways."""
    for width, height, scheme in VIEWS:
        page.set_viewport_size({"width": width, "height": height})
        page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
        page.wait_for_timeout(1000)
        page.wait_for_function("document.documentElement.scrollWidth <= document.documentElement.clientWidth")
        page.screenshot(path=folder / f"answer-{width}-{scheme}.png")


def _wait_until_healthy(process: subprocess.Popen[bytes], url: str) -> None:
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline:
        assert process.poll() is None, "the server ended by itself"
        try:
            with urlopen(url, timeout=5) as reply:
                if reply.status == 200:
                    return
        except (URLError, ConnectionError):
            time.sleep(0.3)
    raise AssertionError("the server did not get ready")
