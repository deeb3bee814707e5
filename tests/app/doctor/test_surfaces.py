from __future__ import annotations

import socket
import sqlite3
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from app.access.keys import FILE as KEYS
from app.access.keys import Keys
from app.access.people import FILE as PEOPLE
from app.access.principal import LOCAL
from app.conversations.store import FILE as CONVERSATIONS
from app.conversations.store import Conversations
from app.doctor import surfaces
from app.settings import Settings
from tests.app.chat.conftest import make_answered


@pytest.fixture
def home(settings: Settings) -> Path:
    settings.home.mkdir(parents=True)
    return settings.home


def with_section(settings: Settings, section: str, **values: Any) -> Settings:
    return settings.model_copy(update={section: getattr(settings, section).model_copy(update=values)})


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.mark.parametrize("name", surfaces.EXTRAS)
def test_an_extra_that_is_absent_matters_only_where_the_settings_want_it(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(surfaces, "find_spec", lambda _: SimpleNamespace())
    assert surfaces.extra(name, needed=True).status == "ok"
    monkeypatch.setattr(surfaces, "find_spec", lambda _: None)
    assert surfaces.extra(name, needed=False).status == "ok"
    assert f"symposia[{name}]" in surfaces.extra(name, needed=False).detail
    wanted = surfaces.extra(name, needed=True)
    assert wanted.status == "fail"
    assert f"symposia[{name}]" in wanted.fix


def test_a_package_whose_parent_is_absent_is_absent() -> None:
    assert not surfaces._there("no_such_package.inside")


def test_traces_without_an_endpoint_are_a_warning(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in surfaces.ENDPOINTS:
        monkeypatch.delenv(name, raising=False)
    assert surfaces.traces().status == "warn"
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://collector:4318")
    assert surfaces.traces() == surfaces.Check("traces", "ok", "sent to http://collector:4318")
    names = [check.name for check in surfaces.surfaces(with_section(settings, "telemetry", traces=True))]
    assert "traces" in names
    assert "traces" not in [check.name for check in surfaces.surfaces(settings)]


def test_a_free_port_is_fine_and_a_taken_one_a_warning(settings: Settings) -> None:
    free = with_section(settings, "serve", port=free_port())
    assert surfaces.server(free).status == "ok"
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        check = surfaces.server(with_section(settings, "serve", port=taken.getsockname()[1]))
    assert check.status == "warn"
    assert "cannot be used" in check.detail


def test_serving_strangers_without_keys_fails(settings: Settings) -> None:
    check = surfaces.server(with_section(settings, "serve", host="0.0.0.0"))
    assert check.status == "fail"
    assert "symposia keys create" in check.fix


def test_keys_are_counted_and_must_be_private(settings: Settings, home: Path) -> None:
    assert surfaces.keys(settings).detail == "none made"
    keys = Keys(home / KEYS)
    keys.create("reader")
    assert surfaces.keys(settings).status == "ok"
    assert surfaces.keys(settings).detail.startswith("1 in ")
    keys.file.chmod(0o644)
    check = surfaces.keys(settings)
    assert check.status == "warn"
    assert "0644" in check.detail
    assert check.fix == f"Run: chmod 600 {keys.file}"
    keys.file.write_text("{")
    assert surfaces.keys(settings).status == "fail"


def test_an_expired_key_is_named(settings: Settings, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    Keys(home / KEYS).create("guest", expires=datetime.now(UTC) + timedelta(days=1))

    class Later(datetime):
        @classmethod
        def now(cls, tz: Any = None) -> datetime:
            return datetime.now(tz) + timedelta(days=2)

    monkeypatch.setattr(surfaces, "datetime", Later)
    check = surfaces.keys(settings)
    assert check.status == "warn"
    assert "expired: guest" in check.detail


def test_a_login_needs_to_know_who_may_come_in(settings: Settings, home: Path) -> None:
    wanted = with_section(settings, "access", login=True)
    assert [check.status for check in surfaces.surfaces(wanted) if check.name == "people"] == ["fail"]
    (home / PEOPLE).write_text('[[people]]\nemail = "anna@example.org"\n')
    assert surfaces.people(wanted).detail.startswith("1 entries")


def test_conversations_are_opened_counted_and_left_as_they_are(settings: Settings, home: Path) -> None:
    assert surfaces.conversations(settings).detail == "none yet"
    assert list(home.iterdir()) == []
    Conversations(home / CONVERSATIONS).record(LOCAL, None, "?", make_answered("?"))
    before = (home / CONVERSATIONS).read_bytes()
    assert surfaces.conversations(settings).detail == f"1 in {home / CONVERSATIONS}"
    assert (home / CONVERSATIONS).read_bytes() == before
    (home / CONVERSATIONS).chmod(0o644)
    assert surfaces.conversations(settings).status == "warn"


def test_a_file_that_holds_no_conversations_fails(settings: Settings, home: Path) -> None:
    (home / CONVERSATIONS).write_text("nothing of the kind")
    assert surfaces.conversations(settings).status == "fail"
    (home / CONVERSATIONS).unlink()
    with sqlite3.connect(home / CONVERSATIONS) as other:
        other.execute("CREATE TABLE t (x)")
    assert "another program" in surfaces.conversations(settings).detail
