"""Options that several commands share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON document on stdout and nothing else.")]
Question = Annotated[str, typer.Argument(metavar="QUESTION", help="The question, in quotes.", show_default=False)]
Experts = Annotated[
    list[str] | None,
    typer.Option("--expert", metavar="NAME", help="Ask this expert, whatever the router says. Repeatable."),
]
Forbidden = Annotated[
    list[str] | None, typer.Option("--forbid", metavar="NAME", help="Never ask this expert. Repeatable.")
]
Retrieval = Annotated[
    bool | None,
    typer.Option("--retrieve/--no-retrieve", help="Search, or answer from memory, whatever the gate says."),
]
Out = Annotated[Path | None, typer.Option("--out", metavar="FOLDER", help="Where the results are written.")]
