"""The library page."""

from __future__ import annotations

from app.chat.panes.context import drawn
from app.chat.panes.library import show

drawn(show)
