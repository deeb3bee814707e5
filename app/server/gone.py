"""Clients that go away: what is done for them ends."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

from starlette.types import Receive

from app.server.errors import GONE, Refusal

T = TypeVar("T")


class ClientGone(Refusal):
    """Nobody waits for the response any more."""

    def __init__(self) -> None:
        super().__init__(GONE, "The client went away.", "Nothing is to be done.")


async def gone(receive: Receive) -> None:
    """Wait until the client has closed the connection; the request's body must have been read."""
    while (await receive())["type"] != "http.disconnect":
        pass


async def while_there(receive: Receive, work: Coroutine[Any, Any, T]) -> T:
    """What ``work`` gives; where the client goes away first, the work is cancelled and ``ClientGone`` raised."""
    working, watching = asyncio.create_task(work), asyncio.create_task(gone(receive))
    try:
        await asyncio.wait([working, watching], return_when=asyncio.FIRST_COMPLETED)
        if working.done():
            return working.result()
        raise ClientGone
    finally:
        for task in (working, watching):
            task.cancel()
        await asyncio.wait([working, watching])
