"""What one slice takes up: built in one process, opened and asked in another, so that memory is nobody else's."""

from __future__ import annotations

import itertools
import json
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np

from app.bench.scale.synthetic import Synthetic
from indexes.encoders.base import Vectors
from indexes.lexical import Bm25, Bm25Settings, average_length
from indexes.passage import Document, Passage
from indexes.store import rebuild
from indexes.store.base import Point
from indexes.store.edge import EdgeStore
from indexes.store.index import IndexSettings

WORDS = 100  # of a passage
SAMPLE = 2000  # passages with different texts; they are taken in turn
DEPTH = 50  # candidates of a search
FETCHED = 5  # texts that are fetched for it

Quantized = Literal["none", "int8"]

PARTS = {
    "vector_storage-dense": "vectors",
    "vector_index-dense": "graph",
    "vector_storage-bm25": "terms",
    "vector_index-bm25": "term index",
    "payload_storage": "texts",
    "payload_index": "ids",
}
LOG = "log"


@dataclass(frozen=True, slots=True)
class Cell:
    """One slice to be measured; ``texts`` is a file of what its passages say in turn, as JSON."""

    folder: Path
    texts: Path
    points: int
    dimension: int
    quantization: Quantized
    questions: int
    seed: int


@dataclass(frozen=True, slots=True)
class Built:
    """Bytes on disk by part, and CPU seconds of storing and indexing."""

    disk: dict[str, int]
    cpu: float


@dataclass(frozen=True, slots=True)
class Opened:
    """Bytes of memory that opening and asking added: the process's own, and pages of files, which the system may take back."""

    own: int
    mapped: int


def build(cell: Cell) -> Built:
    """Store the passages and make the index."""
    store = _store(cell)
    try:
        for points in _points(cell):
            store.upsert(points)
        store.flush()
    finally:
        store.close()
    rebuild.optimize(cell.folder, cell.dimension, _index(cell))  # in this process, whose CPU seconds count
    spent = os.times()
    return Built(parts(cell.folder), spent.user + spent.system)


def ask(cell: Cell) -> Opened:
    """Open the slice and ask as many questions as there are, each for passages by meaning and by words."""
    vectors, texts = _questions(cell)
    bm25 = Bm25(Bm25Settings(average_length=1.0))  # of no consequence for questions
    before = _memory()
    store = _store(cell)
    try:
        for vector, text in zip(vectors, texts, strict=True):
            found = store.candidates(vector, bm25.question(text), DEPTH)
            store.fetch(found.ids[:FETCHED])
        after = _memory()
    finally:
        store.close()
    return Opened(after.own - before.own, after.mapped - before.mapped)


def parts(folder: Path) -> dict[str, int]:
    """Bytes that the files take up on the disk, by what is in them."""
    found = dict.fromkeys((*PARTS.values(), "int8", LOG), 0)
    for path in folder.rglob("*"):
        if path.is_file():
            found[part_of(path.relative_to(folder))] += path.stat().st_blocks * 512
    return found


def part_of(path: Path) -> str:
    """What a file of the store holds."""
    if "wal" in path.parts:
        return LOG
    if path.name.startswith("quantized"):
        return "int8"
    return next((part for name, part in PARTS.items() if name in path.parts), "ids")


def texts(count: int) -> list[str]:
    """Passages of ``WORDS`` words from the documentation of Python's standard library."""
    from app.demo.python_docs import documents

    words = itertools.chain.from_iterable(document.text.split() for document in documents())
    made: list[str] = []
    while len(made) < count and len(passage := list(itertools.islice(words, WORDS))) == WORDS:
        made.append(" ".join(passage))
    return made


def _store(cell: Cell) -> EdgeStore:
    return EdgeStore(cell.folder, cell.dimension, _index(cell))


def _index(cell: Cell) -> IndexSettings:
    return IndexSettings(quantization=cell.quantization, pays=cell.points)  # small slices have a graph, too


def _points(cell: Cell) -> Iterator[list[Point]]:
    sample = _sample(cell)
    bm25 = Bm25(Bm25Settings(average_length=average_length(sample)))
    turn = itertools.count()
    for batch in Synthetic(cell.points, dimension=cell.dimension, seed=cell.seed).batches():
        yield [
            _point(i, vector, sample[number % len(sample)], number, bm25)
            for i, vector, number in zip(batch.ids, batch.vectors, turn, strict=False)
        ]


def _point(i: str, vector: Vectors, text: str, number: int, bm25: Bm25) -> Point:
    document = Document(text, title=f"Document {number // 5}", source=f"library/part-{number % 97}/{number // 5}.md")
    payload = Passage.of(document, 0, len(text)).to_dict()
    del payload["id"]
    return Point(i, vector, bm25.passage(text), payload)


def _sample(cell: Cell) -> list[str]:
    read: list[str] = json.loads(cell.texts.read_text(encoding="utf-8"))
    return read


def _questions(cell: Cell) -> tuple[Vectors, Sequence[str]]:
    vectors, _ = Synthetic(cell.points, dimension=cell.dimension, seed=cell.seed).questions(cell.questions)
    random = np.random.default_rng((cell.seed, 2))
    sample = _sample(cell)
    chosen = [sample[row].split() for row in random.integers(len(sample), size=cell.questions)]
    return vectors, [" ".join(random.choice(words, size=6, replace=False)) for words in chosen]


def _memory() -> Opened:
    """Of this process now (Linux)."""
    rows = [line.split() for line in Path("/proc/self/smaps_rollup").read_text(encoding="ascii").splitlines()[1:]]
    found = {row[0]: int(row[1]) * 1024 for row in rows}
    return Opened(found["Anonymous:"], found["Rss:"] - found["Anonymous:"])
