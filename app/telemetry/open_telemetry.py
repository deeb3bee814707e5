"""Spans by OpenTelemetry, sent over OTLP/HTTP to where ``OTEL_EXPORTER_OTLP_ENDPOINT`` says (``http://localhost:4318`` without it).

Symposia's trace id is OpenTelemetry's too, so that a line of the log leads to its spans. Attributes follow OpenTelemetry's
conventions for GenAI where they have a name for them.
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING, Any

from app.telemetry.trace import Attribute, Span, current_trace, listen, tracing
from indexes.errors import SettingsError

if TYPE_CHECKING:
    from opentelemetry import trace as api
    from opentelemetry.sdk.trace.export import SpanExporter

    from app.settings.schema import Telemetry

EXTRA = "pip install 'symposia[otel]'"
NAME = "symposia"


def switch_on(telemetry: Telemetry, exporter: SpanExporter | None = None) -> None:
    """Send this process's spans away, where the settings ask for it; nothing happens a second time.

    Parameters
    ----------
    telemetry
        The section of the settings.
    exporter
        Where spans go; by default an OTLP exporter that reads OpenTelemetry's own environment variables.

    Raises
    ------
    SettingsError
        Traces are asked for, and OpenTelemetry is not installed.
    """
    if not telemetry.traces or tracing() is not None:
        return
    try:
        from opentelemetry.sdk.trace.export import BatchSpanProcessor
    except ImportError as error:
        raise SettingsError(
            "telemetry.traces is true, but OpenTelemetry is not installed.",
            f"Install it: {EXTRA}, or set telemetry.traces to false.",
        ) from error
    provider = make_provider()
    provider.add_span_processor(BatchSpanProcessor(exporter or _otlp()))
    listen(OpenTelemetry(provider))


def make_provider() -> Any:  # noqa: ANN401 (a type of a package that may be absent)
    """A tracer provider whose traces have Symposia's ids; it is made that of the process where there is none yet."""
    from opentelemetry import trace as api
    from opentelemetry.sdk.resources import SERVICE_NAME, SERVICE_VERSION, Resource
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.id_generator import IdGenerator

    class Ids(IdGenerator):
        def generate_span_id(self) -> int:
            return secrets.randbits(64) or 1

        def generate_trace_id(self) -> int:
            return int(current_trace() or secrets.token_hex(16), 16)

    try:
        ours = version(NAME)
    except PackageNotFoundError:
        ours = ""
    service = {SERVICE_NAME: os.environ.get("OTEL_SERVICE_NAME") or NAME, SERVICE_VERSION: ours}
    provider = TracerProvider(resource=Resource.create(service), id_generator=Ids())
    if isinstance(api.get_tracer_provider(), api.ProxyTracerProvider):
        api.set_tracer_provider(provider)
    return provider


class OpenTelemetry:
    """``Tracing`` by OpenTelemetry.

    Exceptions are recorded by kind only: their messages may hold text of a question.

    Parameters
    ----------
    provider
        As ``make_provider`` gives it.
    """

    def __init__(self, provider: Any) -> None:  # noqa: ANN401 (a type of a package that may be absent)
        self.provider = provider
        self.tracer: api.Tracer = provider.get_tracer(NAME)

    @contextmanager
    def span(self, name: str, attributes: Mapping[str, Attribute]) -> Iterator[Span]:
        """See ``Tracing``."""
        with self.tracer.start_as_current_span(
            name, attributes=_named(attributes), record_exception=False, set_status_on_exception=False
        ) as made:
            try:
                yield _Span(made)
            except BaseException as error:
                _fail(made, type(error).__name__)
                raise

    def begin(self, name: str, attributes: Mapping[str, Attribute]) -> _Watched:
        """See ``Tracing``."""
        return _Watched(self.tracer, self.tracer.start_span(name, attributes=_named(attributes)))

    def trace(self) -> str:
        """See ``Tracing``."""
        from opentelemetry.trace import get_current_span

        context = get_current_span().get_span_context()
        return f"{context.trace_id:032x}" if context.is_valid else ""


class _Span:
    def __init__(self, span: api.Span) -> None:
        self.inner = span

    def set(self, **attributes: Attribute) -> None:
        """See ``Span``."""
        self.inner.set_attributes(_named(attributes))


class _Watched:
    def __init__(self, tracer: api.Tracer, span: api.Span) -> None:
        self.tracer = tracer
        self.inner = span

    def inside(self) -> AbstractContextManager[object]:
        """See ``Watched``."""
        from opentelemetry.trace import use_span

        return use_span(self.inner, record_exception=False, set_status_on_exception=False)

    def part(self, name: str, began: int, ended: int, attributes: Mapping[str, Attribute]) -> None:
        """See ``Watched``."""
        from opentelemetry.trace import set_span_in_context

        within = set_span_in_context(self.inner)
        self.tracer.start_span(name, within, attributes=_named(attributes), start_time=began).end(ended)

    def end(self, attributes: Mapping[str, Attribute], error: str = "") -> None:
        """See ``Watched``."""
        self.inner.set_attributes(_named(attributes))
        if error:
            _fail(self.inner, error)
        self.inner.end()


def _fail(span: api.Span, kind: str) -> None:
    from opentelemetry.trace import StatusCode

    span.set_attribute("error.type", kind)
    span.set_status(StatusCode.ERROR)


def _named(attributes: Mapping[str, Attribute]) -> dict[str, Any]:
    """With ``symposia.`` before the names that have no dot."""
    return {name if "." in name else f"{NAME}.{name}": value for name, value in attributes.items()}


def _otlp() -> SpanExporter:
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter

    return OTLPSpanExporter()
