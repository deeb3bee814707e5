"""``symposia serve``: the HTTP server."""

from __future__ import annotations

import math
import os
import signal
import sys
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from importlib.util import find_spec
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer

from app.cli.address import check_free, in_url
from app.cli.invocation import Invocation
from app.cli.options import AsJson
from indexes.errors import InputError, SettingsError

if TYPE_CHECKING:
    from app.access.keys import Keys
    from app.settings import Settings

NEEDED = ("fastapi", "uvicorn", "prometheus_client", "python_multipart")
LOOPBACK = ("127.0.0.1", "localhost", "::1")


def serve(
    ctx: typer.Context,
    host: Annotated[
        str | None, typer.Option(metavar="ADDRESS", help="Address to listen on, instead of serve.host.")
    ] = None,
    port: Annotated[
        int | None, typer.Option(min=1, max=65535, help="Port to listen on, instead of serve.port.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Serve the HTTP API, at http://127.0.0.1:8000. End it with Ctrl-C: questions that are being answered may end.

    Without keys it serves this machine only. `symposia keys create NAME` makes a key, and `access.required = true` asks
    for one. With --json, the document names the address and the process.
    """
    check_installed()
    invocation: Invocation = ctx.obj
    given = {key: value for key, value in {"serve.host": host, "serve.port": port}.items() if value is not None}
    invocation = replace(invocation, flags={**invocation.flags, **given})
    output, settings = invocation.output(as_json), invocation.load().settings
    keys = keys_for(settings)
    check_free(settings.serve.host, settings.serve.port)
    url = f"http://{in_url(settings.serve.host)}:{settings.serve.port}"

    def announce() -> None:
        if as_json:
            output.document({"url": url, "pid": os.getpid(), "keys": keys is not None})
        else:
            output.show(f"The API is at {url}, described at {url}/openapi.json. End it with Ctrl-C.")

    run(invocation, settings, keys, announce)


def check_installed() -> None:
    """Raise an ``InputError`` that names the extra where the server's libraries are not there."""
    lacking = [name for name in NEEDED if find_spec(name) is None]
    if lacking:
        raise InputError(
            f"The server needs {', '.join(lacking)}, which are not installed.",
            "Install them: pip install 'symposia[serve]'",
        )


def keys_for(settings: Settings) -> Keys | None:
    """The keys that clients are asked for; ``None`` where the server is for this machine only, or is to do without.

    Raises
    ------
    SettingsError
        Other machines would be served without keys, or keys are asked for and there are none.
    """
    from app.access.open import keys_of

    if settings.access.required:
        keys = keys_of(settings)
        if not keys.list():
            raise SettingsError(
                "access.required is true, but there is no key, so that nobody could use the server.",
                "Make one: `symposia keys create NAME`.",
            )
        return keys
    if settings.serve.host not in LOOPBACK and not settings.serve.without_keys:
        raise SettingsError(
            f"serve.host is {settings.serve.host!r}, which other machines reach, and no keys are asked for.",
            "Make a key with `symposia keys create NAME` and set access.required = true; or serve this machine only, on "
            "127.0.0.1; or, where something else keeps strangers out, set serve.without_keys = true.",
        )
    return None


def run(invocation: Invocation, settings: Settings, keys: Keys | None, announce: Callable[[], None]) -> None:
    """Serve until a signal ends it, Ctrl-C included; ``announce`` is called when everything is in place."""
    import uvicorn

    from app.access.open import audit_of, limits_of
    from app.conversations.store import FILE, Conversations
    from app.server.app import make_app
    from app.symposium import Symposium
    from app.telemetry.logs import log_to
    from app.telemetry.open_telemetry import switch_on

    log_to(invocation.stderr, settings.telemetry, verbose=invocation.verbose)
    switch_on(settings.telemetry)
    signal.signal(signal.SIGTERM, _terminated)  # uvicorn raises it again once it has ended
    with Symposium.open(settings) as symposium:
        conversations = Conversations(settings.home / FILE)
        app = make_app(symposium, conversations, keys, audit_of(settings), limits_of(settings))
        config = uvicorn.Config(
            app,
            host=settings.serve.host,
            port=settings.serve.port,
            log_config=None,
            access_log=False,
            server_header=False,
            proxy_headers=False,
            timeout_graceful_shutdown=math.ceil(settings.serve.drain),
        )
        announce()
        with suppress(KeyboardInterrupt):  # which uvicorn raises again once it has ended
            uvicorn.Server(config).run()


def _terminated(*_: object) -> NoReturn:
    sys.exit(0)
