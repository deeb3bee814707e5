"""One request to a server, on an event loop in a thread of its own.

So the asker is never stuck in a read: it hears ``cancelled`` while the server is still silent, and when it leaves, at
whatever point, the connection is closed, by which every common server knows that it may stop working on the answer.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cache
from queue import Empty, SimpleQueue
from types import TracebackType
from typing import TYPE_CHECKING, Any, Literal, Self

from generators.remote.grammar import Garbled

if TYPE_CHECKING:
    import ssl

    import httpx

Cancelled = Callable[[], bool]

POLL = 0.05  # seconds between two looks at ``cancelled``
CONNECT = 10.0  # seconds for a connection, at most
LONGEST_LINE = 1 << 22  # bytes
LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})


class Lost(Exception):  # noqa: N818 (a finding, turned into an error for people by ``refusals``)
    """No answer came: the server is out of reach, was silent for too long, or broke off."""

    def __init__(self, kind: Literal["unreachable", "silent", "broken"], reason: str) -> None:
        super().__init__(reason)
        self.kind = kind
        self.reason = reason


class Cancel(Exception):  # noqa: N818 (how a cancelled exchange ends)
    """The asker wants no answer any more."""


@dataclass(frozen=True, slots=True)
class Call:
    """What is asked.

    Parameters
    ----------
    body
        Sent as JSON; None for a GET.
    timeout
        Seconds to wait for the next piece of an answer.
    """

    url: str
    headers: Mapping[str, str] = field(repr=False)
    body: Mapping[str, Any] | None
    timeout: float


@dataclass(frozen=True, slots=True)
class Head:
    """How the server answers: the status, and the headers by their names in small letters."""

    status: int
    headers: Mapping[str, str]


class Exchange:
    """A call under way. Use it as a context; ``head`` comes before ``lines``.

    Parameters
    ----------
    cancelled
        Asked every ``POLL`` seconds; once true, ``head`` and ``lines`` raise ``Cancel``.
    """

    def __init__(self, call: Call, cancelled: Cancelled | None = None) -> None:
        self._call = call
        self._cancelled = cancelled
        self._arrived: SimpleQueue[Head | str | Exception | None] = SimpleQueue()
        self._begun = threading.Event()
        self._stop: Callable[[], object] = _nothing
        self._thread = threading.Thread(target=self._work, name="symposia-server", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._begun.wait()
        with suppress(RuntimeError):  # the loop has ended meanwhile
            self._stop()
        self._thread.join()

    def head(self) -> Head:
        """Wait for the status. Raises ``Lost`` or ``Cancel``."""
        head = self._next()
        assert isinstance(head, Head)
        return head

    def lines(self) -> Iterator[str]:
        """Lines of the body as they come. Raises ``Lost``, ``Garbled`` or ``Cancel``."""
        while (line := self._next()) is not None:
            assert isinstance(line, str)
            yield line

    def _next(self) -> Head | str | None:
        while True:
            if self._cancelled is not None and self._cancelled():
                raise Cancel
            try:
                item = self._arrived.get(timeout=POLL)
            except Empty:
                continue
            if isinstance(item, Exception):
                raise item
            return item

    def _work(self) -> None:
        try:
            asyncio.run(self._talk())
        except asyncio.CancelledError:
            self._arrived.put(Cancel())
        finally:
            self._begun.set()

    async def _talk(self) -> None:
        import httpx

        loop, task = asyncio.get_running_loop(), asyncio.current_task()
        assert task is not None
        self._stop = lambda: loop.call_soon_threadsafe(task.cancel)
        self._begun.set()
        call = self._call
        try:
            async with _client(call) as client:
                asked = client.stream(
                    "GET" if call.body is None else "POST", call.url, headers=call.headers, json=call.body
                )
                async with asked as response:
                    self._arrived.put(Head(response.status_code, dict(response.headers)))
                    async for line in _lines(response):
                        self._arrived.put(line)
            self._arrived.put(None)
        except (httpx.HTTPError, OSError) as error:
            self._arrived.put(_lost(error, call.timeout))
        except Garbled as error:
            self._arrived.put(error)


async def _lines(response: httpx.Response) -> AsyncIterator[str]:
    """Lines that end in a line feed; httpx would also split at U+2028, which may stand inside JSON."""
    held = b""
    async for piece in response.aiter_bytes():
        *whole, held = (held + piece).split(b"\n")
        for line in whole:
            yield _text(line)
        if len(held) > LONGEST_LINE:
            raise Garbled(f"it sent a line of more than {LONGEST_LINE} bytes")
    if held:
        yield _text(held)


def _text(line: bytes) -> str:
    try:
        return line.rstrip(b"\r").decode("utf-8")
    except UnicodeDecodeError:
        raise Garbled("it sent what is not UTF-8") from None


def _client(call: Call) -> httpx.AsyncClient:
    """A client for one call. A server on this machine is not asked through a proxy, and redirects are not followed."""
    import httpx

    url = httpx.URL(call.url)
    verify = _trusted() if url.scheme == "https" else False  # without TLS there is nothing to read certificates for
    timeout = httpx.Timeout(call.timeout, connect=min(call.timeout, CONNECT))
    return httpx.AsyncClient(timeout=timeout, verify=verify, trust_env=url.host not in LOOPBACK)


@cache
def _trusted() -> ssl.SSLContext:
    """Certificates to trust: reading them takes longer than an exchange, so it is done once."""
    import httpx

    return httpx.create_ssl_context()


def _lost(error: Exception, timeout: float) -> Lost:
    import httpx

    reason = str(error).strip().rstrip(".") or type(error).__name__
    if isinstance(error, httpx.ConnectTimeout):
        return Lost("unreachable", f"no connection within {min(timeout, CONNECT):g} s")
    if isinstance(error, httpx.TimeoutException):
        return Lost("silent", f"nothing came for {timeout:g} s")
    if isinstance(error, httpx.ConnectError | httpx.UnsupportedProtocol | httpx.ProxyError):
        return Lost("unreachable", reason)
    return Lost("broken", reason)


def _nothing() -> None:
    """Stop what has not begun."""
