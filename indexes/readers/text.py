"""Plain text: the file as decoded."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from indexes.passage import Document
from indexes.readers.decode import decode
from indexes.readers.problem import OnProblem


def read_text(path: Path, on_problem: OnProblem) -> Iterator[Document]:
    """One document, titled by the file's name."""
    text = decode(path, on_problem)
    if text is not None:
        yield Document(text=text, title=path.stem, source=str(path))
