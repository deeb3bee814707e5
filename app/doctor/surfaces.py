"""What the server, the chat with login, agents and telemetry need: packages, a free port, keys, and the conversations' file."""

from __future__ import annotations

import os
import sys
from datetime import UTC, datetime
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from app.doctor.check import Check
from indexes.errors import SymposiaError

if TYPE_CHECKING:
    from app.settings import Settings

EXTRAS = {
    "serve": ("symposia serve", ("fastapi", "uvicorn", "prometheus_client", "python_multipart")),
    "mcp": ("symposia mcp", ("mcp", "uvicorn")),
    "otel": ("telemetry.traces", ("opentelemetry.sdk", "opentelemetry.exporter.otlp.proto.http")),
    "login": ("access.login", ("authlib",)),
}
"""Extras of the package, with what wants each and the modules that it brings."""

ENDPOINTS = ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT")
OTHERS = 0o077  # what those may do with a file who are not its owner


def surfaces(settings: Settings) -> list[Check]:
    """All of these checks. What the settings do not ask for may be absent."""
    wanted = {"otel": settings.telemetry.traces, "login": settings.access.login}
    return [
        *(extra(name, needed=wanted.get(name, False)) for name in EXTRAS),
        *([traces()] if settings.telemetry.traces else []),
        server(settings),
        keys(settings),
        *([people(settings)] if settings.access.login else []),
        conversations(settings),
    ]


def extra(name: str, *, needed: bool) -> Check:
    """Whether the packages of an extra are installed."""
    what, modules = EXTRAS[name]
    lacking = [module for module in modules if not _there(module)]
    title = f"extra {name}"
    if not lacking:
        return Check(title, "ok", f"installed, for {what}")
    install = f"{sys.executable} -m pip install 'symposia[{name}]'"
    if needed:
        return Check(title, "fail", f"{what} is true, but {', '.join(lacking)} is not installed", f"Run: {install}")
    return Check(title, "ok", f"not installed; for {what}, run {install}")


def traces() -> Check:
    """Where spans are sent."""
    named = next((os.environ[name] for name in ENDPOINTS if os.environ.get(name)), "")
    if not named:
        fix = f"Set {ENDPOINTS[1]}, or telemetry.traces = false."
        return Check("traces", "warn", "sent to http://localhost:4318, as no endpoint is named", fix)
    return Check("traces", "ok", f"sent to {named}")


def server(settings: Settings) -> Check:
    """Whether ``symposia serve`` could start: its port is free, and strangers are kept out."""
    from app.cli.address import check_free
    from app.cli.serve import keys_for

    serve = settings.serve
    try:
        asked = keys_for(settings) is not None
    except SymposiaError as error:
        return Check("server", "fail", error.problem, error.fix)
    where = f"{serve.host}:{serve.port}"
    try:
        check_free(serve.host, serve.port)
    except SymposiaError as error:
        return Check("server", "warn", error.problem, f"If that is the server itself, all is well. {error.fix}")
    return Check("server", "ok", f"{where} is free; keys are {'asked for' if asked else 'not asked for'}")


def keys(settings: Settings) -> Check:
    """Whether the keys can be read, by their owner alone, and are still valid."""
    from app.access.open import keys_of

    held = keys_of(settings)
    if not held.file.exists():
        return Check("keys", "ok", "none made")
    try:
        listed = held.list()
    except SymposiaError as error:
        return Check("keys", "fail", error.problem, error.fix)
    now = datetime.now(UTC)
    expired = [key.name for key in listed if not key.valid(now)]
    detail = f"{len(listed)} in {held.file}" + (f", expired: {', '.join(expired)}" if expired else "")
    if open_to := _open_to_others(held.file):
        return Check(
            "keys", "warn", f"{detail}; others may read or write it ({open_to})", f"Run: chmod 600 {held.file}"
        )
    if expired:
        return Check("keys", "warn", detail, f"Remove what is not wanted any more: symposia keys revoke {expired[0]}")
    return Check("keys", "ok", detail)


def people(settings: Settings) -> Check:
    """Whether it is said who may log in to the chat."""
    from app.access.people import FILE, read_people

    try:
        entries = read_people(settings.home / FILE)
    except SymposiaError as error:
        return Check("people", "fail", error.problem, error.fix)
    return Check("people", "ok", f"{len(entries)} entries in {settings.home / FILE}")


def conversations(settings: Settings) -> Check:
    """Whether conversations can be read and written. The file is left as it is."""
    from app.conversations.database import reading
    from app.conversations.store import FILE

    file = settings.home / FILE
    if not file.exists():
        return Check("conversations", "ok", "none yet")
    try:
        with reading(file) as connection:
            count = 0 if connection is None else connection.execute("SELECT count(*) FROM conversations").fetchone()[0]
    except SymposiaError as error:
        return Check("conversations", "fail", error.problem, error.fix)
    if not (os.access(file, os.W_OK) and os.access(file.parent, os.W_OK)):
        fix = "Make the file and its folder writable for this user."
        return Check("conversations", "fail", f"{file} may not be written", fix)
    if open_to := _open_to_others(file):
        fix = f"Run: chmod 600 {file}"
        return Check("conversations", "warn", f"{count} in {file}; others may read or write it ({open_to})", fix)
    return Check("conversations", "ok", f"{count} in {file}")


def _open_to_others(file: Path) -> str:
    """The mode of a file that others than its owner may read or write, as ``0644``; empty where they may not."""
    mode = file.stat().st_mode & 0o777
    return f"{mode:04o}" if os.name == "posix" and mode & OTHERS else ""


def _there(module: str) -> bool:
    try:
        return find_spec(module) is not None
    except ModuleNotFoundError:  # of a package above it
        return False
