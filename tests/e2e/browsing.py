"""The chat in Debian's chromium: a server for the length of a ``with``, a tab, and what is done in it again and again."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.error import URLError
from urllib.request import urlopen

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Locator, Page

CHROMIUM = shutil.which("chromium")
NO_CHROMIUM = "Chromium is not installed: apt-get install -y --no-install-recommends chromium"
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
INPUT = "[data-testid=stChatInputTextArea]"
PATIENCE = 240_000  # milliseconds; a busy machine loads the models slowly
PICKS = 6
VIEWS = [(1280, 900, "light"), (1280, 900, "dark"), (400, 850, "light"), (400, 850, "dark")]


@contextmanager
def serving(home: Path, folder: Path, command: Callable[[int], Sequence[str]]) -> Iterator[str]:
    """A server of our own on a free port; its log must hold no traceback in the end."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    env = {name: value for name, value in os.environ.items() if not name.startswith("SYMPOSIA_")}
    env |= {"SYMPOSIA_HOME": str(home), "PYTHONPATH": str(ROOT)}
    with (folder / "log").open("w+", encoding="utf-8") as log:
        process = subprocess.Popen(list(command(port)), cwd=folder, env=env, stdout=log, stderr=subprocess.STDOUT)
        try:
            _wait_until_healthy(process, f"http://127.0.0.1:{port}/_stcore/health")
            yield f"http://127.0.0.1:{port}"
        finally:
            process.terminate()
            process.wait(timeout=30)
            log.seek(0)
            written = log.read()
    assert "Traceback" not in written, written


@contextmanager
def opened(browser: Browser, address: str, width: int = 1280, height: int = 900) -> Iterator[tuple[Page, list[str]]]:
    """The chat in a fresh tab, and the addresses elsewhere that it asked for."""
    context = browser.new_context(viewport={"width": width, "height": height}, color_scheme="light")
    page, foreign = context.new_page(), []

    def note(request: Any) -> None:
        if not request.url.startswith((address, address.replace("http", "ws"), "data:", "blob:")):
            foreign.append(request.url)

    page.on("request", note)
    try:
        page.goto(address)
        wait_until_ready(page)
        yield page, foreign
    except BaseException:
        if folder := os.environ.get("SYMPOSIA_SCREENSHOTS"):
            page.screenshot(path=Path(folder) / "failed.png")
        raise
    finally:
        context.close()


def wait_until_ready(page: Page) -> None:
    """Until a question can be typed."""
    page.wait_for_selector(f"{INPUT}, .sy-failure", timeout=PATIENCE)
    assert page.locator(".sy-failure").count() == 0, page.inner_text(".sy-failure")


def ask(page: Page, question: str) -> None:
    """Type a question and send it; an abstention may be there before anybody could see the box disabled."""
    before = page.locator(".sy-question").count()
    page.fill(INPUT, question)
    page.press(INPUT, "Enter")
    page.locator(".sy-question").nth(before).wait_for(timeout=PATIENCE)


def wait_for_the_end(page: Page) -> None:
    """Until the next question can be typed and nothing is being drawn any more."""
    page.wait_for_function(
        """selector => {
            const box = document.querySelector(selector), app = document.querySelector('[data-testid=stApp]');
            return box !== null && !box.disabled && app.dataset.testScriptState !== 'running';
        }""",
        arg=INPUT,
        timeout=PATIENCE,
    )


def wait_for_one(page: Page, selector: str, words: str, count: int = 1) -> None:
    """Until so many elements are left there, and the last one holds the words.

    Streamlit takes what is no longer on a page away a moment after the rest is drawn, so reading once is too early.
    """
    page.wait_for_function(
        """([selector, words, count]) => {
            const found = document.querySelectorAll(selector);
            return found.length === count && found[count - 1].innerText.includes(words);
        }""",
        arg=[selector, words, count],
        timeout=PATIENCE,
    )


def pick(page: Page, box: Locator, option: str) -> None:
    """Choose from a list that opens at a click; a page that is drawn anew meanwhile closes it, as it would for anybody."""
    from playwright.sync_api import TimeoutError as TooLate

    for _ in range(PICKS):
        box.click(timeout=PATIENCE)
        try:
            page.get_by_role("option", name=option, exact=True).click(timeout=5_000)
        except TooLate:
            page.keyboard.press("Escape")
        else:
            return
    raise AssertionError(f"{option} could not be chosen")


def take_pictures(page: Page, folder: Path, name: str) -> None:
    """The page as it is, in every view; nothing may stick out sideways."""
    for width, height, scheme in VIEWS:
        page.set_viewport_size({"width": width, "height": height})
        page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
        page.wait_for_timeout(700)
        page.wait_for_function("document.documentElement.scrollWidth <= document.documentElement.clientWidth")
        page.screenshot(path=folder / f"{name}-{width}-{scheme}.png")
    width, height, _ = VIEWS[0]
    page.set_viewport_size({"width": width, "height": height})
    page.emulate_media(color_scheme="light")


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
