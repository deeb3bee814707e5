"""Print settings: as rows for a table, as JSON types, as a TOML file. Secrets never appear."""

from __future__ import annotations

import json
import shlex
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import SecretStr

from app.settings.layers import variable
from app.settings.load import DEFAULT, Loaded
from app.settings.schema import Settings, fields, flatten

MASK = "********"


@dataclass(frozen=True, slots=True)
class Shown:
    """One setting for people.

    Parameters
    ----------
    key
        Dotted: ``retrieval.passages``.
    value
        As in TOML; a secret is masked.
    origin
        See ``Loaded.origins``.
    secret
        Whether the value may never be shown.
    """

    key: str
    value: str
    origin: str
    description: str
    secret: bool = False

    def says(self, like: str) -> bool:
        """Whether key, value, origin or description contains the text; upper and lower case are the same."""
        wanted = like.strip().casefold()
        return any(wanted in part.casefold() for part in (self.key, self.value, self.origin, self.description))

    @property
    def as_toml(self) -> str:
        """How it stands in a settings file."""
        section, _, name = self.key.rpartition(".")
        line = f"{name} = {self._example}"
        return f"[{section}]\n{line}" if section else line

    @property
    def as_variable(self) -> str:
        """How it is set in the environment."""
        return f"export {variable(self.key)}={shlex.quote(self._plain_example)}"

    @property
    def as_flag(self) -> str:
        """How it is set for one start."""
        return f"symposia --set {shlex.quote(f'{self.key}={self._plain_example}')} chat"

    @property
    def _example(self) -> str:
        return '"…"' if self.secret else self.value

    @property
    def _plain_example(self) -> str:
        value = json.loads(self._example)
        return value if isinstance(value, str) else self._example


def shown(loaded: Loaded) -> list[Shown]:
    """Every setting, in the order of the sections."""
    return [
        Shown(
            key,
            _toml(_masked(value)),
            loaded.origins[key],
            fields()[key].description or "",
            isinstance(value, SecretStr),
        )
        for key, value in flatten(loaded.settings).items()
    ]


def changed_since(before: Settings, now: Settings) -> list[str]:
    """Dotted keys of the settings that differ."""
    one, other = flatten(before), flatten(now)
    return [key for key in one if one[key] != other.get(key)]


def rows(loaded: Loaded) -> list[tuple[str, str, str, str]]:
    """``(dotted key, value as in TOML, origin, description)`` of every setting."""
    return [(each.key, each.value, each.origin, each.description) for each in shown(loaded)]


def to_dict(loaded: Loaded) -> dict[str, Any]:
    """Plain JSON types: the file, and each dotted key with its value and origin."""
    return {
        "file": str(loaded.file) if loaded.file else None,
        "settings": {
            key: {"value": _plain(_masked(value)), "origin": loaded.origins[key]}
            for key, value in flatten(loaded.settings).items()
        },
    }


def to_toml(loaded: Loaded) -> str:
    """A settings file that gives these values, each with its origin as a comment.

    What nobody set stands in a comment, so that another preset or a later default counts. A secret is left for a person to add.
    """
    lines, section = [], ""
    for key, value in flatten(loaded.settings).items():
        head, _, name = key.rpartition(".")
        if head != section:
            lines += ["", f"[{head}]"]
            section = head
        if isinstance(value, SecretStr) and value.get_secret_value():
            lines.append(f"# {name} is set ({loaded.origins[key]}) and not shown")
        else:
            lines.append(f"{_mark(key, loaded)}{name} = {_toml(_masked(value))}  # {loaded.origins[key]}")
    return "\n".join(lines) + "\n"


def _mark(key: str, loaded: Loaded) -> str:
    """What makes a comment of a value that nobody set."""
    if key == "home":  # whose default would be another folder, where the file is put elsewhere
        return ""
    origin = loaded.origins[key]
    return "# " if origin in {DEFAULT, f"preset {loaded.settings.preset}"} else ""


def _masked(value: Any) -> Any:  # noqa: ANN401 (each setting has its own type)
    if isinstance(value, SecretStr):
        return MASK if value.get_secret_value() else ""
    return value


def _plain(value: Any) -> Any:  # noqa: ANN401 (each setting has its own type)
    return str(value) if isinstance(value, Path) else value


def _toml(value: Any) -> str:  # noqa: ANN401 (each setting has its own type)
    return json.dumps(_plain(value), ensure_ascii=False).replace("\x7f", "\\u007f")
