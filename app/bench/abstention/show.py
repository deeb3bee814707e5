"""The benchmark on a terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from app.bench.abstention.run import Outcome
    from app.bench.abstention.weights import Fitted
    from app.cli.output import Output
    from evaluation.report import Table


def show(outcome: Outcome, output: Output) -> None:
    """The tables with their notes, each with the differences to its baseline, and where the pictures are."""
    for table in outcome.tables:
        output.table(("system", "n", *table.measures), table.narrow(), title=table.title)
        if compared := differences(table):
            output.table((f"less {table.baseline}", *table.measures), compared)
        for note in table.notes:
            output.show(note)
    output.show(f"Written: {', '.join(map(str, outcome.files))}")


def differences(table: Table) -> list[tuple[str, ...]]:
    """Two lines for each system but the baseline: by how much it is above that, and below this the interval."""
    lines = []
    for row in table.rows:
        if row.difference:
            cells = [row.difference[measure].signed.partition(" ") for measure in table.measures]
            lines.append((row.name, *(value for value, _, _ in cells)))
            lines.append(("", *(ends for _, _, ends in cells)))
    return lines


def show_fitted(fitted: Fitted, output: Output) -> None:
    """What each choice of signals is worth on sets that it did not see, and the weights of the one that serves."""
    kinds = sorted({kind for found in fitted.held_out.values() for kind in found})
    rows = [(name, *(f"{found[kind]:.3f}" for kind in kinds)) for name, found in fitted.held_out.items()]
    output.table(("signals", *kinds), rows, title=f"AUROC on sets left out, {fitted.questions} development questions")
    confidence = fitted.confidence
    output.show(f"bias {confidence.bias:.3f}")
    for name, weight in confidence.weights.items():
        output.show(f"{name}: {weight.by:.3f} · (value − {weight.typical:.3f})")
