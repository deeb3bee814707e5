"""What was set where: preset, file, environment and flags, each read into a list of ``Given``."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from app.settings import problems
from app.settings.schema import fields, sections

FILE = "symposia.toml"
PREFIX = "SYMPOSIA_"
CONFIG_VARIABLE = "SYMPOSIA_CONFIG"
PRESETS = Path(__file__).parent.parent / "presets"

_FOR_TESTS = ("SYMPOSIA_DATA", "SYMPOSIA_SCREENSHOTS")
_OTHER_VARIABLES = (CONFIG_VARIABLE, "SYMPOSIA_KEY", *_FOR_TESTS)


@dataclass(frozen=True, slots=True)
class Given:
    """One value that was set.

    Parameters
    ----------
    key
        Dotted: ``retrieval.passages``.
    origin
        What ``Loaded.origins`` says.
    place
        Where it stands, for error messages.
    is_text
        True for what came as text only (environment, ``--set``) and is read as the type that the setting takes.
    """

    key: str
    value: Any
    origin: str
    place: str
    is_text: bool = False


def from_preset(name: str) -> list[Given]:
    """What the preset sets; its name was checked before."""
    path = PRESETS / f"{name}.toml"
    return [Given(g.key, g.value, f"preset {name}", g.place) for g in from_file(path, f"preset {name!r}")]


def from_file(path: Path, named_by: str) -> list[Given]:
    """What a TOML file sets. A ``SettingsError`` names the file, and the line or the section."""
    found = []
    for name, value in read_toml(path, named_by).items():
        if name in sections():
            if not isinstance(value, dict):
                raise problems.no_table(str(path), name)
            place = f"{path}, section [{name}]"
            found += [_known(Given(f"{name}.{key}", inner, str(path), place)) for key, inner in value.items()]
        elif isinstance(value, dict):
            raise problems.unknown_section(str(path), name)
        else:
            found.append(_known(Given(name, value, str(path), f"{path}, top level")))
    return found


def from_environment(env: Mapping[str, str]) -> list[Given]:
    """What ``SYMPOSIA_<SECTION>_<KEY>`` variables set."""
    known = {variable(key): key for key in fields()}
    found = []
    for name in sorted(env):
        if not name.startswith(PREFIX) or name in _OTHER_VARIABLES:
            continue
        if name not in known:
            raise problems.unknown_variable(name, known)
        found.append(Given(known[name], env[name], name, f"Environment variable {name}", is_text=True))
    return found


def from_flags(flags: Mapping[str, Any]) -> list[Given]:
    """What flags set, by dotted key. ``None`` counts as not given; text is read as the type that the setting takes."""
    return [
        _known(Given(key, value, "flag", f"Flag {key}", is_text=isinstance(value, str)))
        for key, value in flags.items()
        if value is not None
    ]


def variable(key: str) -> str:
    """Name of a setting's environment variable: ``SYMPOSIA_RETRIEVAL_PASSAGES``."""
    return PREFIX + key.replace(".", "_").upper()


def find_file(config: str | Path | None, env: Mapping[str, str], folder: Path) -> tuple[Path | None, str]:
    """The settings file, and what named it; ``None`` where there is none and none was named."""
    if config is not None:
        return folder / Path(config).expanduser(), "--config"
    if named := env.get(CONFIG_VARIABLE, ""):
        return folder / Path(named).expanduser(), f"the environment variable {CONFIG_VARIABLE}"
    usual = folder / FILE
    return (usual, "its place in the current folder") if usual.exists() else (None, "")


def read_toml(path: Path, named_by: str) -> dict[str, Any]:
    """Parse a file; a ``SettingsError`` gives the line where it is not TOML."""
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except OSError as error:
        raise problems.unreadable(path, error.strerror or str(error), named_by) from error
    except UnicodeDecodeError as error:
        raise problems.bad_toml(path, error.object.count(b"\n", 0, error.start) + 1, "it is not UTF-8") from error
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        what, line = _message_and_line(str(error), text)
        raise problems.bad_toml(path, line, what) from error


def _known(given: Given) -> Given:
    if given.key not in fields():
        raise problems.unknown_key(given.place, given.key)
    return given


def _message_and_line(message: str, text: str) -> tuple[str, int]:
    """Split ``Invalid value (at line 3, column 5)``; at the end of the document, the last line that is not blank."""
    match = re.search(r"\s*\(at (?:line (\d+), column \d+|end of document)\)$", message)
    if match is None:
        return message, 1
    line = int(match[1]) if match[1] else len(text.rstrip().splitlines()) or 1
    return message[: match.start()], line
