"""What a case is, and how valid files are damaged."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

Build = Callable[[Path], Path]

TOKENS = (
    b"\x00", b"\xff", b"\xfe\xff", b"\xff\xfe\x00\x00", b"\xef\xbb\xbf", b"\xed\xa0\x80", b"\xc0\xaf", b"\xf4\x90\x80\x80",
    "\u202e".encode(), "\u2028".encode(), "\ufffd".encode(), "e\u0301".encode(), "😀".encode(), "\U000e0041".encode(),
    b"\r", b"\n\n", b"\t", b"\x0b\x0c\x1b[31m", b"-1", b"4294967296", b"9" * 400, b"1e999", b"NaN", b'"', b"'", b"\\", b"%s%n",
    b"../../../../etc/passwd", b"<" * 50, b"[" * 500, b"{" * 500, b"(" * 500, b"&#xD800;", b"\\ud83d", b" " * 3000, b"a" * 3000,
)  # fmt: skip


LARGE = 20_000  # bytes that take a parser a moment


@dataclass(frozen=True, slots=True)
class Case:
    """One input.

    Parameters
    ----------
    kind
        What is counted together.
    name
        Tells it from the others of its kind.
    build
        Writes it into an empty folder and gives the path that is to be read.
    heavy
        Whether it takes seconds, or hundreds of megabytes on the disk.
    during
        What happens to the folder when the first document was read.
    """

    kind: str
    name: str
    build: Build
    heavy: bool = False
    during: Callable[[Path], None] | None = None


def file(
    kind: str, label: str, name: str, data: bytes | str | Callable[[], bytes], *, heavy: bool | None = None
) -> Case:
    """A case of one file. A large one, or one that is made when it is needed, is heavy unless it is said not to be."""

    def build(folder: Path) -> Path:
        made = data() if callable(data) else data
        path = folder / name
        path.write_bytes(made.encode("utf-8", "surrogatepass") if isinstance(made, str) else made)
        return path

    return Case(kind, label, build, callable(data) or len(data) > LARGE if heavy is None else heavy)


def mutated(kind: str, name: str, seeds: list[bytes], count: int, seed: int) -> Iterator[Case]:
    """``count`` cases, each of which damages one of the valid files ``seeds`` at random places."""
    for number in range(count):
        rng = random.Random(f"{kind}:{seed}:{number}")
        data = rng.choice(seeds)
        yield file(f"{kind} mutated", str(number), name, damaged(data, rng))


def damaged(data: bytes, rng: random.Random) -> bytes:
    """The bytes with one to eight changes."""
    changed = bytearray(data)
    for _ in range(rng.choice([1, 1, 2, 3, 8])):
        _change(changed, rng)
    return bytes(changed)


def _change(data: bytearray, rng: random.Random) -> None:
    at = rng.randrange(len(data) + 1)
    end = min(len(data), at + int(rng.expovariate(1 / 30)))
    kind = rng.randrange(8)
    if kind == 0:
        del data[at:]
    elif kind == 1:
        del data[at:end]
    elif kind == 2:
        data[at:at] = rng.choice(TOKENS)
    elif kind == 3:
        data[at:end] = rng.choice(TOKENS)
    elif kind == 4:
        data[at:end] = rng.randbytes(end - at)
    elif kind == 5:
        data[at:at] = data[at:end] * rng.choice([2, 50])
    elif kind == 6:
        other = rng.randrange(len(data) + 1)
        data[at:end] = data[other : other + end - at]
    elif data:
        data[min(at, len(data) - 1)] ^= 1 << rng.randrange(8)
