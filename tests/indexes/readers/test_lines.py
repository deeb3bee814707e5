from __future__ import annotations

import io

import pytest

from indexes.readers import limits
from indexes.readers.lines import numbered


@pytest.mark.parametrize("length", [9, 10, 11, 12, 3_000_000])
def test_a_line_that_is_too_long_is_passed_over(monkeypatch: pytest.MonkeyPatch, length: int) -> None:
    monkeypatch.setattr(limits, "LONGEST_LINE", 10)
    lines = list(numbered(io.BytesIO(b"one\n" + b"x" * length + b"\nthree")))
    assert lines == [(1, b"one\n"), (2, b"x" * length + b"\n" if length < 10 else None), (3, b"three")]


def test_the_last_line_may_be_too_long(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "LONGEST_LINE", 10)
    assert list(numbered(io.BytesIO(b"one\n" + b"x" * 50))) == [(1, b"one\n"), (2, None)]
    assert list(numbered(io.BytesIO(b""))) == []
