"""``symposia config`` and ``symposia doctor``: what is set, and whether everything is in order."""

from __future__ import annotations

from typing import Annotated

import typer

from app.cli.invocation import Invocation
from app.cli.options import AsJson


def config(
    ctx: typer.Context,
    as_toml: Annotated[bool, typer.Option("--toml", help="Print them as a settings file.")] = False,
    as_json: AsJson = False,
) -> None:
    """Show every setting with where its value comes from. Secrets are not shown."""
    from app.settings.show import rows, to_dict, to_toml

    invocation: Invocation = ctx.obj
    output, loaded = invocation.output(as_json), invocation.load()
    if as_json:
        output.document(to_dict(loaded))
    elif as_toml:
        output.verbatim(to_toml(loaded))
    else:
        output.table(
            ("setting", "value", "from", "what it is"), rows(loaded), title=f"Settings file: {loaded.file or 'none'}"
        )


def doctor(ctx: typer.Context, as_json: AsJson = False) -> None:
    """Check the installation, the models, the settings and the slices. The exit code is 1 where something fails."""
    from app.doctor import examine

    invocation: Invocation = ctx.obj
    output = invocation.output(as_json)
    with output.progress("looking around"):
        checks = examine(invocation.load)
    failed = [check for check in checks if check.status == "fail"]
    if as_json:
        output.document({"ok": not failed, "checks": [check.to_dict() for check in checks]})
    else:
        output.table(("check", "status", "what was found"), [(c.name, c.status, c.detail) for c in checks])
        for check in checks:
            if check.status != "ok":
                output.show(f"{check.name}: {check.fix}")
    if failed:
        raise typer.Exit(1)
