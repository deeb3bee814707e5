"""Encoding what is to be stored: in windows, so that texts of like length are encoded together, and no text twice."""

from __future__ import annotations

import threading
import time
from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice

import numpy as np

from indexes.encoders.base import Encoder, Vectors
from indexes.passage import Passage
from indexes.sync.ahead import Ended
from indexes.sync.given import Given, Item, digest, passages_in, weight

WINDOW = 4096  # passages that are sorted by length together
BATCH = 256  # passages that are stored, and reported, together
ITEMS = 4096  # unchanged documents and files that make a window without passages
DEPTH = 4  # batches that may be encoded and not stored

Existing = Callable[[Sequence[str]], set[str]]
Cached = Callable[[Sequence[bytes]], Mapping[bytes, Vectors]]


@dataclass(frozen=True)
class Window:
    """Passages that are encoded together.

    Parameters
    ----------
    items
        What was read.
    passages
        By id; those of ``items``, unless they are given by themselves.
    rewritten
        Documents that are stored anew even where their passages are there.
    given
        How many passages were given, repetitions and known ones included.
    """

    items: tuple[Item, ...]
    passages: Mapping[str, Passage]
    rewritten: frozenset[str]
    given: int

    @property
    def documents(self) -> list[Given]:
        """Those of the items that are documents."""
        return [item for item in self.items if isinstance(item, Given)]


@dataclass(frozen=True)
class Batch:
    """Passages and their vectors ``[n, dimension]``, ready to be stored.

    Parameters
    ----------
    window
        That they are part of.
    texts
        Digest of what each passage of the window says that is looked at for the first time, by id; the same for all batches.
    awaited
        How many passages of each document all batches of the window have; a document without any is not there.
    encoded
        How many texts were encoded for it; the other vectors were known.
    characters, seconds
        Of these texts, and what they took.
    first, last
        Whether it is the window's first, and last, batch. Each window has one, be it empty.
    """

    window: Window
    texts: Mapping[str, bytes]
    passages: tuple[Passage, ...]
    vectors: Vectors
    awaited: Mapping[str, int]
    encoded: int
    characters: int
    seconds: float
    first: bool
    last: bool

    @property
    def fresh(self) -> int:
        """How many passages all batches of the window have."""
        return sum(self.awaited.values())


def windows(items: Iterable[Item], rewrites: Callable[[Given], bool], size: int = 0) -> Iterator[Window]:
    """Items in windows of about ``size`` passages (``WINDOW``); a document lies in one window."""
    size = size or WINDOW
    held: list[Item] = []
    passages = 0
    for item in items:
        held.append(item)
        passages += weight(item)
        if passages >= size or len(held) >= ITEMS:
            yield _window(held, rewrites)
            held, passages = [], 0
    if held:
        yield _window(held, rewrites)


def bare_windows(passages: Iterable[Passage], size: int = 0) -> Iterator[Window]:
    """Passages by themselves in windows of ``size``."""
    iterator = iter(passages)
    while held := list(islice(iterator, size or WINDOW)):
        yield Window((), {p.id: p for p in held}, frozenset(), len(held))


class Filling:
    """Turns windows into batches, in order.

    Parameters
    ----------
    encoder
        Its ``encode_passages`` is called with up to ``batch`` texts.
    existing
        Which passages are stored.
    cached
        Vectors of texts that are stored, by digest.
    batch
        Passages in a batch, at most.
    ended
        Set where nobody waits for the rest any more.
    """

    def __init__(
        self, encoder: Encoder, existing: Existing, cached: Cached, ended: threading.Event, batch: int = 0
    ) -> None:
        self._encoder = encoder
        self._existing = existing
        self._cached = cached
        self._ended = ended
        self._batch = batch or BATCH
        # A window before these has been stored: so many batches, and one more, lie between encoding and storing.
        self._recent = deque[dict[bytes, Vectors]](maxlen=DEPTH + 2)
        self._under_way = deque[Mapping[str, Passage]](maxlen=DEPTH + 2)

    def batches(self, windows: Iterable[Window]) -> Iterator[Batch]:
        """All batches of all windows."""
        for window in windows:
            yield from self._of(window)

    def _of(self, window: Window) -> Iterator[Batch]:
        new = self._new(window)
        texts = {passage.id: digest(passage.searchable) for passage in window.passages.values()} if window.items else {}
        by_text: dict[bytes, list[Passage]] = {}
        for passage in new:
            by_text.setdefault(texts.get(passage.id) or digest(passage.searchable), []).append(passage)
        known = self._known(by_text)
        self._recent.append(dict(known))
        awaited = Counter(passage.document_id for passage in new)
        parts = [*_known_parts(by_text, known, self._batch), *_fresh_parts(by_text, known, self._batch)]
        for number, part in enumerate(parts or [()]):
            passages = tuple(passage for text in part for passage in by_text[text])
            fresh = [text for text in part if text not in known]
            characters, seconds = self._encode({text: by_text[text][0].searchable for text in fresh})
            rows = [self._recent[-1][text] for text in part for _ in by_text[text]]
            vectors = np.stack(rows) if rows else np.zeros((0, self._encoder.fingerprint.dimension), dtype=np.float32)
            last = number >= len(parts) - 1
            yield Batch(window, texts, passages, vectors, awaited, len(fresh), characters, seconds, number == 0, last)

    def _new(self, window: Window) -> list[Passage]:
        here = self._existing(list(window.passages)) if window.passages else set()
        here.update(i for earlier in self._under_way for i in window.passages if i in earlier)
        self._under_way.append(window.passages)
        return [p for i, p in window.passages.items() if i not in here or p.document_id in window.rewritten]

    def _known(self, texts: Iterable[bytes]) -> dict[bytes, Vectors]:
        known = {text: recent[text] for recent in self._recent for text in texts if text in recent}
        known.update(self._cached([text for text in texts if text not in known]))
        return known

    def _encode(self, texts: Mapping[bytes, str]) -> tuple[int, float]:
        """Characters, and seconds that encoding them took."""
        if not texts:
            return 0, 0.0
        started = time.perf_counter()
        vectors = self._encoder.encode_passages(list(texts.values()), self._look)
        self._recent[-1].update(zip(texts, vectors, strict=True))
        return sum(map(len, texts.values())), time.perf_counter() - started

    def _look(self, _done: int, _total: int) -> None:
        if self._ended.is_set():
            raise Ended


def _window(items: Sequence[Item], rewrites: Callable[[Given], bool]) -> Window:
    documents = [item for item in items if isinstance(item, Given)]
    passages = {p.id: p for each in documents for p in each.passages}
    rewritten = frozenset(each.id for each in documents if each.passages and rewrites(each))
    return Window(tuple(items), passages, rewritten, sum(passages_in(item) for item in items))


def _known_parts(
    by_text: Mapping[bytes, Sequence[Passage]], known: Mapping[bytes, Vectors], size: int
) -> Iterator[tuple[bytes, ...]]:
    return _parts([text for text in by_text if text in known], by_text, size)


def _fresh_parts(
    by_text: Mapping[bytes, Sequence[Passage]], known: Mapping[bytes, Vectors], size: int
) -> list[tuple[bytes, ...]]:
    """Texts of like length together; longest and shortest take turns, so that the pace says something from the start."""
    fresh = [text for text in by_text if text not in known]
    fresh.sort(key=lambda text: -len(by_text[text][0].text))
    parts = list(_parts(fresh, by_text, size))
    return [parts[-1 - turn // 2] if turn % 2 else parts[turn // 2] for turn in range(len(parts))]


def _parts(
    texts: Sequence[bytes], by_text: Mapping[bytes, Sequence[Passage]], size: int
) -> Iterator[tuple[bytes, ...]]:
    """In order, so many that no part has more than ``size`` passages, unless one text has."""
    part: list[bytes] = []
    passages = 0
    for text in texts:
        if part and passages + len(by_text[text]) > size:
            yield tuple(part)
            part, passages = [], 0
        part.append(text)
        passages += len(by_text[text])
    if part:
        yield tuple(part)
