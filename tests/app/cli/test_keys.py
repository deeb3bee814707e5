from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from app.access.keys import Keys
from app.access.principal import Action, Principal


@pytest.fixture
def keys(tmp_path: Path) -> Keys:
    """Those of the settings' home."""
    return Keys(tmp_path / ".symposia" / "keys.json")


def test_the_secret_is_all_that_is_printed_on_stdout(run: Any, keys: Keys) -> None:
    ended = run("keys", "create", "anna", "--expert", "hr", "--expert", "law", "--may", "ask", "--may", "write")
    assert ended.code == 0
    found = keys.principal(ended.out.strip())
    assert found == Principal("anna", frozenset({"hr", "law"}), frozenset({Action.ASK, Action.WRITE}))
    assert ended.out.strip() not in ended.err
    assert "shown this once" in ended.err


def test_without_options_a_key_sees_all_and_may_ask(run: Any, keys: Keys) -> None:
    secret = run("keys", "create", "anna", "--json").document["secret"]
    assert keys.principal(secret) == Principal("anna", None, frozenset({Action.ASK}))


def test_the_list_tells_what_keys_are_for_and_no_secret(run: Any) -> None:
    assert "no keys yet" in run("keys", "list").out
    secret = run("keys", "create", "anna", "--expert", "hr", "--expires", "2999-01-31").out.strip()
    run("keys", "create", "bert")
    out = run("keys", "list").out
    lines = [line.split() for line in out.splitlines()]
    assert [line[0] for line in lines] == ["key", "anna", "bert"]
    assert lines[1][1:3] == ["hr", "ask"]
    assert lines[1][4].startswith("2999-01-3")
    assert lines[2][1:4] == ["all", "experts", "ask"]
    assert secret not in out
    listed = run("keys", "list", "--json").document["keys"]
    assert [(key["name"], key["experts"], key["actions"]) for key in listed] == [
        ("anna", ["hr"], ["ask"]),
        ("bert", None, ["ask"]),
    ]


def test_a_revoked_key_is_gone(run: Any, keys: Keys) -> None:
    secret = run("keys", "create", "anna").out.strip()
    assert run("keys", "revoke", "anna", "--json").document == {"revoked": "anna"}
    assert keys.principal(secret) is None
    ended = run("keys", "revoke", "anna")
    assert ended.code == 1
    assert "There is no key named 'anna'." in ended.err


@pytest.mark.parametrize(
    ("arguments", "code", "problem"),
    [
        (("--may", "fly"), 1, "There is no action 'fly'."),
        (("--expires", "2020-01-01"), 1, "would have expired"),
        (("--expires", "soon"), 2, "soon"),
        (("--expert", "a b"), 1, "'a b' cannot name"),
    ],
)
def test_a_key_that_makes_no_sense_is_refused(
    run: Any, keys: Keys, arguments: tuple[str, ...], code: int, problem: str
) -> None:
    ended = run("keys", "create", "anna", *arguments)
    assert ended.code == code
    assert problem in ended.err
    assert keys.list() == ()
