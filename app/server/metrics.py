"""What Prometheus reads at ``/metrics``: counts and seconds, no text, no name of an expert or of a principal."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

from app.turns import Turns
from generators.answer import Answer

SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 25, 60, 120, 300)


class Metrics:
    """The measures of one server, in a registry of their own.

    Parameters
    ----------
    turns
        The queue whose length is shown.
    """

    def __init__(self, turns: Turns) -> None:
        self.registry = registry = CollectorRegistry()
        self.requests = Counter(
            "symposia_http_requests", "Requests by route and status", ["method", "route", "status"], registry=registry
        )
        self.seconds = Histogram(
            "symposia_http_request_seconds", "Until the last byte", ["route"], buckets=SECONDS, registry=registry
        )
        self.in_flight = Gauge("symposia_http_requests_in_flight", "Requests that are being served", registry=registry)
        self.verdicts = Counter("symposia_answers", "Answers by verdict", ["verdict"], registry=registry)
        self.stages = Histogram(
            "symposia_stage_seconds", "Seconds of an answer by stage", ["stage"], buckets=SECONDS, registry=registry
        )
        self.tokens = Counter("symposia_tokens", "Pieces of text that the language model wrote", registry=registry)
        self.cancelled = Counter("symposia_answers_cancelled", "Questions whose client went away", registry=registry)
        queued = Gauge("symposia_queue_length", "Questions that wait for the language model", registry=registry)
        queued.set_function(lambda: turns.queued)

    def answered(self, answer: Answer) -> None:
        """Count an answer."""
        self.verdicts.labels(answer.verdict.value).inc()
        for stage, seconds in answer.seconds.items():
            self.stages.labels(stage).observe(seconds)

    def text(self) -> bytes:
        """The exposition in Prometheus' text format."""
        return generate_latest(self.registry)
