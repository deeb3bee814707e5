"""Asking a Qdrant server: what is tried again, after how long, and what its refusals mean."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Sequence
from json import JSONDecodeError
from typing import TYPE_CHECKING, TypeVar

from indexes.errors import StoreError

if TYPE_CHECKING:
    from qdrant_client import QdrantClient

T = TypeVar("T")

PAUSES = (0.1, 0.5, 2.0)
LONGEST = 30.0  # seconds of a pause that a server may ask for
OLDEST = (1, 10)  # the first with batches of nested queries and inverse document frequencies
AGAIN = (429, 502, 503, 504)
GRPC_STATUS = {
    "UNAUTHENTICATED": 401,
    "PERMISSION_DENIED": 403,
    "NOT_FOUND": 404,
    "ALREADY_EXISTS": 409,
    "INVALID_ARGUMENT": 400,
    "RESOURCE_EXHAUSTED": 429,
    "UNAVAILABLE": 503,
    "DEADLINE_EXCEEDED": 408,
}


class RefusedError(StoreError):
    """The server answered, or did not; ``status`` is as in HTTP, 0 where nothing came back.

    Parameters
    ----------
    status
        What the server answered.
    """

    def __init__(self, problem: str, fix: str, status: int = 0) -> None:
        super().__init__(problem, fix)
        self.status = status


class Connection:
    """A client whose calls are repeated where that does no harm, and whose errors are meant for people.

    All that a store asks may be repeated: points are written by id. A timeout is not, since somebody said how long to wait.

    Parameters
    ----------
    client
        Connected to a server by URL, or ``QdrantClient(":memory:")``.
    url
        Address of the server, for messages.
    pauses
        Seconds before each further attempt.
    """

    def __init__(self, client: QdrantClient, url: str = "", pauses: Sequence[float] = PAUSES) -> None:
        self.client = client
        self.url = url
        self.pauses = tuple(pauses)
        self._checked = not url

    def ask(self, what: str, collection: str, call: Callable[[QdrantClient], T]) -> T:
        """Do it, again after a pause where the server was busy or the connection broke; a ``RefusedError`` at last.

        Parameters
        ----------
        what
            The action in words, such as ``store passages``.
        collection
            Name of the collection that it is about.
        """
        for pause in (*self.pauses, None):
            try:
                answer = call(self.client)
                if answer is None:  # of some calls the client does not ask whether the server said that they were done
                    raise AssertionError("The answer has no result.")
                return answer
            except _errors() as error:
                status, asked = _status(error), _asked_pause(error)
                if pause is None or not _passes(error, status):
                    raise self._refused(what, collection, error, status) from error
            time.sleep(min(LONGEST, max(pause, asked)))
        raise AssertionError("unreachable")

    def check_version(self) -> None:
        """Raise a ``StoreError`` where the server is older than what is asked of it; asks once."""
        if self._checked:
            return
        version = str(self.ask("read its version", "", lambda client: client.info()).version)
        numbers = tuple(int(part) for part in re.findall(r"\d+", version)[:2])
        if numbers and numbers < OLDEST:
            needed = ".".join(map(str, OLDEST))
            raise StoreError(
                f"The Qdrant server at {self.url} is version {version}; {needed} or later is needed.",
                "Update it (docker pull qdrant/qdrant), or leave [store] url empty for the embedded store.",
            )
        self._checked = True

    def _refused(self, what: str, collection: str, error: Exception, status: int) -> RefusedError:
        where = f"The Qdrant server at {self.url}" if self.url else "The Qdrant server"
        about = f" for collection {collection!r}" if collection else ""
        said = " ".join(str(_said(error)).split())[:500]
        if status in (401, 403):
            return RefusedError(
                f"{where} refused the key{about} ({what}): {said}",
                "Set [store] api_key, or SYMPOSIA_STORE_API_KEY, to a key of that server that may write.",
                status,
            )
        if status == 404:
            return RefusedError(
                f"{where} has nothing of that name{about} ({what}): {said}",
                "It was removed there, or [store] url is of another server. Restore a backup, or add the documents again.",
                status,
            )
        if status == 413:
            return RefusedError(
                f"{where} takes no message that large{about} ({what}): {said}",
                "Raise its service.max_request_size_mb, or split documents into smaller passages ([split] size).",
                status,
            )
        if 400 <= status < 500 and status not in (408, 429):
            return RefusedError(
                f"{where} did not accept what was asked{about} ({what}): {said}",
                "Compare its version and its collection with what this version of Symposia expects: `symposia doctor`.",
                status,
            )
        return RefusedError(
            f"{where} did not answer{about} ({what}): {said}",
            "Check that the server runs and that [store] url, api_key and timeout are right, then run the same command "
            "again: what was stored stays, and nothing is stored twice.",
            status,
        )


def _errors() -> tuple[type[Exception], ...]:
    from grpc import RpcError
    from qdrant_client.common.client_exceptions import QdrantException
    from qdrant_client.http.exceptions import ApiException

    # The client asserts that an answer has a result, and lets out what its parser says of one that is no JSON.
    return (ApiException, QdrantException, RpcError, ConnectionError, TimeoutError, AssertionError, JSONDecodeError)


def _status(error: Exception) -> int:
    from grpc import RpcError
    from qdrant_client.common.client_exceptions import ResourceExhaustedResponse

    if isinstance(error, ResourceExhaustedResponse):
        return 429
    if isinstance(error, RpcError):
        name = getattr(getattr(error, "code", lambda: None)(), "name", "")
        too_large = name == "RESOURCE_EXHAUSTED" and "larger than" in str(_said(error))  # of a message, not of requests
        return 413 if too_large else GRPC_STATUS.get(name, 0)
    return int(getattr(error, "status_code", 0) or 0)


def _passes(error: Exception, status: int) -> bool:
    """Whether the same may work in a moment."""
    if status:
        return status in AGAIN
    from httpx import NetworkError, RemoteProtocolError

    return isinstance(getattr(error, "source", error), (NetworkError, RemoteProtocolError, ConnectionError))


def _asked_pause(error: Exception) -> float:
    """Seconds that the server asked to wait."""
    return float(getattr(error, "retry_after_s", 0) or 0)


def _said(error: Exception) -> object:
    source = getattr(error, "source", error)
    details = getattr(source, "details", None)
    said = details() if callable(details) else source
    return said if str(said) else type(source).__name__
