"""Structured logs: one JSON object a line, or the same as text."""

from __future__ import annotations

import json
import logging
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, TextIO

from app.telemetry.trace import current_trace

if TYPE_CHECKING:
    from app.settings.schema import Telemetry

QUESTIONS = "symposia.questions"
"""The logger that gets one line a question."""

FIELDS = "symposia_fields"
"""Name of the ``extra`` whose entries become fields of the line."""

TEXT = "%(asctime)s %(levelname)s %(name)s: %(message)s"
ROOMS = ("indexes", "retrievers", "generators", "app", "evaluation", "symposia")


class JsonLines(logging.Formatter):
    """A record as one line of JSON: time (UTC, ISO 8601), level, logger, message, trace, its fields, and a traceback."""

    def format(self, record: logging.LogRecord) -> str:
        """See ``logging.Formatter``."""
        fields: dict[str, Any] = getattr(record, FIELDS, {})
        line = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": "question" if record.name == QUESTIONS else record.getMessage(),
            "trace": current_trace(),
            **fields,
        }
        if record.exc_info:
            line["traceback"] = self.formatException(record.exc_info)
        return json.dumps({name: value for name, value in line.items() if value != ""}, ensure_ascii=False, default=str)


def log_to(stream: TextIO, telemetry: Telemetry, *, verbose: bool = False) -> None:
    """Send this process's logs to ``stream`` as the settings say: what a server or another long-running command does.

    Questions are logged at the level INFO, the rooms at WARNING (DEBUG with ``verbose``), libraries at WARNING.
    """
    handler = logging.StreamHandler(stream)
    handler.setFormatter(JsonLines() if telemetry.logs == "json" else logging.Formatter(TEXT))
    root = logging.getLogger()
    for old in [other for other in root.handlers if type(other) is logging.StreamHandler]:
        root.removeHandler(old)  # those of other kinds are somebody else's
    root.addHandler(handler)
    root.setLevel(logging.INFO if verbose else logging.WARNING)
    for room in ROOMS:
        logging.getLogger(room).setLevel(logging.DEBUG if verbose else logging.WARNING)
    logging.getLogger(QUESTIONS).setLevel(logging.INFO)
