"""Trace ids and spans. A span costs nanoseconds while nothing listens; ``app.telemetry.open_telemetry`` makes something listen."""

from __future__ import annotations

import secrets
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from contextvars import ContextVar
from typing import Protocol, Self

Attribute = str | int | float | bool | list[str]

_TRACE: ContextVar[str] = ContextVar("symposia_trace", default="")


class Span(Protocol):
    """Something that takes time."""

    def set(self, **attributes: Attribute) -> None:
        """Add attributes; a name without a dot is one of Symposia's own."""


class Watched(Protocol):
    """A span that begins and ends in different places: that of a whole question, whose events are read one by one."""

    def inside(self) -> AbstractContextManager[object]:
        """While this is entered, new spans are parts of this one."""

    def part(self, name: str, began: int, ended: int, attributes: Mapping[str, Attribute]) -> None:
        """A part that was measured already, in nanoseconds since the epoch."""

    def end(self, attributes: Mapping[str, Attribute], error: str = "") -> None:
        """It is over; ``error`` is the kind of error that ended it."""


class Tracing(Protocol):
    """Whoever listens to spans."""

    def span(self, name: str, attributes: Mapping[str, Attribute]) -> AbstractContextManager[Span]:
        """A span around a block."""

    def begin(self, name: str, attributes: Mapping[str, Attribute]) -> Watched:
        """A span that is ended by hand."""

    def trace(self) -> str:
        """The trace id of the current span, whoever began it; empty where there is none."""


class _Nothing:
    """A span that nobody listens to."""

    __slots__ = ()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, _kind: object, _error: object, _traceback: object, /) -> None:
        """Nothing to end."""

    def set(self, **_: Attribute) -> None:
        """Nobody listens."""


_NOTHING = _Nothing()
_tracing: Tracing | None = None


def new_trace() -> str:
    """Begin a trace: 32 hexadecimal digits, which ``current_trace`` gives from now on in this context."""
    trace = fresh()
    _TRACE.set(trace)
    return trace


def fresh() -> str:
    """A trace id, without beginning the trace: that of the span that is current already, or a new one."""
    return (_tracing.trace() if _tracing is not None else "") or secrets.token_hex(16)


def current_trace() -> str:
    """The trace id of this context; empty where none has begun."""
    return _TRACE.get()


@contextmanager
def using(trace: str) -> Iterator[None]:
    """Make ``trace`` the current one within the block, whatever it was before."""
    token = _TRACE.set(trace)
    try:
        yield
    finally:
        _TRACE.reset(token)


def span(name: str, /, **attributes: Attribute) -> AbstractContextManager[Span]:
    """Measure a block as a span, ``with span("route"): …``; within a generator, the block must not hold a ``yield``."""
    return _NOTHING if _tracing is None else _tracing.span(name, attributes)


def tracing() -> Tracing | None:
    """Whoever listens, if anybody."""
    return _tracing


def listen(listener: Tracing | None) -> None:
    """Give all spans of this process to ``listener``, or to nobody."""
    global _tracing  # noqa: PLW0603 (spans belong to the process, as OpenTelemetry's do)
    _tracing = listener
