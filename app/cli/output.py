"""Writing for people and for programs: results on stdout, everything else on stderr."""

from __future__ import annotations

import json
import math
import re
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cached_property
from typing import TYPE_CHECKING, Any, TextIO

from indexes.invisible import shown

if TYPE_CHECKING:
    from rich.console import Console, RenderableType

PAUSE = 10.0  # seconds between two lines of progress where stderr is not a terminal

Update = Callable[[str], None]

_C1 = re.compile(r"[\x7f-\x9f\u202a-\u202e\u2066-\u2069\ufff9-\ufffb\U000e0000-\U000e0fff]")


class Output:
    """Where one command writes.

    Parameters
    ----------
    stdout, stderr
        The streams.
    as_json
        True where stdout gets one JSON document and nothing else.
    """

    def __init__(self, stdout: TextIO, stderr: TextIO, *, as_json: bool = False) -> None:
        self.as_json = as_json
        self._stdout = stdout
        self._stderr = stderr

    @property
    def is_terminal(self) -> bool:
        """Whether results are read on a terminal; False with JSON."""
        return not self.as_json and self.results.is_terminal

    @property
    def draws_on_stderr(self) -> bool:
        """Whether progress can be drawn in place."""
        return self.notes.is_terminal

    @cached_property
    def results(self) -> Console:
        """A console on stdout."""
        return _console(self._stdout)

    @cached_property
    def notes(self) -> Console:
        """A console on stderr; one and the same, so that a note appears above what is being drawn."""
        return _console(self._stderr)

    def document(self, values: Mapping[str, Any]) -> None:
        """Write the one JSON document. Numbers that are not finite become ``null``."""
        text = json.dumps(finite(values), ensure_ascii=False, indent=2)
        text = _C1.sub(lambda found: json.dumps(found[0])[1:-1], text)  # it may be read on a terminal
        try:
            text.encode(self._stdout.encoding or "utf-8")
        except UnicodeEncodeError:
            text = json.dumps(finite(values), indent=2)
        self._stdout.write(text + "\n")
        self._stdout.flush()

    def show(self, *items: RenderableType) -> None:
        """Write results for people; nothing with JSON. Lines are not wrapped where stdout is no terminal."""
        if self.as_json:
            return
        console = self.results
        for item in items:
            text = plain(item) if isinstance(item, str) else item
            console.print(text, soft_wrap=not console.is_terminal)

    def verbatim(self, text: str) -> None:
        """Write a result exactly as it is, unwrapped and without colour; nothing with JSON."""
        if not self.as_json:
            self._stdout.write(text)
            self._stdout.flush()

    def table(self, columns: Sequence[str], rows: Sequence[Sequence[str]], title: str = "") -> None:
        """Write a table: ruled on a terminal, aligned columns elsewhere; nothing with JSON."""
        if self.as_json:
            return
        console = self.results
        cells = [[plain(cell) for cell in row] for row in rows]
        if console.is_terminal:
            console.print(_ruled(columns, cells, title))
            return
        if title:
            console.print(plain(title), soft_wrap=True)
        widths = [max(len(row[i]) for row in [list(columns), *cells]) for i in range(len(columns))]
        for row in [list(columns), *cells]:
            line = "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True))
            console.print(line.rstrip(), soft_wrap=True)

    def note(self, text: str, style: str = "") -> None:
        """Write a line for people to stderr."""
        self.notes.print(plain(text), style=style, soft_wrap=True)

    @contextmanager
    def progress(self, text: str) -> Iterator[Update]:
        """Report on stderr while the body runs: drawn in place on a terminal, a line now and then elsewhere.

        The body is given a function that replaces the text; it may be called from any thread.
        """
        if self.draws_on_stderr:
            with self.notes.status(plain(text)) as status:
                yield lambda new: status.update(plain(new))
        else:
            yield _spaced(self.note)


def plain(text: str) -> str:
    """The text without control characters, which could command a terminal, and on one rule for every line end."""
    return shown(text.replace("\r\n", "\n").replace("\r", "\n"))


def finite(value: Any) -> Any:  # noqa: ANN401 (JSON)
    """The value with every number that JSON cannot carry replaced by ``None``."""
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, Mapping):
        return {key: finite(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [finite(inner) for inner in value]
    return value


def duration(seconds: float) -> str:
    """``0.34 s``, ``12 s`` or ``3 min 5 s``."""
    if seconds < 10:
        return f"{seconds:.2f} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest} s" if minutes else f"{rest} s"


def size(count: int) -> str:
    """``478 MB`` or ``1.2 GB``, in powers of ten."""
    return f"{count / 1e9:.1f} GB" if count >= 999.5e6 else f"{count / 1e6:.0f} MB"


def _console(stream: TextIO) -> Console:
    from rich.console import Console

    return Console(file=stream, markup=False, highlight=False, emoji=False)


def _ruled(columns: Sequence[str], rows: Sequence[Sequence[str]], title: str) -> RenderableType:
    from rich.table import Table
    from rich.text import Text

    table = Table(title=title or None, title_justify="left")
    for column in columns:
        table.add_column(column, overflow="fold")
    for row in rows:
        table.add_row(*map(Text, row))
    return table


def _spaced(write: Update) -> Update:
    last = -math.inf

    def update(text: str) -> None:
        nonlocal last
        now = time.monotonic()
        if now - last >= PAUSE:
            last = now
            write(text)

    return update
