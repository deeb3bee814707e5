"""The evaluate page."""

from __future__ import annotations

from app.chat.panes.context import drawn
from app.chat.panes.evaluate import show

drawn(show)
