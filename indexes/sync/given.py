"""What flows from reading to storing: documents with their passages, and word of which file has been read to its end."""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path
from uuid import UUID

from indexes.passage import Document, Passage


@dataclass(frozen=True, slots=True)
class Stamp:
    """What tells a file from its later versions without reading it.

    Parameters
    ----------
    size
        In bytes.
    modified, changed
        Nanoseconds; ``changed`` is the time of the last change to the file's entry, which no program can set back.
    """

    size: int
    modified: int
    changed: int

    @classmethod
    def of(cls, path: Path) -> Stamp:
        """Of a file as it is now; an ``OSError`` where it cannot be looked at."""
        found = path.stat()
        return cls(found.st_size, found.st_mtime_ns, found.st_ctime_ns)


@dataclass(frozen=True, slots=True)
class Origin:
    """The file that documents come from; without a path, they were handed over.

    Parameters
    ----------
    path
        Absolute.
    root
        The folder that was given, absolute; empty where the file itself was.
    """

    path: str = ""
    root: str = ""


@dataclass(frozen=True, slots=True)
class Given:
    """One document as it was read.

    Parameters
    ----------
    id
        See ``Document.id``.
    replaces
        Whether it takes the place of other documents of its source and key.
    recipe
        What its passages follow from besides its content.
    passages
        All of them; empty where they are known to be stored, or were given already.
    count
        How many it has.
    """

    id: str
    source: str
    key: str
    replaces: bool
    origin: Origin
    recipe: str
    passages: tuple[Passage, ...]
    count: int


@dataclass(frozen=True, slots=True)
class Unread:
    """A file that was not read, because it is what it was; ``documents`` and ``passages`` came from it."""

    origin: Origin
    documents: int
    passages: int


@dataclass(frozen=True, slots=True)
class Finished:
    """A file has been read to its end.

    Parameters
    ----------
    source
        What its documents say where they come from, unless they say something else.
    stamp
        ``None`` where the file may have changed meanwhile, or so short a time before that its stamp would not tell.
    whole
        Whether everything in it could be read.
    """

    origin: Origin
    source: str
    stamp: Stamp | None
    recipe: str
    whole: bool


Item = Given | Unread | Finished

TYPICAL = 1_000  # characters of a passage


def weight(item: Item) -> int:
    """What an item holds, in passages of ordinary length: a row may be one passage of a million characters."""
    given = item.passages if isinstance(item, Given) else ()
    return max(len(given), sum(len(passage.text) for passage in given) // TYPICAL)


def passages_in(item: Item) -> int:
    """How many passages the item stands for, those that are known included."""
    if isinstance(item, Given):
        return item.count
    return item.passages if isinstance(item, Unread) else 0


def recipe_of(document: Document, split: str) -> str:
    """What the passages of a document follow from besides its content: ``split``, and where it may be cut."""
    marks = "\x1e".join(f"{mark.start}\x1f{mark.label}" for mark in document.marks)
    return f"{split}/{'whole' if document.whole else digest(marks).hex()[:8]}"


def digest(text: str) -> bytes:
    """16 bytes that no other text has."""
    return blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).digest()


def packed(i: str) -> bytes:
    """An id in 16 bytes."""
    return UUID(i).bytes


def unpacked(i: bytes) -> str:
    """The inverse of ``packed``."""
    return str(UUID(bytes=i))
