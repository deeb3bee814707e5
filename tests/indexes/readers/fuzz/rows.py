"""JSONL, BEIR folders, CSV and TSV."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path

from tests.indexes.readers.conftest import SCRIPTS
from tests.indexes.readers.fuzz.cases import Build, Case, file, mutated

JSONL = "".join(
    json.dumps({"_id": name, "title": name, "text": text, "date": "2024-03-07", "metadata": {"n": 1}}) + "\n"
    for name, text in SCRIPTS.items()
)
CSV = "id,title,text,note\n" + "".join(f'{name},{name},"{text} ""so""\nit is",x\n' for name, text in SCRIPTS.items())
TSV = "id\ttext\n" + "".join(f"{name}\t{text}\n" for name, text in SCRIPTS.items())
MEGABYTE = 1_000_000


def cases(count: int, seed: int) -> Iterator[Case]:
    """``count`` mutations of each, and all special cases."""
    yield from _jsonl()
    yield from _tables()
    yield from _beir()
    yield from mutated(
        "jsonl",
        "a.jsonl",
        [JSONL.encode(), JSONL.encode().decode("unicode_escape").encode("utf-8", "replace")],
        count,
        seed,
    )
    yield from mutated("csv", "a.csv", [CSV.encode(), CSV.replace(",", ";").encode()], count, seed)
    yield from mutated("tsv", "a.tsv", [TSV.encode()], count // 2, seed)
    yield from (_mutated_beir(case) for case in mutated("beir", "corpus.jsonl", [JSONL.encode()], count // 2, seed))


def _mutated_beir(case: Case) -> Case:
    return Case(case.kind, case.name, lambda folder: case.build(folder).parent)


def _jsonl() -> Iterator[Case]:
    good = b'{"text": "A good row."}\n'
    special = {
        "empty": b"",
        "deep list": b"[" * 100_000,
        "deep list in a row": b'{"text": "a", "metadata": ' + b"[" * 900 + b"]" * 900 + b"}",
        "deep date": b'{"text": "a", "date": ' + b"[" * 980 + b"]" * 980 + b"}",
        "deep objects": b'{"a":' * 50_000,
        "huge integer": b'{"text": "a", "_id": ' + b"9" * 5000 + b"}",
        "large integer": b'{"text": "a", "_id": ' + b"9" * 4000 + b"}",
        "huge exponent": b'{"text": "a", "metadata": {"n": 1e999999999, "m": -0.0, "o": NaN}}',
        "lone surrogate": b'{"text": "half \\ud83d"}',
        "lone surrogate in a key": b'{"text": "a", "metadata": {"\\udc00": "b"}}',
        "lone surrogate in an id": b'{"text": "a", "_id": "\\udfff"}',
        "NUL escaped": b'{"text": "a\\u0000b"}',
        "NUL": b'{"text": "a\x00b"}',
        "ids twice": b'{"_id": "1", "text": "a"}\n{"_id": "1", "text": "b"}\n' * 30,
        "wrong columns": b'{"docid": 1, "contents": "a"}\n' * 30,
        "wrong types": b'{"text": ["a"]}\n{"text": {"a": 1}}\n{"text": true}\n{"text": "a", "title": [], "_id": {}, "metadata": 7}',
        "names twice": b'{"text": "a", "text": "b"}',
        "no object": b'1\n"a"\nnull\n[]\ntrue\n',
        "an array over lines": json.dumps([{"text": "a"}] * 30, indent=1).encode(),
        "comments": b"// a\n{'text': 'a'}\n{text: a}\n",
        "UTF-16": '{"text": "a"}\n'.encode("utf-16"),
        "invalid UTF-8": b'{"text": "caf\xe9"}\n' * 20,
        "byte order marks": b'\xef\xbb\xbf{"text": "a"}\n' * 3,
        "long title": b'{"text": "a", "title": "' + b"t" * 500_000 + b'"}',
        "long row": b'{"text": "' + b"t" * 1_500_000 + b'"}',
        "long metadata": json.dumps({"text": "a", "metadata": {str(n): "v" * 20 for n in range(60_000)}}).encode(),
        "long line": b'{"text": "' + b"t" * 5_000_000 + b'"}',
        "no line end": b'{"text": "cut o',
    }
    for name, data in special.items():
        yield file("jsonl special", name, "a.jsonl", data + b"\n" + good if data else data)
    yield file(
        "100 MB line",
        "jsonl",
        "a.jsonl",
        lambda: good + b'{"text": "' + b"x" * 100 * MEGABYTE + b'"}\n' + good,
        heavy=True,
    )
    yield file("100 MB line", "jsonl of brackets", "a.jsonl", lambda: b"[" * 100 * MEGABYTE, heavy=True)


def _tables() -> Iterator[Case]:
    special = {
        "empty": b"",
        "only a header": b"id,text\n",
        "no header": b"1,2,3\n4,5,6\n",
        "commas": b"," * 50_000 + b"\n" + b"," * 50_000,
        "marks": b'"' * 100_001,
        "marks and commas": b"a,b\n" + b'",' * 50_000,
        "mark never closed": b'a,b\n1,"' + b"x,some words and more of them\n" * 5000,
        "marks never closed": b"id,text\n" + b'"""a,b\n' * 2000 + b'"',
        "one cell": b"text\n" + b"t" * 900_000,
        "a long cell": b"text\n" + b"t" * 1_500_000,
        "a long line": b"text\n" + b"t" * 5_000_000 + b"\na row\n",
        "many columns": b",".join(b"c%d" % n for n in range(5000)) + b"\n1\n",
        "ragged": b"a,b,c\n" + b"".join(b"x," * (n % 7) + b"\n" for n in range(200)),
        "NUL": b"a,text\n1,b\x00c\n2,d\n",
        "NUL in the header": b"a\x00,text\n1,b\n",
        "UTF-16": "a\ttext\n1\tb\n".encode("utf-16"),
        "UTF-32 unmarked": ("a,text\n" + "1,words\n" * 30).encode("utf-32-le"),
        "old Mac": b"id,text\r1,a\r2,b\r",
        "mixed line ends": b"id,text\r\n1,a\r2,b\n3,c\r\n",
        "header twice": b"text,text,text\na,b,c\n",
        "ids twice": b"id,text\n1,a\n1,b\n" * 20,
        "sep": b"sep=|\nid|text\n1|a\n",
        "sep of nothing": b"sep=\n",
        "formulas": b"id,text\n1,\"=cmd|' /C calc'!A0\"\n",
        "binary": bytes(range(256)) * 100,
        "line separators": "id,text\n1,a\u2028b\x85c\n2,d\x1ce\x0bf\n".encode(),
        "cp1252": "id,text\n1,café\n".encode("cp1252"),
        "cp1252 far down": b"id,text\n" + b"1,a\n" * 20_000 + b"2,caf\xe9\n" * 30,
        "a long name": b"n" * 5000 + b",text\na,b\n",
        "JSON": b'{"text": "a"}\n' * 5,
        "HTML": b"<table><tr><td>a</td></tr></table>",
        "a workbook": b"PK\x03\x04" + bytes(range(256)) * 10,
    }
    for name, data in special.items():
        yield file("table special", name, "a.csv", data)
        yield file("table special", f"{name} (tsv)", "a.tsv", data.replace(b",", b"\t"))
    yield file(
        "100 MB line", "csv", "a.csv", lambda: b"id,text\n1," + b"x" * 100 * MEGABYTE + b"\n2,good\n", heavy=True
    )
    yield file("100 MB line", "csv header", "a.csv", lambda: b"x" * 100 * MEGABYTE, heavy=True)
    yield file("100 MB line", "csv of marks", "a.csv", lambda: b"id,text\n" + b'""' * 50 * MEGABYTE, heavy=True)
    lines = b"id,text\n" + b'1,"never closed\n' + b"2,words and words\n"
    yield file(
        "large table",
        "8 MB after an open mark",
        "a.csv",
        lambda: lines + b"3,more words and so on to the end\n" * 200_000,
        heavy=True,
    )


def _beir() -> Iterator[Case]:
    good = b'{"_id": "d1", "title": "T", "text": "A document."}\n'
    files = {
        "ids twice": {"corpus.jsonl": good * 2 + good.replace(b"A ", b"Another ")},
        "no ids": {"corpus.jsonl": b'{"title": "T", "text": "A document."}\n' * 20},
        "ids of other types": {"corpus.jsonl": b'{"_id": null, "text": "a"}\n{"_id": 1.5, "text": "b"}\n{"_id": [1], "text": "c"}\n'},
        "other names": {"corpus.jsonl": b'{"doc_id": "d1", "body": "A document."}\n'},
        "a TSV within": {"corpus.jsonl": b"d1\tT\tA document.\n"},
        "empty": {"corpus.jsonl": b""},
        "queries for a corpus": {"corpus.jsonl": b'{"query-id": "q1", "corpus-id": "d1", "score": 1}\n'},
        "qrels with wrong columns": {"corpus.jsonl": good, "qrels/test.tsv": b"a\tb\nc\n", "queries.jsonl": b"{"},
        "only queries": {"queries.jsonl": b'{"_id": "q1", "text": "A query?"}\n', "qrels/test.tsv": b"query-id\tcorpus-id\tscore\n"},
        "compressed": {"corpus.jsonl": b"\x1f\x8b\x08\x00" + bytes(200)},
    }  # fmt: skip
    for name, contents in files.items():
        yield Case("beir special", name, _folder(contents))
    yield Case("beir special", "a folder named corpus.jsonl", _folder({"corpus.jsonl/a.txt": b"A text."}))
    yield Case("beir special", "a corpus that is a pipe", _pipe)
    yield Case("beir special", "a corpus that leads out", _leads_out)


def _folder(files: dict[str, bytes]) -> Build:
    def build(folder: Path) -> Path:
        for name, data in files.items():
            path = folder / "set" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)
        return folder / "set"

    return build


def _pipe(folder: Path) -> Path:
    os.mkfifo(folder / "corpus.jsonl")
    return folder


def _leads_out(folder: Path) -> Path:
    (folder / "set").mkdir()
    (folder / "other.jsonl").write_bytes(b'{"_id": "1", "text": "SECRET OF ANOTHER FOLDER"}\n')
    (folder / "set" / "corpus.jsonl").symlink_to(folder / "other.jsonl")
    return folder / "set"
