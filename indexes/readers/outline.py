"""Headings to marks: the path of headings that a section stands under."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from indexes.passage import Mark
from indexes.readers.limits import cut

SEPARATOR = " › "
LONGEST_LABEL = 300  # characters of a heading in a path of them, which every passage beneath it carries


@dataclass(frozen=True, slots=True)
class Heading:
    """A heading at ``text[start:end]``, of level 1 (outermost) upwards."""

    start: int
    end: int
    level: int
    label: str


def marks(text: str, headings: Iterable[Heading], *, title: str = "") -> tuple[Mark, ...]:
    """One mark per section, labelled with its path of headings: ``Install › Linux``.

    A heading with nothing beneath it but another heading joins that one's section: a passage that is only a heading would
    be found for its words and say nothing. The outermost heading is left out of the path where the title says it already.
    """
    path: list[Heading] = []
    sections: list[tuple[int, int, str]] = []
    for heading in headings:
        path = [outer for outer in path if outer.level < heading.level] + [heading]
        start = heading.start
        if sections and not text[sections[-1][1] : start].strip():
            start = sections.pop()[0]
        sections.append((start, heading.end, _label(path, title)))
    return tuple(Mark(start, label) for start, _, label in sections)


def _label(path: list[Heading], title: str) -> str:
    labels = [cut(heading.label, LONGEST_LABEL) for heading in path if heading.label]
    if labels and labels[0].casefold() in title.casefold():
        labels = labels[1:]
    return SEPARATOR.join(labels)
