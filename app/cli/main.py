"""The commands, the global options, and ``main``."""

from __future__ import annotations

import logging
import sys
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from app.cli.archive import export_expert, import_expert
from app.cli.ask import ask, retrieve
from app.cli.backup import backup, restore
from app.cli.bench import bench
from app.cli.bench_storage import crash, sizing
from app.cli.bulk import bulk
from app.cli.calibrate import calibrate
from app.cli.chat import chat
from app.cli.compare import compare
from app.cli.config import config, doctor
from app.cli.conversations import conversations
from app.cli.demo import demo
from app.cli.duplicates import duplicates
from app.cli.edge import guarded
from app.cli.evaluate import evaluate
from app.cli.evaluate_answers import evaluate_answers
from app.cli.feedback import feedback
from app.cli.invocation import Invocation, flags_of
from app.cli.keys import keys
from app.cli.library import add, experts
from app.cli.mcp import mcp
from app.cli.migrate import migrate
from app.cli.models import models
from app.cli.reencode import reencode
from app.cli.reproduce import reproduce
from app.cli.serve import serve
from app.cli.train import train

ROOMS = ("indexes", "retrievers", "generators", "app", "evaluation")
EXIT_CODES = (
    "Exit codes: 0 fine; 1 something is wrong, and stderr says what and how to mend it "
    '(with --json, stdout has {"error": {"kind", "problem", "fix"}}); 2 wrong usage; 130 Ctrl-C, 0 where it ends a server.'
)

program = typer.Typer(
    name="symposia",
    help="Ask a panel of domain experts; get one answer with citations that were checked, or an honest refusal.",
    epilog=EXIT_CODES,
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,  # drawing help with rich doubles the time that it takes
    pretty_exceptions_enable=False,
)
program.command()(ask)
program.command()(chat)
program.command()(serve)
program.command()(mcp)
program.command()(retrieve)
program.command()(add)
program.command()(duplicates)
program.command()(bulk)
program.command("export")(export_expert)
program.command("import")(import_expert)
program.command()(backup)
program.command()(restore)
program.command()(migrate)
program.command()(train)
program.command()(calibrate)
program.command()(reencode)
program.add_typer(experts, name="experts")
program.add_typer(models, name="models")
program.add_typer(keys, name="keys")
program.add_typer(conversations, name="conversations")
program.add_typer(feedback, name="feedback")
program.command()(evaluate)
program.command()(evaluate_answers)
program.command()(compare)
program.command()(reproduce)
program.command()(config)
program.command()(doctor)
program.command()(demo)
bench.command("crash")(crash)
bench.command("sizing")(sizing)
program.add_typer(bench, name="bench")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the program; returns the exit code.

    Parameters
    ----------
    arguments
        Without the program's name; those of the process by default.
    """
    given = list(sys.argv[1:] if arguments is None else arguments)
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")
    invocation = Invocation(sys.stdout, sys.stderr)
    call = partial(program, given, prog_name="symposia", standalone_mode=False, obj=invocation)
    return guarded(call, given, sys.stdout, sys.stderr)


def _print_version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import PackageNotFoundError, version

        try:
            typer.echo(f"symposia {version('symposia')}")
        except PackageNotFoundError:
            typer.echo("symposia, not installed")
        raise typer.Exit


@program.callback()
def global_options(
    ctx: typer.Context,
    config_file: Annotated[
        Path | None, typer.Option("--config", metavar="FILE", help="Settings file, instead of symposia.toml here.")
    ] = None,
    home: Annotated[
        Path | None,
        typer.Option(metavar="FOLDER", help="Folder of slices, conversations, keys and all else that is kept."),
    ] = None,
    preset: Annotated[str | None, typer.Option(metavar="NAME", help="fast, balanced or thorough.")] = None,
    assignments: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="KEY=VALUE", help="Any setting, such as retrieval.passages=8. Repeatable."),
    ] = None,
    verbose: Annotated[bool, typer.Option("--verbose", "-v", help="Log what happens, on stderr.")] = False,
    _version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """Ask a panel of domain experts; get one answer with citations that were checked, or an honest refusal."""
    streams: Invocation = ctx.obj
    _log_to_stderr(verbose)
    flags = flags_of(assignments or [], home, preset)
    ctx.obj = Invocation(streams.stdout, streams.stderr, config_file, flags, verbose)


def _log_to_stderr(verbose: bool) -> None:
    logging.basicConfig(
        stream=sys.stderr,
        level=logging.INFO if verbose else logging.ERROR,
        format="%(levelname)s %(name)s: %(message)s",
        force=True,
    )
    for room in ROOMS:
        logging.getLogger(room).setLevel(logging.DEBUG if verbose else logging.WARNING)
