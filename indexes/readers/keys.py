"""Which ids came before, in little memory."""

from __future__ import annotations

from array import array

from indexes.readers import limits


class Keys:
    """Texts that were seen, as 64-bit hashes in a table with open addressing, since a set of texts takes ten times that.

    Of five million, two different ones are taken for the same with a probability of one in a million.
    """

    def __init__(self) -> None:
        self._table = array("q", bytes(8 * 1024))
        self._count = 0

    def add(self, text: str) -> bool:
        """Whether the text is new. When ``limits.MOST_KEYS`` are known, no more are remembered."""
        value = hash(text) or 1
        at = self._place(self._table, value)
        if self._table[at] == value:
            return False
        if self._count < limits.MOST_KEYS:
            self._table[at] = value
            self._count += 1
            if 2 * self._count > len(self._table):
                self._grow()
        return True

    @staticmethod
    def _place(table: array[int], value: int) -> int:
        """Where the value is, or the free place where it belongs."""
        last = len(table) - 1
        at = value & last
        while table[at] not in (0, value):
            at = (at + 1) & last
        return at

    def _grow(self) -> None:
        larger = array("q", bytes(2 * 8 * len(self._table)))
        for value in self._table:
            if value:
                larger[self._place(larger, value)] = value
        self._table = larger
