"""Lines of a file, one at a time, none of them too long to hold."""

from __future__ import annotations

from collections.abc import Iterator
from typing import BinaryIO

from indexes.readers import limits

_PIECE = 1 << 20


def numbered(file: BinaryIO) -> Iterator[tuple[int, bytes | None]]:
    """Number and bytes of each line, from 1 on; ``None`` for one that is too long, which is passed over in pieces."""
    number = 0
    while line := file.readline(limits.LONGEST_LINE + 1):
        number += 1
        if len(line) <= limits.LONGEST_LINE:
            yield number, line
            continue
        while line and not line.endswith(b"\n"):
            line = file.readline(_PIECE)
        yield number, None
