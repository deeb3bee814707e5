"""The experts page."""

from __future__ import annotations

from app.chat.panes import experts
from app.chat.panes.context import drawn

drawn(experts.show)
