from __future__ import annotations

import asyncio
import gzip
import json
import logging
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest

from app.access.principal import Principal
from app.settings.schema import Telemetry
from app.telemetry import trace
from app.telemetry.logs import QUESTIONS
from app.telemetry.open_telemetry import switch_on
from app.telemetry.trace import fresh, listen, span, tracing, using
from generators.writing.follow_up import Exchange
from indexes.errors import InputError, SettingsError
from tests.app.telemetry.conftest import Make
from tests.fakes import QUESTIONS as ASKED

pytest.importorskip("opentelemetry.sdk")
APPLES = ASKED["orchard"]


@pytest.fixture
def spans() -> Iterator[Any]:
    """Switches spans on; call it for those that ended, by name."""
    from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

    exporter = InMemorySpanExporter()
    switch_on(Telemetry(traces=True), exporter)
    listener: Any = tracing()

    def ended() -> dict[str, Any]:
        listener.provider.force_flush()
        return {made.name: made for made in exporter.get_finished_spans()}

    yield ended
    listen(None)
    listener.provider.shutdown()


def test_each_stage_is_a_span_of_the_question_and_its_trace_is_that_of_the_log(
    make: Make, spans: Any, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, logger=QUESTIONS)
    answer = make().ask(APPLES)
    ended = spans()
    assert set(ended) == {"ask", "retrieve", "route", "write", "check"}
    root = ended["ask"].context
    assert f"trace={root.trace_id:032x} " in caplog.records[0].getMessage()
    parents = {name: made.parent and made.parent.span_id for name, made in ended.items()}
    assert parents == {
        "ask": None,
        "retrieve": root.span_id,
        "route": ended["retrieve"].context.span_id,
        "write": root.span_id,
        "check": root.span_id,
    }
    write = ended["write"]
    assert (write.end_time - write.start_time) / 1e9 == pytest.approx(answer.seconds["write"], abs=1e-6)
    assert ended["retrieve"].end_time <= write.start_time
    assert write.end_time == ended["check"].start_time
    assert dict(write.attributes) == {
        "gen_ai.operation.name": "chat",
        "gen_ai.request.model": "scripted",
        "gen_ai.usage.output_tokens": len("Apple trees blossom in April."),
        "symposia.policy": "greedy",
    }
    assert ended["route"].attributes["symposia.experts"] == ("orchard",)
    assert ended["retrieve"].attributes["symposia.passages"] == len(answer.evidence)
    assert ended["ask"].attributes["symposia.outcome"] == "answered"


def test_no_text_is_in_a_span_unless_it_was_asked_for(make: Make, spans: Any) -> None:
    make().ask(APPLES)
    assert "blossom" not in "".join(made.to_json() for made in spans().values())


def test_text_is_in_the_span_of_the_question_where_it_was_asked_for(make: Make, spans: Any) -> None:
    answer = make(content=True).ask(APPLES)
    attributes = spans()["ask"].attributes
    [message] = json.loads(attributes["gen_ai.output.messages"])
    assert message == {"role": "assistant", "parts": [{"type": "text", "content": answer.marked}]}
    assert json.loads(attributes["gen_ai.input.messages"])[0]["parts"][0]["content"] == APPLES


def test_an_error_is_named_by_its_kind_without_its_message(make: Make, spans: Any) -> None:
    with pytest.raises(InputError):
        make().ask(APPLES, experts=["secretexpert"])
    root = spans()["ask"]
    assert root.attributes["error.type"] == "InputError"
    assert not root.status.is_ok
    assert "secretexpert" not in "".join(made.to_json() for made in spans().values())


def test_the_span_of_a_caller_holds_that_of_the_question(make: Make, spans: Any) -> None:
    with using("d" * 32), span("POST", **{"http.route": "/v1/ask"}):
        make().ask(APPLES)
    ended = spans()
    assert ended["ask"].parent.span_id == ended["POST"].context.span_id
    assert ended["POST"].context.trace_id == int("d" * 32, 16)
    assert ended["POST"].attributes["http.route"] == "/v1/ask"


def test_within_a_span_that_others_began_the_trace_is_theirs(
    make: Make, spans: Any, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, logger=QUESTIONS)
    listener: Any = tracing()
    with listener.tracer.start_as_current_span("outer"):
        make().ask(APPLES)
        assert fresh() == f"{spans()['ask'].context.trace_id:032x}"
    assert f"trace={spans()['outer'].context.trace_id:032x} " in caplog.records[0].getMessage()
    assert fresh() != fresh()


def test_a_call_over_mcp_has_one_trace(make: Make, spans: Any) -> None:
    mcp = pytest.importorskip("mcp")
    from app.mcp.server import make_server
    from app.mcp.tools import Tools

    async def run() -> Any:
        async with mcp.Client(make_server(Tools(make()))) as client:
            return await client.call_tool("ask", {"question": APPLES})

    reply = asyncio.run(run())
    assert reply.structured_content["trace"] == f"{spans()['ask'].context.trace_id:032x}"


def test_two_streams_read_in_turn_do_not_become_parts_of_one_another(make: Make, spans: Any) -> None:
    symposium = make()
    first, second = symposium.stream(APPLES), symposium.stream(ASKED["engines"])
    next(first)
    next(second)
    listener: Any = trace.tracing()
    assert listener.tracer.start_span("probe").parent is None
    first.close()  # type: ignore[attr-defined]
    second.close()  # type: ignore[attr-defined]


def test_understanding_a_follow_up_is_a_stage_too(make: Make, spans: Any) -> None:
    before = [Exchange("When do apple trees blossom?", "Apple trees blossom in April.")]
    list(make().stream("And when do they carry fruit?", before=before))
    ended = spans()
    assert ended["understand"].parent.span_id == ended["ask"].context.span_id
    assert ended["understand"].end_time <= ended["retrieve"].start_time


def test_a_principal_who_sees_a_part_has_the_same_spans(make: Make, spans: Any) -> None:
    make().seen_by(Principal("p", frozenset({"orchard"}))).ask(APPLES)
    assert set(spans()) == {"ask", "retrieve", "route", "write", "check"}


def test_spans_go_over_http_to_where_the_environment_says(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

    received: list[tuple[str, bytes]] = []

    class Collector(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            received.append((self.path, gzip.decompress(body) if self.headers["Content-Encoding"] == "gzip" else body))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Collector) as collector:
        thread = threading.Thread(target=collector.serve_forever)
        thread.start()
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", f"http://127.0.0.1:{collector.server_address[1]}")
        switch_on(Telemetry(traces=True))
        listener: Any = tracing()
        try:
            make().ask(APPLES)
        finally:
            listen(None)
            listener.provider.shutdown()
            collector.shutdown()
            thread.join()
    [(path, body)] = received
    assert path == "/v1/traces"
    sent = ExportTraceServiceRequest.FromString(body).resource_spans[0]
    assert {each.name for each in sent.scope_spans[0].spans} == {"ask", "retrieve", "route", "write", "check"}
    service = {each.key: each.value.string_value for each in sent.resource.attributes}
    assert service["service.name"] == "symposia"
    assert b"blossom" not in body


def test_nothing_is_switched_on_unless_the_settings_say_so() -> None:
    switch_on(Telemetry())
    assert tracing() is None


def test_traces_without_opentelemetry_are_refused_with_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "opentelemetry.sdk.trace.export", None)
    with pytest.raises(SettingsError, match=r"symposia\[otel\]"):
        switch_on(Telemetry(traces=True))


def test_opentelemetry_is_not_imported_while_traces_are_off() -> None:
    code = "import sys, app.wiring, app.symposium; sys.exit('opentelemetry' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False, timeout=60).returncode == 0
