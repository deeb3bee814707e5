"""DOCX."""

from __future__ import annotations

import copy
import io
import random
import struct
import zipfile
from collections.abc import Callable, Iterator
from functools import cache, partial

import docx
from lxml import etree

from tests.indexes.readers.conftest import SCRIPTS
from tests.indexes.readers.fuzz.cases import Case, damaged, file

Files = dict[str, bytes]
NAMESPACE = 'xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"'
PART = "word/document.xml"
SPAN = '<w:gridSpan w:val="{}"/>'
MERGED = "<w:vMerge/>"
BEGUN = '<w:vMerge w:val="restart"/>'
MEGABYTE = 1_000_000
_SLOW = frozenset({"empty paragraphs", "breaks", "cells merged over thousands"})


@cache
def _good() -> tuple[tuple[str, bytes], ...]:
    word = docx.Document()
    word.add_heading("Handbook", level=0)
    for name, text in SCRIPTS.items():
        word.add_heading(name, level=1)
        word.add_paragraph(text)
    table = word.add_table(rows=2, cols=2)
    for number, cell in enumerate(cell for row in table.rows for cell in row.cells):
        cell.text = f"cell {number}"
    buffer = io.BytesIO()
    word.save(buffer)
    with zipfile.ZipFile(buffer) as archive:
        return tuple((name, archive.read(name)) for name in archive.namelist())


def packed(files: Files, method: int = zipfile.ZIP_DEFLATED) -> bytes:
    """The archive of these files."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", method) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return buffer.getvalue()


def document(body: str | bytes, before: str = "") -> bytes:
    """A DOCX with this body."""
    inner = body if isinstance(body, bytes) else body.encode()
    head = f'<?xml version="1.0" encoding="UTF-8"?>{before}<w:document {NAMESPACE}><w:body>'
    return packed({**dict(_good()), PART: head.encode() + inner + b"</w:body></w:document>"})


def paragraph(text: str) -> str:
    """A paragraph of one run."""
    return f"<w:p><w:r><w:t>{text}</w:t></w:r></w:p>"


def cell(entries: str = "", text: str = "a") -> str:
    """A cell of a table."""
    return f"<w:tc><w:tcPr>{entries}</w:tcPr>{paragraph(text)}</w:tc>"


def row(cells: str) -> str:
    """A row of a table."""
    return f"<w:tr>{cells}</w:tr>"


def table(rows: str, grid: str = "<w:gridCol/>") -> str:
    """A table."""
    return f"<w:tbl><w:tblPr/><w:tblGrid>{grid}</w:tblGrid>{rows}</w:tbl>"


def forged(data: bytes, size: int) -> bytes:
    """The archive, of which the central directory says that each file unpacks to ``size`` bytes."""
    changed = bytearray(data)
    at = changed.find(b"PK\x01\x02")
    while at >= 0:
        changed[at + 24 : at + 28] = struct.pack("<I", size)
        at = changed.find(b"PK\x01\x02", at + 46)
    return bytes(changed)


def overlapping(data: bytes) -> bytes:
    """The archive, of which all entries point to the data of the first."""
    changed = bytearray(data)
    at = changed.find(b"PK\x01\x02")
    while at >= 0:
        changed[at + 42 : at + 46] = struct.pack("<I", 0)
        at = changed.find(b"PK\x01\x02", at + 46)
    return bytes(changed)


def bomb(megabytes: int, files: int = 1) -> bytes:
    """An archive of zeros."""
    return packed({**dict(_good()), **{f"word/media/{n}.bin": bytes(megabytes * MEGABYTE) for n in range(files)}})


def laughs(levels: int, width: int) -> bytes:
    """Entities of entities of entities."""
    entities = "".join(f'<!ENTITY e{n} "{f"&e{n - 1};" * width if n else "ha" * 10}">' for n in range(levels))
    return document(paragraph(f"words &e{levels - 1};"), f"<!DOCTYPE w [{entities}]>")


def cases(count: int, seed: int) -> Iterator[Case]:
    """``count`` mutations, and all special cases."""
    for label, made in {**_archives(), **_documents()}.items():
        yield file("docx special", label, "a.docx", made, heavy=callable(made) or label in _SLOW)
    heavy: dict[str, Callable[[], bytes]] = {
        "a bomb of 1 GB": lambda: bomb(1000),
        "a bomb of a low ratio": lambda: packed({**dict(_good()), "word/media/a.bin": random.Random(1).randbytes(MEGABYTE) * 150}),
        "100,000 paragraphs": lambda: document(paragraph("Some words of a paragraph.") * 100_000),
        "200 MB of paragraphs": lambda: _padded(paragraph("Some words of a paragraph.") * 3_000_000),
        "50,000 files": lambda: packed({**dict(_good()), **{f"a/{n}": b"" for n in range(50_000)}}),
        "a table of 40,000 rows": lambda: document(table(row(cell() * 2) * 40_000)),
    }  # fmt: skip
    for label, made in heavy.items():
        yield file("docx heavy", label, "a.docx", made, heavy=True)
    for number in range(count):
        rng = random.Random(f"docx:{seed}:{number}")
        yield file("docx mutated", str(number), "a.docx", partial(_mutated, rng), heavy=False)


def _padded(body: str) -> bytes:
    """A DOCX whose ratio is no bomb's, since something that does not pack lies beside it."""
    head = f'<?xml version="1.0" encoding="UTF-8"?><w:document {NAMESPACE}><w:body>'
    part = (head + body + "</w:body></w:document>").encode()
    return packed({**dict(_good()), "word/media/a.bin": random.Random(1).randbytes(4 * MEGABYTE), PART: part})


def _mutated(rng: random.Random) -> bytes:
    """Damage within one part, or to the archive around them."""
    files = dict(_good())
    if rng.random() < 0.8:
        name = rng.choice(
            [PART, PART, PART, "word/styles.xml", "[Content_Types].xml", "_rels/.rels", "docProps/core.xml"]
        )
        files[name] = rearranged(files[name], rng) if rng.random() < 0.7 else damaged(files[name], rng)
        return packed(files, rng.choice([zipfile.ZIP_DEFLATED, zipfile.ZIP_STORED]))
    return damaged(packed(files), rng)


def rearranged(data: bytes, rng: random.Random) -> bytes:
    """The XML, well-formed still: elements doubled, dropped and moved, and other values in attributes."""
    root = etree.fromstring(data)
    for _ in range(rng.choice([1, 3, 10])):
        elements = list(root.iterdescendants())
        if not elements:
            break
        chosen, other = rng.choice(elements), rng.choice(elements)
        parent = chosen.getparent()
        kind = rng.randrange(5)
        if kind == 0:
            parent.remove(chosen)
        elif kind == 1:
            parent.append(copy.deepcopy(chosen))
        elif kind == 2 and other is not chosen and chosen not in other.iterancestors():
            other.append(chosen)
        elif kind == 3 and chosen.attrib:
            chosen.set(
                rng.choice(list(chosen.attrib)), rng.choice(["", "-1", "99999999999", "true", "a b", "Heading1", "🙂"])
            )
        else:
            chosen.text = rng.choice(["", "words", "\u202e", "e\u0301" * 100, "中" * 300, "🙂"])
    return bytes(etree.tostring(root))


def _archives() -> dict[str, bytes | Callable[[], bytes]]:
    good = dict(_good())
    return {
        "empty": b"",
        "an empty archive": b"PK\x05\x06" + bytes(18),
        "a bomb": lambda: bomb(30),
        "a bomb of many files": lambda: bomb(5, 20),
        "a bomb within": lambda: packed({**good, "word/media/a.zip": bomb(30)}),
        "a bomb with forged sizes": lambda: forged(bomb(30), 10),
        "a bomb for a document": lambda: packed({**good, PART: b" " * 30 * MEGABYTE}),
        "a bomb for a document with a forged size": lambda: forged(packed({**good, PART: b" " * 30 * MEGABYTE}), 10),
        "sizes forged to nothing": forged(packed(good), 0),
        "sizes forged to 4 GB": forged(packed(good), 0xFFFFFFFF),
        "files that overlap": overlapping(packed(good)),
        "no document": packed({name: data for name, data in good.items() if name != PART}),
        "no types": packed({name: data for name, data in good.items() if name != "[Content_Types].xml"}),
        "paths that lead out": packed({**good, "../../../../evil.txt": b"x", "/etc/evil.txt": b"x", "C:\\evil": b"x"}),
        "a document that leads out": lambda: packed({
            **{name.replace(PART, "../../evil.xml"): data for name, data in good.items()},
            "word/_rels/document.xml.rels": good["word/_rels/document.xml.rels"],
        }),
        "a target that leads out": packed({**good, "_rels/.rels": good["_rels/.rels"].replace(b"word/document.xml", b"../../../../etc/passwd")}),
        "a target outside": packed({**good, "_rels/.rels": good["_rels/.rels"].replace(
            b'Target="word/document.xml"', b'Target="file:///etc/passwd" TargetMode="External"')}),
        "targets in a circle": packed({**good, "word/_rels/document.xml.rels": good["word/_rels/document.xml.rels"].replace(b"styles.xml", b"document.xml")}),
        "a locked archive": packed(good).replace(b"PK\x03\x04\x14\x00\x00", b"PK\x03\x04\x14\x00\x01").replace(b"PK\x01\x02\x14\x03\x14\x00\x00", b"PK\x01\x02\x14\x03\x14\x00\x01"),
        "an unknown method": packed(good).replace(b"\x14\x00\x00\x00\x08\x00", b"\x14\x00\x00\x00\x63\x00"),
        "cut in half": packed(good)[: len(packed(good)) // 2],
        "an old format": bytes.fromhex("d0cf11e0a1b11ae1") + bytes(600),
        "garbage before": b"garbage" * 100 + packed(good),
        "garbage after": packed(good) + b"garbage" * 100,
        "a comment": packed(good)[:-2] + b"\xff\xff" + b"PK\x05\x06" * 100,
        "a workbook": packed({"xl/workbook.xml": b"<workbook/>", "[Content_Types].xml": b"<Types/>"}),
        "names that are no UTF-8": packed(good).replace(b"word/theme", b"word/\xff\xfeeme"),
        "bzip2": packed(good, zipfile.ZIP_BZIP2),
        "lzma": packed(good, zipfile.ZIP_LZMA),
    }  # fmt: skip


def _documents() -> dict[str, bytes | Callable[[], bytes]]:
    outside = '<!DOCTYPE w [<!ENTITY x SYSTEM "file:///etc/passwd">]>'
    remote = '<!DOCTYPE w [<!ENTITY % x SYSTEM "http://127.0.0.1:9/x.dtd"> %x;]>'
    style = '<w:style w:type="paragraph" w:styleId="{0}"><w:name w:val="{0}"/><w:basedOn w:val="{1}"/></w:style>'
    loop = f"<w:styles {NAMESPACE}>{style.format('A', 'B')}{style.format('B', 'A')}</w:styles>".encode()
    return {
        "an entity that is a file": document(paragraph("words &x;"), outside),
        "an entity far away": document(paragraph("words &x;"), remote),
        "a DTD far away": document(paragraph("words"), '<!DOCTYPE w SYSTEM "http://127.0.0.1:9/x.dtd">'),
        "an inclusion": document('<xi:include xmlns:xi="http://www.w3.org/2001/XInclude" href="/etc/passwd" parse="text"/>' + paragraph("words")),
        "billion laughs": laughs(12, 10),
        "quadratic laughs": lambda: document(paragraph("words" + "&e;" * 20_000), f'<!DOCTYPE w [<!ENTITY e "{"x" * 20_000}">]>'),
        "laughs in an attribute": lambda: document('<w:p w:x="&e;"/>' + paragraph("words"), f'<!DOCTYPE w [<!ENTITY e "{"x" * 9000}">]>'),
        "entities in a circle": document(paragraph("&a;"), '<!DOCTYPE w [<!ENTITY a "&b;"><!ENTITY b "&a;">]>'),
        "deep elements": document("<w:sdt>" * 20_000),
        "deep tables": document("".join("<w:tbl><w:tr><w:tc>" for _ in range(60)) + paragraph("deep") + "</w:tc></w:tr></w:tbl>" * 60),
        "very deep tables": document("<w:tbl><w:tr><w:tc>" * 2000 + paragraph("deep") + "</w:tc></w:tr></w:tbl>" * 2000),
        "a cell of billions": document(table(row(cell(SPAN.format("2000000000")))) + paragraph("words")),
        "a cell of thousands": document(table(row(cell(SPAN.format("5000"))) * 50)),
        "a cell of less than none": document(table(row(cell(SPAN.format("-5")) + cell()))),
        "a cell of a word": document(table(row(cell(SPAN.format("many"))))),
        "cells merged without a beginning": document(table(row(cell(MERGED)) * 3)),
        "cells merged over thousands": document(table(row(cell(BEGUN)) + row(cell(MERGED)) * 3000)),
        "rows begun late by billions": document(table(row('<w:trPr><w:gridBefore w:val="2000000000"/></w:trPr>' + cell()))),
        "a grid of thousands": document(table(row(cell() * 3), "<w:gridCol/>" * 20_000)),
        "rows without cells": document(table("<w:tr/>" * 500) + paragraph("words")),
        "styles in a circle": packed({**dict(_good()), "word/styles.xml": loop}),
        "a heading of level 0 and 99": document("".join(
            f'<w:p><w:pPr><w:pStyle w:val="Heading{n}"/></w:pPr><w:r><w:t>h</w:t></w:r></w:p>' for n in (0, 1, 9, 99))),
        "a long paragraph": lambda: document(paragraph("word " * 400_000)),
        "a very long paragraph": lambda: document(paragraph("x" * 11_000_000)),
        "empty paragraphs": document("<w:p/>" * 20_000 + paragraph("words")),
        "UTF-16": packed({**dict(_good()), PART: dict(_good())[PART].decode().replace("UTF-8", "UTF-16").encode("utf-16")}),
        "an encoding that is none": packed({**dict(_good()), PART: dict(_good())[PART].replace(b"UTF-8", b"klingon")}),
        "control characters": document(paragraph("a&#x0;b&#x1;c")),
        "half a surrogate": document(paragraph("a&#xD800;b")),
        "breaks": document("<w:p><w:r>" + "<w:br/><w:tab/><w:cr/>" * 5000 + "<w:t>words</w:t></w:r></w:p>"),
        "no words": document("<w:p/>"),
        "no body": packed({**dict(_good()), PART: f"<w:document {NAMESPACE}/>".encode()}),
        "another root": packed({**dict(_good()), PART: b"<html/>"}),
        "instructions": document("<?php evil() ?>" * 1000 + paragraph("words")),
        "comments": document("<!-- c -->" * 20_000 + paragraph("words<!-- c -->more")),
        "a title of a megabyte": packed({**dict(_good()), "docProps/core.xml": dict(_good())["docProps/core.xml"].replace(
            b"</dc:title>", b"t" * MEGABYTE + b"</dc:title>")}),
        "a date that is none": packed({**dict(_good()), "docProps/core.xml": dict(_good())["docProps/core.xml"].replace(b"2013", b"abcd")}),
    }  # fmt: skip
