"""Which column of a table is the text, the title, the id or the date: as its name says, and no other way."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

# The first of them that a table has is meant. "name" is what it is a table of, and stays among what is told.
_TEXT = ("text", "content", "contents", "body", "passage", "document", "article", "abstract", "answer", "answers")
_TITLE = ("title", "headline", "heading", "subject", "question", "questions")
_KEY = ("_id", "id", "doc_id", "docid", "document_id", "passage_id", "pid", "key", "uuid")
_DATE = ("date", "published", "published_at", "publication_date", "created", "created_at", "updated", "updated_at")
_SOURCE = ("source",)


@dataclass(frozen=True, slots=True)
class Columns:
    """Where in a row things stand.

    Parameters
    ----------
    names
        All of them, none empty and none twice.
    text, title, key, date, source
        Positions; ``None`` where the table has none. Without a column of text, a row's text is all its columns.
    """

    names: tuple[str, ...]
    text: int | None = None
    title: int | None = None
    key: int | None = None
    date: int | None = None
    source: int | None = None

    @classmethod
    def of(cls, header: Sequence[str]) -> Columns:
        """Those of a header."""
        names = _distinct(header)
        places = {_plain(name): at for at, name in reversed(list(enumerate(names)))}
        found = [_first(places, wanted) for wanted in (_TEXT, _TITLE, _KEY, _DATE, _SOURCE)]
        text, title, key, date, source = found
        if title is None and text is None:
            title = places.get("name")
        return cls(names, text, title, key, date, source if text is not None else None)

    def value(self, cells: Sequence[str], place: int | None) -> str:
        """What stands there, without white space around it."""
        return "" if place is None else cells[place].strip()

    def told(self, cells: Sequence[str]) -> str:
        """All columns that are not empty, one a line: ``name: value``."""
        pairs = zip(self.names, cells, strict=True)
        return "\n".join(f"{name}: {' '.join(cell.split())}" for name, cell in pairs if cell.strip())

    def others(self, cells: Sequence[str]) -> dict[str, str]:
        """The columns that stand for nothing else."""
        used = {self.text, self.title, self.key, self.date, self.source}
        pairs = enumerate(zip(self.names, cells, strict=True))
        return {name: cell.strip() for at, (name, cell) in pairs if at not in used and cell.strip()}


def _first(places: Mapping[str, int], wanted: Sequence[str]) -> int | None:
    return next((places[name] for name in wanted if name in places), None)


def _plain(name: str) -> str:
    """``Published At`` and ``published-at`` are ``published_at``."""
    return re.sub(r"[\s-]+", "_", name.strip().casefold())


def _distinct(header: Sequence[str]) -> tuple[str, ...]:
    """The names in one line each; those that are empty or come again are numbered."""
    names: dict[str, None] = {}
    for number, cell in enumerate(header, start=1):
        name = " ".join(cell.split()) or f"column {number}"
        while name in names:
            name += f" ({number})"
        names[name] = None
    return tuple(names)
