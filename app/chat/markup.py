"""Inert HTML: whatever comes from documents, questions or models is escaped here, so nothing in it is ever interpreted."""

from __future__ import annotations

import re
from html import escape

from app.chat.turn import Failed
from indexes.invisible import shown

_COMMAND = re.compile(r"`([^`]+)`")
_PUNCTUATION = re.compile(r"([\\`*_{}\[\]()<>#+\-.!|~$:])")


def text(value: str) -> str:
    """``value`` as HTML text."""
    return escape(shown(value), quote=True)


def element(tag: str, kind: str, inner: str, **attributes: str) -> str:
    """An element of the class ``sy-kind`` around HTML; attribute values are escaped, ``_`` in their names becomes ``-``.

    >>> element("a", "chip", "[1]", href="#sy-1-1")
    '<a class="sy-chip" href="#sy-1-1">[1]</a>'
    """
    named = "".join(f' {name.replace("_", "-")}="{text(value)}"' for name, value in attributes.items())
    classes = " ".join(f"sy-{name}" for name in kind.split())
    return f'<{tag} class="{classes}"{named}>{inner}</{tag}>'


def label(value: str) -> str:
    r"""``value`` for Streamlit's labels, which are Markdown: every sign that means something there is escaped.

    >>> label("__init__")
    '\\_\\_init\\_\\_'
    """
    return _PUNCTUATION.sub(r"\\\1", shown(value))


def percent(probability: float) -> str:
    """A probability for people.

    >>> percent(0.874), percent(0.001), percent(0.999), percent(0.0)
    ('87 %', '< 1 %', '> 99 %', '0 %')
    """
    if 0 < probability < 0.01:
        return "< 1 %"
    if 0.995 <= probability < 1:
        return "> 99 %"
    return f"{probability * 100:.0f} %"


def failure(failed: Failed) -> str:
    """A card that says what happened and what to do; commands between backticks are set as code."""
    fix = _COMMAND.sub(r"<code>\1</code>", text(failed.fix))
    problem = element("p", "problem", text(failed.problem))
    return element("div", "failure", problem + element("p", "fix", fix), role="alert")
