"""``symposia mcp``: the panel as tools of an agent, by the Model Context Protocol."""

from __future__ import annotations

from contextlib import suppress
from importlib.util import find_spec
from typing import TYPE_CHECKING, Annotated

import typer

from app.cli.address import check_free
from app.cli.invocation import Invocation
from indexes.errors import InputError

if TYPE_CHECKING:
    from starlette.types import ASGIApp

    from app.settings import Settings
    from app.symposium import Symposium

HOST = "127.0.0.1"
PATH = "/mcp"


def mcp(
    ctx: typer.Context,
    http: Annotated[bool, typer.Option("--http", help="Serve HTTP on 127.0.0.1 instead of stdin and stdout.")] = False,
    port: Annotated[int, typer.Option(min=1, max=65535, help="Port on 127.0.0.1, with --http.")] = 8002,
) -> None:
    """Offer the tools ask, search, list_experts and explain to agents, over stdin and stdout.

    An agent's settings name the command `symposia mcp`. SYMPOSIA_KEY in its environment may hold a key, made with
    `symposia keys create`, whose experts are then all that the agent sees. With --http, keys are sent as
    `Authorization: Bearer …`.
    """
    check_installed(http)
    invocation: Invocation = ctx.obj
    settings = invocation.load().settings
    from app.telemetry.logs import log_to

    log_to(invocation.stderr, settings.telemetry, verbose=invocation.verbose)
    if http:
        check_free(HOST, port, "mcp --http")
        invocation.output(as_json=False).note(f"MCP is served at http://{HOST}:{port}{PATH}. End it with Ctrl-C.")
        serve_http(settings, port)
    else:
        serve_stdio(settings)


def check_installed(http: bool) -> None:
    """Raise an ``InputError`` that names the extra where the libraries are not there."""
    lacking = [name for name in ("mcp", *(("uvicorn",) if http else ())) if find_spec(name) is None]
    if lacking:
        raise InputError(
            f"The MCP server needs {', '.join(lacking)}, not installed here.",
            "Install it: pip install 'symposia[mcp]'",
        )


def serve_stdio(settings: Settings) -> None:
    """Serve one client over stdin and stdout until it closes them."""
    from app.access.open import audit_of, keys_of, limits_of
    from app.mcp.access import from_environment
    from app.mcp.server import make_server
    from app.mcp.tools import Tools
    from app.symposium import Symposium

    principal = from_environment(keys_of(settings), required=settings.access.required)
    with Symposium.open(settings) as symposium:
        make_server(Tools(symposium, principal, audit_of(settings), limits_of(settings))).run("stdio")


def serve_http(settings: Settings, port: int) -> None:
    """Serve any number of clients over streamable HTTP until a signal ends it, Ctrl-C included."""
    import uvicorn

    from app.symposium import Symposium

    with Symposium.open(settings) as symposium:
        app = http_app(symposium, settings)
        config = uvicorn.Config(app, host=HOST, port=port, log_config=None, access_log=False, server_header=False)
        with suppress(KeyboardInterrupt):  # which uvicorn raises again once it has ended
            uvicorn.Server(config).run()


def http_app(symposium: Symposium, settings: Settings) -> ASGIApp:
    """The tools as an ASGI application. Requests for other hosts, or of pages elsewhere, are refused."""
    from app.access.open import audit_of, keys_of, limits_of
    from app.mcp.access import Bearer, caller
    from app.mcp.server import make_server
    from app.mcp.tools import Tools

    server = make_server(Tools(symposium, caller, audit_of(settings), limits_of(settings)))
    # Without sessions each request stands for itself, and for whose key it carries.
    app = server.streamable_http_app(streamable_http_path=PATH, stateless_http=True, host=HOST)
    return Bearer(app, keys_of(settings), required=settings.access.required)
