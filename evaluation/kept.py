"""What a long measurement has found so far, kept so that an interrupted run goes on where it stopped.

A record that was measured with another model, policy or prompt must not pass for a fresh one: where ``OF`` is among the key
fields, it holds a ``fingerprint`` of all that the record depends on.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from evaluation.files import json_lines
from indexes.errors import InputError

Record = dict[str, Any]

OF = "of"
DIGITS = 16


def fingerprint(*parts: object) -> str:
    """``DIGITS`` hexadecimal digits of a SHA-256 over what a record depends on: other parts, or in another order, give others.

    Parameters
    ----------
    *parts
        Texts, numbers, and lists and dicts of them.

    Examples
    --------
    >>> fingerprint("int8", ["Who?"]) == fingerprint("int8", ("Who?",)) != fingerprint("float32", ["Who?"])
    True
    """
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:DIGITS]


class Kept:
    """Records in a JSONL file, which grows by a line as soon as one is found.

    Parameters
    ----------
    file
        Made, with its folder, at the first record. A last line that was cut off is cut away.
    key
        Names of the fields that tell records apart. Of two with the same values the later counts. Where ``OF`` is one, a
        record without it was written before there were fingerprints: it stays in the file and is of nothing known.

    Raises
    ------
    InputError
        The file holds something else, or cannot be written.

    Examples
    --------
    >>> import tempfile
    >>> file = Path(tempfile.mkdtemp()) / "said.jsonl"
    >>> Kept(file, "item").add({"item": "q1", "text": "Paris"})
    >>> Kept(file, "item").get("q1")
    {'item': 'q1', 'text': 'Paris'}
    """

    def __init__(self, file: Path, *key: str) -> None:
        self._file = file
        self._key = key
        self._records = {self._name(record): record for record in _whole_records(file)}

    def get(self, *values: str) -> Record | None:
        """The record whose key fields have these values."""
        return self._records.get(values)

    def add(self, record: Mapping[str, Any]) -> None:
        """Keep one more, on disk at once."""
        try:
            self._file.parent.mkdir(parents=True, exist_ok=True)
            with self._file.open("a", encoding="utf-8") as stream:
                stream.write(json.dumps(record) + "\n")
        except OSError as error:
            raise InputError(
                f"Cannot write {self._file}: {error.strerror}.",
                "Free some space there, or name another folder. What was kept so far stays.",
            ) from error
        self._records[self._name(record)] = dict(record)

    def found(self, key: Mapping[str, str], measure: Callable[[], Mapping[str, Any]]) -> Record:
        """The record of this key: the kept one, else what ``measure`` finds, which is kept."""
        known = self.get(*(key[name] for name in self._key))
        if known is None:
            self.add({**key, **measure()})
            known = self._records[self._name(key)]
        return known

    def __iter__(self) -> Iterator[Record]:
        return iter(self._records.values())

    def __len__(self) -> int:
        return len(self._records)

    def _name(self, record: Mapping[str, Any]) -> tuple[str, ...]:
        missing = [field for field in self._key if field not in record and field != OF]
        if missing:
            raise InputError(
                f"A record in {self._file} has no {missing[0]!r}.", "Name another folder, or delete the file."
            )
        return tuple(str(record.get(field, "")) for field in self._key)


def _whole_records(file: Path) -> list[Record]:
    if not file.is_file():
        return []
    whole, newline, torn = file.read_bytes().rpartition(b"\n")
    if torn:
        file.write_bytes(whole + newline)
    return [record for _, record in json_lines(file)]
