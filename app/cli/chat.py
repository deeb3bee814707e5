"""``symposia chat``: the chat in a browser, served by Streamlit, on this machine only unless told otherwise."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from app.cli.address import check_free, in_url
from app.cli.invocation import Invocation
from app.cli.options import AsJson
from indexes.errors import SettingsError

if TYPE_CHECKING:
    from app.settings import Loaded, Settings

HOST = "127.0.0.1"
LOOPBACK = (HOST, "localhost", "::1")


def chat(
    ctx: typer.Context,
    port: Annotated[int, typer.Option(min=1, max=65535, help="Port to listen on.")] = 8501,
    host: Annotated[str, typer.Option(metavar="ADDRESS", help="Address to listen on, such as 0.0.0.0.")] = HOST,
    as_json: AsJson = False,
) -> None:
    """Open the chat in a browser, at http://127.0.0.1:8501. End it with Ctrl-C.

    With --json, the document names the address and the process, and Streamlit writes to stderr.
    """
    invocation: Invocation = ctx.obj
    output, loaded = invocation.output(as_json), invocation.load()
    check_kept(loaded.settings, host)
    check_free(host, port, "chat")
    url = f"http://{in_url(host)}:{port}"
    if as_json:
        output.document({"url": url, "pid": os.getpid()})
        os.dup2(2, 1)
    else:
        output.show(f"The chat is at {url}. End it with Ctrl-C.")
    command, env = streamlit_command(port, host, verbose=invocation.verbose), environment(invocation, loaded)
    os.execve(command[0], command, env)  # noqa: S606 (no shell is wanted); this process becomes Streamlit


def check_kept(settings: Settings, host: str) -> None:
    """Raise a ``SettingsError`` where strangers on the network could use the chat and nothing keeps them out."""
    if host not in LOOPBACK and not settings.access.login and not settings.serve.without_keys:
        raise SettingsError(
            f"The address {host} is reached by other machines, and the chat asks nobody to log in.",
            "Set access.login = true; or serve this machine only, on 127.0.0.1; or, where something else keeps strangers "
            "out, set serve.without_keys = true.",
        )


def streamlit_command(port: int, host: str = HOST, *, verbose: bool = False) -> list[str]:
    """What starts Streamlit: no browser is opened, nothing is reported home, no files are watched.

    What stands behind ``--`` is for the page: see ``app.chat.opening.opened``.
    """
    page = Path(__file__).parent.parent / "chat" / "main.py"
    options = {
        "server.address": host,
        "server.port": str(port),
        "server.headless": "true",
        "server.fileWatcherType": "none",
        "browser.gatherUsageStats": "false",
    }
    flags = [part for name, value in options.items() for part in (f"--{name}", value)]
    return [sys.executable, "-m", "streamlit", "run", str(page), *flags, *(["--", "--verbose"] if verbose else [])]


def environment(invocation: Invocation, loaded: Loaded) -> dict[str, str]:
    """The environment for Streamlit: that of this process, with the settings file and the flags as variables, and this code on the path."""
    from app.settings.layers import CONFIG_VARIABLE, variable

    root = str(Path(__file__).parent.parent.parent)
    paths = [root, *filter(None, os.environ.get("PYTHONPATH", "").split(os.pathsep))]
    env = {**os.environ, "PYTHONPATH": os.pathsep.join(dict.fromkeys(paths))}
    if loaded.file is not None:
        env[CONFIG_VARIABLE] = str(loaded.file.resolve())
    return env | {variable(key): str(value) for key, value in invocation.flags.items()}
