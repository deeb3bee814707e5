"""``symposia train``: an expert learns from labelled questions."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated

import typer

from app.cli.invocation import Invocation
from app.cli.options import AsJson
from app.cli.output import Output, duration

if TYPE_CHECKING:
    from app.train import Wanted
    from retrievers.training.card import Card, Line

WIDTH = 24
SETTLED = 1.0  # seconds after which a rate is worth naming


def train(
    ctx: typer.Context,
    expert: Annotated[str, typer.Argument(metavar="EXPERT", help="Whose adapter is trained.", show_default=False)],
    data: Annotated[
        list[str] | None,
        typer.Option(
            "--data", metavar="PATH[:SPLIT]", help="BEIR folder (split train) or JSONL file of pairs. Repeatable."
        ),
    ] = None,
    dev: Annotated[str, typer.Option(metavar="PATH[:SPLIT]", help="Questions that choose; without, of the data.")] = "",
    test: Annotated[
        str, typer.Option(metavar="PATH[:SPLIT]", help="Questions that are reported, and decide nothing.")
    ] = "",
    kind: Annotated[
        str,
        typer.Option(help="linear, two-sided, nudge, lora, with commas between; auto: all but lora; identity: none."),
    ] = "auto",
    seed: Annotated[int, typer.Option(min=0, help="Of everything random.")] = 0,
    as_json: AsJson = False,
) -> None:
    """Train an adapter for an expert; it is kept only if it is better on dev questions than none.

    Without --data, questions are made from the expert's own titles, headings and sentences. `symposia feedback export` makes
    a file of pairs of the thumbs given in the chat.

    After Ctrl-C, the same command goes on where it was; until it has ended, the expert stays as it is.
    """
    invocation: Invocation = ctx.obj
    output = invocation.output(as_json)
    from app.train import Request

    request = Request(expert, tuple(data or ()), dev, test, _kinds(kind), seed)
    with invocation.open() as symposium, output.progress(f"training {expert!r}") as update:
        clock = _Clock()

        def report(what: str, done: int, total: int) -> None:
            update(f"{expert}: {clock.line(what, done, total)}")

        card = symposium.train(request, on_progress=report, on_note=output.note)
    if as_json:
        output.document(card.to_dict())
    else:
        show(output, card)


def show(output: Output, card: Card) -> None:
    """Write a card for people."""
    for split, lines in (("dev", card.dev), ("test", card.test)):
        if lines:
            rows = [_row(line) for line in lines]
            output.table(("adapter", "setting", f"{split} nDCG@10", "p", "seconds"), rows)
    output.show(*card.notes())
    verb = "now has" if card.ships else "keeps what it had; no training gave"
    what = f"the adapter of kind {card.kind}" if card.ships else "a better adapter"
    output.show(f"{card.expert} {verb} {what}, in {duration(card.seconds)}.")


def _kinds(text: str) -> tuple[Wanted, ...]:
    from app.train import WANTED

    given = {part.strip() for part in text.split(",") if part.strip()}
    kinds = tuple(kind for kind in WANTED if kind in given)
    if len(kinds) < len(given) or not kinds or (len(kinds) > 1 and "identity" in kinds):
        raise typer.BadParameter(f"{text!r}: name some of {', '.join(WANTED)}; identity alone.", param_hint="--kind")
    return kinds


class _Clock:
    """Says how far a task has come and how long it may still take, by its own rate since it was first heard of."""

    def __init__(self) -> None:
        self._what = ""
        self._started = self._first = 0.0

    def line(self, what: str, done: int, total: int) -> str:
        """``linear [######------] 12 of at most 40, at most 9 s left``."""
        now = time.monotonic()
        if what.partition(",")[0] != self._what:
            self._what, self._started, self._first = what.partition(",")[0], now, done
        return " ".join(self._parts(what, done, total, now - self._started))

    def _parts(self, what: str, done: int, total: int, elapsed: float) -> Iterator[str]:
        filled = WIDTH * done // total if total else 0
        yield f"{what} [{'#' * filled}{'-' * (WIDTH - filled)}] {done} of at most {total}"
        if elapsed >= SETTLED and done > self._first:
            yield f"(at most {duration(elapsed / (done - self._first) * (total - done))} left)"


def _row(line: Line) -> tuple[str, ...]:
    p = "" if line.p is None else "< 0.001" if line.p < 0.001 else f"{line.p:.3f}"
    return (line.adapter, line.setting, str(line.ndcg), p, f"{line.seconds:.0f}" if line.seconds else "")
