"""What documents hold is drawn, never interpreted: in the chat, and in a conversation that was exported."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from bs4 import BeautifulSoup, Comment
from markdown_it import MarkdownIt

from app.access.principal import LOCAL
from app.chat import answers, cards, markup, route_panel
from app.chat.turn import Turn
from app.conversations.store import Conversations
from generators.events import Checking
from indexes.invisible import shown
from tests.app.access.poison import POISONS, Poison, Poisoned

TRICKS = pytest.mark.parametrize("poison", POISONS, ids=lambda poison: poison.trick)
TAGS = {"a", "article", "b", "blockquote", "code", "details", "div", "li", "mark", "ol", "p", "section", "span"}
TAGS |= {"summary", "ul"}
ATTRIBUTES = {"class", "id", "href", "title", "dir", "role", "tabindex", "style"}
EXPORTED = {"h1", "h2", "p", "strong", "ul", "ol", "li", "blockquote", "code", "em"}


@pytest.fixture(scope="module")
def poisoned(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Poisoned]:
    made = Poisoned(tmp_path_factory.mktemp("poisoned"))
    yield made
    made.whole.close()


@TRICKS
def test_a_page_shows_a_document_and_obeys_none_of_it(poisoned: Poisoned, poison: Poison) -> None:
    outcome = poisoned.ask(poison)
    turn = Turn(1, outcome.answer.question, 0.0)
    pages = [cards.found(1, outcome.answer.evidence)]
    for event in outcome.events:
        turn.absorb(event, 1.0)
        if isinstance(event, Checking):
            pages.append(answers.shown(turn))
    pages += [answers.shown(turn), answers.checked(1, outcome.answer), cards.checked(1, outcome.answer)]
    pages.append(route_panel.panel(turn))
    for html in pages:
        check(html)
    text = BeautifulSoup(pages[0], "html.parser").get_text()
    (item,) = (item for item in outcome.answer.evidence if item.passage.title == poison.title)
    assert shown(item.passage.text) in text


def check(html: str) -> None:
    """Only elements that the page itself makes, links to its own cards, and no sign that deceives."""
    page = BeautifulSoup(html, "html.parser")
    assert not page.find_all(string=lambda string: isinstance(string, Comment))
    for element in page.find_all(True):
        assert element.name in TAGS, element
        assert all(name in ATTRIBUTES or name.startswith("aria-") for name in element.attrs), element
        assert all(name.startswith("sy-") for name in element["class"]), element
        assert re.fullmatch(r"#sy-\d+-\d+", str(element.get("href", "#sy-1-1"))), element
        assert re.fullmatch(r"width: \d+\.\d%", str(element.get("style", "width: 0.0%"))), element
    assert shown(html) == html


@TRICKS
def test_a_label_holds_no_markdown_of_a_document(poison: Poison) -> None:
    for text in (poison.title, poison.text[:500]):
        drawn = MarkdownIt("commonmark").renderInline(markup.label(" ".join(text.split())))
        assert not re.findall(r"<(?!br)", drawn.replace("&lt;", ""))
        assert shown(markup.label(" ".join(text.split()))) == markup.label(" ".join(text.split()))
    assert not re.search(r"(?<!\\):\w+\\?\[|(?<!\\):material", markup.label(poison.text))


@TRICKS
def test_a_conversation_that_is_exported_is_markdown_of_ours_alone(
    poisoned: Poisoned, poison: Poison, tmp_path: Path
) -> None:
    conversations = Conversations(tmp_path / "conversations.db", lambda: datetime(2026, 1, 2, tzinfo=UTC))
    turn = conversations.record(LOCAL, None, poison.title, poisoned.ask(poison).answer)
    conversations.judge(LOCAL, turn.id, helpful=False, comment=poison.text[:1000])
    exported = conversations.markdown(LOCAL, turn.conversation)
    drawn = MarkdownIt("gfm-like", {"html": True, "linkify": False}).render(exported)
    found = {element.name for element in BeautifulSoup(drawn, "html.parser").find_all(True)}
    assert found <= EXPORTED
    assert shown(exported) == exported
    assert len(re.findall(r"^## ", exported, re.MULTILINE)) == 1
