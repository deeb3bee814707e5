"""``symposia bench citations`` in the terminal."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from app.bench.citations.run import Plan, run
from generators.citations.pair_model import FILE

if TYPE_CHECKING:
    from app.cli.output import Output
    from app.settings import Settings


def measure(
    settings: Settings, data: Path, kept: Path, output: Output, *, limit: int, minutes: float, model: bool, seed: int
) -> None:
    """Measure, or go on measuring, and print a table for each set and kind of text."""
    plan = Plan(limit, seed, minutes, without_model=not model)
    with output.progress("citations") as update:
        tables = run(settings, data, kept, plan, update)
    if output.as_json:
        output.document({"tables": [table.to_dict() for table in tables]})
        return
    for table in tables:
        output.table(("system", "n", *table.measures), table.narrow(), title=table.title)
        for note in table.notes:
            output.show(note)


def refit(settings: Settings, data: Path, kept: Path, output: Output, minutes: float) -> None:
    """Fit the models of pairs, write them into the package, and print them beside the baseline's tuned cuts."""
    from app.bench.citations.refit import refit as fit_all

    with output.progress("fitting") as update:
        models, cuts = fit_all(settings, data, kept, FILE, minutes=minutes, on_progress=update)
    if output.as_json:
        fitted = {
            name: {"bias": m.bias, "threshold": m.threshold, "weights": dict(m.weights)} for name, m in models.items()
        }
        output.document({"models": fitted, "cosine": {"most": cuts.most, "lag": cuts.lag}})
        return
    rows = [(name, key, f"{value:.3f}") for name, m in models.items() for key, value in m.weights.items()]
    output.table(("model", "feature", "weight"), rows, title=f"Written to {FILE.name}")
    output.show(f"cosine: up to {cuts.most} passages within {cuts.lag} of the nearest")
