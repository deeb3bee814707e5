"""Who may use the chat after logging in: a file that says what people see, by their e-mail addresses or other claims.

    [[people]]
    email = "anna@example.org"      # one address, or all of a domain: "*@example.org"
    experts = ["contracts"]         # left out: all
    actions = ["ask", "write"]      # left out: ask alone

    [[people]]
    claim = "groups"                # any claim of the identity provider that is, or has in its list,
    value = "legal"                 # this value
    key = "legal-team"              # sees and may do what that key does

The first entry that fits counts; whom none fits may not come in.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from app.access.principal import Action, Principal
from indexes.errors import SettingsError

FILE = "people.toml"
FIX = 'For example: [[people]], and below it email = "*@example.org", experts = ["contracts"], actions = ["ask"].'
_KEYS = frozenset({"email", "claim", "value", "experts", "actions", "key"})


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry of the file.

    Parameters
    ----------
    claim, value
        Of the identity provider's token; ``email`` in small letters.
    principal
        What they see and may do; its name is not used.
    key
        Name of a key that says it instead.
    """

    claim: str
    value: str
    principal: Principal
    key: str = ""

    def fits(self, claims: Mapping[str, Any]) -> bool:
        """Whether it speaks of somebody with these claims. An address that is not verified is nobody's."""
        found = claims.get(self.claim)
        if self.claim != "email":
            return self.value in (found if isinstance(found, list | tuple) else [found])
        address = email(claims)
        domain = address.rpartition("@")[2]
        return bool(address) and self.value in {address, f"*@{domain}"}


def email(claims: Mapping[str, Any]) -> str:
    """The address in small letters; empty where there is none, or the provider does not say that it was verified."""
    found = claims.get("email")
    unverified = claims.get("email_verified") not in (True, "true")
    return "" if unverified or not isinstance(found, str) or "@" not in found else found.strip().lower()


def read_people(file: Path) -> tuple[Entry, ...]:
    """The entries in order.

    Raises
    ------
    SettingsError
        There is no such file, or it is not as it must be.
    """
    try:
        values = tomllib.loads(file.read_text(encoding="utf-8"))
        unknown = set(values) - {"people"}
        if unknown:
            raise ValueError(f"unknown: {', '.join(sorted(unknown))}")
        return tuple(_entry(each) for each in values["people"])
    except FileNotFoundError as error:
        raise SettingsError(f"There is no {file}, which says who may use the chat.", f"Write it. {FIX}") from error
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise SettingsError(f"{file} cannot be used: {error}", FIX) from error


def _entry(values: Mapping[str, Any]) -> Entry:
    _check(values)
    claim = "email" if "email" in values else values["claim"]
    value = values["email"].lower() if "email" in values else values["value"]
    experts = None if "experts" not in values else frozenset(values["experts"])
    actions = frozenset(map(Action, values.get("actions", [Action.ASK])))
    return Entry(claim, value, Principal("", experts, actions), values.get("key", ""))


def _check(values: Mapping[str, Any]) -> None:
    """Raise a ``ValueError`` where an entry is not clear: nobody is to see more for a slip of the pen."""
    if set(values) - _KEYS:
        raise ValueError(f"unknown: {', '.join(sorted(set(values) - _KEYS))}")
    if ("email" in values) == ("claim" in values) or ("claim" in values) != ("value" in values):
        raise ValueError("an entry needs either an email, or a claim with a value")
    if "key" in values and {"experts", "actions"} & set(values):
        raise ValueError("an entry with a key says nothing of experts and actions: the key does")
    for name in ("email", "claim", "value", "key"):
        if name in values and not (isinstance(values[name], str) and values[name].strip()):
            raise ValueError(f"{name} must be text")
    for name in ("experts", "actions"):
        listed = values.get(name, [])
        if not isinstance(listed, list) or not all(isinstance(each, str) for each in listed):
            raise ValueError(f"{name} must be a list of names")
