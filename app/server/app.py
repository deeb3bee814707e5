"""The server as an ASGI application."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING

from fastapi import FastAPI

from app.server import documentation, errors
from app.server.access import Access
from app.server.bounds import Bounds
from app.server.hosts import LOOPBACK, Hosts
from app.server.routes import ask, conversations, documents, experts, feedback, health, openai, retrieve
from app.server.service import Service
from app.server.traced import Traced

if TYPE_CHECKING:
    from app.access.audit import Audit
    from app.access.keys import Keys
    from app.access.limits import Limits
    from app.conversations.store import Conversations
    from app.settings.schema import Serve
    from app.symposium import Symposium

ROUTES = (ask, retrieve, experts, documents, conversations, feedback, openai, health)


def make_app(
    symposium: Symposium,
    conversations: Conversations,
    keys: Keys | None = None,
    audit: Audit | None = None,
    limits: Limits | None = None,
    serve: Serve | None = None,
) -> FastAPI:
    """A server for one symposium, which it opens when it starts and does not close.

    Parameters
    ----------
    conversations
        Where what is asked is kept, if whoever asks wants it.
    keys
        Who may use it. Without any, everybody who reaches it is ``LOCAL``: it then answers only under the names of this
        machine, and under the names of ``serve.hosts``.
    audit
        Where it is noted who did what.
    limits
        How often each principal may send a request.
    serve
        Sizes and the length of the queue; those of the symposium's settings by default.
    """
    serve = serve or symposium.settings.serve
    service = Service(symposium, conversations, serve, keys, audit, limits)
    app = FastAPI(
        title=documentation.TITLE,
        description=documentation.DESCRIPTION,
        version=_version(),
        lifespan=_lifespan,
        docs_url=None,  # these pages load scripts from elsewhere
        redoc_url=None,
    )
    app.state.service = service
    for module in ROUTES:
        app.include_router(module.router)
    errors.install(app)
    documentation.document(app, keys=keys is not None)
    # The last one added is the first one asked.
    app.add_middleware(Bounds, serve=serve)
    app.add_middleware(Access, service=service)
    if keys is None and "*" not in (named := serve.hosts.lower().split()):
        app.add_middleware(Hosts, hosts=LOOPBACK | {serve.host, *named})
    app.add_middleware(Traced, metrics=service.metrics)
    return app


@asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[None]:
    service: Service = app.state.service
    service.start()
    try:
        yield
    finally:
        await service.stop()


def _version() -> str:
    try:
        return version("symposia")
    except PackageNotFoundError:
        return "0"
