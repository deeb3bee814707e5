"""A server on this machine that speaks OpenAI's protocol as the test tells it to."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


def event(text: str | None = None, **more: Any) -> bytes:
    """One server-sent event with a piece of an answer."""
    delta = {} if text is None else {"content": text}
    choice = {"index": 0, "delta": delta, "finish_reason": more.pop("end", None)}
    return f"data: {json.dumps({'choices': [choice]} | more)}\n\n".encode()


def usage(prompt: int, answer: int) -> bytes:
    counted = {"prompt_tokens": prompt, "completion_tokens": answer}
    return f"data: {json.dumps({'choices': [], 'usage': counted})}\n\n".encode()


DONE = b"data: [DONE]\n\n"


@dataclass
class Reaction:
    """What the server does with one request for a completion; with status 0 it hangs up."""

    status: int = 200
    parts: list[bytes] = field(default_factory=list)
    headers: dict[str, str] = field(default_factory=dict)
    silence: float = 0.0  # seconds before it says anything
    pause: float = 0.0  # seconds between parts


def says(*pieces: str, end: str = "stop") -> Reaction:
    return Reaction(parts=[*map(event, pieces), event(end=end), usage(12, len(pieces)), DONE])


def refuses(status: int, message: str = "", **headers: str) -> Reaction:
    body = json.dumps({"error": {"message": message}}).encode() if message else b""
    return Reaction(status, [body], {name.replace("_", "-"): value for name, value in headers.items()})


@dataclass
class Served:
    """The fake server: ``reactions`` are used up in order, the last one again and again."""

    url: str
    reactions: list[Reaction] = field(default_factory=list)
    models: list[str] | None = field(default_factory=lambda: ["tiny"])
    no_list: int = 404  # the status where there are none
    key: str = ""
    asked: list[dict[str, Any]] = field(default_factory=list)
    keys: list[str] = field(default_factory=list)
    left: threading.Event = field(default_factory=threading.Event)
    react: Callable[[dict[str, Any]], Reaction] | None = None

    def next(self, body: dict[str, Any]) -> Reaction:
        if self.react is not None:
            return self.react(body)
        return self.reactions.pop(0) if len(self.reactions) > 1 else self.reactions[0]


class Speaker(BaseHTTPRequestHandler):
    """Answers one request; ``state`` says how."""

    state: Served

    def do_GET(self) -> None:
        if not self._allowed():
            return
        if self.state.models is None or self.path != "/v1/models":
            self._send(refuses(self.state.no_list, "no such page"))
            return
        listed = {"object": "list", "data": [{"id": name} for name in self.state.models]}
        self._send(Reaction(parts=[json.dumps(listed).encode()]))

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.state.keys.append(self.headers.get("Authorization", ""))
        if not self._allowed():
            return
        if self.path != "/v1/chat/completions":
            self._send(refuses(404, "no such page"))
            return
        self.state.asked.append(body)
        self._send(self.state.next(body))

    def _allowed(self) -> bool:
        if not self.state.key or self.headers.get("Authorization") == f"Bearer {self.state.key}":
            return True
        self._send(refuses(401, f"bad key {self.headers.get('Authorization', '')}"))
        return False

    def _send(self, reaction: Reaction) -> None:
        if reaction.silence and not self._still_there(reaction.silence):
            return
        if not reaction.status:
            return
        self.send_response(reaction.status)
        for name, value in reaction.headers.items():
            self.send_header(name, value)
        self.end_headers()  # without a length: the end of the connection ends the answer
        try:
            for part in reaction.parts:
                self.wfile.write(part)
                self.wfile.flush()
                time.sleep(reaction.pause)
        except OSError:
            self.state.left.set()

    def _still_there(self, seconds: float) -> bool:
        """Wait, and notice if the asker leaves meanwhile."""
        self.connection.settimeout(seconds)
        try:
            gone = not self.connection.recv(1)
        except TimeoutError:
            return True
        except OSError:
            gone = True
        if gone:
            self.state.left.set()
        return not gone

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


@contextmanager
def language_server() -> Iterator[Served]:
    """A server for the length of a ``with``."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Speaker)
    server.daemon_threads = True
    state = Served(f"http://127.0.0.1:{server.server_port}")
    server.RequestHandlerClass = type("Handler", (Speaker,), {"state": state})
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    try:
        yield state
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
