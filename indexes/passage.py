"""What flows out of this room: documents as they are read, and the passages that they are split into."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID, uuid5

from indexes.invisible import words_of

NAMESPACE = UUID("5f0c8f6e-2b43-5d0a-9c55-7d1b1c6a3e21")


@dataclass(frozen=True, slots=True)
class Mark:
    """A named place in a document, valid from ``start`` up to the next mark: a page, or a heading path."""

    start: int
    label: str


@dataclass(frozen=True, slots=True)
class Document:
    """One text, as a reader produced it.

    ``start`` and ``end`` of its passages count characters of ``text``. For plain text and Markdown that is the file as
    decoded; for PDF, DOCX and HTML it is the extracted text.

    Parameters
    ----------
    text
        The whole text.
    title
        Shown on source cards and embedded in front of each passage.
    source
        The path or address that the text came from.
    key
        The source's own identifier (BEIR ``_id``). Documents with equal content but different keys stay apart.
    date
        ISO 8601 date (``2024-03-07``) or year, or empty.
    marks
        Named places, ascending by ``start``.
    whole
        True where the source already decided what a passage is (BEIR records, JSONL rows): such a document is not split.
    metadata
        Anything else worth keeping, as text.
    """

    text: str
    title: str = ""
    source: str = ""
    key: str = ""
    date: str = ""
    marks: tuple[Mark, ...] = ()
    whole: bool = False
    metadata: Mapping[str, str] = field(default_factory=dict)

    @property
    def id(self) -> str:
        """UUIDv5 of the content: the same document read twice, from any path, has the same id."""
        extra = "\x1f".join(f"{name}={value}" for name, value in sorted(self.metadata.items()))
        return content_id(self.key, self.title, self.date, extra, self.text)

    def place(self, offset: int) -> str:
        """Label of the last mark at or before ``offset``, or an empty string."""
        label = ""
        for mark in self.marks:
            if mark.start > offset:
                break
            label = mark.label
        return label


@dataclass(frozen=True, slots=True)
class Passage:
    """A piece of a document: what is embedded, found, shown and cited.

    ``document.text[start:end] == text`` holds exactly.
    """

    id: str
    document_id: str
    text: str
    title: str = ""
    source: str = ""
    key: str = ""
    start: int = 0
    end: int = 0
    place: str = ""
    date: str = ""
    metadata: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, document: Document, start: int, end: int) -> Passage:
        """The passage ``document.text[start:end]``."""
        return cls(
            id=content_id(document.id, str(start), str(end)),
            document_id=document.id,
            text=document.text[start:end],
            title=document.title,
            source=document.source,
            key=document.key,
            start=start,
            end=end,
            place=document.place(start),
            date=document.date,
            metadata=document.metadata,
        )

    @property
    def heading(self) -> str:
        """Title and place in one line: ``Handbook › Travel``."""
        return " › ".join(" ".join(part.split()) for part in (self.title, self.place) if part)

    @property
    def searchable(self) -> str:
        """The text that encoders, BM25 and checks see: heading, then body, without characters that are not seen."""
        return words_of(f"{self.heading}\n{self.text}" if self.heading else self.text)

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON types; ``from_dict`` is the inverse."""
        return {
            "id": self.id,
            "document_id": self.document_id,
            "text": self.text,
            "title": self.title,
            "source": self.source,
            "key": self.key,
            "start": self.start,
            "end": self.end,
            "place": self.place,
            "date": self.date,
            "metadata": dict(self.metadata),
        }

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Passage:
        """Inverse of ``to_dict``."""
        return cls(**{**values, "metadata": dict(values.get("metadata", {}))})


def content_id(*parts: str) -> str:
    """UUIDv5 of the given parts, kept apart by a separator that text does not contain."""
    return str(uuid5(NAMESPACE, "\x1e".join(parts)))
