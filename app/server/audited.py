"""A line in the audit log for whatever somebody did, or was not let do."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from app.telemetry.trace import current_trace

if TYPE_CHECKING:
    from app.access.principal import Principal
    from app.server.service import Service


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


@asynccontextmanager
async def audited(
    service: Service, principal: Principal, action: str, experts: Sequence[str] = (), question: str = ""
) -> AsyncIterator[Entry]:
    """Note what happens in the block when it ends, however it ends."""
    entry, began = Entry(experts, question=question), time.perf_counter()
    try:
        yield entry
    except asyncio.CancelledError:
        entry.outcome = "cancelled"
        raise
    except Exception as error:
        entry.outcome = type(error).__name__
        raise
    finally:
        await note(service, principal, action, entry, time.perf_counter() - began)


async def note(service: Service, principal: Principal, action: str, entry: Entry, seconds: float = 0.0) -> None:
    """Write a line, where there is a log."""
    if (audit := service.audit) is not None:
        trace, asked = current_trace(), entry.question
        await service.call(audit.record, principal, action, entry.experts, entry.outcome, trace, seconds, asked)
