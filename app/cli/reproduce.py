"""``symposia reproduce``: run the conditions of a YAML file and say whether the expected scores came out."""

from __future__ import annotations

import shlex
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from app.cli.invocation import Invocation
from app.cli.options import AsJson
from app.cli.output import Output, duration

if TYPE_CHECKING:
    from app.reproduce import Reproduced, Score
    from app.reproduction import Condition


def reproduce(
    ctx: typer.Context,
    file: Annotated[
        Path | None,
        typer.Argument(metavar="FILE", help="Conditions in YAML; by default those of Symposia.", show_default=False),
    ] = None,
    only: Annotated[
        list[str] | None, typer.Option("--only", metavar="NAME", help="Only this condition. Repeatable.")
    ] = None,
    listed: Annotated[bool, typer.Option("--list", help="List the conditions and run nothing.")] = False,
    as_json: AsJson = False,
) -> None:
    """Run commands whose scores are known, and print OK, OKish (off by up to three tolerances) or FAIL for each score.

    A condition whose data is not there is skipped, and that is said. The exit code is 1 where a score fails. --config,
    --home, --preset and --set count for every command, where it has none of its own.
    """
    from app.cli.chat import environment
    from app.reproduce import reproduce as run
    from app.reproduce import worst
    from app.reproduction import choose, read_conditions

    invocation: Invocation = ctx.obj
    output = invocation.output(as_json)
    conditions = choose(read_conditions(file), only or [])
    if listed:
        _list(output, conditions)
        return
    results = run(conditions, output.note, environment(invocation, invocation.load()))
    ok = worst(results) != "FAIL"
    if as_json:
        output.document({"ok": ok, "conditions": [result.to_dict() for result in results]})
    _show(output, results)
    if not ok:
        raise typer.Exit(1)


def _list(output: Output, conditions: list[Condition]) -> None:
    if output.as_json:
        names = [{"name": c.name, "command": list(c.command), "needs": list(c.needs)} for c in conditions]
        output.document({"conditions": names})
        return
    rows = [(c.name, str(len(c.expected)), shlex.join(("symposia", *c.command))) for c in conditions]
    output.table(("condition", "scores", "command"), rows)


def _show(output: Output, results: list[Reproduced]) -> None:
    rows: list[tuple[str, ...]] = []
    for result in results:
        if result.skipped:
            rows.append(("SKIP", result.condition.name, result.reason, "", "", ""))
        rows += [(score.status, result.condition.name, *_cells(score)) for score in result.scores]
    output.table(("", "condition", "score", "expected", "got", "off by"), rows)
    for result in results:
        if result.reason and not result.skipped:
            output.show(f"{result.condition.name}: {result.reason}")
    counts = Counter(result.status for result in results)
    summary = ", ".join(f"{counts[status]} {status}" for status in ("OK", "OKish", "FAIL", "SKIP") if counts[status])
    output.show(f"{summary}; {duration(sum(result.seconds for result in results))}.")


def _cells(score: Score) -> tuple[str, str, str, str]:
    expected, got = score.expected, score.got
    wanted = f"{expected.value:g} ± {expected.tolerance:g}"
    if got is None:
        return expected.path, wanted, "–", ""
    times = f" ({abs(got - expected.value) / expected.tolerance:.1f} × tolerance)" if expected.tolerance else ""
    return expected.path, wanted, f"{got:.4f}", f"{got - expected.value:+.4f}{times if score.status != 'OK' else ''}"
