from __future__ import annotations

import pytest
from bs4 import BeautifulSoup
from hypothesis import given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from app.markdown import tame

PIECES = [
    "<b>",
    "</b>",
    "<img src=x onerror=y>",
    "<!--",
    "-->",
    "<?",
    "![x]",
    "[a]",
    "(y)",
    "[1]",
    "]",
    "[",
    ": /z",
    "(",
]
PIECES += [
    "https://e.example/",
    "www.e.example",
    "javascript:alert(1)",
    "a@e.example",
    "<https://e.example>",
    "mailto:a@b.c",
]
PIECES += [
    "`",
    "``",
    "```",
    "\\",
    "\\\\",
    "\n",
    "\n\n",
    "    ",
    " ",
    "x",
    "!",
    "<",
    ">",
    "&lt;",
    "&#60;b>",
    "\u200b",
    "\r",
]
DRAWN = {"p", "strong", "em", "code", "pre", "ol", "ul", "li", "blockquote", "hr", "br", "s", "h1", "h2"}


@settings(max_examples=500, deadline=None)
@given(st.lists(st.sampled_from(PIECES), max_size=12).map("".join))
def test_nothing_comes_alive_whatever_the_text(text: str) -> None:
    for kind in ("commonmark", "gfm-like"):
        drawn = MarkdownIt(kind, {"html": True, "linkify": False}).render(tame(text))
        assert {element.name for element in BeautifulSoup(drawn, "html.parser").find_all(True)} <= DRAWN, tame(text)
        assert "<!--" not in drawn


@pytest.mark.parametrize(
    "text",
    [
        "Apple trees blossom in April. [1] [2]",
        "`json.dumps(x)` gives **text**; list[int] holds a < b, \\d+ is a pattern. [unsupported]",
        "Two lines:\n- one\n- two\n",
        "Übung macht den Meister. 山は高い。",
    ],
)
def test_what_is_not_live_stays_as_it_is(text: str) -> None:
    assert tame(text) == text
