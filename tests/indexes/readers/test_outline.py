from __future__ import annotations

from indexes.passage import Mark
from indexes.readers.outline import Heading, marks


def outlined(*lines: str, title: str = "") -> tuple[str, tuple[Mark, ...]]:
    text, headings = "", []
    for line in lines:
        level = len(line) - len(line.lstrip("#"))
        if level:
            headings.append(Heading(len(text), len(text) + len(line), level, line.lstrip("# ")))
        text += line + "\n"
    return text, marks(text, headings, title=title)


def test_a_mark_is_labelled_with_the_path_of_headings_above_it() -> None:
    _, found = outlined("# A", "a", "## B", "b", "### C", "c", "## D", "d", "# E", "e")
    assert [mark.label for mark in found] == ["A", "A › B", "A › B › C", "A › D", "E"]


def test_a_mark_begins_where_its_heading_begins() -> None:
    text, found = outlined("before", "# A", "a", "# B", "b")
    assert [text[mark.start] for mark in found] == ["#", "#"]
    assert found[0].start == len("before\n")


def test_levels_may_be_skipped() -> None:
    _, found = outlined("### Deep", "x", "# Top", "y", "#### Deeper", "z", "## Two", "w")
    assert [mark.label for mark in found] == ["Deep", "Top", "Top › Deeper", "Top › Two"]


def test_a_heading_without_a_body_joins_the_section_of_the_next() -> None:
    _, found = outlined("# A", "## B", "b", "## Empty", "", "## C", "c", "## Last")
    assert [(mark.start, mark.label) for mark in found] == [(0, "A › B"), (11, "A › C"), (28, "A › Last")]


def test_the_title_is_not_repeated_in_the_path() -> None:
    _, found = outlined("# Handbook", "x", "## Travel", "y", "# Annex", "z", title="The handbook, 2024")
    assert [mark.label for mark in found] == ["", "Travel", "Annex"]
