"""From documents to what is stored of them: their passages, unless they are known."""

from __future__ import annotations

import threading
from collections.abc import Iterable
from typing import TYPE_CHECKING

from indexes.passage import Document, Passage
from indexes.sync.given import Given, Origin, recipe_of

if TYPE_CHECKING:
    from indexes.splitter import Splitter
    from indexes.sync.journal import Journal

CUT = 1  # raised whenever the splitter or a reader cuts or reads a document otherwise than before


class Cutting:
    """Splits documents that are not stored yet; each of several equal ones once.

    Parameters
    ----------
    splitter
        Cuts them.
    journal
        Of the slice; ``None`` as long as there is none.
    sample
        How many passages to keep in ``sampled``, the first ones, repetitions included.
    """

    def __init__(self, splitter: Splitter, journal: Journal | None = None, sample: int = 0) -> None:
        self.journal = journal
        self.sampled: list[Passage] = []
        self.documents = 0
        self.passages = 0
        self.recipe = f"{CUT}/{splitter.size}/{splitter.overlap}"
        self._splitter = splitter
        self._wanted = sample
        self._under_way: dict[str, int] = {}
        self._lock = threading.Lock()

    def given(self, document: Document, origin: Origin) -> Given:
        """The document as it is to be stored."""
        i, recipe = document.id, recipe_of(document, self.recipe)
        count = self._known(i, recipe)
        passages: tuple[Passage, ...] = ()
        if count is None or len(self.sampled) < self._wanted:
            cut = tuple(self._splitter.split(document))
            self.sampled += cut[: max(0, self._wanted - len(self.sampled))]
            if count is None:
                passages, count = cut, len(cut)
                with self._lock:
                    self._under_way[i] = count
        self.count(1, count)
        replaces = bool(document.key) or not document.whole
        return Given(i, document.source, document.key, replaces, origin, recipe, passages, count)

    def count(self, documents: int, passages: int) -> None:
        """So many have been read, or need not be."""
        self.documents += documents
        self.passages += passages

    def stored(self, ids: Iterable[str]) -> None:
        """These documents are in the journal now."""
        with self._lock:
            for i in ids:
                self._under_way.pop(i, None)

    def _known(self, i: str, recipe: str) -> int | None:
        with self._lock:
            count = self._under_way.get(i)
        if count is not None or self.journal is None:
            return count
        return self.journal.passages_of(i, recipe)
