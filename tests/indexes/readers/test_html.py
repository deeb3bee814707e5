from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from indexes.passage import Document
from indexes.readers.problem import Problem

One = Callable[[Path], Document]
Reading = Callable[[Path], tuple[list[Document], list[Problem]]]


PAGE = """<!DOCTYPE html>
<html><head><title>Travel
  rules</title><style>p {color: red}</style><script>var hidden = 1;</script></head>
<body><header>Company</header><nav><a href="/">Home</a></nav>
<h1>Rules</h1>
<!-- a comment -->
<p>Go <b>second</b> class,
   <i>always</i>.</p><p>Keep the&nbsp;receipt.</p>
<h2>Rates</h2>
<ul><li>Hotel<br>120 €</li><li>Meals</li></ul>
<table><tr><th>City</th><th>Rate</th></tr><tr><td><p>Rome</p></td><td>  90  </td></tr></table>
<pre>line 1
  line 2</pre>
<p hidden>not shown</p>
<footer>Imprint</footer></body></html>
"""


def write(tmp_path: Path, markup: str | bytes, name: str = "file-stem.html") -> Path:
    path = tmp_path / name
    path.write_bytes(markup if isinstance(markup, bytes) else markup.encode())
    return path


def test_blocks_become_lines_without_navigation_and_scripts(tmp_path: Path, one: One) -> None:
    assert one(write(tmp_path, PAGE)).text.split("\n") == [
        "Rules",
        "Go second class, always.",
        "Keep the receipt.",
        "Rates",
        "Hotel",
        "120 €",
        "Meals",
        "City | Rate",
        "Rome | 90",
        "line 1",
        "  line 2",
    ]


def test_the_title_is_of_the_page_then_of_its_first_heading_then_of_the_file(tmp_path: Path, one: One) -> None:
    assert one(write(tmp_path, PAGE)).title == "Travel rules"
    assert one(write(tmp_path, "<title> </title><h1>The <b>heading</b></h1><p>x")).title == "The heading"
    assert one(write(tmp_path, "<p>x")).title == "file-stem"


def test_headings_are_marks(tmp_path: Path, one: One) -> None:
    document = one(write(tmp_path, PAGE))
    assert [(document.text[mark.start :].split("\n")[0], mark.label) for mark in document.marks] == [
        ("Rules", ""),
        ("Rates", "Rates"),
    ]


def test_a_table_that_lays_out_the_page_is_not_a_row_of_data(tmp_path: Path, one: One) -> None:
    markup = (
        "<table><tr><td><h2>News</h2><p>One.</p></td><td><table><tr><td>a</td><td>b</td></tr></table></td></tr></table>"
    )
    assert one(write(tmp_path, markup)).text == "News\nOne.\na | b"


def test_a_declared_encoding_is_used(tmp_path: Path, one: One) -> None:
    for declared in ("iso-8859-1", "windows-1252"):
        markup = f'<meta charset="{declared}"><p>café – “naïve”</p>'.encode("cp1252")
        assert one(write(tmp_path, markup)).text == "café – “naïve”"
    russian = '<meta http-equiv="Content-Type" content="text/html; charset=koi8-r"><p>Отпуск</p>'.encode("koi8-r")
    assert one(write(tmp_path, russian)).text == "Отпуск"


def test_an_undeclared_unknown_or_wrong_encoding_is_reported_and_not_guessed(tmp_path: Path, reading: Reading) -> None:
    for declaration in (b"", b'<meta charset="klingon">', b'<meta charset="utf-8">'):
        documents, problems = reading(write(tmp_path, declaration + b"<p>caf\xe9</p>"))
        assert not documents
        assert "not valid UTF-8 (byte 0xe9" in problems[0].reason


def test_a_page_without_words_is_reported(tmp_path: Path, reading: Reading) -> None:
    documents, problems = reading(write(tmp_path, "<html><script>app()</script><div id=root></div></html>"))
    assert not documents
    assert problems[0].reason == "has no words"


def test_very_deep_nesting_is_read(tmp_path: Path, one: One) -> None:
    assert one(write(tmp_path, "<div>" * 20_000 + "deep" + "</div>" * 20_000)).text == "deep"


def test_markup_that_is_broken_is_still_read(tmp_path: Path, one: One) -> None:
    assert one(write(tmp_path, "<p>One<p>Two</div></b>&#0;&#xD800;<tr><td>three<h2>Four")).text.split("\n")[0] == "One"


def test_five_scripts(tmp_path: Path, one: One, script: str) -> None:
    document = one(write(tmp_path, f"<title>{script}</title><h2>{script}</h2><p>{script}</p>"))
    assert document.title == script
    assert document.text == f"{script}\n{script}"
    assert document.marks[0].start == 0
