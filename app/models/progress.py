"""Telling how far a fetch has come."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Event, Thread

from app.models.cache import bytes_below

Progress = Callable[[str, int, int | None], None]
"""Called with what is being done, bytes done, and bytes in all (None where unknown); also from a helper thread."""

PAUSE = 0.25  # seconds between two looks at a growing folder


def silent(stage: str, done: int, total: int | None) -> None:
    """A progress callback that tells nobody."""


@contextmanager
def watching(
    folder: Path, stage: str, report: Progress, *, before: int = 0, total: int | None = None
) -> Iterator[None]:
    """Report how a folder grows while the body runs.

    Parameters
    ----------
    before
        Bytes that were done already and lie elsewhere.
    total
        Bytes in all; the report never exceeds it.
    """
    stop = Event()

    def look() -> None:
        while not stop.wait(PAUSE):
            done = before + bytes_below(folder)
            report(stage, done if total is None else min(done, total), total)

    thread = Thread(target=look, name="symposia-progress", daemon=True)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()
