"""Asking a server: what may pass is tried again, what the server does not know is left out, the rest is an error."""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any
from urllib.parse import urlsplit

from generators.remote.exchange import Call, Cancel, Cancelled, Exchange, Head, Lost
from generators.remote.grammar import Chunk, Garbled, chunks, message_of
from generators.remote.refusals import Refused, Server, garbled, lost, refusal
from indexes.errors import SettingsError, SymposiaError

log = logging.getLogger(__name__)

WAITS = (0.5, 1.0, 2.0)  # seconds before the second, third and fourth attempt
LONGEST_WAIT = 20.0  # seconds, where the server says how long
PASSING = frozenset({408, 425, 429, 500, 502, 503, 504, 529})
LISTING = 10.0  # seconds for the list of models, at most
RENAMED = {"max_tokens": "max_completion_tokens"}
OPTIONAL = ("stream_options", "seed", "temperature", "stop", *RENAMED)
UNSUPPORTED = ("unsupported", "not supported", "unrecognized", "unknown", "not permitted", "extra inputs", "unexpected")


class Client:
    """A server's address and key.

    Parameters
    ----------
    url
        Base URL; where it has no path, ``/v1`` is meant.
    key
        Sent as a bearer token; empty for none. It appears in no error and no log.
    timeout
        Seconds to wait for the next piece of an answer.

    Raises
    ------
    SettingsError
        The URL is none, or holds a password; the key has characters that no header can carry.
    """

    def __init__(self, url: str, key: str = "", timeout: float = 120.0) -> None:
        self.url = base_url(url)
        self.timeout = timeout
        self._key = key.strip()
        if not (self._key.isascii() and self._key.isprintable()):
            raise SettingsError(
                "models.server_key holds characters that no key has (it is not shown).", "Copy the key again."
            )
        self._left_out: frozenset[str] = frozenset()
        self._sleep: Callable[[float], None] = time.sleep

    def __repr__(self) -> str:
        return f"Client({self.url!r})"

    def complete(self, body: Mapping[str, Any], cancelled: Cancelled | None = None) -> Iterator[Chunk]:
        """Stream one chat completion; one that is cancelled just ends.

        Until something was said, an attempt that met a passing trouble (a status in ``PASSING``, a silent server, a
        broken connection) is repeated after ``WAITS``, or after what the server's ``Retry-After`` says.

        Raises
        ------
        SymposiaError
            See ``generators.remote.refusals``.
        """
        server, failed = Server(self.url, str(body["model"])), 0
        while True:
            said, sent = False, self._understood(body)
            try:
                for chunk in self._attempt(sent, cancelled):
                    said = said or bool(chunk.text)
                    yield chunk
                return
            except Cancel:
                return
            except Garbled as error:
                raise garbled(server, self._hidden(str(error))) from None
            except (Lost, Refused) as error:
                if self._learns(error, sent):
                    continue
                failed += 1
                wait = None if said else pause(error, failed)
                if wait is None:
                    raise self._explained(server, error) from None
                log.info("%s did not answer (%s); next attempt in %.1f s", self.url, kind_of(error), wait)
                if not self._rested(wait, cancelled):
                    return

    def models(self) -> list[str] | None:
        """Names of the models that the server offers, in its order; None where it has no such list to show.

        Raises
        ------
        SymposiaError
            The server is out of reach, or refuses the key.
        """
        server = Server(self.url, "")
        call = Call(f"{self.url}/models", self._headers(), None, min(self.timeout, LISTING))
        try:
            with Exchange(call) as exchange:
                self._accept(exchange.head(), exchange)
                return _names("\n".join(exchange.lines()))
        except Garbled:
            return None
        except Lost as error:
            raise lost(server, error) from None
        except Refused as error:
            if error.status in {401, 403} or 300 <= error.status < 400:
                raise refusal(server, error) from None
            return None  # a server may write well although its list is broken

    def _attempt(self, body: Mapping[str, Any], cancelled: Cancelled | None) -> Iterator[Chunk]:
        call = Call(f"{self.url}/chat/completions", self._headers(), body, self.timeout)
        with Exchange(call, cancelled) as exchange:
            self._accept(exchange.head(), exchange)
            yield from chunks(exchange.lines())

    def _accept(self, head: Head, exchange: Exchange) -> None:
        if head.status != 200:
            message = self._hidden(message_of("\n".join(exchange.lines())))
            raise Refused(head.status, message, dict(head.headers))

    def _headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self._key}"} if self._key else {}

    def _hidden(self, text: str) -> str:
        """The text without the key, should a server repeat it."""
        return text.replace(self._key, "(key)") if self._key else text

    def _understood(self, body: Mapping[str, Any]) -> dict[str, Any]:
        """The body without what this server was found not to know."""
        names = {name: RENAMED.get(name) if name in self._left_out else name for name in body}
        return {name: body[old] for old, name in names.items() if name}

    def _learns(self, error: Lost | Refused, sent: Mapping[str, Any]) -> bool:
        """Whether the server refused an option that was sent and it can do without, which from now on is left out or renamed.

        Of requests that are under way together each may be refused for the same option, which all then leave out.
        """
        if not isinstance(error, Refused) or error.status not in {400, 422}:
            return False
        said = error.message.lower()
        if not any(word in said for word in UNSUPPORTED):
            return False
        unknown = next((name for name in OPTIONAL if name in sent and name in said), None)
        if unknown is not None and unknown not in self._left_out:
            log.warning("%s does not know %s: left out from now on", self.url, unknown)
            self._left_out |= {unknown}
        return unknown is not None

    def _explained(self, server: Server, error: Lost | Refused) -> SymposiaError:
        if isinstance(error, Lost):
            return lost(server, error)
        if error.status in {400, 404}:
            server = Server(server.url, server.model, self._offered())
        return refusal(server, error)

    def _offered(self) -> list[str] | None:
        try:
            return self.models()
        except SymposiaError:
            return None

    def _rested(self, seconds: float, cancelled: Cancelled | None) -> bool:
        """Wait; False where it was cancelled meanwhile."""
        left = seconds
        while left > 0:
            if cancelled is not None and cancelled():
                return False
            self._sleep(min(left, 0.1))
            left -= 0.1
        return True


def pause(error: Lost | Refused, failed: int) -> float | None:
    """Seconds until the next attempt, after so many failed ones; None where another would not help."""
    if isinstance(error, Lost):
        most = {"unreachable": 0, "silent": 1, "broken": len(WAITS)}[error.kind]
        return WAITS[failed - 1] if failed <= most else None
    if error.status not in PASSING or failed > len(WAITS):
        return None
    told = error.headers.get("retry-after", "")
    return min(float(told), LONGEST_WAIT) if told.isdigit() else WAITS[failed - 1]


def kind_of(error: Lost | Refused) -> str:
    """A word for the log."""
    return error.kind if isinstance(error, Lost) else f"HTTP {error.status}"


def base_url(url: str) -> str:
    """The base URL without a slash at its end; ``/v1`` where only a host and a port are given.

    >>> base_url("http://localhost:11434"), base_url("https://models.example/api/v3/")
    ('http://localhost:11434/v1', 'https://models.example/api/v3')
    """
    try:
        parts = urlsplit(url.strip())
        sound = parts.scheme in {"http", "https"} and bool(parts.hostname) and (parts.port is None or parts.port > 0)
    except ValueError:
        sound = False
    if not sound or parts.query or parts.fragment or any(map(str.isspace, url.strip())):
        raise SettingsError(
            f"models.server is {url!r}, which is not the URL of a server.",
            "Write it as http://localhost:11434/v1, or leave it empty to use the language model held here.",
        )
    if parts.username is not None or parts.password is not None:
        raise SettingsError(
            f"models.server holds a name or password for {parts.hostname}.",
            "Leave it out of the URL; a key goes into models.server_key.",
        )
    path = parts.path.rstrip("/").removesuffix("/chat/completions")
    return f"{parts.scheme}://{parts.netloc}{path or '/v1'}"


def _names(text: str) -> list[str]:
    try:
        return [str(entry["id"]) for entry in json.loads(text)["data"] or ()]
    except (ValueError, LookupError, TypeError):
        raise Garbled("it sent no list of models") from None
