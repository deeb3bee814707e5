"""What every row becomes: a document that is one passage."""

from __future__ import annotations

from collections.abc import Mapping

from indexes.passage import Document
from indexes.readers import limits
from indexes.readers.dates import iso_date
from indexes.readers.problem import uncarried, unusable


def row_document(
    *, text: str, title: str, source: str, key: str, date: str, metadata: Mapping[str, str]
) -> Document | str:
    """The document of a row, or what is wrong with it. One with a title and no text is its title.

    A date that is not ISO 8601 is kept as metadata.
    """
    if not text.strip():
        text, title = title, ""
    kept = {**metadata}
    if date and not iso_date(date):
        kept.setdefault("date", date)
    others = "".join([title, source, key, *kept, *kept.values()])
    if len(text) + len(others) > limits.LONGEST_ROW:
        return (
            f"has {len(text) + len(others):,} characters; a row, which is one passage, may have {limits.LONGEST_ROW:,}"
        )
    if problem := unusable(text) or uncarried(others):
        return problem
    return Document(text, limits.cut(title), source, key=key, date=iso_date(date), whole=True, metadata=kept)
