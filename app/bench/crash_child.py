"""What the child processes of ``app.bench.crash`` do: add documents and say what was acknowledged, then look what is there.

Everything goes through ``Library`` and ``Slice``, as for anybody who adds documents.
"""

from __future__ import annotations

import hashlib
import json
import re
import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from app.library import AddProgress, Library
from app.settings import Settings
from indexes.encoders.base import Fingerprint, Progress, Vectors, unit
from indexes.errors import SymposiaError
from indexes.manifest import FILE as MANIFEST
from indexes.manifest import Manifest
from indexes.readers.files import read
from indexes.slice import Slice
from indexes.splitter import Splitter
from indexes.store.open import opener
from retrievers.panel import Panel

if TYPE_CHECKING:
    from multiprocessing.connection import Connection

    from indexes.readers.problem import Problem

EXPERT = "crash"
DIMENSION = 64
VOCABULARY = 4000
PER_FOLDER = 100
DONE = "done"

_WORD = re.compile(r"\w+")


class HashedWords:
    """Signed feature hashing of words (Weinberger et al. 2009, eq. 1), scaled to length 1: fast, and the same everywhere.

    ``passages`` counts the texts that were encoded as passages.
    """

    def __init__(self) -> None:
        self.fingerprint = Fingerprint("hashed-words", "1", DIMENSION)
        self.passages = 0

    def encode_questions(self, texts: Sequence[str]) -> Vectors:
        """See ``Encoder``."""
        return self._encode(texts)

    def encode_passages(self, texts: Sequence[str], on_progress: Progress | None = None) -> Vectors:
        """See ``Encoder``."""
        self.passages += len(texts)
        if on_progress is not None:
            on_progress(len(texts), len(texts))
        return self._encode(texts)

    @staticmethod
    def _encode(texts: Sequence[str]) -> Vectors:
        rows = np.zeros((len(texts), DIMENSION), dtype=np.float32)
        rows[:, 0] = 0.5  # a text without words has a direction, too
        for row, text in zip(rows, texts, strict=True):
            for word in _WORD.findall(text.lower()):
                code = zlib.crc32(word.encode())
                row[code % DIMENSION] += 1 if code & 0x8000_0000 else -1
        return unit(rows)


@dataclass(frozen=True, slots=True)
class Acknowledged:
    """What adding has reported: how many passages are stored in all, and which documents are since the last time."""

    passages: int
    documents: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class State:
    """What a slice holds.

    Parameters
    ----------
    ids
        Of its passages, as they are scanned, so a passage that is there twice is listed twice.
    digest
        Over ids, vectors, terms and payloads in order of id, to the last bit.
    counted
        How many passages the manifest says there are.
    """

    ids: tuple[str, ...] = ()
    digest: str = ""
    counted: int = 0

    @property
    def doubled(self) -> int:
        """Passages that are there more than once."""
        return len(self.ids) - len(set(self.ids))


@dataclass(frozen=True, slots=True)
class Checked:
    """What was found after a death, and after adding the same again; ``problem`` says why it could not be looked at."""

    found: State = State()
    embedded: int = 0
    after: State = State()
    problem: str = ""


def write_documents(folder: Path, count: int, seed: int) -> None:
    """Write text files of 20 to 250 made-up words each, so that one becomes one to three passages."""
    random = np.random.default_rng(seed)
    words = np.array([f"w{number:x}" for number in range(VOCABULARY)])
    for number in range(count):
        path = folder / f"{number // PER_FOLDER:04d}" / f"{number:07d}.txt"
        path.parent.mkdir(parents=True, exist_ok=True)
        drawn = words[(random.random(random.integers(20, 250)) ** 2 * VOCABULARY).astype(int)]
        sentences = [" ".join(drawn[start : start + 12]) for start in range(0, len(drawn), 12)]
        path.write_text(f"Document {number}. " + ". ".join(sentences) + ".", encoding="utf-8")


def expected(documents: Path) -> list[tuple[str, str]]:
    """Document and passage ids in the order in which the documents are read."""
    split = Settings().split
    splitter = Splitter(size=split.size, overlap=split.overlap)
    passages = chain.from_iterable(map(splitter.split, read(documents, on_problem=_refuse)))
    return [(passage.document_id, passage.id) for passage in passages]


def add(documents: Path, home: Path, acknowledged: Connection) -> None:
    """Add the documents and send an ``Acknowledged`` after each batch that is reported as stored; an error is sent, too."""

    def report(progress: AddProgress) -> None:
        acknowledged.send(Acknowledged(progress.passages, progress.stored))

    try:
        _add(documents, home, report)
        acknowledged.send(DONE)
    except SymposiaError as error:
        acknowledged.send(error)


def check(documents: Path, home: Path, answer: Connection) -> None:
    """Look at the slice, add the documents again, look again, and send a ``Checked``."""
    try:
        found = state(home)
        embedded = _add(documents, home)
        answer.send(Checked(found, embedded, state(home)))
    except SymposiaError as error:
        answer.send(Checked(problem=str(error)))


def state(home: Path) -> State:
    """What the slice holds; nothing where there is none."""
    folder = home / EXPERT
    if not (folder / MANIFEST).is_file():
        return State()
    slice_ = Slice.open(folder, HashedWords(), opener())
    try:
        return _state(slice_)
    finally:
        slice_.close()


def _state(slice_: Slice) -> State:
    digest, ids = hashlib.sha256(), []
    for points in slice_.store.records():
        for point in points:
            ids.append(point.id)
            digest.update(point.id.encode() + np.asarray(point.dense, dtype=np.float32).tobytes())
            digest.update(repr(sorted(zip(point.sparse.indices, point.sparse.values, strict=True))).encode())
            digest.update(json.dumps(point.payload, sort_keys=True).encode())
    return State(tuple(ids), digest.hexdigest(), Manifest.read(slice_.folder).passages)


def _add(documents: Path, home: Path, report: Callable[[AddProgress], None] | None = None) -> int:
    """Gives how many passages were embedded."""
    encoder = HashedWords()
    panel = Panel(home, encoder, opener())
    try:
        Library(panel, Settings()).add_paths([documents], EXPERT, on_progress=report)
        return encoder.passages
    finally:
        panel.close()


def _refuse(problem: Problem) -> None:
    raise ValueError(f"A document that was written a moment ago cannot be read: {problem}")
