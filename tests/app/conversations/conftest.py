from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from app.conversations.store import Conversations
from generators.answer import Answer
from tests.app.conversations.made import make_answer


@pytest.fixture
def answer() -> Answer:
    return make_answer()


@pytest.fixture
def clock() -> Callable[[], datetime]:
    """A second later each time it is asked."""
    times = (datetime(2026, 3, 1, 12, tzinfo=UTC) + timedelta(seconds=n) for n in range(1_000))
    return lambda: next(times)


@pytest.fixture
def store(tmp_path: Path, clock: Callable[[], datetime]) -> Conversations:
    return Conversations(tmp_path / "home" / "conversations.db", clock)
