from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from app.access.keys import Keys
from app.access.login import principal_of
from app.access.open import visitor
from app.access.people import Entry, read_people
from app.access.principal import LOCAL, Action, Principal
from app.settings import Settings, load_settings
from indexes.errors import SettingsError

PEOPLE = """
[[people]]
email = "Anna@Example.org"
experts = ["contracts"]
actions = ["ask", "write"]

[[people]]
claim = "groups"
value = "legal"
key = "legal-team"

[[people]]
email = "*@example.org"
experts = []

[[people]]
claim = "role"
value = "chief"
"""
ISSUER = {"is_logged_in": True, "sub": "42", "iss": "https://id.example"}


@pytest.fixture
def home(tmp_path: Path) -> Path:
    (tmp_path / "people.toml").write_text(PEOPLE)
    Keys(tmp_path / "keys.json").create("legal-team", ["law"], [Action.ASK, Action.TRAIN])
    return tmp_path


def settings(home: Path, login: bool = True) -> Settings:
    return load_settings(flags={"home": str(home), "access.login": login}, env={}).settings


@pytest.mark.parametrize(
    ("claims", "expected"),
    [
        (
            {"email": "anna@example.ORG", "email_verified": True},
            Principal("anna@example.org", frozenset({"contracts"}), frozenset({Action.ASK, Action.WRITE})),
        ),
        (
            {"email": "bert@example.org", "email_verified": "true"},
            Principal("bert@example.org", frozenset(), frozenset({Action.ASK})),
        ),
        ({"email": "bert@example.org"}, None),
        (
            {"groups": ["hr", "legal"]},
            Principal("42@https://id.example", frozenset({"law"}), frozenset({Action.ASK, Action.TRAIN})),
        ),
        ({"role": "chief"}, Principal("42@https://id.example", None, frozenset({Action.ASK}))),
        ({"email": "anna@example.org", "email_verified": False}, None),
        ({"email": "anna@example.org", "email_verified": "false"}, None),
        ({"email": "anna@example.org.evil.example"}, None),
        ({"email": "*@example.org.evil"}, None),
        ({"groups": "legalese"}, None),
        ({"groups": None}, None),
        ({"email": ["anna@example.org"]}, None),
        ({}, None),
    ],
)
def test_people_see_what_the_first_entry_that_fits_says(
    home: Path, claims: dict[str, Any], expected: Principal | None
) -> None:
    assert visitor(settings(home), {**ISSUER, **claims}) == expected


@pytest.mark.parametrize("logged_in", [False, None, "yes", 1])
def test_who_is_not_logged_in_is_nobody(home: Path, logged_in: object) -> None:
    assert visitor(settings(home), {**ISSUER, "email": "anna@example.org", "is_logged_in": logged_in}) is None


def test_without_login_whoever_looks_sits_at_the_machine(tmp_path: Path) -> None:
    assert visitor(settings(tmp_path, login=False), {}) == LOCAL


def test_a_key_that_was_revoked_lets_nobody_in_by_login(home: Path) -> None:
    Keys(home / "keys.json").revoke("legal-team")
    assert visitor(settings(home), {**ISSUER, "groups": ["legal"]}) is None


def test_somebody_without_an_identity_is_nobody() -> None:
    chief = Entry("role", "chief", Principal(""))
    assert principal_of({"is_logged_in": True, "role": "chief", "sub": "42"}, [chief]) is None


def test_no_login_has_the_name_of_a_key_or_of_whoever_sits_at_the_machine(home: Path) -> None:
    for claims in ({"role": "chief", "sub": "local"}, {"role": "chief", "email": "local"}):
        found = visitor(settings(home), {**ISSUER, **claims})
        assert found is not None
        assert "@" in found.name


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        ("people = 3", "not iterable"),
        ("[[persons]]\n", "unknown: persons"),
        ("[[people]]\n", "either an email, or a claim"),
        ('[[people]]\nemail = "a@b"\nclaim = "x"\nvalue = "y"', "either an email, or a claim"),
        ('[[people]]\nclaim = "groups"', "either an email, or a claim"),
        ('[[people]]\nemail = "a@b"\nexpert = ["x"]', "unknown: expert"),
        ('[[people]]\nemail = "a@b"\nexperts = "x"', "experts must be a list"),
        ('[[people]]\nemail = "a@b"\nactions = ["fly"]', "fly"),
        ('[[people]]\nemail = "a@b"\nkey = "k"\nactions = ["ask"]', "the key does"),
        ('[[people]]\nclaim = "groups"\nvalue = ""', "value must be text"),
        ("people", "Expected"),
    ],
)
def test_a_slip_of_the_pen_shows_nobody_more_than_was_meant(tmp_path: Path, content: str, problem: str) -> None:
    (tmp_path / "people.toml").write_text(content)
    with pytest.raises(SettingsError, match=problem):
        read_people(tmp_path / "people.toml")


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"people\.toml"):
        visitor(settings(tmp_path), ISSUER)
