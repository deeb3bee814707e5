"""Setting one value in a settings file, with all else in it left as it is, comments included."""

from __future__ import annotations

import json
import re
import tomllib
from pathlib import Path
from typing import Any

from indexes import atomic
from indexes.errors import SettingsError

_SECTION = re.compile(r"^\s*\[([^\[\]]+)\]\s*(?:#.*)?$")


def set_in_file(file: Path, section: str, key: str, value: str) -> None:
    """Write ``[section] key = "value"`` into a TOML file, which is made where absent, readable by its owner alone.

    Raises
    ------
    SettingsError
        The file cannot be read or written, or is written in a way in which the line cannot be found for certain.
    """
    try:
        text = file.read_bytes().decode("utf-8-sig") if file.exists() else ""
        mode = file.stat().st_mode & 0o777 if file.exists() else 0o600
        before = tomllib.loads(text)
        changed = _changed(text, section, key, json.dumps(value, ensure_ascii=False))
        expected: dict[str, Any] = {**before, section: {**before.get(section, {}), key: value}}
        if tomllib.loads(changed) != expected:
            raise ValueError("its lines are not where they usually are")
        atomic.write(file, changed.encode(), mode)
    except (OSError, ValueError, TypeError) as error:
        raise SettingsError(
            f"{file} cannot be changed: {error}.", f"Write it there by hand: [{section}] {key} = {json.dumps(value)}"
        ) from error


def _changed(text: str, section: str, key: str, value: str) -> str:
    lines, line = text.splitlines(), f"{key} = {value}"
    within, header = "", -1
    for number, each in enumerate(lines):
        found = _SECTION.match(each)
        if found:
            within = found[1].strip()
            header = number if within == section else header
        elif within == section and re.match(rf"\s*{re.escape(key)}\s*=", each):
            comment = re.search(r'^[^#"\']*=\s*(?:"[^"\\]*"|\'[^\']*\')\s*(#.*)$', each)
            lines[number] = f"{line}  {comment[1]}" if comment else line
            return "\n".join(lines) + "\n"
    if header >= 0:
        lines.insert(header + 1, line)
    else:
        lines += [*([""] if lines and lines[-1].strip() else []), f"[{section}]", line]
    return "\n".join(lines) + "\n"
