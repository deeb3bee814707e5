from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from app.access.keys import Keys
from app.access.principal import Action, Principal
from indexes.errors import InputError, SettingsError


@pytest.fixture
def keys(tmp_path: Path) -> Keys:
    return Keys(tmp_path / "home" / "keys.json")


def test_a_secret_stands_for_its_principal_until_the_key_is_revoked(keys: Keys) -> None:
    secret = keys.create("anna", ["contracts"], [Action.ASK, Action.WRITE])
    keys.create("bert")
    anna = Principal("anna", frozenset({"contracts"}), frozenset({Action.ASK, Action.WRITE}))
    assert keys.principal(secret) == anna == keys.named("anna")
    assert keys.named("bert") == Principal("bert", None, frozenset({Action.ASK}))
    keys.revoke("anna")
    assert keys.principal(secret) is None
    assert keys.named("anna") is None
    assert [key.name for key in keys.list()] == ["bert"]


@pytest.mark.parametrize("wrong", ["", "sym_", "sym_x", "Schlüssel", "\udcff", "x" * 100_000])
def test_any_other_secret_stands_for_nobody(keys: Keys, wrong: str) -> None:
    secret = keys.create("anna")
    assert keys.principal(wrong) is None
    assert keys.principal(secret[:-1]) is None
    assert keys.principal(secret + " ") is None
    assert Keys(keys.file.with_name("none.json")).principal(secret) is None


def test_the_file_holds_a_hash_and_is_its_owners_alone(keys: Keys) -> None:
    secret = keys.create("anna")
    text = keys.file.read_text()
    assert secret not in text
    assert secret.removeprefix("sym_")[:12] not in text
    assert keys.file.stat().st_mode & 0o777 == 0o600
    assert "digest" not in json.dumps([key.to_dict() for key in keys.list()])


def test_secrets_differ_and_are_long(keys: Keys) -> None:
    secrets = {keys.create(f"key-{n}") for n in range(20)}
    assert len(secrets) == 20
    assert min(map(len, secrets)) >= 43


def test_a_key_expires(keys: Keys, monkeypatch: pytest.MonkeyPatch) -> None:
    until = datetime.now(UTC) + timedelta(hours=1)
    secret = keys.create("anna", expires=until.astimezone())
    (key,) = keys.list()
    assert keys.principal(secret) is not None
    assert key.valid(until - timedelta(seconds=2))
    assert not key.valid(until)
    values = json.loads(keys.file.read_text())
    values["keys"][0]["expires"] = "2020-01-01T00:00:00+00:00"
    keys.file.write_text(json.dumps(values))
    assert keys.principal(secret) is None
    assert keys.named("anna") is None


def test_what_another_process_does_to_the_file_counts_at_once(keys: Keys) -> None:
    secret = keys.create("anna")
    assert keys.principal(secret) is not None
    other = Keys(keys.file)
    new = other.create("bert")
    assert keys.principal(new) is not None
    other.revoke("anna")
    assert keys.principal(secret) is None


@pytest.mark.parametrize(
    ("name", "experts", "problem"),
    [
        ("anna", None, "is a key named 'anna' already"),
        ("local", None, "whoever sits at this machine"),
        ("anna@example.org", None, "cannot name"),
        ("bert", ["a/b"], "'a/b' cannot name"),
    ],
)
def test_names_that_cannot_be_are_refused(keys: Keys, name: str, experts: list[str] | None, problem: str) -> None:
    keys.create("anna")
    with pytest.raises(InputError, match=problem):
        keys.create(name, experts)
    assert [key.name for key in keys.list()] == ["anna"]


def test_a_key_that_may_do_nothing_or_has_expired_is_refused(keys: Keys) -> None:
    with pytest.raises(InputError, match="may do nothing"):
        keys.create("anna", actions=())
    with pytest.raises(InputError, match="would have expired"):
        keys.create("anna", expires=datetime(2020, 1, 1, tzinfo=UTC))
    with pytest.raises(InputError, match="no key named 'anna'"):
        keys.revoke("anna")


def test_a_key_for_no_expert_sees_none(keys: Keys) -> None:
    assert keys.principal(keys.create("anna", [])) == Principal("anna", frozenset(), frozenset({Action.ASK}))


@pytest.mark.parametrize(
    "content",
    [
        "{",
        "[]",
        '{"format": 2, "keys": []}',
        '{"format": 1, "keys": [{"name": "anna"}]}',
        '{"format": 1, "keys": [{"name": "a", "digest": "", "experts": null, "actions": ["fly"], "created": "", "expires": ""}]}',
        '{"format": 1, "keys": [{"name": "a", "digest": "", "experts": null, "actions": [], "created": "", "expires": "2999-01-01"}]}',
    ],
)
def test_a_damaged_file_lets_nobody_in(keys: Keys, content: str) -> None:
    keys.file.parent.mkdir()
    keys.file.write_text(content)
    with pytest.raises(SettingsError, match="cannot be read"):
        keys.principal("sym_x")
