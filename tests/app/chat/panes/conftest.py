"""A real symposium on the word encoder, without a language model, and its pages."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from html import unescape
from pathlib import Path
from threading import Event
from typing import NoReturn

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from app.access.principal import LOCAL, Principal
from app.chat.panes import context
from app.chat.panes.jobs import Job
from app.settings import Settings
from app.symposium import Symposium
from indexes.errors import MissingModelError
from indexes.passage import Document
from indexes.store.open import opener
from retrievers.panel import Panel
from tests.fakes import TOPICS, WordEncoder

MAIN = Path(__file__).parents[4] / "app" / "chat" / "main.py"
HOSTILE = '<script>document.title = "owned"</script> ![x](https://example.com/x.png) [a](https://example.com) **bold**'

OpenPage = Callable[[str], AppTest]


def no_answerer() -> NoReturn:
    raise MissingModelError("The generator was not fetched.", "Run `symposia models fetch`.")


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "home"


@pytest.fixture
def symposium(home: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Symposium]:
    """Empty at first."""
    settings = Settings(home=home)
    panel = Panel(home / "slices", WordEncoder(), opener())
    made = Symposium(settings, panel, no_answerer)
    monkeypatch.setattr(Symposium, "open", lambda: made)
    yield made
    made.close()


@pytest.fixture
def filled(symposium: Symposium) -> Symposium:
    """An expert a topic; one document of the orchard's is hostile."""
    for topic, texts in TOPICS.items():
        documents = [Document(text, f"{topic} {n}", f"{topic}/{n}.txt", whole=True) for n, text in enumerate(texts)]
        symposium.add_documents(documents, topic, f"All about {topic}.")
    symposium.add_documents([Document(f"Beware. {HOSTILE}", HOSTILE, "z.html", metadata={"<b>": HOSTILE})], "orchard")
    return symposium


@pytest.fixture
def who(monkeypatch: pytest.MonkeyPatch) -> Callable[[Principal], None]:
    """Makes somebody else look at the pages."""

    def look(principal: Principal) -> None:
        monkeypatch.setattr(context, "visitor", lambda _settings: principal)

    look(LOCAL)
    return look


@pytest.fixture
def open_page(symposium: Symposium, who: Callable[[Principal], None]) -> Iterator[OpenPage]:
    """Opens a page by name."""
    st.cache_resource.clear()
    st.cache_data.clear()

    def open_(name: str) -> AppTest:
        page = AppTest.from_file(str(MAIN), default_timeout=60)
        page.run()
        return page.switch_page(f"views/{name}.py").run()

    yield open_
    for job in list(context.jobs()._jobs):
        job.stop()
        job.wait(30)
    st.cache_resource.clear()


def html(page: AppTest) -> str:
    bodies = [element.proto.body for element in page.get("html")]
    return "\n".join(body for body in bodies if not body.startswith("<style>"))


def said(page: AppTest) -> str:
    """All words of a page that stand in HTML."""
    return re.sub(r"\s+", " ", unescape(re.sub(r"<[^>]*>", " ", html(page))))


def inert(page: AppTest) -> bool:
    """Whether nothing on the page is markup of a document."""
    labels = [b.label for b in page.button] + [m.value for m in (*page.markdown, *page.caption)]
    unescaped = [text for text in labels if re.search(r"(?<!\\)\]\(https|(?<!\\)!\[|(?<!\\)<script", text)]
    return not unescaped and "<script" not in html(page) and "<img" not in html(page)


def finished(page: AppTest) -> AppTest:
    """The page once all jobs have ended."""
    jobs: list[Job] = list(context.jobs()._jobs)
    assert all(job.wait(60) for job in jobs)
    return page.run()


def button(page: AppTest, words: str) -> object:
    return next(each for each in page.button if words in each.label)


@pytest.fixture
def gate() -> Iterator[Event]:
    """Held shut until the test opens it."""
    gate = Event()
    yield gate
    gate.set()
