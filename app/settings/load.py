"""Lay the layers over one another: flag > environment > file > preset > default."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Annotated, Any, Literal, get_origin

from pydantic import ConfigDict, TypeAdapter, ValidationError

from app.settings import layers, problems
from app.settings.layers import Given
from app.settings.schema import Settings, fields
from indexes.errors import SettingsError

DEFAULT = "default"
FLAG = "flag"

_PATHS = ("home", "models.cache")
_MODELS = ("models.encoder", "models.generator", "models.reranker", "models.entailment", "models.judge")
_PATH = re.compile(r"^(?:~|\.\.?(?:[/\\]|$))|\.gguf$", re.IGNORECASE)  # any other name may be one of a list or a hub


@dataclass(frozen=True, slots=True)
class Loaded:
    """Settings, and where each value is from.

    Parameters
    ----------
    origins
        Dotted key to ``default``, ``preset balanced``, the path of the file, the environment variable, or ``flag``.
    file
        The settings file that was read, if any.
    """

    settings: Settings
    origins: Mapping[str, str]
    file: Path | None = None


def load_settings(
    config: str | Path | None = None,
    flags: Mapping[str, Any] | None = None,
    env: Mapping[str, str] | None = None,
    folder: Path | None = None,
) -> Loaded:
    """Read the settings.

    Parameters
    ----------
    config
        A TOML file; without it the one that ``SYMPOSIA_CONFIG`` names, else ``symposia.toml`` in ``folder``, if any.
    flags
        Dotted key to value; text is read as the type that the setting takes, ``None`` counts as not given.
    env
        Environment variables; those of the process by default.
    folder
        The current folder by default. Relative paths count from it; those of the file, from the file's folder.

    Raises
    ------
    SettingsError
        For an unknown key, a value that does not fit, or a file that cannot be read, with where and what to do.
    """
    folder = (folder or Path.cwd()).absolute()
    env = os.environ if env is None else env
    path, named_by = layers.find_file(config, env, folder)
    given = layers.from_file(path, named_by) if path else []
    given += layers.from_environment(env) + layers.from_flags(flags or {})
    values = {key: (field.default, DEFAULT) for key, field in fields().items()}
    _lay(values, [item for item in given if item.key == "preset"])
    _lay(values, [*layers.from_preset(values["preset"][0]), *given])
    file_folder = path.parent if path else folder
    for key, (value, origin) in values.items():
        base = folder if origin == FLAG or origin.startswith(layers.PREFIX) else file_folder
        values[key] = (_absolute(key, value, base), origin)
    _check_overlap(values)
    settings = Settings.model_validate(_nested({key: value for key, (value, _) in values.items()}))
    return Loaded(settings, {key: origin for key, (_, origin) in values.items()}, path)


def _lay(values: dict[str, tuple[Any, str]], given: Sequence[Given]) -> None:
    for item in given:
        values[item.key] = (_typed(item), item.origin)


def _typed(given: Given) -> Any:  # noqa: ANN401 (each setting has its own type)
    kind = fields()[given.key].annotation
    strict = not given.is_text and (kind in (int, float, str) or get_origin(kind) is Literal)
    if kind is Path and not str(given.value).strip():
        raise problems.bad_value(given.place, given.key, given.value)
    try:
        return _adapter(given.key).validate_python(given.value, strict=strict)
    except ValidationError:
        raise problems.bad_value(given.place, given.key, given.value) from None


@cache
def _adapter(key: str) -> TypeAdapter[Any]:
    field = fields()[key]
    kind: Any = Annotated[field.annotation, key, *field.metadata]  # type: ignore[valid-type]
    return TypeAdapter(kind, config=ConfigDict(allow_inf_nan=False))


def _absolute(key: str, value: Any, base: Path) -> Any:  # noqa: ANN401 (each setting has its own type)
    is_path = (key in _PATHS and str(value)) or (key in _MODELS and _PATH.search(value))
    return type(value)((base / Path(value).expanduser()).resolve()) if is_path else value


def _check_overlap(values: Mapping[str, tuple[Any, str]]) -> None:
    (size, size_from), (overlap, overlap_from) = values["split.size"], values["split.overlap"]
    if overlap >= size:
        raise SettingsError(
            f"split.overlap is {overlap} (from {overlap_from}), which is not below split.size, {size} (from {size_from}).",
            "Make the overlap smaller than the passages, or the passages larger.",
        )


def _nested(values: Mapping[str, Any]) -> dict[str, Any]:
    nested: dict[str, Any] = {}
    for key, value in values.items():
        section, _, name = key.rpartition(".")
        (nested.setdefault(section, {}) if section else nested)[name] = value
    return nested
