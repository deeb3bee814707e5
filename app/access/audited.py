"""A line in the audit log for whatever somebody did, or was not let do: the same for every surface."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from app.telemetry.trace import current_trace, fresh

if TYPE_CHECKING:
    from app.access.audit import Audit
    from app.access.principal import Principal

GONE = (asyncio.CancelledError, GeneratorExit)
"""What ends something whose outcome nobody waits for any more."""


@dataclass
class Entry:
    """What is noted, and becomes known on the way.

    Parameters
    ----------
    experts
        Who was asked, or whose documents were touched.
    outcome
        How it ended: ``done``, a verdict, ``cancelled``, or the kind of error.
    question
        What was asked; the log keeps it only where it was told to.
    """

    experts: Sequence[str] = ()
    outcome: str = "done"
    question: str = ""


@contextmanager
def audited(
    audit: Audit | None, principal: Principal, action: str, experts: Sequence[str] = (), question: str = ""
) -> Iterator[Entry]:
    """Note what happens in the block when it ends, however it ends; nothing where there is no log.

    A line takes microseconds, so that this may be done on an event loop, too.
    """
    entry, began = Entry(experts, question=question), time.perf_counter()
    try:
        yield entry
    except BaseException as error:
        entry.outcome = "cancelled" if isinstance(error, GONE) else type(error).__name__
        raise
    finally:
        note(audit, principal, action, entry, time.perf_counter() - began)


def note(audit: Audit | None, principal: Principal, action: str, entry: Entry, seconds: float = 0.0) -> None:
    """Write a line, where there is a log."""
    if audit is not None:
        trace = current_trace() or fresh()
        audit.record(principal, action, entry.experts, entry.outcome, trace, seconds, entry.question)
