"""``symposia duplicates``: what an expert's documents say more than once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from app.cli.invocation import Invocation
from app.cli.options import AsJson

if TYPE_CHECKING:
    from indexes.sync.duplicates import Place

SHOWN = 20


def duplicates(
    ctx: typer.Context,
    expert: Annotated[str, typer.Argument(metavar="EXPERT", show_default=False)],
    least: Annotated[
        float, typer.Option(min=0.3, max=1, help="Share of four-word sequences that near duplicates have in common.")
    ] = 0.8,
    as_json: AsJson = False,
) -> None:
    """List passages that several documents have word for word, and those that are nearly the same."""
    invocation: Invocation = ctx.obj
    output = invocation.output(as_json)
    with invocation.open() as symposium, output.progress(f"comparing the passages of {expert!r}"):
        found = symposium.duplicates(expert, least)
    if as_json:
        output.document({"expert": expert, **found.to_dict()})
        return
    again = sum(len(same.places) for same in found.exact)
    output.show(
        f"{expert}: of {found.passages:,} passages, {again:,} say one of {len(found.exact):,} texts that several documents "
        f"have; {len(found.near):,} pairs are nearly the same"
    )
    if found.exact:
        rows = [(str(len(same.places)), _cut(same.text), _names(same.places)) for same in found.exact[:SHOWN]]
        output.table(("places", "text", "in"), rows, title=_title("The same", len(found.exact)))
    if found.near:
        near = [(f"{pair.resemblance:.2f}", _name(pair.first), _name(pair.second)) for pair in found.near[:SHOWN]]
        output.table(("resemblance", "one", "other"), near, title=_title("Nearly the same", len(found.near)))


def _title(what: str, count: int) -> str:
    return f"{what}: the first {SHOWN} of {count:,}; all with --json" if count > SHOWN else what


def _names(places: tuple[Place, ...]) -> str:
    more = f" and {len(places) - 3:,} more" if len(places) > 3 else ""
    return ", ".join(_name(place) for place in places[:3]) + more


def _name(place: Place) -> str:
    return place.title or place.source or place.document


def _cut(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= 60 else f"{line[:59]}…"
