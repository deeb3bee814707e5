"""The library page."""

from __future__ import annotations

from app.chat.panes import library
from app.chat.panes.context import drawn

drawn(library.show)
