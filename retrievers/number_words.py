"""Numbers in words, as digits: "forty-two" and "three hundred and five"."""

from __future__ import annotations

import re
from collections.abc import Mapping

_TO_NINETEEN = (
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen "
    "eighteen nineteen"
)
_SMALL: Mapping[str, int] = {word: value for value, word in enumerate(_TO_NINETEEN.split())}
_TENS: Mapping[str, int] = {
    word: 10 * value
    for value, word in enumerate(
        ["twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"], start=2
    )
}
_SCALES: Mapping[str, int] = {"thousand": 1_000, "million": 1_000_000, "billion": 1_000_000_000}

_WORD = "|".join([*_SMALL, *_TENS, "hundred", *_SCALES])
# "7-eleven" and "nine-to-five" are names, not numbers
_RUN = re.compile(rf"(?<![\w-])(?:{_WORD})(?:(?:-|\s+(?:and\s+)?)(?:{_WORD}))*(?![\w-])", re.IGNORECASE)
_PIECE = re.compile(r"[a-z]+", re.IGNORECASE)


def digits(text: str) -> str:
    """The text with each number that is written in words as digits.

    >>> digits("Add three hundred and five to twelve and thirty")
    'Add 305 to 12 and 30'
    >>> digits("one two three")
    '1 2 3'
    """
    return _RUN.sub(lambda match: _numbers(match[0]), text)


class _Number:
    """One number, as its words come."""

    def __init__(self) -> None:
        self.total = 0  # what stands before the last scale
        self.group = 0  # below a thousand
        self.room = 1000  # what comes next must be smaller
        self.scale = 10**12
        self.begun = False

    def take(self, word: str) -> bool:
        """Add the word; whether it can go on this number."""
        if word == "hundred":
            return self._hundred()
        if word in _SCALES:
            return self._scale(_SCALES[word])
        value = _SMALL.get(word, _TENS.get(word, 0))
        if value >= self.room or (value == 0 and self.begun):
            return False
        self.group += value
        self.room = 10 if word in _TENS else 0
        self.begun = True
        return True

    @property
    def value(self) -> int:
        return self.total + self.group

    def _hundred(self) -> bool:
        if not 0 < self.group < 10:
            return False
        self.group, self.room = self.group * 100, 100
        return True

    def _scale(self, scale: int) -> bool:
        if not self.group or scale >= self.scale:
            return False
        self.total += self.group * scale
        self.group, self.room, self.scale = 0, 1000, scale
        return True


def _numbers(run: str) -> str:
    """A run of number words, which may be several numbers."""
    pieces: list[str] = []
    number, joint = _Number(), ""
    for match in _PIECE.finditer(run):
        word = match[0].lower()
        if word == "and":
            joint = " and "
            continue
        # "and" goes on a number behind a hundred or a thousand only: "twelve and thirty" are two
        whole = not joint or number.room in (100, 1000)
        if not (whole and number.take(word)):
            pieces += [str(number.value), joint or " "]
            number = _Number()
            if not number.take(word):
                return run
        joint = ""
    return "".join([*pieces, str(number.value)])
