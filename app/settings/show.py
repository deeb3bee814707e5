"""Print settings: as rows for a table, as JSON types, as a TOML file. Secrets never appear."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from pydantic import SecretStr

from app.settings.load import Loaded
from app.settings.schema import fields, flatten

MASK = "********"


def rows(loaded: Loaded) -> list[tuple[str, str, str, str]]:
    """``(dotted key, value as in TOML, origin, description)`` of every setting."""
    return [
        (key, _toml(_masked(value)), loaded.origins[key], fields()[key].description or "")
        for key, value in flatten(loaded.settings).items()
    ]


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
    """A settings file that gives these values, each with its origin as a comment. A secret is left for a person to add."""
    lines, section = [], ""
    for key, value in flatten(loaded.settings).items():
        head, _, name = key.rpartition(".")
        if head != section:
            lines += ["", f"[{head}]"]
            section = head
        if isinstance(value, SecretStr) and value.get_secret_value():
            lines.append(f"# {name} is set ({loaded.origins[key]}) and not shown")
        else:
            lines.append(f"{name} = {_toml(_masked(value))}  # {loaded.origins[key]}")
    return "\n".join(lines) + "\n"


def _masked(value: Any) -> Any:  # noqa: ANN401 (each setting has its own type)
    if isinstance(value, SecretStr):
        return MASK if value.get_secret_value() else ""
    return value


def _plain(value: Any) -> Any:  # noqa: ANN401 (each setting has its own type)
    return str(value) if isinstance(value, Path) else value


def _toml(value: Any) -> str:  # noqa: ANN401 (each setting has its own type)
    return json.dumps(_plain(value), ensure_ascii=False).replace("\x7f", "\\u007f")
