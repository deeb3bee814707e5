"""``symposia conversations``: what was asked and answered, as it was kept."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from app.cli.invocation import Invocation
from app.cli.options import AsJson

if TYPE_CHECKING:
    from app.access.principal import Principal
    from app.cli.output import Output
    from app.conversations.store import Conversations, StoredTurn

SHOWN = 8  # characters of an id that tell conversations apart, as good as always

Id = Annotated[str, typer.Argument(metavar="ID", help="Of the conversation, or how it begins.", show_default=False)]
Owner = Annotated[str, typer.Option("--of", metavar="NAME", help="Whose: the name of a key or login.")]
OF = "local"

conversations = typer.Typer(help="List, show, export or delete conversations.", no_args_is_help=True)


@conversations.command("list")
def list_conversations(ctx: typer.Context, of: Owner = OF, as_json: AsJson = False) -> None:
    """List the conversations, the last one first."""
    output, store, principal = opened(ctx, of, as_json)
    found = store.list(principal)
    if as_json:
        output.document({"conversations": [each.to_dict() for each in found]})
    elif not found:
        output.show("There are no conversations yet. They begin in the chat: `symposia chat`.")
    else:
        rows = [(each.id[:SHOWN], _day(each.changed), str(each.turns), each.title) for each in found]
        output.table(("id", "last asked", "questions", "title"), rows)


@conversations.command("show")
def show(ctx: typer.Context, conversation: Id, of: Owner = OF, as_json: AsJson = False) -> None:
    """Show a conversation with its sources."""
    output, store, principal = opened(ctx, of, as_json)
    turns = store.turns(principal, whole_id(store, principal, conversation))
    if as_json:
        output.document({"conversation": turns[0].conversation, "turns": [turn.to_dict() for turn in turns]})
        return
    from app.cli.render import show_answer

    for turn in turns:
        output.show(f"{_day(turn.at)}  {turn.asked}", *_understood(turn))
        show_answer(output, turn.answer, sources=True)
        output.show(*_judged(turn), "")


@conversations.command("export")
def export(
    ctx: typer.Context,
    conversation: Id,
    out: Annotated[
        Path | None, typer.Option("--out", metavar="FILE", help="Written anew; else stdout.", show_default=False)
    ] = None,
    of: Owner = OF,
    as_json: AsJson = False,
) -> None:
    """Write a conversation as Markdown, in which nothing that was typed or found is markup."""
    output, store, principal = opened(ctx, of, as_json)
    identifier = whole_id(store, principal, conversation)
    text = store.markdown(principal, identifier)
    if out is not None:
        written(out, text)
    if as_json:
        output.document({"conversation": identifier, "markdown": text, "file": None if out is None else str(out)})
    elif out is None:
        output.verbatim(text)
    else:
        output.note(f"Written: {out}")


@conversations.command("delete")
def delete(
    ctx: typer.Context,
    conversation: Id,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask; nothing is asked without a terminal.")] = False,
    of: Owner = OF,
    as_json: AsJson = False,
) -> None:
    """Delete a conversation, and what was thought of its answers."""
    output, store, principal = opened(ctx, of, as_json)
    identifier = whole_id(store, principal, conversation)
    title = next(each.title for each in store.list(principal) if each.id == identifier)
    asks = not yes and not as_json and sys.stdin.isatty()
    if asks and not typer.confirm(f"Delete the conversation {title!r}?", err=True):
        output.note("Nothing was deleted.")
        raise typer.Exit(1)
    store.delete(principal, identifier)
    if as_json:
        output.document({"deleted": identifier})
    else:
        output.show(f"Deleted {title!r}.")


def opened(ctx: typer.Context, of: str, as_json: bool) -> tuple[Output, Conversations, Principal]:
    """Where a command writes, the conversations of the home, and whose they are."""
    from app.access.principal import Principal
    from app.conversations.store import FILE, Conversations

    invocation: Invocation = ctx.obj
    home = invocation.load().settings.home
    return invocation.output(as_json), Conversations(home / FILE), Principal(of)


def whole_id(store: Conversations, principal: Principal, start: str) -> str:
    """The id that begins so.

    Raises
    ------
    InputError
        No conversation's does, or several do.
    """
    from indexes.errors import InputError

    found = [each.id for each in store.list(principal) if each.id.startswith(start)] if start else []
    if len(found) > 1:
        raise InputError(f"{len(found)} conversations begin with {start!r}.", "Give more of the id.")
    if not found:
        raise InputError(f"There is no conversation {start!r}.", "List them: `symposia conversations list`.")
    return found[0]


def written(file: Path, text: str) -> None:
    """Write a text file.

    Raises
    ------
    InputError
        It cannot be written.
    """
    from indexes.errors import InputError

    try:
        file.write_text(text, encoding="utf-8", errors="replace")
    except OSError as error:
        raise InputError(f"{file} cannot be written: {error.strerror}.", "Name another file with --out.") from error


def _understood(turn: StoredTurn) -> list[str]:
    other = " ".join(turn.answer.question.split()) != " ".join(turn.asked.split())
    return [f"Understood as: {turn.answer.question}"] if other else []


def _judged(turn: StoredTurn) -> list[str]:
    if turn.helpful is None:
        return []
    return [f"judged: {'helpful' if turn.helpful else 'not helpful'}{f' – {turn.comment}' if turn.comment else ''}"]


def _day(at: str) -> str:
    return at[:16].replace("T", " ")
