"""The tables of ``app.bench.sizing``: first what was measured, then the arithmetic."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from app.bench.sizing import DAY, MILLIONS, NODE, REPLICAS, SEARCHED, USABLE, WORKERS, Sizing, nodes, rule
from app.bench.sizing_cell import LOG, WORDS, Quantized

MILLION = 1_000_000


@dataclass(frozen=True, slots=True)
class Shown:
    """One table, with what is to be said about it."""

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    notes: tuple[str, ...] = ()

    def markdown(self) -> str:
        """As Markdown."""
        rule_ = tuple("---" if number == 0 else "---:" for number in range(len(self.columns)))
        lines = ["| " + " | ".join(row) + " |" for row in (self.columns, rule_, *self.rows)]
        return "\n".join([f"### {self.title}", "", *lines, "", *(f"{note}\n" for note in self.notes)])


def tables(found: Sizing) -> Iterator[Shown]:
    """All of them, in order."""
    yield _measured(found)
    yield _each(found)
    yield _million(found)
    yield _nodes(found)
    if found.pace:
        yield _encoding(found)


def _measured(found: Sizing) -> Shown:
    columns = ("dimensions, quantization", "passages", *found.parts, "own memory", "file pages", "CPU s")
    rows = tuple(
        (
            _kind(each.dimension, each.quantization),
            f"{each.points:,}",
            *(f"{_mb(each.disk[part]):.1f}" for part in found.parts),
            f"{_mb(each.own):.0f}",
            f"{_mb(each.mapped):.0f}",
            f"{each.cpu:.0f}",
        )
        for each in found.slices
    )
    notes = (
        (
            f"MB (10⁶ bytes) on disk by part, and of memory that opening and asking added. Passages of {WORDS} words; seed "
            f"{found.seed}. File pages include libraries and the log; the system may take them back. CPU: storing and indexing."
        ),
    )
    return Shown("Measured", columns, rows, notes)


def _each(found: Sizing) -> Shown:
    rows = [
        (part, *(_line(found, dimension, kind, part) for dimension, kind in found.kinds))
        for part in found.parts
        if part != LOG
    ]
    rows += [
        ("all on disk", *(f"{found.disk_each(*kind):,.0f}" for kind in found.kinds)),
        ("own memory", *(_heap(found, dimension) for dimension, _ in found.kinds)),
        ("to be in memory", *(f"{found.searched_each(*kind):,.0f}" for kind in found.kinds)),
    ]
    notes = (
        (
            "The slope of a line through the measured sizes, in bytes a passage, and in brackets the largest distance of a "
            "measured number from its line. The log, some tens of MB a slice, is not counted."
        ),
        *(
            f"To be in memory with quantization {kind}: {', '.join(parts)}, and the process's own memory."
            for kind, parts in SEARCHED.items()
        ),
    )
    return Shown("Each further passage", ("bytes", *(_kind(*kind) for kind in found.kinds)), tuple(rows), notes)


def _million(found: Sizing) -> Shown:
    rows = tuple(
        (
            _kind(*kind),
            f"{found.disk_each(*kind) * MILLION / 1e9:.2f}",
            f"{found.searched_each(*kind) * MILLION / 1e9:.2f}",
            f"{rule(MILLION, kind[0]) / 1e9:.2f}",
            f"{found.searched_each(*kind) * MILLION / rule(MILLION, kind[0]):.2f}",
            f"{found.index_cpu(*kind) * 1000 / 3600:.2f}",
        )
        for kind in found.kinds
    )
    columns = ("dimensions, quantization", "disk GB", "memory GB", "Qdrant's rule GB", "memory / rule", "CPU h")
    notes = (
        (
            "Arithmetic: bytes a passage × 10⁶. Qdrant's rule is its documentation's: dimensions × 4 bytes × 1.5, for whole "
            "vectors in memory. CPU hours are those of storing and indexing at the largest measured size; making a graph takes "
            "a little more for each passage as it grows."
        ),
    )
    return Shown("A million passages", columns, rows, notes)


def _nodes(found: Sizing) -> Shown:
    rows = tuple(
        (
            f"{millions:,} million",
            _kind(*kind),
            f"{found.disk_each(*kind) * millions * MILLION * REPLICAS / 1e9:,.0f}",
            f"{found.searched_each(*kind) * millions * MILLION * REPLICAS / 1e9:,.0f}",
            str(nodes(found.searched_each(*kind) * millions * MILLION)),
            str(nodes(rule(millions * MILLION, kind[0]))) if kind[1] == "none" else "–",
        )
        for millions in MILLIONS
        for kind in found.kinds
    )
    columns = ("passages", "dimensions, quantization", "disk GB", "memory GB", "nodes", "nodes by Qdrant's rule")
    notes = (
        (
            f"Arithmetic: all numbers with {REPLICAS} copies. Nodes have {NODE >> 30} GiB, {USABLE:.0%} of it for what should "
            "be there: nodes = ⌈bytes a passage × passages × copies ÷ (64 GiB × 0.8)⌉, and never fewer than there are copies."
        ),
    )
    return Shown("Nodes", columns, rows, notes)


def _encoding(found: Sizing) -> Shown:
    rows = tuple(
        (f"{millions:,} million", *(_days(millions * MILLION / (found.pace * workers)) for workers in WORKERS))
        for millions in MILLIONS
    )
    notes = (
        (
            f"Arithmetic: passages ÷ ({found.pace:.0f} passages a CPU second × workers), as measured with {found.encoder} on one "
            f"core and passages of {WORDS} words. Workers are taken not to slow one another down."
        ),
    )
    return Shown("Encoding", ("passages", *(f"{n} workers" if n > 1 else "1 worker" for n in WORKERS)), rows, notes)


def _line(found: Sizing, dimension: int, kind: Quantized, part: str) -> str:
    line = found.line(dimension, kind, part)
    return f"{line.each:,.0f} ({line.off:.1%})" if line.each >= 1 else "0"


def _heap(found: Sizing, dimension: int) -> str:
    line = found.heap(dimension)
    return f"{line.each:,.0f} ({line.off:.1%})"


def _kind(dimension: int, kind: Quantized) -> str:
    return f"{dimension}, {kind}"


def _mb(count: int) -> float:
    return count / 1e6


def _days(seconds: float) -> str:
    if seconds < 3600:
        return f"{seconds / 60:.0f} min"
    if seconds < DAY:
        return f"{seconds / 3600:.1f} h"
    return f"{seconds / DAY:,.1f} days" if seconds < 100 * DAY else f"{seconds / DAY:,.0f} days"
