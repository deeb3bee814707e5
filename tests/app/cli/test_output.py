from __future__ import annotations

import io
import json
import math

import pytest

from app.cli.output import Output, duration, finite, plain, size


def output(*, as_json: bool = False, encoding: str = "utf-8") -> tuple[Output, io.BytesIO, io.StringIO]:
    raw, err = io.BytesIO(), io.StringIO()
    stdout = io.TextIOWrapper(raw, encoding=encoding, errors="backslashreplace", write_through=True)
    return Output(stdout, err, as_json=as_json), raw, err


def test_numbers_that_json_cannot_carry_become_null() -> None:
    assert finite({"a": [math.nan, 1.5, (math.inf, 0.0)], "b": True}) == {"a": [None, 1.5, [None, 0.0]], "b": True}


@pytest.mark.parametrize("text", ["café", "\udcff broken", "emoji 🏛", "\x00"])
@pytest.mark.parametrize("encoding", ["utf-8", "ascii", "latin-1"])
def test_a_document_survives_every_encoding(text: str, encoding: str) -> None:
    out, raw, _ = output(as_json=True, encoding=encoding)
    out.document({"text": text})
    assert json.loads(raw.getvalue().decode(encoding)) == {"text": text}


def test_with_json_nothing_but_the_document_reaches_stdout() -> None:
    out, raw, err = output(as_json=True)
    out.show("for people")
    out.verbatim("for people")
    out.table(("a",), [("for people",)])
    out.note("a note")
    out.document({"a": 1})
    assert json.loads(raw.getvalue()) == {"a": 1}
    assert err.getvalue() == "a note\n"


def test_a_table_in_a_pipe_is_aligned_and_not_wrapped() -> None:
    out, raw, _ = output()
    out.table(("name", "what"), [("a", "x" * 300), ("longer", "y")], title="Title")
    assert raw.getvalue().decode().splitlines() == ["Title", "name    what", "a       " + "x" * 300, "longer  y"]


def test_text_is_never_taken_for_markup() -> None:
    out, raw, err = output()
    out.show("[store] url, :smile: [/bold]")
    out.note("[red]x[/red]")
    assert raw.getvalue().decode() == "[store] url, :smile: [/bold]\n"
    assert err.getvalue() == "[red]x[/red]\n"


def test_control_characters_are_replaced_and_line_ends_kept() -> None:
    assert plain("a\x1b[2Jb\r\nc\rd\te\u202ef\x9b") == "a\ufffd[2Jb\nc\nd\te\ufffdf\ufffd"


def test_progress_outside_a_terminal_is_a_line_now_and_then() -> None:
    out, _, err = output()
    with out.progress("starting") as update:
        for i in range(100):
            update(f"step {i}")
    assert err.getvalue() == "step 0\n"


@pytest.mark.parametrize(
    ("seconds", "text"), [(0.0, "0.00 s"), (9.99, "9.99 s"), (12.4, "12 s"), (59.6, "1 min 0 s"), (185, "3 min 5 s")]
)
def test_durations(seconds: float, text: str) -> None:
    assert duration(seconds) == text


@pytest.mark.parametrize(("count", "text"), [(84_000_000, "84 MB"), (999_600_000, "1.0 GB"), (1_234_000_000, "1.2 GB")])
def test_sizes(count: int, text: str) -> None:
    assert size(count) == text
