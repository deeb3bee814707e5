"""How much of anything a reader takes in. Every limit is reported where it is met, and what is within it goes on.

They stand far above what people write, and low enough that a file made to do harm costs a minute and some memory at most.
"""

from __future__ import annotations

LARGEST_FILE = 200_000_000
"""Bytes of a PDF or DOCX, whose text is a small part of it."""
LARGEST_TEXT = 32_000_000
"""Bytes of a text, Markdown or HTML file, and characters that any file gives as one document: some fifty novels."""
LONGEST_LINE = 4_000_000
"""Bytes of one line of JSONL or CSV."""
LONGEST_ROW = 1_000_000
"""Characters of one row, which is one passage, of which encoders read the first few hundred words."""
LONGEST_TITLE = 1000
"""Characters of a title or a heading. Each passage carries them."""
MOST_MARKS = 100_000
"""Headings or pages of a document."""
MOST_COLUMNS = 1000
"""Columns of a table."""
MOST_KEYS = 5_000_000
"""Rows of a file whose ids are remembered, so that one that comes twice is noticed. They take 16 bytes each."""
REPORTED = 10
"""Bad rows of a file that are reported one by one; the others are counted."""
SECONDS = 60.0
"""Of the processor's time, for which a parser may work on a file, or on one page of it, and show nothing for it."""
SECONDS_IN_ALL = 1800.0
"""Of the processor's time, for the pages of one file together: some 20,000 pages."""
MEMORY = 2 << 30
"""Bytes of address space of the process in which parsers run."""


def cut(text: str, most: int = LONGEST_TITLE) -> str:
    """The text, or its beginning and an ellipsis where it is longer than ``most`` characters."""
    return text if len(text) <= most else text[: most - 1].rstrip() + "…"
