"""The chat page."""

from __future__ import annotations

from app.chat import conversation

conversation.show()
