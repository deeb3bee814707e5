"""The settings page."""

from __future__ import annotations

from app.chat.panes import settings
from app.chat.panes.context import drawn

drawn(settings.show)
