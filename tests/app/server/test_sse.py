from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

from app.server.sse import EventStream, data, event, with_pulse


def test_an_event_is_a_name_a_line_of_json_and_a_blank() -> None:
    made = event("token", {"text": "a\nb\r\u2028é", "divergence": float("nan")})
    assert made.decode() == 'event: token\ndata: {"text":"a\\nb\\r\\u2028é","divergence":null}\n\n'
    assert data("[DONE]") == b"data: [DONE]\n\n"


def test_half_a_character_from_a_broken_document_does_no_harm() -> None:
    assert event("source", {"text": "\ud800"}) == b'event: source\ndata: {"text":"?"}\n\n'


def test_silence_is_filled_with_comments() -> None:
    async def slowly() -> AsyncIterator[bytes]:
        yield b"a"
        await asyncio.sleep(0.25)
        yield b"b"

    async def collect() -> list[bytes]:
        return [piece async for piece in with_pulse(slowly(), 0.1)]

    pieces = asyncio.run(collect())
    assert (pieces[0], pieces[-1]) == (b"a", b"b")
    assert set(pieces[1:-1]) == {b": still here\n\n"}


def test_a_stream_ends_when_the_client_goes_away_and_says_so_once() -> None:
    sent: list[Any] = []
    ended: list[bool] = []

    async def endless() -> AsyncIterator[bytes]:
        while True:
            await asyncio.sleep(0.01)
            yield b"x"

    async def receive() -> dict[str, Any]:
        while len(sent) < 3:
            await asyncio.sleep(0.01)
        return {"type": "http.disconnect"}

    async def send(message: Any) -> None:
        sent.append(message)

    async def end() -> None:
        ended.append(True)

    stream = EventStream(endless(), end)
    asyncio.run(asyncio.wait_for(stream({"type": "http"}, receive, send), 10))  # type: ignore[arg-type]
    assert ended == [True]
    assert sent[0]["type"] == "http.response.start"
    assert 3 <= len(sent) <= 5


def test_a_connection_that_breaks_while_it_is_written_ends_the_stream() -> None:
    ended: list[bool] = []

    async def one() -> AsyncIterator[bytes]:
        yield b"x"

    async def receive() -> dict[str, Any]:
        await asyncio.sleep(60)
        return {"type": "http.disconnect"}

    async def send(message: Any) -> None:
        raise OSError("connection lost")

    async def end() -> None:
        ended.append(True)

    asyncio.run(asyncio.wait_for(EventStream(one(), end)({"type": "http"}, receive, send), 10))  # type: ignore[arg-type]
    assert ended == [True]
