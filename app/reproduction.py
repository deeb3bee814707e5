"""What ``symposia reproduce`` is to run: conditions with their commands and expected scores, read from a YAML file.

The format is described at the head of ``data/reproduce.yaml``. Unknown keys are errors that name the nearest known one.
"""

from __future__ import annotations

import difflib
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any, Literal

from indexes.errors import InputError

Status = Literal["OK", "OKish", "FAIL", "SKIP"]
OKISH = 3  # times the tolerance

_REQUIRED = ("name", "command", "expect")
_KEYS = (*_REQUIRED, "needs", "scores")
_SPEC = ("value", "tolerance")


@dataclass(frozen=True, slots=True)
class Expected:
    """A number that must come out.

    Parameters
    ----------
    path
        Its place in the JSON, with dots between the steps: ``rows.dense.values.nDCG@10.value``.
    value, tolerance
        What it should be, and how far it may be off.
    """

    path: str
    value: float
    tolerance: float

    def judge(self, got: float) -> Status:
        """OK up to the tolerance, OKish up to three times it, else FAIL (so is a number that is not finite)."""
        off = abs(got - self.value) - 1e-9  # 0.647 - 0.645 is a little more than 0.002
        if not math.isfinite(off) or off > OKISH * self.tolerance:
            return "FAIL"
        return "OK" if off <= self.tolerance else "OKish"


@dataclass(frozen=True, slots=True)
class Condition:
    """One command and what must come out.

    Parameters
    ----------
    name
        Given once in a file.
    command
        Arguments of ``symposia``.
    expected
        At least one score.
    needs
        Paths that must be there.
    scores
        The JSON file to read; empty for the command's stdout.
    """

    name: str
    command: tuple[str, ...]
    expected: tuple[Expected, ...]
    needs: tuple[str, ...] = ()
    scores: str = ""

    def with_places(self, places: Mapping[str, str]) -> Condition:
        """The condition with ``{data}`` and the like replaced in its command and paths."""

        def filled(text: str) -> str:
            for name, path in places.items():
                text = text.replace("{" + name + "}", path)
            return text

        command, needs = tuple(map(filled, self.command)), tuple(map(filled, self.needs))
        return Condition(self.name, command, self.expected, needs, filled(self.scores))


def read_conditions(path: Path | None = None) -> list[Condition]:
    """The conditions of a file; by default those that come with Symposia.

    Raises
    ------
    InputError
        Where the file cannot be read, is not YAML, or does not follow the format.
    """
    import yaml

    name = str(path) if path else "data/reproduce.yaml"
    try:
        text = path.read_text(encoding="utf-8") if path else files("data").joinpath("reproduce.yaml").read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(
            f"Cannot read {name}: {getattr(error, 'strerror', None) or error}.", "Name a YAML file of conditions."
        ) from error
    try:
        document = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise InputError(f"{name} is not YAML: {error}", "Mend it there; data/reproduce.yaml is an example.") from error
    return _conditions(document, name)


def choose(conditions: Iterable[Condition], names: Iterable[str]) -> list[Condition]:
    """Those of the given names, in the order of the file; all where no name is given."""
    known = {condition.name: condition for condition in conditions}
    wanted = list(names)
    for name in wanted:
        if name not in known:
            raise InputError(f"There is no condition {name!r}.", _known(name, known))
    return [condition for name, condition in known.items() if not wanted or name in wanted]


def number_at(document: object, path: str) -> float:
    """The number at a dotted path; a step into a list is an entry's ``name``, or its position.

    Raises
    ------
    InputError
        Where there is none, with what there is on the way.
    """
    found = _at(document, path.split("."))
    if isinstance(found, bool) or not isinstance(found, int | float):
        raise InputError(f"There is no number at {path!r}.", f"There is: {_described(document, path)}.")
    return float(found)


def _conditions(document: object, name: str) -> list[Condition]:
    if not isinstance(document, dict) or not isinstance(document.get("conditions"), list):
        raise InputError(f"{name} has no list of conditions.", "Its one key must be `conditions`, with a list.")
    _require_known(document, ("conditions",), name)
    found: dict[str, Condition] = {}
    for number, record in enumerate(document["conditions"], start=1):
        condition = _condition(record, f"{name}, condition {number}")
        if condition.name in found:
            raise InputError(f"{name} has two conditions named {condition.name!r}.", "Give each a name of its own.")
        found[condition.name] = condition
    if not found:
        raise InputError(f"{name} has no conditions.", "List at least one.")
    return list(found.values())


def _condition(record: object, place: str) -> Condition:
    if not isinstance(record, dict):
        raise InputError(f"{place}: this is no mapping.", f"It needs: {', '.join(_REQUIRED)}.")
    _require_known(record, _KEYS, place)
    missing = [key for key in _REQUIRED if not record.get(key)]
    if missing:
        raise InputError(f"{place} has no {missing[0]!r}.", f"It needs: {', '.join(_REQUIRED)}.")
    place = f"{place} ({record['name']})"
    command, expect = record["command"], record["expect"]
    if not isinstance(command, list) or not isinstance(expect, dict):
        raise InputError(
            f"{place}: the command must be a list of arguments, and expect a mapping.", "Follow data/reproduce.yaml."
        )
    needs = record.get("needs") or []
    return Condition(
        str(record["name"]),
        tuple(map(str, command)),
        tuple(_expected(str(path), spec, place) for path, spec in expect.items()),
        tuple(map(str, needs if isinstance(needs, list) else [needs])),
        str(record.get("scores") or ""),
    )


def _expected(path: str, spec: object, place: str) -> Expected:
    if not isinstance(spec, dict):
        raise InputError(f"{place}: {path} is {spec!r}.", "Write {value: …, tolerance: …}.")
    _require_known(spec, _SPEC, f"{place}: {path}")
    numbers = [spec.get(key) for key in _SPEC]
    if any(isinstance(n, bool) or not isinstance(n, int | float) or not math.isfinite(n) for n in numbers):
        raise InputError(f"{place}: {path} needs a value and a tolerance, both numbers.", "Add what is missing.")
    if spec["tolerance"] < 0:
        raise InputError(f"{place}: the tolerance of {path} is {spec['tolerance']}.", "It must be 0 or more.")
    return Expected(path, float(spec["value"]), float(spec["tolerance"]))


def _require_known(record: Mapping[Any, Any], known: Iterable[str], place: str) -> None:
    for key in record:
        if key not in known:
            raise InputError(f"{place}: there is no key {key!r}.", _known(str(key), known))


def _known(name: str, known: Iterable[str]) -> str:
    names = list(known)
    near = difflib.get_close_matches(name, names, n=1, cutoff=0.5)
    hint = f"Did you mean {near[0]!r}? " if near else ""
    return f"{hint}Known: {', '.join(names)}."


def _at(document: object, steps: list[str]) -> object:
    """What stands at the end of the steps, or ``None``. A key may itself contain dots: the longest match is tried first."""
    if not steps:
        return document
    for length in range(len(steps), 0, -1):
        key, rest = ".".join(steps[:length]), steps[length:]
        for child in _children(document, key):
            found = _at(child, rest)
            if found is not None:
                return found
    return None


def _children(document: object, key: str) -> list[object]:
    if isinstance(document, dict):
        return [document[key]] if key in document else []
    if isinstance(document, list):
        named: list[object] = [e for e in document if isinstance(e, dict) and e.get("name") == key]
        return named or ([document[int(key)]] if key.isdigit() and int(key) < len(document) else [])
    return []


def _described(document: object, path: str) -> str:
    """The names at the deepest step of the path that can be reached."""
    steps = path.split(".")
    for length in range(len(steps), -1, -1):
        found = _at(document, steps[:length])
        if isinstance(found, dict):
            return ", ".join(map(str, found)) or "an empty object"
        if isinstance(found, list):
            names = [
                str(entry.get("name", place)) if isinstance(entry, dict) else str(place)
                for place, entry in enumerate(found)
            ]
            return ", ".join(names) or "an empty list"
    return repr(document)[:80]
