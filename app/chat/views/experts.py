"""The experts page."""

from __future__ import annotations

from app.chat.panes.context import drawn
from app.chat.panes.experts import show

drawn(show)
