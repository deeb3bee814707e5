"""The evaluate page."""

from __future__ import annotations

from app.chat.panes import evaluate
from app.chat.panes.context import drawn

drawn(evaluate.show)
