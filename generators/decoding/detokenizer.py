"""From tokens to text while they arrive: whole characters only, and nothing of a stop string."""

from __future__ import annotations

from collections.abc import Callable, Sequence

REPLACEMENT = "\ufffd"  # what a tokenizer prints for bytes that are not (yet) a character


class Detokenizer:
    """Turns a stream of tokens into pieces of text whose concatenation is the decoded whole.

    Tokens may be pieces of a character, and a tokenizer may drop the space in front of the first token that it sees. So
    each step decodes the pending tokens together with those that were printed last, and emits only the difference, once
    it ends in a complete character.

    Parameters
    ----------
    decode
        Token ids to text.
    """

    def __init__(self, decode: Callable[[Sequence[int]], str]) -> None:
        self._decode = decode
        self._printed: list[int] = []
        self._pending: list[int] = []

    def push(self, token: int) -> str:
        """Text that ``token`` completes; empty while a character is unfinished."""
        self._pending.append(token)
        text = self._new_text()
        if not text or text.endswith(REPLACEMENT):
            return ""
        self._printed, self._pending = self._pending, []
        return text

    def close(self) -> str:
        """Complete characters still held at the end; bytes that never became a character are dropped."""
        text = self._new_text().rstrip(REPLACEMENT)
        self._printed, self._pending = [], []
        return text

    def _new_text(self) -> str:
        before = self._decode(self._printed) if self._printed else ""
        return self._decode([*self._printed, *self._pending])[len(before) :]


class StopFilter:
    """Lets text through up to the first stop string, holding back what may be the beginning of one.

    Parameters
    ----------
    stop
        Stop strings; empty ones are ignored.
    """

    def __init__(self, stop: Sequence[str] = ()) -> None:
        self._stop = tuple(text for text in stop if text)
        self._held = ""
        self.stopped = False

    def push(self, text: str) -> str:
        """The part of all text so far that is safe to show and was not shown before."""
        if self.stopped:
            return ""
        self._held += text
        found = [position for position in map(self._held.find, self._stop) if position >= 0]
        if found:
            self.stopped = True
            return self._release(min(found))
        return self._release(len(self._held) - self._open_length())

    def close(self) -> str:
        """What was held back and turned out not to be a stop string."""
        return "" if self.stopped else self._release(len(self._held))

    def _release(self, length: int) -> str:
        text, self._held = self._held[:length], self._held[length:]
        return text

    def _open_length(self) -> int:
        """Length of the longest end of the held text that begins a stop string."""
        longest = max((len(stop) - 1 for stop in self._stop), default=0)
        for length in range(min(longest, len(self._held)), 0, -1):
            if any(stop.startswith(self._held[-length:]) for stop in self._stop):
                return length
        return 0


class TextStream:
    """A detokenizer followed by a stop filter."""

    def __init__(self, decode: Callable[[Sequence[int]], str], stop: Sequence[str] = ()) -> None:
        self._detokenizer = Detokenizer(decode)
        self._filter = StopFilter(stop)

    @property
    def stopped(self) -> bool:
        """Whether a stop string was completed."""
        return self._filter.stopped

    def push(self, token: int) -> str:
        """Text to show after ``token``."""
        return self._filter.push(self._detokenizer.push(token))

    def close(self) -> str:
        """Text to show at the end."""
        return self._filter.push(self._detokenizer.close()) + self._filter.close()
