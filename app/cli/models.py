"""``symposia models``: which models are here, fetch them, check them. None of it loads a model."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from app.cli.invocation import Invocation
from app.cli.options import AsJson
from app.cli.output import Output, Update, size

if TYPE_CHECKING:
    from pathlib import Path

    from app.models.progress import Progress
    from app.models.status import FileCheck, ModelStatus

models = typer.Typer(help="List, fetch and verify models.", no_args_is_help=True)


@models.command("list")
def list_models(ctx: typer.Context, as_json: AsJson = False) -> None:
    """List the models that Symposia knows by name, which are here, and which the settings use."""
    from app.models.status import status
    from app.models.used import used

    invocation: Invocation = ctx.obj
    output, chosen = invocation.output(as_json), invocation.load().settings.models
    rows, in_use = status(chosen.folder), used(chosen)
    if as_json:
        found = {"folder": str(chosen.folder), "models": [row.to_dict() for row in rows]}
        output.document(found | {"used": [one.to_dict() for one in in_use]})
        return
    columns = ("model", "role", "state", "download", "on disk", "licence", "description")
    output.table(columns, [_row(row) for row in rows], title=f"Models in {chosen.folder}")
    table = [(one.role, one.name, one.state, one.place or one.fix) for one in in_use]
    output.table(("role", "model", "state", "place"), table, title="In use by the settings")
    output.note("Fetch one with `symposia models fetch NAME`.", style="dim")


@models.command("fetch")
def fetch_models(
    ctx: typer.Context,
    names: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="NAME",
            help="Names from `models list`, org/name of a hub, or .gguf files, which are unpacked once; else those of the settings.",
        ),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Fetch models into the cache; what is there already is checked, not fetched. An interrupted fetch goes on."""
    invocation: Invocation = ctx.obj
    output, chosen = invocation.output(as_json), invocation.load().settings.models
    fetched = []
    for name in dict.fromkeys(names or chosen.held):
        path = fetch_one(output, name, chosen.folder)
        fetched.append({"name": name, "folder": str(path)})
        if not as_json:
            output.show(f"{name}: {path}")
    if as_json:
        output.document({"fetched": fetched})


@models.command("verify")
def verify_models(
    ctx: typer.Context,
    name: Annotated[str | None, typer.Argument(metavar="NAME", help="One model; else all that are here.")] = None,
    as_json: AsJson = False,
) -> None:
    """Compare every file's SHA-256 with what it must be. The exit code is 1 where one differs."""
    from app.models.status import status, verify

    invocation: Invocation = ctx.obj
    output, folder = invocation.output(as_json), invocation.load().settings.models.folder
    names = [name] if name else [row.name for row in status(folder) if row.state in {"ready", "damaged"}]
    checks: dict[str, list[FileCheck]] = {}
    for each in names:
        with output.progress(f"checking {each}"):
            checks[each] = verify(each, folder)
    damaged = [each for each in names if not all(check.ok for check in checks[each])]
    if as_json:
        output.document({"ok": not damaged, "models": {each: _files(checks[each]) for each in names}})
    else:
        _show_checks(output, folder, checks)
    if damaged:
        output.note(f"Mend with: symposia models fetch {' '.join(damaged)}", style="yellow")
        raise typer.Exit(1)


def fetch_one(output: Output, name: str, folder: Path) -> Path:
    """Fetch a model into ``folder`` with progress on stderr; returns where it lies."""
    from app.models.fetch import fetch

    with output.progress(f"{name}: fetching") as update:
        return fetch(name, folder, _reporter(name, update))


def _reporter(name: str, update: Update) -> Progress:
    def report(stage: str, done: int, total: int | None) -> None:
        amount = f" {size(done)} of {size(total)}" if total else f" {size(done)}" if done else ""
        update(f"{name}: {stage}{amount}")

    return report


def _show_checks(output: Output, folder: Path, checks: dict[str, list[FileCheck]]) -> None:
    if not checks:
        output.show(f"There are no models in {folder}. Fetch the default ones with `symposia models fetch`.")
        return
    rows = [
        (name, check.file, "ok" if check.ok else "missing" if check.found is None else "differs")
        for name, files in checks.items()
        for check in files
    ]
    output.table(("model", "file", "state"), rows)


def _files(checks: list[FileCheck]) -> list[dict[str, object]]:
    return [{"file": c.file, "ok": c.ok, "expected": c.expected, "found": c.found} for c in checks]


def _row(row: ModelStatus) -> tuple[str, ...]:
    name = f"{row.name} (default)" if row.default else row.name
    return (name, row.role, row.state, size(row.download), size(row.size), row.licence, row.description)
