"""The process edge: every way in which a command can end becomes an exit code and a message."""

from __future__ import annotations

import logging
import os
import sys
import traceback
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext, redirect_stdout
from typing import Any, TextIO

import typer

from app.cli.output import Output
from indexes.errors import SymposiaError

FINE, FAILED, USAGE, INTERRUPTED = 0, 1, 2, 130
REPORT = "Please report this with the output of the same command under --verbose: symposia --verbose …"

_UsageError: Any = typer.BadParameter.__base__  # typer offers its subclasses by name, but not the class itself

log = logging.getLogger(__name__)


def guarded(call: Callable[[], object], arguments: Sequence[str], stdout: TextIO, stderr: TextIO) -> int:
    """Run ``call`` and return the exit code: 0 fine, 1 a ``SymposiaError`` or a defect, 2 usage, 130 Ctrl-C.

    With ``--json`` an error is the one document on stdout, and what libraries print goes to stderr.
    """
    output = Output(stdout, stderr, as_json=asks_for_json(arguments))
    aside: AbstractContextManager[object] = redirect_stdout(stderr) if output.as_json else nullcontext()
    try:
        with aside:
            code = call()
        stdout.flush()
        if code == INTERRUPTED:  # typer turns a KeyboardInterrupt into this
            raise KeyboardInterrupt
        return code if isinstance(code, int) else FINE
    except SymposiaError as error:
        return _failed(output, FAILED, type(error).__name__, error.problem, error.fix)
    except _UsageError as error:
        return _usage(output, stderr, error)
    except (KeyboardInterrupt, typer.Abort):
        fix = "What was finished is kept; run it again to go on."
        return _failed(output, INTERRUPTED, "Interrupted", "Interrupted.", fix)
    except (BrokenPipeError, SystemExit):  # typer turns the first into the second
        _let_go(stdout)
        return FINE
    except Exception as error:  # noqa: BLE001 (the process edge)
        return _defect(output, error)


def asks_for_json(arguments: Sequence[str]) -> bool:
    """Whether ``--json`` is among the options; needed before they are parsed, for errors in parsing them."""
    options = arguments[: arguments.index("--")] if "--" in arguments else arguments
    return "--json" in options


def _failed(output: Output, code: int, kind: str, problem: str, fix: str) -> int:
    if output.as_json:
        output.document({"error": {"kind": kind, "problem": problem, "fix": fix}})
    else:
        output.note(problem, style="bold red")
        output.note(fix)
    return code


def _usage(output: Output, stderr: TextIO, error: Any) -> int:  # noqa: ANN401 (a class that typer does not name)
    if output.as_json:
        return _failed(
            output, USAGE, "UsageError", error.format_message(), "`symposia --help` lists commands and options."
        )
    error.show(file=stderr)
    return USAGE


def _defect(output: Output, error: Exception) -> int:
    log.debug("Traceback of the defect:\n%s", "".join(traceback.format_exception(error)))
    where = traceback.extract_tb(error.__traceback__)[-1]
    problem = f"This is a defect in Symposia: {type(error).__name__}: {error} ({os.path.basename(where.filename)}:{where.lineno})"  # noqa: PTH119
    return _failed(output, FAILED, "Defect", problem, REPORT)


def _let_go(stdout: TextIO) -> None:
    """The reader has left (``symposia … | head``): keep the interpreter from complaining when it flushes at exit."""
    if stdout is sys.__stdout__:
        os.dup2(os.open(os.devnull, os.O_WRONLY), stdout.fileno())
