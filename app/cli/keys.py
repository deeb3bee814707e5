"""``symposia keys``: who may use the server. None of it opens a slice or loads a model."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Annotated

import typer

from app.cli.invocation import Invocation
from app.cli.options import AsJson

if TYPE_CHECKING:
    from app.access.keys import Key
    from app.access.principal import Action

keys = typer.Typer(
    help="Make, list and revoke the keys that programs show to `symposia serve` and `symposia mcp`.",
    no_args_is_help=True,
)


@keys.command("create")
def create_key(
    ctx: typer.Context,
    name: Annotated[str, typer.Argument(metavar="NAME", help="Of whoever will use it.", show_default=False)],
    experts: Annotated[
        list[str] | None, typer.Option("--expert", metavar="NAME", help="It sees this expert. Repeatable; else all.")
    ] = None,
    actions: Annotated[
        list[str] | None,
        typer.Option("--may", metavar="ACTION", help="ask, write, train or admin. Repeatable; else ask alone."),
    ] = None,
    expires: Annotated[
        datetime | None,
        typer.Option(metavar="WHEN", formats=["%Y-%m-%d", "%Y-%m-%dT%H:%M:%S"], help="Until then, in local time."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Make a key. Its secret is printed once and kept nowhere: only its hash is."""
    from app.access.open import keys_of

    invocation: Invocation = ctx.obj
    output = invocation.output(as_json)
    until = None if expires is None else expires.astimezone()
    secret = keys_of(invocation.load().settings).create(name, experts, _actions(actions or ["ask"]), until)
    if as_json:
        output.document({"name": name, "secret": secret})
        return
    output.note(f"The key of {name}. It is shown this once:")
    output.verbatim(f"{secret}\n")
    output.note("Send it as `Authorization: Bearer …`; `symposia serve` asks for one with [access] required = true.")


@keys.command("list")
def list_keys(ctx: typer.Context, as_json: AsJson = False) -> None:
    """List the keys: what each sees and may do, and until when."""
    from app.access.open import keys_of

    invocation: Invocation = ctx.obj
    output = invocation.output(as_json)
    listed = keys_of(invocation.load().settings).list()
    if as_json:
        output.document({"keys": [key.to_dict() for key in listed]})
    elif listed:
        output.table(("key", "sees", "may", "created", "expires"), [_row(key) for key in listed])
    else:
        output.show("There are no keys yet. Make one with `symposia keys create NAME`.")


@keys.command("revoke")
def revoke_key(
    ctx: typer.Context,
    name: Annotated[str, typer.Argument(metavar="NAME", show_default=False)],
    as_json: AsJson = False,
) -> None:
    """Make a key worthless at once, for a server that is running, too."""
    from app.access.open import keys_of

    invocation: Invocation = ctx.obj
    output = invocation.output(as_json)
    keys_of(invocation.load().settings).revoke(name)
    if as_json:
        output.document({"revoked": name})
    else:
        output.show(f"Revoked {name}.")


def _actions(names: list[str]) -> list[Action]:
    from app.access.principal import Action
    from indexes.errors import InputError

    for name in names:
        if name not in list(Action):
            raise InputError(f"There is no action {name!r}.", f"The actions are: {', '.join(Action)}.")
    return [Action(name) for name in names]


def _row(key: Key) -> tuple[str, ...]:
    sees = "all experts" if key.experts is None else ", ".join(key.experts)
    return (key.name, sees, ", ".join(key.actions), key.created, key.expires or "never")
