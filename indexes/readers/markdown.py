"""Markdown: the text as it is, with its headings as marks."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import accumulate, pairwise
from pathlib import Path
from typing import TYPE_CHECKING

from indexes.passage import Document, Mark
from indexes.readers.dates import iso_date
from indexes.readers.decode import decode
from indexes.readers.outline import Heading, marks
from indexes.readers.problem import OnProblem

if TYPE_CHECKING:
    from markdown_it import MarkdownIt

# A line of the form "name:" must follow, or a document that begins with a thematic break would lose its first section.
_FRONT = re.compile(
    r"\A---[ \t]*\n(?=[\w-]+[ \t]*:)(?P<body>.*?)^(?:---|\.\.\.)[ \t]*(?:\n|\Z)", re.DOTALL | re.MULTILINE
)
_QUOTED = re.compile(r"""(["'])(.*)\1\s*(?:#.*)?\Z""")


def read_markdown(path: Path, on_problem: OnProblem) -> Iterator[Document]:
    """One document: title from the front matter, else the first level-1 heading, else the file's name."""
    text = decode(path, on_problem)
    if text is None:
        return
    front = _FRONT.match(text)
    body = front.end() if front else 0
    found = list(_headings(text, body))
    first = next((heading.label for heading in found if heading.level == 1), "")
    title = _value(front, "title") or first or path.stem
    places = marks(text, found, title=title)
    if front and not (places and places[0].start == body):
        places = (Mark(body, ""), *places)
    yield Document(text=text, title=title, source=str(path), date=iso_date(_value(front, "date")), marks=places)


def _value(front: re.Match[str] | None, name: str) -> str:
    """A one-line scalar of the front matter. Block scalars, lists and nested values count as absent."""
    line = front and re.search(rf"^{name}[ \t]*:[ \t]+(.+)$", front["body"], re.MULTILINE)
    if not line:
        return ""
    value = str(line[1]).strip()
    if quoted := _QUOTED.match(value):
        return quoted[2]
    return "" if value[0] in "|>[{&*!" else value.partition(" #")[0].strip()


def _headings(text: str, body: int) -> Iterator[Heading]:
    """Headings of the outermost level (not those inside lists and quotations), in order."""
    from markdown_it import MarkdownIt

    # Only the block structure is wanted; parsing emphasis and links of the whole text would take most of the time.
    parser = MarkdownIt("commonmark").disable("inline")
    inline = MarkdownIt("commonmark")
    tokens = parser.parse(text[body:])
    lines = list(accumulate((len(line) + 1 for line in text[body:].split("\n")), initial=body))
    for token, content in pairwise(tokens):
        if token.type == "heading_open" and token.level == 0 and token.map:
            start, end = (lines[line] for line in token.map)
            yield Heading(start, end, int(token.tag[1]), _plain(inline, content.content))


def _plain(parser: MarkdownIt, source: str) -> str:
    """A heading's words without emphasis, code marks and link targets."""
    children = [child for token in parser.parseInline(source) for child in token.children or []]
    words = (" " if child.type in {"softbreak", "hardbreak"} else child.content for child in children)
    return " ".join("".join(words).split())
