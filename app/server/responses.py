"""Responses as JSON, whatever the documents hold."""

from __future__ import annotations

import json
import re
from functools import lru_cache
from typing import Any

from fastapi.responses import JSONResponse

from app.cli.output import finite
from indexes.invisible import shown, words_of

_UNUSUAL = re.compile(r"[^\x00-\x7e\xa1-\xac\xae-\xff]")
_BREAKS = (
    "\x85\u2028\u2029\u200c\u200d"  # lines' ends, and joiners, which ``words_of`` judges by what stands beside them
)


def as_json(values: Any) -> str:  # noqa: ANN401 (JSON)
    """JSON on one line; numbers that are not finite become ``null``."""
    text = json.dumps(finite(values), ensure_ascii=False, separators=(",", ":"))
    return text if text.isascii() else _UNUSUAL.sub(_visible, text)


def _visible(match: re.Match[str]) -> str:
    return _escaped(match[0])


@lru_cache(10_000)
def _escaped(sign: str) -> str:
    """The character, or where it is not seen or ends a line, its number: a reader of the bytes sees what is there."""
    unseen = sign in _BREAKS or (shown(words_of(sign)) != sign and not "\ud800" <= sign <= "\udfff")
    return json.dumps(sign)[1:-1] if unseen else sign


class Json(JSONResponse):
    """JSON; half of a surrogate pair, which only broken documents have, becomes a question mark."""

    def render(self, content: Any) -> bytes:  # noqa: ANN401 (JSON)
        """See ``Response``."""
        return as_json(content).encode(errors="replace")
