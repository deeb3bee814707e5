from __future__ import annotations

from concurrent.futures import Future
from pathlib import Path
from typing import Any, cast

import pytest

from app.chat import opening
from app.chat.opening import NO_EXPERTS, Opened, obstacles, unusable
from app.chat.turn import Failed
from app.conversations.store import Conversations
from app.library import ExpertCard
from app.settings import Settings

LOCKED = ExpertCard("law", problem="The slice is in use by process 7.\nClose that program.")
COLD = Failed("The generator has not been fetched.", "Run `symposia models fetch`.")


def opened(symposium: Any, warm: Future[Failed | None]) -> Opened:
    return Opened(symposium, warm, Conversations(Path("nowhere")))


def test_a_panel_with_one_usable_expert_can_be_asked() -> None:
    assert obstacles([LOCKED, ExpertCard("tax", passages=3)], None) == []


def test_a_panel_without_experts_names_the_commands_that_make_some() -> None:
    assert obstacles([], None) == [NO_EXPERTS]
    assert "Library page" in NO_EXPERTS.fix
    assert "`symposia demo`" in NO_EXPERTS.fix and "`symposia add" in NO_EXPERTS.fix


def test_a_panel_of_broken_experts_says_why_of_each() -> None:
    assert obstacles([LOCKED], None) == [unusable(LOCKED)]
    assert unusable(LOCKED) == Failed("law: The slice is in use by process 7.", "Close that program.")


def test_a_model_that_cannot_be_loaded_is_an_obstacle() -> None:
    assert obstacles([ExpertCard("tax", passages=3)], COLD) == [COLD]


def test_waiting_for_the_models_ends_with_what_went_wrong_or_when_cancelled(fake: Any) -> None:
    warm: Future[Failed | None] = Future()
    state = opened(fake, warm)
    assert state.loading and state.failure is None
    assert state.wait(cancelled=lambda: True) is None
    warm.set_result(COLD)
    assert not state.loading and state.failure == COLD
    assert state.wait(cancelled=lambda: False) == COLD


@pytest.mark.parametrize("verbose", [True, False])
def test_the_page_logs_as_much_as_its_start_asked_for(
    fake: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, verbose: bool
) -> None:
    told: list[bool] = []
    fake.settings = Settings(home=tmp_path)
    monkeypatch.setattr("app.symposium.Symposium.open", lambda: fake)
    monkeypatch.setattr(opening, "log_to", lambda *_, verbose: told.append(verbose))
    monkeypatch.setattr("sys.argv", ["main.py", *(["--verbose"] if verbose else [])])
    cast("Any", opening.opened).__wrapped__()
    assert told == [verbose]
