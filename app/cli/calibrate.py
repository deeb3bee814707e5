"""``symposia calibrate``: questions of known experts give the router a stated coverage, labelled ones the verdict a stated risk."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from app.cli.invocation import Invocation
from app.cli.options import AsJson

if TYPE_CHECKING:
    from app.calibrate import Calibration
    from app.calibrate_verdict import VerdictCalibration
    from app.cli.output import Output


def calibrate(
    ctx: typer.Context,
    questions: Annotated[
        list[str] | None,
        typer.Argument(metavar="EXPERT=PATH[:SPLIT]...", help="Whose questions these are.", show_default=False),
    ] = None,
    coverage: Annotated[
        float, typer.Option(min=0.01, max=0.999, help="Chance, at least, that the right expert is asked.")
    ] = 0.95,
    labelled: Annotated[
        list[Path] | None,
        typer.Option(
            "--labelled",
            metavar="FILE",
            help="Questions with answers, or answerable true or false, in JSONL: calibrate the verdict instead.",
            show_default=False,
        ),
    ] = None,
    risk: Annotated[
        float,
        typer.Option(min=0.001, max=0.999, help="With --labelled: share of wrong ones among the answered, at most."),
    ] = 0.1,
    certainty: Annotated[
        float, typer.Option(min=0.01, max=0.999, help="With --labelled: probability that this promise is true.")
    ] = 0.9,
    reset: Annotated[bool, typer.Option("--reset", help="Go back to what the settings say.")] = False,
    seed: Annotated[int, typer.Option(min=0, help="Of the split into two halves.")] = 0,
    as_json: AsJson = False,
) -> None:
    """Fit the router on questions of known experts, so that the right one is asked in a stated share of questions.

    One half fits the temperature of its probabilities, the other how much of them must be asked (conformal prediction). Take
    questions that no expert was trained on. Nothing is retrained when experts come or go; the promise is then void.

    With --labelled, fit instead how sure an answer must be to be given, so that of the answers given no more than a stated
    share is wrong. Each question is answered once, which takes some seconds.
    """
    invocation: Invocation = ctx.obj
    output = invocation.output(as_json)
    if labelled and questions:
        raise typer.BadParameter("Calibrate the router or, with --labelled, the verdict: one at a time.")
    if reset and (labelled or questions):
        raise typer.BadParameter("--reset goes back to what the settings say and takes no questions.")
    with invocation.open() as symposium:
        if reset:
            symposium.reset_calibration()
            _show_reset(output)
        elif labelled:
            with output.progress("calibrating") as update:
                judged = symposium.calibrate_verdict(
                    labelled, risk, certainty, lambda done, total: update(f"{done} of {total} questions")
                )
            output.document(judged.to_dict()) if as_json else _show_verdict(judged, output)
        else:
            done = symposium.calibrate(questions or [], coverage, seed)
            output.document(done.to_dict()) if as_json else _show_router(done, output)


def _show_reset(output: Output) -> None:
    if output.as_json:
        output.document({"reset": ["router", "verdict"]})
    else:
        output.show("Router and verdict follow the settings again.")


def _show_router(done: Calibration, output: Output) -> None:
    rows = [(name, *map(str, s.values.values())) for name, s in (("before", done.before), ("after", done.after))]
    output.table(("router", *done.before.values), rows, title=f"{done.before.n} questions, half of them fitted on")
    promise = done.calibrated.guarantee
    output.show(
        f"Experts are asked until they hold {promise.mass:.3f} of the probability: the right one is among them for at least "
        f"{promise.coverage:.0%} of such questions, where retrieval.most_experts does not limit their number."
    )


def _show_verdict(done: VerdictCalibration, output: Output) -> None:
    kept = done.calibrated
    step = max(1, len(kept.curve) // 10)
    shown = [*kept.curve[step - 1 :: step], *([] if len(kept.curve) % step == 0 else [kept.curve[-1]])]
    rows = [(f"{p.confidence:.3f}", f"{p.coverage:.0%}", f"{p.risk:.0%}") for p in shown]
    output.table(("confidence", "answered", "of these wrong"), rows, title=f"{kept.questions} questions")
    output.show(
        f"Without a threshold {done.answered} are answered, {done.wrong} of them wrongly. Answers below a confidence of "
        f"{kept.confidence:.3f} are refused from now on: then at most {kept.risk:.0%} of the answers to such questions are "
        f"wrong, with a certainty of {kept.certainty:.0%}; {kept.coverage:.0%} of the questions are answered."
    )
