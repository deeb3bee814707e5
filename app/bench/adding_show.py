"""What adding costs, as a table beside its targets."""

from __future__ import annotations

from app.bench.adding import MOST, RATIO, SHARE, Found
from app.cli.output import Output


def show(found: Found, output: Output) -> None:
    """Write it for people."""
    twice, pace = found.twice, found.pace
    rows = [
        (
            "adding",
            f"{twice.documents:,} documents",
            f"{twice.first:.1f} s, {twice.embedded[0]:,} texts embedded",
            "",
            "",
        ),
        (
            "adding them again",
            f"{twice.documents:,} documents",
            f"{twice.second:.2f} s, {twice.embedded[1]} texts embedded",
            f"0 embedded, < {SHARE:.0%} of the time",
            _met(met=twice.embedded[1] == 0 and twice.share < SHARE),
        ),
        (
            "… as a share of the first time",
            "",
            f"{twice.share:.2%}",
            "",
            "",
        ),
        (
            f"again, with {twice.changed} changed",
            f"{twice.documents:,} documents",
            f"{twice.third:.2f} s, {twice.embedded[2]} texts embedded",
            f"{twice.expected} embedded",
            _met(met=twice.embedded[2] == twice.expected),
        ),
    ]
    if pace is not None:
        n = f"{pace.repetitions} × {pace.passages:,} passages"
        rows += [
            ("bare encoder", n, f"{pace.bare} texts/s", "", ""),
            ("adding", n, f"{pace.adding} texts/s", "", ""),
            ("adding / bare encoder", n, str(pace.ratio), f"≥ {RATIO}", _met(met=pace.ratio.value >= RATIO)),
            ("… in processor time", n, str(pace.cpu), "", ""),
        ]
    if found.peak is not None:
        memory = f"{found.peak / 2**30:.2f} GiB"
        target = f"≤ {MOST / 2**30:.1f} GiB"
        rows.append(("peak memory", f"{found.added:,} passages", memory, target, _met(met=found.peak <= MOST)))
    output.table(("what", "n", "measured [95 % interval]", "target", ""), rows)


def _met(*, met: bool) -> str:
    return "met" if met else "MISSED"
