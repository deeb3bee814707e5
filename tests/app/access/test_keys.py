from __future__ import annotations

import json
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Event

import pytest
from filelock import FileLock

from app.access.keys import Keys
from app.access.principal import Action, Principal
from indexes import atomic
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


def test_a_key_that_is_revoked_beside_one_that_is_made_stays_revoked(
    keys: Keys, monkeypatch: pytest.MonkeyPatch
) -> None:
    secret, write, writes, revoked = keys.create("anna"), atomic.write, Event(), Event()

    def slow(path: Path, content: bytes, mode: int) -> None:
        if not writes.is_set():
            writes.set()
            revoked.wait(0.5)
        write(path, content, mode)

    monkeypatch.setattr(atomic, "write", slow)
    with ThreadPoolExecutor(1) as pool:
        making = pool.submit(keys.create, "bert")
        assert writes.wait(10)
        Keys(keys.file).revoke("anna")
        revoked.set()
        made = making.result()
    assert keys.principal(secret) is None
    assert keys.principal(made) is not None


def test_keys_that_many_processes_make_at_once_are_all_there(keys: Keys) -> None:
    make = "import sys; from pathlib import Path; from app.access.keys import Keys; Keys(Path(sys.argv[1])).create(sys.argv[2])"
    names = [f"key-{n}" for n in range(6)]
    processes = [subprocess.Popen([sys.executable, "-c", make, str(keys.file), name]) for name in names]
    assert [process.wait(60) for process in processes] == [0] * 6
    assert [key.name for key in keys.list()] == names


def test_a_process_that_holds_the_keys_too_long_is_told_of_and_lets_others_in(
    keys: Keys, monkeypatch: pytest.MonkeyPatch
) -> None:
    secret = keys.create("anna")
    monkeypatch.setattr("app.access.keys.PATIENCE", 0.1)
    with FileLock(f"{keys.file}.lock", is_singleton=False):
        with pytest.raises(SettingsError, match=r"held by another process for 0\.1 seconds") as caught:
            keys.revoke("anna")
        assert keys.principal(secret) is not None
    assert "again" in caught.value.fix
    keys.revoke("anna")


def test_keys_where_no_folder_can_be_made_say_so(tmp_path: Path) -> None:
    (tmp_path / "home").write_text("a file")
    with pytest.raises(SettingsError, match="cannot be changed"):
        Keys(tmp_path / "home" / "keys.json").create("anna")


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
