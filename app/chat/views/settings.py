"""The settings page."""

from __future__ import annotations

from app.chat.panes.context import drawn
from app.chat.panes.settings import show

drawn(show)
