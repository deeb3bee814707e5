from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from indexes.passage import Document, Mark

One = Callable[[Path], Document]


HANDBOOK = """# Handbook

Welcome.

## Install

First things.

### Linux

```bash
# not a heading
apt install it
```

    # nor is this

Setext *too* `really`
---------------------

- item

  # in a list

The [end](https://example.org).
"""


def write(tmp_path: Path, text: str, name: str = "file-stem.md") -> Path:
    path = tmp_path / name
    path.write_text(text, encoding="utf-8")
    return path


def test_the_text_is_the_file(tmp_path: Path, one: One) -> None:
    document = one(write(tmp_path, HANDBOOK))
    assert document.text == HANDBOOK
    assert document.title == "Handbook"


def test_marks_are_paths_of_headings_and_not_of_code(tmp_path: Path, one: One) -> None:
    document = one(write(tmp_path, HANDBOOK))
    assert [mark.label for mark in document.marks] == ["", "Install", "Install › Linux", "Setext too really"]
    assert [HANDBOOK[mark.start :].partition("\n")[0] for mark in document.marks] == [
        "# Handbook",
        "## Install",
        "### Linux",
        "Setext *too* `really`",
    ]
    assert document.place(HANDBOOK.index("apt install")) == "Install › Linux"


def test_front_matter_gives_title_and_date_and_is_no_heading(tmp_path: Path, one: One) -> None:
    text = '---\ntitle: "Travel: rules" # note\ndate: 2024-03-07T10:00:00Z\ntags: [a, b]\n---\n\n# Rules\n\nGo second class.\n'
    document = one(write(tmp_path, text))
    assert document.title == "Travel: rules"
    assert document.date == "2024-03-07"
    assert document.text == text
    assert [mark.label for mark in document.marks] == ["", ""]
    assert document.marks[0] == Mark(text.index("\n# Rules"), "")


def test_front_matter_is_a_section_of_its_own(tmp_path: Path, one: One) -> None:
    text = "---\ndate: 2024\n---\nBody at once.\n"
    document = one(write(tmp_path, text))
    assert document.marks == (Mark(text.index("Body"), ""),)
    assert document.title == "file-stem"
    assert document.date == "2024"


def test_front_matter_that_is_not_simple_counts_as_absent(tmp_path: Path, one: One) -> None:
    document = one(write(tmp_path, "---\ntitle: >\n  folded\n  title\ndate: [2024]\n---\n# Real\n\nText.\n"))
    assert document.title == "Real"
    assert document.date == ""


def test_a_thematic_break_at_the_top_is_not_front_matter(tmp_path: Path, one: One) -> None:
    text = "---\n\n# One\n\nBody.\n\n---\n\n# Two\n\nBody.\n"
    assert [mark.label for mark in one(write(tmp_path, text)).marks] == ["", "Two"]


def test_unclosed_front_matter_is_text(tmp_path: Path, one: One) -> None:
    document = one(write(tmp_path, "---\ntitle: x\n\nAnd so on.\n"))
    assert document.title == "file-stem"


def test_without_a_first_level_heading_the_file_names_the_document(tmp_path: Path, one: One) -> None:
    document = one(write(tmp_path, "## Only second\n\nText.\n"))
    assert document.title == "file-stem"
    assert [mark.label for mark in document.marks] == ["Only second"]


def test_line_ends_of_other_systems_do_not_shift_the_marks(tmp_path: Path, one: One) -> None:
    path = tmp_path / "dos.md"
    path.write_bytes(b"\xef\xbb\xbfIntro\r\n\r\n# A\r\n\r\na\r\n\r\n# B\r\n\r\nb\r\n")
    document = one(path)
    assert document.text == path.read_text("utf-8-sig")
    assert [document.text[mark.start : mark.start + 3] for mark in document.marks] == ["# A", "# B"]


def test_unusual_line_separators_are_not_lines(tmp_path: Path, one: One) -> None:
    text = "One\u2028two\x0cthree\x85four\n\n# A\n\na\n"
    document = one(write(tmp_path, text))
    assert [document.text[mark.start :] for mark in document.marks] == ["# A\n\na\n"]


def test_a_heading_on_the_last_line_without_a_line_end(tmp_path: Path, one: One) -> None:
    document = one(write(tmp_path, "Text.\n\n# End"))
    assert document.marks == (Mark(7, ""),)
    assert document.title == "End"


def test_headings_in_five_scripts(tmp_path: Path, one: One, script: str) -> None:
    text = f"# {script}\n\nx\n\n## {script}\n\ny {script}\n"
    document = one(write(tmp_path, text))
    assert document.title == script
    assert [mark.label for mark in document.marks] == ["", script]
