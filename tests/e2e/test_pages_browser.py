"""All pages beside the chat in a real browser: add a PDF, look into it, train, compare evaluations, read the settings."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest

from indexes.adapters.linear import Linear
from indexes.passage import Document
from indexes.store.open import opener
from retrievers.panel import Panel
from tests.app.chat.panes.test_evaluate import answered, evaluated
from tests.app.chat.panes.test_experts import CARD
from tests.e2e.browsing import CHROMIUM, NO_CHROMIUM, PATIENCE, pick, serving, take_pictures
from tests.fakes import DIMENSION, TOPICS, WordEncoder
from tests.indexes.readers.test_pdf import pdf

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.skipif(CHROMIUM is None, reason=NO_CHROMIUM)]

PAGES = [
    " ".join(f"Article {n * 6 + k} of the charter settles who may moor at pier {k} of harbour {n}." for k in range(6))
    for n in range(4)
]
HOSTILE = '<img src=x onerror="document.title=1">![x](https://example.com/x.png)'


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An expert with 30 documents, one of them hostile, and four evaluations."""
    home = tmp_path_factory.mktemp("home")
    panel = Panel(home / "slices", WordEncoder(), opener())
    from app.library import Library
    from app.settings import Settings

    texts = [text for topic in TOPICS.values() for text in topic]
    pairs = [(f"{one} {other}", one) for one, other in pairwise(texts)]
    documents = [
        Document(text, title.rstrip("."), f"notes/{n:02}.txt", whole=True) for n, (text, title) in enumerate(pairs)
    ]
    documents.append(Document(f"Beware of this. {HOSTILE}", HOSTILE, "notes/hostile.html", date="2024-03-07"))
    Library(panel, Settings(home=home)).add_documents(documents, "almanac", "Orchards, engines and planets.")
    panel.experts["almanac"].slice.adapt(Linear(np.zeros((DIMENSION, DIMENSION), dtype=np.float32)), CARD.to_dict())
    panel.close()
    evaluated(home / "evaluations" / "birds-test", routed=True)
    evaluated(home / "evaluations" / "fish-test", "fish", wrong=9)
    answered(home / "evaluations" / "answers-adacad", 6)
    answered(home / "evaluations" / "answers-greedy", 4)
    return home


@pytest.fixture(scope="module")
def address(home: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("server")
    with serving(home, folder, lambda port: [sys.executable, "-m", "tests.e2e.worded", str(port)]) as address:
        yield address


def go(page: Page, name: str) -> None:
    """Follow the link in the sidebar."""
    page.get_by_role("link", name=name).click()
    wait_for(page, ".sy-page-title", name)


def wait_for(page: Page, selector: str, words: str) -> None:
    """Until an element that is seen holds the words, and nothing is being drawn."""
    page.locator(selector).filter(has_text=words, visible=True).first.wait_for(timeout=PATIENCE)
    page.wait_for_function(
        "() => document.querySelector('[data-testid=stApp]').dataset.testScriptState !== 'running'", timeout=PATIENCE
    )


def choose(page: Page, label: str, option: str) -> None:
    """Choose in a select box."""
    pick(page, page.get_by_label(label).last, option)


@pytest.mark.timeout(1500)
def test_all_pages_do_what_they_are_for(browser: Browser, address: str, screenshots: Path, tmp_path: Path) -> None:
    context = browser.new_context(viewport={"width": 1280, "height": 900}, color_scheme="light")
    page, foreign = context.new_page(), []
    page.on(
        "request",
        lambda request: (
            None
            if request.url.startswith((address, address.replace("http", "ws"), "data:", "blob:"))
            else foreign.append(request.url)
        ),
    )
    page.goto(address)
    _library(page, screenshots, tmp_path)
    _experts(page, screenshots)
    _evaluate(page, screenshots)
    _settings(page, screenshots)
    assert foreign == []
    assert page.title() == "Symposia"  # which the hostile document would have changed
    context.close()


def _library(page: Page, screenshots: Path, folder: Path) -> None:
    go(page, "Library")
    wait_for(page, ".sy-table", "almanac")
    page.get_by_text("Add files", exact=True).click()
    choose(page, "To which expert?", "A new expert")
    page.get_by_label("Its name").fill("charter")
    page.get_by_label("What it knows, in a sentence").fill("Who may moor where.")
    good, bad = folder / "charter.pdf", folder / "broken.pdf"
    good.write_bytes(pdf(PAGES, title="The harbour charter"))
    bad.write_bytes(b"%PDF-1.4 and no more")
    page.locator("[data-testid=stFileUploaderDropzoneInput]").set_input_files([good, bad])
    page.get_by_text("broken.pdf").first.wait_for(timeout=PATIENCE)
    take_pictures(page, screenshots, "library-add")
    page.locator(".st-key-add button").click()
    wait_for(page, ".sy-outcome", "charter: 1 document added, 0 unchanged.")
    wait_for(page, ".sy-problems", "broken.pdf")
    wait_for(page, ".sy-table", "Who may moor where.")
    take_pictures(page, screenshots, "library-added")
    page.get_by_role("button", name="OK").click()
    page.get_by_label("Search by title, file or key").fill("HOSTILE")
    page.keyboard.press("Enter")
    page.get_by_text("1 document, found by").wait_for(timeout=PATIENCE)
    page.locator(".st-key-document-0 button").click()
    wait_for(page, ".sy-text-card", "Beware of this.")
    assert page.locator(".stMain img").count() == 0
    take_pictures(page, screenshots, "document")
    page.get_by_role("button", name="Delete this document").click()
    page.get_by_role("button", name="Delete it").click()
    page.get_by_label("Search by title, file or key").wait_for(timeout=PATIENCE)
    page.get_by_text("23 documents").wait_for(timeout=PATIENCE)
    take_pictures(page, screenshots, "library")


def _experts(page: Page, screenshots: Path) -> None:
    go(page, "Experts")
    wait_for(page, ".sy-table", "almanac")
    wait_for(page, ".sy-facts", "adapter: linear")
    page.locator(".stVegaLiteChart canvas, .stVegaLiteChart svg").first.wait_for(timeout=PATIENCE)
    take_pictures(page, screenshots, "experts")
    page.get_by_text("Train almanac", exact=True).click()
    for kind in ("auto", "identity"):  # which takes the adapter away, and so is done at once
        page.locator(".st-key-train-kinds").get_by_role("button", name=kind, exact=True).click()
    take_pictures(page, screenshots, "experts-train")
    page.locator(".st-key-train button").click()
    wait_for(page, "[data-testid=stMain]", "Training almanac")
    go(page, "Settings")
    go(page, "Experts")  # what it gave is still there
    wait_for(page, ".sy-outcome", "It now has an adapter of kind identity.")
    wait_for(page, ".sy-facts", "the encoder as it is")
    take_pictures(page, screenshots, "experts-trained")


def _evaluate(page: Page, screenshots: Path) -> None:
    go(page, "Evaluate")
    wait_for(page, ".sy-table", "evaluations/birds-test")
    take_pictures(page, screenshots, "evaluate")
    _pick(page, "evaluations/birds-test")
    wait_for(page, ".sy-table", "dense (baseline)")
    page.locator(".stVegaLiteChart canvas, .stVegaLiteChart svg").nth(1).wait_for(timeout=PATIENCE)
    take_pictures(page, screenshots, "evaluation")
    page.get_by_label("Clear all").click()
    _pick(page, "evaluations/answers-adacad")
    wait_for(page, ".sy-part-title", "How far its confidence can be trusted")
    page.locator(".stVegaLiteChart canvas, .stVegaLiteChart svg").nth(1).wait_for(timeout=PATIENCE)
    take_pictures(page, screenshots, "answers")
    _pick(page, "evaluations/answers-greedy")
    wait_for(page, ".sy-table", "difference to answers-adacad")
    page.locator(".stVegaLiteChart canvas, .stVegaLiteChart svg").first.wait_for(timeout=PATIENCE)
    take_pictures(page, screenshots, "compared")


def _pick(page: Page, name: str) -> None:
    pick(page, page.get_by_label("Evaluations").last, name)
    page.keyboard.press("Escape")


def _settings(page: Page, screenshots: Path) -> None:
    go(page, "Settings")
    wait_for(page, ".sy-table", "SYMPOSIA_HOME")
    take_pictures(page, screenshots, "settings")
    page.get_by_label("Search by name, value or description").fill("retrieval.passages")
    page.keyboard.press("Enter")
    page.get_by_text("export SYMPOSIA_RETRIEVAL_PASSAGES").wait_for(timeout=PATIENCE)
    take_pictures(page, screenshots, "settings-found")
