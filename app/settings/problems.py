"""Words for what is wrong with settings: which key, where it stands, what it got, what it takes, what is nearest."""

from __future__ import annotations

import difflib
from pathlib import Path
from typing import Literal, get_args, get_origin

from pydantic import SecretStr
from pydantic.fields import FieldInfo

from app.settings.schema import fields, sections
from indexes.errors import SettingsError

SEE_ALL = "`symposia config` lists all settings."
HIDDEN = "(not shown)"


def unknown_key(place: str, dotted: str) -> SettingsError:
    """There is no such setting; ``place`` says where it was written, ``dotted`` is the key with its section."""
    section, _, key = dotted.rpartition(".")
    return SettingsError(f"{place}: there is no setting {key!r}.", f"{_did_you_mean(dotted, section)} {SEE_ALL}")


def unknown_section(place: str, name: str) -> SettingsError:
    """There is no such section."""
    match = difflib.get_close_matches(name.lower(), sections(), n=1, cutoff=0.5)
    hint = f"Did you mean [{match[0]}]? " if match else ""
    known = ", ".join(f"[{section}]" for section in sections())
    return SettingsError(f"{place}: there is no section [{name}].", f"{hint}The sections are {known}. {SEE_ALL}")


def no_table(place: str, name: str) -> SettingsError:
    """A section's name was given a value."""
    return SettingsError(
        f"{place}: {name} is a section and takes no value of its own.",
        f"Write a line [{name}] and the settings of that section below it.",
    )


def unknown_variable(name: str, known: dict[str, str]) -> SettingsError:
    """An environment variable with our prefix that names no setting; ``known`` maps variables to dotted keys."""
    match = difflib.get_close_matches(name, known, n=1, cutoff=0.6)
    hint = f"Did you mean {match[0]} ({_where(known[match[0]])})? " if match else ""
    return SettingsError(
        f"The environment variable {name} names no setting.", f"{hint}Unset it or rename it. {SEE_ALL}"
    )


def bad_value(place: str, dotted: str, value: object) -> SettingsError:
    """A value of the wrong type, or out of range."""
    field = fields()[dotted]
    got = HIDDEN if field.annotation is SecretStr else repr(value)
    default = "" if field.annotation is SecretStr else f", or remove it to use the default, {_written(field.default)}"
    return SettingsError(
        f"{place}: {dotted} is {got}, but it takes {takes(field)}.",
        f"Change it there{default}.",
    )


def bad_toml(path: Path, line: int, what: str) -> SettingsError:
    """A file that is not TOML."""
    return SettingsError(
        f"{path}, line {line}: this is not valid TOML: {what}.",
        "Mend that line: a setting is written `key = value`, text in double quotes, a section as [name] on its own line.",
    )


def unreadable(path: Path, why: str, named_by: str) -> SettingsError:
    """A settings file that was named but cannot be read."""
    return SettingsError(
        f"The settings file {path}, named by {named_by}, cannot be read: {why}.",
        "Name an existing TOML file, or leave it out to use the defaults.",
    )


def nearest(dotted: str) -> str | None:
    """The setting that was most likely meant: of the same name elsewhere, else of a similar name, nearby first."""
    section, _, key = dotted.lower().rpartition(".")
    known = list(fields())
    names = {other: other.rpartition(".")[2] for other in known}
    same_name = [other for other in known if names[other] == key]
    if same_name:
        return same_name[0]
    beside = {names[other]: other for other in known if other.rpartition(".")[0] == section}
    anywhere = {names[other]: other for other in reversed(known)}
    dotted_names = {} if section in sections() else {other: other for other in known}
    for pool, word in ((beside, key), (anywhere, key), (dotted_names, dotted.lower())):
        match = difflib.get_close_matches(word, pool, n=1, cutoff=0.6)
        if match:
            return pool[match[0]]
    return None


def takes(field: FieldInfo) -> str:
    """What a setting takes, in words: ``a whole number of 1 or more``."""
    kind = field.annotation
    if get_origin(kind) is Literal:
        return "one of " + ", ".join(f'"{choice}"' for choice in get_args(kind))
    if kind in (int, float):
        noun = "a whole number" if kind is int else "a number"
        return f"{noun} {_range(field)}".strip()
    if kind is Path:
        return "the path of a folder"
    return "text that is not empty" if _bound(field, "min_length") is not None else "text"


def _range(field: FieldInfo) -> str:
    low, high = _bound(field, "ge"), _bound(field, "le")
    if low is not None and high is not None:
        return f"from {low} to {high}"
    return "" if low is None else f"of {low} or more"


def _bound(field: FieldInfo, name: str) -> float | None:
    return next((getattr(limit, name) for limit in field.metadata if hasattr(limit, name)), None)


def _did_you_mean(dotted: str, section: str) -> str:
    match = nearest(dotted)
    if match is not None:
        return f"Did you mean {match.rpartition('.')[2]!r} ({_where(match)})?"
    beside = [other.rpartition(".")[2] for other in fields() if other.rpartition(".")[0] == section]
    return f"Settings there: {', '.join(beside)}." if beside else ""


def _where(dotted: str) -> str:
    section = dotted.rpartition(".")[0]
    return f"section [{section}]" if section else "top level, before any section"


def _written(value: object) -> str:
    return f'"{value}"' if isinstance(value, str | Path) else str(value)
