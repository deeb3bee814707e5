"""Text and Markdown."""

from __future__ import annotations

from collections.abc import Iterator

from tests.indexes.readers.conftest import SCRIPTS
from tests.indexes.readers.fuzz.cases import Case, file, mutated

PROSE = "\n\n".join(SCRIPTS.values()) + "\n\nA last paragraph, in English. It has two sentences; one is short.\n"
MARKDOWN = (
    "---\ntitle: Handbook\ndate: 2024-03-07\n---\n# Handbook\n\nWelcome, *all*.\n\n## Install\n\n- one\n- two\n\n> Quoted\n\n"
    f"```sh\n# no heading\n```\n\nSetext\n------\n\n{PROSE}\n\n| a | b |\n|---|---|\n| 1 | 2 |\n\n[link]: https://example.org\n"
)
MEGABYTE = 1_000_000


def cases(count: int, seed: int) -> Iterator[Case]:
    """``count`` mutations of each, and all special cases."""
    for encoding in (
        "utf-8-sig",
        "utf-16",
        "utf-16-le",
        "utf-16-be",
        "utf-32",
        "utf-32-le",
        "utf-32-be",
        "cp1252",
        "utf-7",
    ):
        text = "Plain words, naïve and long enough to be told. " * 40
        for name in ("a.txt", "a.md"):
            yield file("encodings", f"{encoding} {name}", name, text.encode(encoding))
        yield file("encodings", f"{encoding} cyrillic", "a.txt", SCRIPTS["cyrillic"].encode(encoding, "replace"))
    yield from _texts()
    yield from _markdown()
    yield from mutated("text", "a.txt", [PROSE.encode()], count, seed)
    yield from mutated("markdown", "a.md", [MARKDOWN.encode()], count, seed)


def _texts() -> Iterator[Case]:
    special = {
        "empty": b"",
        "only white space": b" \n\t\r\n" * 1000,
        "only marks": "!?…。".encode() * 1000,
        "NUL": b"zero\x00byte",
        "only NUL": bytes(5000),
        "only combining marks": "\u0301".encode() * 5000,
        "combining marks on one letter": b"a" + "\u0301".encode() * 50_000,
        "joiners": "👩‍👩‍👧‍👦".encode() * 2000,
        "right to left marks": "\u202eabc\u202c def. ".encode() * 500,
        "lone surrogate": b"half \xed\xa0\xbd pair",
        "overlong": b"\xc0\xaf\xc1\x81",
        "beyond Unicode": b"\xf4\x90\x80\x80",
        "line separators": "one\u2028two\u2029three\x85four\x1cfive. ".encode() * 100,
        "carriage returns": b"one.\rtwo.\r\nthree.\n\r" * 500,
        "control characters": bytes(range(1, 32)) * 50 + b"words",
        "all bytes": bytes(range(256)) * 20,
        "stops": b"." * 100_000 + b"a",
        "stops and letters": b"a. " * 7000,
        "quotes after stops": b'a."' * 7000,
        "one word": b"x" * 100_000,
        "one Chinese line": "中".encode() * 20_000,
        "one Thai line": "ก".encode() * 20_000,
        "blank lines": b"a\n\n" * 7000,
        "long line": b"word " * 30_000,
    }
    for name, data in special.items():
        yield file("text special", name, "a.txt", data)
    yield file("100 MB line", "text", "a.txt", lambda: b"x" * 100 * MEGABYTE, heavy=True)
    yield file("100 MB line", "markdown", "a.md", lambda: b"x" * 100 * MEGABYTE, heavy=True)
    yield file("large text", "1.5 MB of words without a stop", "a.txt", b"word " * 300_000, heavy=True)
    yield file("large text", "30 MB of one word", "a.txt", lambda: b"x" * 30 * MEGABYTE, heavy=True)
    yield file("large text", "4 MB of short sentences", "a.txt", lambda: b"a. " * (4 * MEGABYTE // 3), heavy=True)
    yield file("large text", "4 MB of paragraphs", "a.md", lambda: b"a b c\n\n" * (4 * MEGABYTE // 7), heavy=True)


def _markdown() -> Iterator[Case]:
    special = {
        "quotations": b">" * 100_000 + b"a",
        "lists": b"- " * 50_000 + b"a",
        "indented lists": b"".join(b"  " * depth + b"- a\n" for depth in range(500)),
        "brackets": b"# " + b"[" * 50_000,
        "links": b"# " + b"[a](" * 20_000,
        "images": b"# " + b"![" * 20_000,
        "emphasis": b"# " + b"*a " * 30_000,
        "emphasis both ways": b"# " + b"*a_" * 20_000,
        "backticks": b"# " + b"".join(b"`" * n + b"a" for n in range(300)),
        "entities": b"# " + b"&#1234567;&#x0;&nosuch;" * 3000,
        "headings": b"# h\n\ntext\n\n" * 2000,
        "too many headings": b"# h\na\n" * 120_000,
        "long heading": b"# " + b"heading " * 50_000 + b"\n\ntext",
        "front matter unclosed": b"---\na:" + b" b\n" * 200_000,
        "front matter long": b"---\ntitle: " + b"t" * 200_000 + b"\n---\ntext",
        "front matter quotes": b"---\ntitle: " + b"\"' " * 50_000 + b"\n---\ntext",
        "fence unclosed": b"```\n" + b"# no heading\n" * 10_000,
        "setext": b"a\n-\n" * 30_000,
        "definitions": b"".join(b"[%d]: <u>\n" % n for n in range(20_000)) + b"text",
        "HTML": b"<div>\n" * 50_000 + b"text",
        "autolinks": b"# " + b"<a:" * 30_000,
        "tabs": b"\t" * 100_000 + b"a",
        "a NUL": b"# a\x00b",
    }
    for name, data in special.items():
        yield file("markdown special", name, "a.md", data)
