"""HTML."""

from __future__ import annotations

from collections.abc import Iterator

from tests.indexes.readers.conftest import SCRIPTS
from tests.indexes.readers.fuzz.cases import Case, file, mutated
from tests.indexes.readers.test_html import PAGE

DEEP = 100_000


def cases(count: int, seed: int) -> Iterator[Case]:
    """``count`` mutations, and all special cases."""
    special: dict[str, bytes] = {
        "nested": b"<div>" * 10_000 + b"deep" + b"</div>" * 10_000,
        "nested and unclosed": b"<b>" * 10_000 + b"deep",
        "nested tables": b"<table><tr><td>" * 20_000 + b"deep",
        "nested rows and a list": b"<tr>" * 20_000 + b"<ul><li>deep",
        "nested preformatted": b"<pre>" * 20_000 + b"deep",
        "closing only": b"</div>" * DEEP + b"words",
        "cells in a row": b"<table><tr>" + b"<td>a" * 10_000,
        "empty cells": b"<table><tr>" + b"<td>" * 10_000 + b"words",
        "headings": b"<h1>a</h1>" * 10_000,
        "headings and text": b"<h1>a</h1>b" * 3000,
        "a long heading": b"<h1>" + b"word " * DEEP + b"</h1>text",
        "a long title": b"<title>" + b"word " * DEEP + b"</title><p>text. text.",
        "attributes": b"<p " + b"a=1 " * DEEP + b">words",
        "attributes of many names": b"<p " + b" ".join(b"a%d" % n for n in range(50_000)) + b">words",
        "open brackets": b"<" * DEEP + b"words",
        "open tags": b"<a " * 2000 + b"words",
        "comments": b"<!--" * 2000 + b"words",
        "comment ends": b"<!-- " + b"--" * 20_000 + b"words",
        "declarations": b"<!a" * 20_000 + b"words",
        "CDATA": b"<![CDATA[" * 20_000 + b"words",
        "conditional": b"<![if" * 20_000 + b"words",
        "instructions": b"<?a" * 20_000 + b"words",
        "entities": b"<p>words" + b"&amp;&#99999999999;&#xD800;&#0;&nosuch;&" * 10_000,
        "billion laughs": b'<!DOCTYPE a [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;&a;&a;">]><p>&b; words',
        "script unclosed": b"<p>words<script>" + b"x" * DEEP,
        "scripts": b"<script>" * 20_000 + b"words",
        "template": b"<template>" * 20_000 + b"words",
        "NUL": b"<p>zero\x00byte",
        "NUL by entity": b"<p>zero&#0;byte&#x0;",
        "empty": b"",
        "no words": b"<img><br><hr>",
        "hidden": b"<p hidden>never</p>",
        "UTF-16": "<p>words and words".encode("utf-16"),
        "UTF-16 unmarked": ("<p>words and words" * 50).encode("utf-16-le"),
        "UTF-32": "<p>words and words".encode("utf-32"),
        "declared wrongly": b'<meta charset="utf-8"><p>caf\xe9',
        "declared EBCDIC": b'<meta charset="cp037"><p>caf\xe9',
        "a form feed": b"<p>one\x0ctwo\x0bthree\x1bfour",
        "XXE": b'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/hostname">]><html><p>words &e;</p></html>',
    }
    names = ("punycode", "idna", "undefined", "unicode_escape", "raw_unicode_escape", "base64", "zlib", "rot13", "hex", "utf-7",
             "mbcs", "oem", "bz2", "quopri", "uu", "utf-16", "utf-32", "klingon", "..", "a" * 190)  # fmt: skip
    special |= {
        f"declared {name[:20]}": f'<meta charset="{name}">'.encode() + b"<p>caf\xe9 words" * 50 for name in names
    }
    for name, data in special.items():
        yield file("html special", name, "a.html", data)
    yield file("html heavy", "100,000 nested", "a.html", b"<div>" * DEEP + b"deep" + b"</div>" * DEEP, heavy=True)
    yield file("html heavy", "100,000 open tags", "a.html", b"<a " * DEEP + b"words", heavy=True)
    yield file("html heavy", "100,000 cells", "a.html", b"<table><tr>" + b"<td>a" * DEEP, heavy=True)
    yield file("html heavy", "50,000 headings", "a.html", b"<h1>a</h1>b" * 50_000, heavy=True)
    yield file("html heavy", "a million elements", "a.html", lambda: b"<b>" * 1_000_000, heavy=True)
    yield file("html heavy", "five million elements", "a.html", lambda: b"<i>" * 5_000_000 + b"words", heavy=True)
    yield file(
        "html heavy", "nested rows and a list", "a.html", lambda: b"<tr>" * 200_000 + b"<ul><li>deep", heavy=True
    )
    yield file("html heavy", "too many headings", "a.html", lambda: b"<h1>a</h1>b" * 150_000, heavy=True)
    yield file("100 MB line", "html", "a.html", lambda: b"x" * 100_000_000, heavy=True)
    five = "".join(f"<h2>{name}</h2><p>{text}</p>" for name, text in SCRIPTS.items())
    latin = '<meta charset="iso-8859-1"><p>café, naïve</p>'.encode("cp1252")
    yield from mutated("html", "a.html", [PAGE.encode(), five.encode(), latin], count, seed)
