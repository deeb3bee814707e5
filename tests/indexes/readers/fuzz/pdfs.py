"""PDF."""

from __future__ import annotations

import io
import zlib
from collections.abc import Callable, Iterator, Sequence
from functools import partial

from pypdf import PdfReader, PdfWriter

from tests.indexes.readers.conftest import SCRIPTS
from tests.indexes.readers.fuzz.cases import Case, file, mutated
from tests.indexes.readers.test_pdf import pdf

PAGES = ["The first page of a report. It has two sentences.", "The second page,\nof two lines."]
FONT = b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>"
WORDS = b"BT /F1 12 Tf 72 720 Td (Some words of a page.) Tj ET\n"
MEGABYTE = 1_000_000


def assembled(objects: Sequence[bytes], trailer: bytes = b"") -> bytes:
    """A PDF of these objects, numbered from 1; the first is the catalogue."""
    data, offsets = b"%PDF-1.7\n", []
    for number, body in enumerate(objects, start=1):
        offsets.append(len(data))
        data += b"%d 0 obj\n%s\nendobj\n" % (number, body)
    at = len(data)
    data += b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1)
    data += b"".join(b"%010d 00000 n \n" % offset for offset in offsets)
    return data + b"trailer << /Size %d /Root 1 0 R %s >>\nstartxref\n%d\n%%%%EOF" % (len(objects) + 1, trailer, at)


def stream(data: bytes, entries: bytes = b"") -> bytes:
    """A stream object."""
    return b"<< /Length %d %s >>\nstream\n%s\nendstream" % (len(data), entries, data)


def page(content: bytes, entries: bytes = b"", resources: bytes = b"", more: Sequence[bytes] = ()) -> bytes:
    """A PDF of one page with this content; ``more`` objects have the numbers from 6 on."""
    return assembled(
        [
            b"<< /Type /Catalog /Pages 2 0 R >>",
            b"<< /Type /Pages /Count 1 /Kids [3 0 R] >>",
            b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Contents 4 0 R "
            b"/Resources << /Font << /F1 5 0 R >> %s >> >>" % resources,
            stream(content, entries),
            FONT,
            *more,
        ]
    )


def flate(content: bytes, times: int = 1) -> bytes:
    """A page whose content is compressed so many times."""
    for _ in range(times):
        content = zlib.compress(content, 9)
    return page(content, b"/Filter [" + b"/FlateDecode " * times + b"]")


def tree(levels: int, width: int) -> bytes:
    """A tree of pages in which each level names the next so many times."""
    kids = [
        b"<< /Type /Pages /Count %d /Kids [%s] >>" % (width ** (levels - level), b"%d 0 R " % (level + 3) * width)
        for level in range(levels)
    ]
    leaf = b"<< /Type /Page /Parent %d 0 R /MediaBox [0 0 9 9] /Contents %d 0 R >>" % (levels + 1, levels + 3)
    return assembled([b"<< /Type /Catalog /Pages 2 0 R >>", *kids, leaf, stream(WORDS)])


def encrypted(algorithm: str, password: str = "password") -> bytes:
    """A PDF behind a password."""
    writer = PdfWriter(clone_from=PdfReader(io.BytesIO(pdf(PAGES))))
    writer.encrypt(password, owner_password="owner", algorithm=algorithm)
    return written(writer)


def written(writer: PdfWriter) -> bytes:
    """The bytes of what a writer holds."""
    buffer = io.BytesIO()
    writer.write(buffer)
    return buffer.getvalue()


def compressed(pages: Sequence[str]) -> bytes:
    """A PDF with compressed contents."""
    writer = PdfWriter(clone_from=PdfReader(io.BytesIO(pdf(pages, title="A report"))))
    for each in writer.pages:
        each.compress_content_streams()
    return written(writer)


def unicode_table(table: bytes) -> bytes:
    """A page whose font has this ``ToUnicode`` table."""
    data = page(WORDS, more=[stream(table)])
    return data.replace(b"/BaseFont /Helvetica", b"/ToUnicode 6 0 R")


def cases(count: int, seed: int) -> Iterator[Case]:
    """``count`` mutations, and all special cases."""
    good = pdf(PAGES, title="Report")
    for part in range(0, 100, 5):
        yield file("pdf truncated", f"{part} %", "a.pdf", good[: len(good) * part // 100])
    for algorithm in ("RC4-40", "RC4-128", "AES-128", "AES-256-R5", "AES-256"):
        yield file("pdf encrypted", algorithm, "a.pdf", partial(encrypted, algorithm), heavy=False)
        yield file(
            "pdf encrypted", f"{algorithm} without a password", "a.pdf", partial(encrypted, algorithm, ""), heavy=False
        )
    yield file("pdf encrypted", "unknown", "a.pdf", assembled([b"<< /Type /Catalog >>"], b"/Encrypt << /Filter /No >>"))
    special: dict[str, bytes | Callable[[], bytes]] = {**_bombs(), **_shapes(), **_fonts()}
    for name, data in special.items():
        yield file("pdf special", name, "a.pdf", data)
    heavy: dict[str, Callable[[], bytes]] = {
        "3,000 pages": lambda: pdf([f"Page {n} of many. It has words." for n in range(3000)]),
        "a page tree of 10^8": lambda: tree(8, 10),
        "a flate bomb of 1 GB": lambda: flate(bytes(1000 * MEGABYTE)),
        "60 MB of operators": lambda: flate(b"BT ET\n" * 10 * MEGABYTE),
        "60 MB of text": lambda: flate(b"BT " + b"(words and words) Tj\n" * 3 * MEGABYTE + b"ET"),
        "half a million operators": lambda: flate(WORDS * 100_000),
        "form objects that multiply": lambda: forms(6, 10),
    }
    for name, made in heavy.items():
        yield file("pdf heavy", name, "a.pdf", made, heavy=True)
    seeds = [good, compressed(PAGES), pdf(list(SCRIPTS.values()), title="Скрипты"), compressed(list(SCRIPTS.values()))]
    yield from mutated("pdf", "a.pdf", seeds, count, seed)


def _bombs() -> dict[str, bytes | Callable[[], bytes]]:
    return {
        "a flate bomb": lambda: flate(bytes(100 * MEGABYTE)),
        "a flate bomb in a flate bomb": lambda: flate(bytes(100 * MEGABYTE), 2),
        "many filters": lambda: flate(WORDS, 40),
        "a run length bomb": page(b"\x81a" * 400_000 + b"\x80", b"/Filter /RunLengthDecode"),
        "an LZW stream": page(b"\x80\x0b\x60\x50\x22\x0c\x0c\x85\x01" * 10_000, b"/Filter /LZWDecode"),
        "hexadecimal": page(b"4" * 400_001, b"/Filter /ASCIIHexDecode"),
        "base 85": page(b"z" * 400_000 + b"~>", b"/Filter /ASCII85Decode"),
        "an unknown filter": page(WORDS, b"/Filter /Klingon"),
        "a wrong predictor": page(zlib.compress(WORDS), b"/Filter /FlateDecode /DecodeParms << /Predictor 15 /Columns 4000000000 >>"),
        "a page tree of 10^5": lambda: tree(5, 10),
        "forms that call themselves": page(
            b"/X Do", resources=b"/XObject << /X 6 0 R >>",
            more=[stream(b"/X Do " * 10, b"/Type /XObject /Subtype /Form /Resources << /XObject << /X 6 0 R >> >>")],
        ),
        "forms that multiply": lambda: forms(3, 10),
    }  # fmt: skip


def forms(levels: int, width: int) -> bytes:
    """A page of form objects in which each level draws the next so many times."""
    more = [
        stream(
            b"/X Do " * width, b"/Type /XObject /Subtype /Form /Resources << /XObject << /X %d 0 R >> >>" % (level + 7)
        )
        for level in range(levels)
    ]
    leaf = stream(WORDS, b"/Type /XObject /Subtype /Form /Resources << /Font << /F1 5 0 R >> >>")
    return page(b"/X Do", resources=b"/XObject << /X 6 0 R >>", more=[*more, leaf])


def _shapes() -> dict[str, bytes | Callable[[], bytes]]:
    good = pdf(PAGES)
    at = good.rindex(b"startxref")
    return {
        "empty": b"",
        "only a header": b"%PDF-1.7\n",
        "another format": b"GIF89a" + bytes(500),
        "pages in a circle": assembled([b"<< /Type /Catalog /Pages 2 0 R >>", b"<< /Type /Pages /Count 9 /Kids [2 0 R 2 0 R] >>"]),
        "a catalogue that is itself": assembled([b"1 0 R"]),
        "no pages": assembled([b"<< /Type /Catalog >>"]),
        "a count of billions": good.replace(b"/Count 2", b"/Count 2000000000"),
        "a negative count": good.replace(b"/Count 2", b"/Count -2"),
        "deep arrays": page(b"[" * 20_000 + b"]" * 20_000 + WORDS),
        "deep arrays in an object": assembled([b"<< /Type /Catalog /Pages 2 0 R /X %s >>" % (b"[" * 20_000), *[b"<< >>"] * 3]),
        "deep dictionaries": assembled([b"<< /A " * 20_000 + b">>" * 20_000]),
        "deep strings": page(b"(" * 50_000),
        "a long name": page(b"/" + b"a" * 300_000 + b" gs " + WORDS),
        "a long number": page(b"9" * 300_000 + b" Tf " + WORDS),
        "a long real": page(b"0." + b"9" * 300_000 + b" 0 Td " + WORDS),
        "a negative length": page(WORDS).replace(b"/Length ", b"/Length -"),
        "a length of billions": page(WORDS).replace(b"/Length ", b"/Length 99999999"),
        "a length that refers to itself": page(WORDS).replace(b"/Length 53", b"/Length 4 0 R"),
        "tables in a circle": good[:at].replace(b"/Size", b"/Prev %d /Size" % good.rindex(b"xref\n0")) + good[at:],
        "a table far away": good[:at] + b"startxref\n99999999999\n%%EOF",
        "a table before": good[:at] + b"startxref\n-5\n%%EOF",
        "no table": good[: good.rindex(b"xref\n0")] + b"%%EOF",
        "a table of billions": good.replace(b"xref\n0 ", b"xref\n0 99999999"),
        "many objects": lambda: assembled([b"<< /Type /Catalog /Pages 2 0 R >>", b"<< /Type /Pages /Kids [] >>", *[b"null"] * 20_000]),
        "objects that refer to each other": assembled([b"2 0 R", b"3 0 R", b"1 0 R"]),
        "unbalanced text": page(b"ET ET Q Q " * 5000 + WORDS),
        "states": page(b"q " * 50_000 + WORDS),
        "matrices": page(b"1e300 0 0 1e300 0 0 cm " * 200 + WORDS),
        "not numbers": page(b"BT /F1 nan Tf inf -inf Td (words) Tj ET"),
        "an inline image unclosed": page(b"BI /W 1 /H 1 ID " + b"x" * 50_000),
        "wide pages": page(b"BT /F1 1 Tf 999999999 0 Td (a) Tj -999999999 0 Td (b) Tj ET " * 50),
        "garbage before": b"\x00garbage\n" * 500 + good,
        "garbage after": good + b"\x00garbage\n" * 50_000,
        "two files": good + good,
        "a file in itself": page(good),
        "names that are paths": good.replace(b"/Title", b"/../../etc/passwd"),
        "JavaScript": assembled([b"<< /Type /Catalog /Pages 2 0 R /OpenAction << /S /JavaScript /JS (app.alert(1)) >> >>", b"<< /Type /Pages /Kids [] /Count 0 >>"]),
        "carriage returns": good.replace(b"\n", b"\r"),
    }  # fmt: skip


def _fonts() -> dict[str, bytes | Callable[[], bytes]]:
    begin = b"1 begincodespacerange <00> <ff> endcodespacerange\n"
    pair = b"1 beginbfchar <%s> <%s> endbfchar\n"
    return {
        "half surrogates": unicode_table(begin + pair % (b"53", b"d83d") + pair % (b"6f", b"dc00")),
        "NUL characters": unicode_table(begin + pair % (b"53", b"0000") + pair % (b"6f", b"0007")),
        "a long character": unicode_table(begin + pair % (b"53", b"0041" * 50_000)),
        "characters of 200": unicode_table(begin + b"".join(pair % (b"%02x" % n, b"0041" * 100) for n in range(256))),
        "ranges": unicode_table(begin + b"100 beginbfrange\n" + b"<0000> <ffff> <0000>\n" * 100 + b"endbfrange\n"),
        "a range of billions": unicode_table(begin + b"1 beginbfrange <00000000> <ffffffff> <0000> endbfrange\n"),
        "a table of nothing": unicode_table(b"beginbfchar beginbfrange endbfchar"),
        "a table of garbage": unicode_table(bytes(range(256)) * 20),
        "a font that is its own": page(WORDS).replace(b"/BaseFont /Helvetica", b"/DescendantFonts [5 0 R] /Encoding 5 0 R"),
        "an encoding of names": page(WORDS).replace(b"/BaseFont /Helvetica", b"/Encoding << /Differences [0 /a 300 /b -1 /c /uniD800 /u110000] >>"),
        "no font": page(WORDS.replace(b"/F1", b"/F9")),
    }  # fmt: skip
