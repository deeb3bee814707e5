"""The expert ``python``: documentation strings of the standard library of the Python that runs this program."""

from __future__ import annotations

from collections.abc import Iterator

from app.demo.python_objects import described_objects
from app.demo.python_sources import described_sources
from indexes.passage import Document, Mark

FEWEST_WORDS = 4


def documents() -> Iterator[Document]:
    """One document for each documented module, class, function and method: its signature, then its documentation.

    Strings of fewer than four words say no more than the name does and are left out; of equal strings the first is kept.
    """
    names: set[str] = set()
    docs: set[str] = set()
    for found in (*described_objects(), *described_sources()):
        if len(found.doc.split()) < FEWEST_WORDS or found.name in names or found.doc in docs:
            continue
        names.add(found.name)
        docs.add(found.doc)
        yield Document(
            text=f"{found.name}{found.signature}\n\n{found.doc}",
            title=found.name,
            source=found.source,
            key=found.name,
            marks=(Mark(0, f"Python {found.kind}"),),
        )
