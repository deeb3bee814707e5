"""A language model behind an OpenAI-compatible server: messages in, text out, no logits."""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Self

from generators.decoding.decode import Reason
from generators.decoding.detokenizer import StopFilter
from generators.remote.client import Client
from generators.remote.grammar import Chunk, Thoughts
from generators.remote.refusals import Server, has_model, no_model_named, unknown_model
from indexes.errors import InputError

Messages = Sequence[dict[str, str]]
Cancelled = Callable[[], bool]

BYTES_PER_TOKEN = 3  # of UTF-8: English has 4 to 5, code 3, Chinese 3 to 5, so that the estimate errs to the safe side
TOKENS_PER_MESSAGE = 8  # of the chat template
MOST_STOPS = 4  # that OpenAI's protocol allows


@dataclass(frozen=True, slots=True)
class Usage:
    """What an answer cost.

    Parameters
    ----------
    prompt, answer
        Tokens, as the server counts them; 0 where it does not tell.
    first, seconds
        Wall time until the first piece of text and until the end.
    """

    prompt: int = 0
    answer: int = 0
    first: float = 0.0
    seconds: float = 0.0


class Reply:
    """The text of one answer as it comes. ``reason`` and ``usage`` are complete when it has ended.

    Closing it, or dropping it, closes the connection.
    """

    def __init__(self, arriving: Iterator[Chunk], stop: Sequence[str], limit: int) -> None:
        self.reason: Reason = ""
        self.usage = Usage()
        self._limit = limit
        self._pieces = self._read(arriving, StopFilter(stop), Thoughts())

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> str:
        return next(self._pieces)

    def close(self) -> None:
        """Leave: the server stops writing."""
        self._pieces.close()

    def _read(self, arriving: Iterator[Chunk], stop: StopFilter, thoughts: Thoughts) -> Generator[str]:
        started, first, tokens, thought = time.perf_counter(), 0.0, (0, 0), False
        try:
            for chunk in arriving:
                tokens, thought = chunk.tokens or tokens, thought or chunk.thought
                text = stop.push(thoughts.push(chunk.text))
                self.reason = "stop" if stop.stopped else chunk.end or self.reason
                if text:
                    first = first or time.perf_counter() - started
                    yield text
                if stop.stopped:
                    break
            if rest := stop.push(thoughts.close()) + stop.close():
                first = first or time.perf_counter() - started
                yield rest
        finally:
            self.usage = Usage(*tokens, first, time.perf_counter() - started)
            close = getattr(arriving, "close", None)
            if close is not None:
                close()
        if not first and (thought or thoughts.unfinished) and self.reason == "length":
            raise InputError(
                f"The language model thought for {self._limit} tokens and said nothing.",
                "Raise generation.max_tokens, or use a model that does not think aloud.",
            )


class RemoteModel:
    """A model of a server. The constructor asks nothing of it. Safe to share between threads.

    Parameters
    ----------
    server
        Base URL, such as ``http://localhost:11434/v1``.
    model
        Its name there; empty for the only one that the server has.
    key
        Sent as a bearer token; empty for none.
    timeout
        Seconds to wait for the next piece of an answer.
    window
        Tokens that the model reads, prompt and answer together.

    Raises
    ------
    SettingsError
        The URL or the key cannot be one.
    """

    def __init__(self, server: str, model: str = "", key: str = "", timeout: float = 120.0, window: int = 4096) -> None:
        self.client = Client(server, key, timeout)
        self.window = window
        self._model = model

    def __repr__(self) -> str:
        return f"RemoteModel({self.client.url!r}, {self._model!r})"

    @property
    def name(self) -> str:
        """Name of the model at the server; the server's URL while none was named or found."""
        return self._model or self.client.url

    def load(self) -> list[str] | None:
        """Ask the server whether it has the model, and give the names of all; None, and no error, where it has no list.

        Raises
        ------
        SymposiaError
            It is out of reach, refuses the key, or has no such model.
        """
        offered = self.client.models()
        self._choose(offered)
        return offered

    def models(self) -> list[str] | None:
        """Names of the server's models; see ``Client.models``."""
        return self.client.models()

    def tokens(self, messages: Messages) -> int:
        """How many tokens the messages are, estimated from their bytes, rather too many than too few."""
        size = sum(len(message["content"].encode()) for message in messages)
        return size // BYTES_PER_TOKEN + TOKENS_PER_MESSAGE * len(messages)

    def stream(
        self,
        messages: Messages,
        *,
        max_tokens: int,
        temperature: float = 0.0,
        seed: int = 0,
        stop: Sequence[str] = (),
        cancelled: Cancelled | None = None,
    ) -> Reply:
        """One answer as it is written. The server is asked when the first piece is drawn.

        Parameters
        ----------
        stop
            Strings that end the answer; neither they nor their beginnings are given, whether or not the server knows them.
        cancelled
            Looked at every 50 ms; once true, the connection is closed and the stream ends.

        Raises
        ------
        SymposiaError
            While pieces are drawn: see ``generators.remote.refusals``.
        """
        asked = self._asked(messages, max_tokens, temperature, seed, tuple(filter(None, stop)), cancelled)
        return Reply(asked, stop, max_tokens)

    def _asked(
        self,
        messages: Messages,
        max_tokens: int,
        temperature: float,
        seed: int,
        stop: tuple[str, ...],
        cancelled: Cancelled | None,
    ) -> Iterator[Chunk]:
        if not self._model:
            self._choose(self.client.models())
        body: dict[str, Any] = {
            "model": self._model,
            "messages": list(messages),
            "max_tokens": max_tokens,
            "temperature": temperature,
            "seed": seed,
            "stream": True,
            "stream_options": {"include_usage": True},
        }
        if stop:
            body["stop"] = list(stop[:MOST_STOPS])
        yield from self.client.complete(body, cancelled)

    def _choose(self, offered: Sequence[str] | None) -> None:
        server = Server(self.client.url, self._model, offered)
        if not self._model:
            if offered is None or len(offered) != 1:
                raise no_model_named(server)
            self._model = offered[0]
        elif offered is not None and not has_model(offered, self._model):
            raise unknown_model(server)
