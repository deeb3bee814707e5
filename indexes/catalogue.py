"""The documents of a slice: its passages, gathered by the document that they were cut from."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from typing import Any

from indexes.store.base import Store

_FIELDS = ("document_id", "title", "source", "key", "date")


@dataclass(frozen=True, slots=True)
class DocumentCard:
    """One document, for a list of them.

    Parameters
    ----------
    id
        See ``Document.id``.
    key
        The source's own identifier, or empty.
    passages
        How many of its passages are stored.
    """

    id: str
    title: str = ""
    source: str = ""
    key: str = ""
    date: str = ""
    passages: int = 0

    def says(self, like: str) -> bool:
        """Whether title, source, key or id contains the text; upper and lower case are the same."""
        wanted = like.strip().casefold()
        return any(wanted in part.casefold() for part in (self.title, self.source, self.key, self.id))

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON types."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Catalogue:
    """All documents of a slice, as they were at one moment.

    Parameters
    ----------
    cards
        By title (upper and lower case are the same), then source, then id.
    stamp
        Of the slice at that moment; see ``Slice.documents``.
    """

    cards: tuple[DocumentCard, ...]
    stamp: tuple[str, int]

    @classmethod
    def read(cls, store: Store, stamp: tuple[str, int]) -> Catalogue:
        """Gather the documents of a store; about 20 µs a passage."""
        cards: dict[str, DocumentCard] = {}
        for payload in _payloads(store):
            card = _card(payload)
            known = cards.get(card.id, card)
            cards[card.id] = replace(known, passages=known.passages + 1)
        ordered = sorted(cards.values(), key=lambda card: (card.title.casefold(), card.source, card.id))
        return cls(tuple(ordered), stamp)


def _payloads(store: Store) -> Iterator[dict[str, Any]]:
    for _, payloads in store.payloads(_FIELDS):
        yield from payloads


def _card(payload: dict[str, Any]) -> DocumentCard:
    found = {name: str(payload.get(name) or "") for name in _FIELDS}
    return DocumentCard(found["document_id"], found["title"], found["source"], found["key"], found["date"])
