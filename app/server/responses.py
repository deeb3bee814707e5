"""Responses as JSON, whatever the documents hold."""

from __future__ import annotations

import json
from typing import Any

from fastapi.responses import JSONResponse

from app.cli.output import finite


def as_json(values: Any) -> str:  # noqa: ANN401 (JSON)
    """JSON on one line; numbers that are not finite become ``null``."""
    return json.dumps(finite(values), ensure_ascii=False, separators=(",", ":"))


class Json(JSONResponse):
    """JSON; half of a surrogate pair, which only broken documents have, becomes a question mark."""

    def render(self, content: Any) -> bytes:  # noqa: ANN401 (JSON)
        """See ``Response``."""
        return as_json(content).encode(errors="replace")
