"""``symposia calibrate``: questions of known experts give the router a stated coverage."""

from __future__ import annotations

from typing import Annotated

import typer

from app.cli.invocation import Invocation
from app.cli.options import AsJson


def calibrate(
    ctx: typer.Context,
    questions: Annotated[
        list[str] | None,
        typer.Argument(metavar="EXPERT=PATH[:SPLIT]...", help="Whose questions these are.", show_default=False),
    ] = None,
    coverage: Annotated[
        float, typer.Option(min=0.01, max=0.999, help="Chance, at least, that the right expert is asked.")
    ] = 0.95,
    reset: Annotated[bool, typer.Option("--reset", help="Go back to the settings' retrieval.mass.")] = False,
    seed: Annotated[int, typer.Option(min=0, help="Of the split into two halves.")] = 0,
    as_json: AsJson = False,
) -> None:
    """Fit the router on questions of known experts, so that the right one is asked in a stated share of questions.

    One half fits the temperature of its probabilities, the other how much of them must be asked (conformal prediction). Take
    questions that no expert was trained on. Nothing is retrained when experts come or go; the promise is then void.
    """
    invocation: Invocation = ctx.obj
    output = invocation.output(as_json)
    with invocation.open() as symposium:
        if reset:
            symposium.reset_calibration()
            output.show("The router follows retrieval.mass again.")
            return
        done = symposium.calibrate(questions or [], coverage, seed)
    if as_json:
        output.document(done.to_dict())
        return
    rows = [(name, *map(str, s.values.values())) for name, s in (("before", done.before), ("after", done.after))]
    output.table(("router", *done.before.values), rows, title=f"{done.before.n} questions, half of them fitted on")
    promise = done.calibrated.guarantee
    output.show(
        f"Experts are asked until they hold {promise.mass:.3f} of the probability: the right one is among them for at least "
        f"{promise.coverage:.0%} of such questions, where retrieval.most_experts does not limit their number."
    )
