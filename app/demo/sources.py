"""The demo panel: three experts on real text that a fresh machine can install."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from app.demo import countries, python_docs, speeches
from indexes.passage import Document


@dataclass(frozen=True, slots=True)
class DemoExpert:
    """One expert of the demo panel.

    Parameters
    ----------
    name
        The expert's name, as on the command line.
    description
        What the expert knows, in a paragraph for people and for the router's explanation.
    requirement
        What holds its texts: a pinned package, or the Python that runs this program.
    documents
        Gives its documents, the same ones in the same order on every call; raises ``InputError`` if the package is
        not installed.
    """

    name: str
    description: str
    requirement: str
    documents: Callable[[], Iterator[Document]]


EXPERTS: tuple[DemoExpert, ...] = (
    DemoExpert(
        name="speeches",
        description=(
            "State of the Union addresses of the presidents of the United States over the last 40 years, from Reagan"
            " to the newest in the package: what a president said, promised, proposed or reported, when, about"
            " whom, on the economy, taxes, health care, schools, war, terrorism, immigration and energy."
        ),
        requirement=speeches.REQUIREMENT,
        documents=speeches.documents,
    ),
    DemoExpert(
        name="countries",
        description=(
            "The CIA World Factbook on every country and territory: history, area, climate, highest points,"
            " population, languages, religions, capital, independence, head of state, parliament, flag, anthem,"
            " economic output, inflation, industries, trade partners and currency."
        ),
        requirement=countries.REQUIREMENT,
        documents=countries.documents,
    ),
    DemoExpert(
        name="python",
        description=(
            "The documentation strings of Python's standard library: what a module, class, function or method does,"
            " its parameters, what it returns and which errors it raises, from built-in types and strings to files,"
            " dates, JSON, regular expressions, threads, asyncio, networking, logging and testing."
        ),
        requirement=f"Python {sys.version_info.major}.{sys.version_info.minor}",
        documents=python_docs.documents,
    ),
)
