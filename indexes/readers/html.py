"""HTML: the words of the page, a line for each block, without navigation and scripts."""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from indexes.passage import Document
from indexes.readers import limits
from indexes.readers.decode import newlines, not_text
from indexes.readers.opening import read_whole
from indexes.readers.outline import Heading, marks
from indexes.readers.problem import OnProblem, Problem

if TYPE_CHECKING:
    from bs4 import BeautifulSoup, Tag

# fmt: off
DROPPED = frozenset({
    "script", "style", "nav", "header", "footer", "head", "title", "template", "noscript", "svg", "iframe",
    "object", "select", "textarea",
})
BLOCKS = frozenset({
    "address", "article", "aside", "blockquote", "body", "br", "caption", "dd", "details", "dialog", "div", "dl",
    "dt", "fieldset", "figcaption", "figure", "form", "h1", "h2", "h3", "h4", "h5", "h6", "hr", "html", "legend",
    "li", "main", "ol", "p", "pre", "search", "section", "summary", "table", "tbody", "tfoot", "thead", "tr", "ul",
})
# fmt: on
# A row that holds one of these is page layout, not a row of data.
_LAYOUT = ("table", "ul", "ol", "pre", "h1", "h2", "h3", "h4", "h5", "h6")
_META = re.compile(rb"""<meta[^>]{0,200}?charset\s*=\s*["']?\s*([\w.:-]+)""", re.IGNORECASE)
_ENCODING = re.compile(
    r"(?:utf-8|cp\d+|iso8859|iso2022|koi8|mac-|gb|big5|euc|shift_jis|hz|johab|tis-620|ptcp154|kz1048)"
)


def read_html(path: Path, on_problem: OnProblem) -> Iterator[Document]:
    """One document: title from ``<title>``, else the first ``<h1>``, else the file's name; headings as marks."""
    markup = _decode(path, on_problem)
    if markup is None:
        return
    from bs4 import BeautifulSoup

    soup = BeautifulSoup(markup, "html.parser")
    page = _Page()
    page.read(soup)
    text = "\n".join(page.lines)
    title = _title(soup) or path.stem
    yield Document(text=text, title=title, source=str(path), marks=marks(text, page.headings, title=title))


def _decode(path: Path, on_problem: OnProblem) -> str | None:
    """UTF-8, else the encoding that the page declares about itself; nothing is guessed."""
    data = read_whole(path, limits.LARGEST_TEXT)
    if isinstance(data, Problem):
        on_problem(data)
        return None
    problem = not_text(path, data)
    if problem is None:
        return newlines(data.decode("utf-8-sig"))
    declared = _META.search(data[:4096])
    text = _as_declared(data, declared[1].decode("ascii")) if declared and not _is_utf8(data) else ""
    if not text or "\x00" in text:
        on_problem(problem)
        return None
    return newlines(text)


def _is_utf8(data: bytes) -> bool:
    try:
        data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return False
    return True


def _as_declared(data: bytes, name: str) -> str:
    """The text in the declared encoding; empty where that is none, or not the one."""
    try:
        codec = codecs.lookup(name).name
        # WHATWG Encoding: Latin-1 and ASCII both mean windows-1252. Python's own codecs are nobody's (punycode, escapes).
        codec = "cp1252" if codec in {"iso8859-1", "ascii"} else codec
        return data.decode(codec) if _ENCODING.match(codec) else ""
    except (LookupError, UnicodeError):
        return ""


def _title(soup: BeautifulSoup) -> str:
    for name in ("title", "h1"):
        tag = soup.find(name)
        words = " ".join(tag.get_text().split()) if tag else ""
        if words:
            return words
    return ""


@dataclass(slots=True)
class _Page:
    """Lines of text, filled while the tree is walked."""

    lines: list[str] = field(default_factory=list)
    headings: list[Heading] = field(default_factory=list)
    _line: list[str] = field(default_factory=list)
    _length: int = 0
    _row: Tag | None = None
    _pre: int = 0
    _begun: bool = False
    _layout: set[int] = field(default_factory=set)

    def read(self, root: Tag) -> None:
        """Walk the tree with a stack of our own: pages nest deeper than Python's recursion allows."""
        from bs4.element import NavigableString, Tag

        self._find_layout(root)
        stack: list[tuple[object, bool]] = [(root, True)]
        while stack:
            node, opening = stack.pop()
            if isinstance(node, Tag):
                if not opening:
                    self._close(node)
                elif node.name not in DROPPED and not node.has_attr("hidden"):
                    self._open(node)
                    stack.append((node, False))
                    stack.extend((child, True) for child in reversed(node.contents))
            elif type(node) is NavigableString:  # its subclasses are comments, doctypes and the like
                self._add(str(node))
        self._flush()

    def _find_layout(self, root: Tag) -> None:
        """Note each element that holds one of those of layout. Going up from these takes each element once."""
        for inner in root.find_all(_LAYOUT):
            outer = inner.parent
            while outer is not None and id(outer) not in self._layout:
                self._layout.add(id(outer))
                outer = outer.parent

    def _add(self, text: str) -> None:
        self._line.append(text)
        self._begun = self._begun or (not text.isspace() and bool(text))

    def _open(self, tag: Tag) -> None:
        if tag.name in {"td", "th"} and self._row is not None:
            self._add(" | " if self._begun else "")
        elif tag.name in BLOCKS:
            self._break()
        if tag.name == "tr" and self._row is None and id(tag) not in self._layout:
            self._row = tag
        self._pre += tag.name == "pre"

    def _close(self, tag: Tag) -> None:
        if tag is self._row:
            self._row = None
        if tag.name in BLOCKS:
            self._break(heading=int(tag.name[1]) if re.fullmatch("h[1-6]", tag.name) else 0)
        elif tag.name in {"td", "th"} and self._row is None:
            self._break()
        self._pre -= tag.name == "pre"

    def _break(self, heading: int = 0) -> None:
        if self._row is not None:
            self._add(" ")
        else:
            self._flush(heading)

    def _flush(self, heading: int = 0) -> None:
        text = "".join(self._line)
        self._line.clear()
        self._begun = False
        line = text.strip("\n").rstrip() if self._pre else " ".join(text.split())
        if not line.strip():
            return
        if heading:
            self.headings.append(Heading(self._length, self._length + len(line), heading, line))
        self.lines.append(line)
        self._length += len(line) + 1
