from __future__ import annotations

from pathlib import Path

import pytest

from app.access.open import audit_of, keys_of, limits_of, visitor
from app.access.principal import LOCAL
from app.settings import Settings, load_settings
from indexes.errors import SymposiaError


def settings(tmp_path: Path, **flags: object) -> Settings:
    named = {f"access.{name}": value for name, value in flags.items()}
    return load_settings(flags={"home": str(tmp_path), **named}, env={}).settings


def test_all_lies_in_the_home_folder_and_nothing_is_made_before_it_is_needed(tmp_path: Path) -> None:
    audit = audit_of(settings(tmp_path))
    assert audit is not None
    assert list(tmp_path.iterdir()) == []
    keys_of(settings(tmp_path)).create("anna")
    audit.record(LOCAL, "ask", [], "answered", "", 0.0)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["audit.jsonl", "keys.json", "keys.json.lock"]


def test_what_is_switched_off_is_not_there(tmp_path: Path) -> None:
    assert audit_of(settings(tmp_path, audit=False)) is None
    assert limits_of(settings(tmp_path, per_minute=0)) is None


def test_settings_say_how_much(tmp_path: Path) -> None:
    limits = limits_of(settings(tmp_path, per_minute=6, burst=2))
    assert limits is not None
    assert [limits.take("anna") > 0 for _ in range(3)] == [False, False, True]
    audit = audit_of(settings(tmp_path, audit_questions=True))
    assert audit is not None
    assert audit.questions


def test_a_list_of_people_that_cannot_be_read_lets_nobody_in(tmp_path: Path) -> None:
    asks = settings(tmp_path, login=True)
    (tmp_path / "people.toml").write_text("[[people", encoding="utf-8")
    assert visitor(asks, {"is_logged_in": False}) is None
    with pytest.raises(SymposiaError):
        visitor(asks, {"is_logged_in": True, "email": "anna@example.org", "email_verified": True})
