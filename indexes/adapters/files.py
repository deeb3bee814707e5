"""An adapter on disk, beside the slice that it was trained for: ``adapter.npz``, and ``card.json`` that says how."""

from __future__ import annotations

import io
import json
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray

from indexes import atomic
from indexes.adapters.base import Adapter, Identity
from indexes.adapters.linear import Linear
from indexes.adapters.nudge import Nudged
from indexes.encoders.base import Encoder, Fingerprint
from indexes.errors import SliceError
from indexes.manifest import Manifest

FILE = "adapter.npz"
CARD = "card.json"
FORMAT = 1
HEADER = "header"

_KINDS: Mapping[str, type[Any]] = {"identity": Identity, "linear": Linear, "two-sided": Linear, "nudge": Nudged}


@dataclass(frozen=True, slots=True)
class Header:
    """What can be known of a kept adapter without reading its arrays.

    Parameters
    ----------
    kind, key, moves_passages
        Of the adapter.
    base
        Of the encoder whose vectors it adapts.
    """

    kind: str = Identity.kind
    key: str = Identity.key
    moves_passages: bool = Identity.moves_passages
    base: Fingerprint | None = None


def write_adapter(folder: Path, adapter: Adapter, card: Mapping[str, Any], base: Fingerprint | None = None) -> None:
    """Keep an adapter and its card in a slice's folder in place of what was there; each is written whole or not at all.

    Parameters
    ----------
    folder
        Of the slice's generation: see ``Slice.home``.
    adapter
        Where it moves passages, ``Slice.project`` it next. An interruption between the two is mended when the slice is
        opened.
    card
        How it was trained; plain JSON types.
    base
        Of the encoder whose vectors it adapts; by default what the manifest in the folder names.
    """
    base = Manifest.read(folder).fingerprint if base is None else base
    header = {
        "format": FORMAT,
        "kind": adapter.kind,
        "key": adapter.key,
        "moves_passages": adapter.moves_passages,
        "base": base.to_dict(),
    }
    arrays = {HEADER: np.array(json.dumps(header)), **adapter.arrays()}
    content = io.BytesIO()
    np.savez(content, **arrays)  # type: ignore[arg-type]
    text = json.dumps({**card, "key": adapter.key}, indent=2, ensure_ascii=False)
    atomic.write(folder / FILE, content.getvalue())
    atomic.write(folder / CARD, text.encode())


def read_header(folder: Path) -> Header:
    """What is said of the adapter in ``folder``; the identity's where there is none. A ``SliceError`` if damaged."""
    path = folder / FILE
    if not path.exists():
        return Header()
    with _explained(path), np.load(path) as kept:
        return _header(kept)


def read_adapter(folder: Path, encoder: Encoder) -> Adapter:
    """The adapter in ``folder``; the identity where there is none.

    Raises
    ------
    SliceError
        Where the file is damaged, or the adapter was trained for vectors of another base than ``encoder``.
    """
    path = folder / FILE
    if not path.exists():
        return Identity()
    with _explained(path), np.load(path) as kept:
        header = _header(kept)
        _check_base(header.base, encoder.fingerprint, path)
        adapter: Adapter = _class(header.kind).from_arrays({n: kept[n] for n in kept.files if n != HEADER}, encoder)
        if adapter.key != header.key:
            raise ValueError(f"its arrays have the key {adapter.key!r}, not {header.key!r}")
        return adapter


def read_card(folder: Path) -> dict[str, Any] | None:
    """The card of the adapter in ``folder``; ``None`` where there is none, or it is that of another adapter."""
    try:
        card = json.loads((folder / CARD).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return card if isinstance(card, dict) and card.get("key") == read_header(folder).key else None


def remove_adapter(folder: Path) -> None:
    """Go back to the identity; ``Slice.project`` it next where passages were moved."""
    for name in (FILE, CARD):
        (folder / name).unlink(missing_ok=True)


def _header(kept: Mapping[str, NDArray[Any]]) -> Header:
    values: dict[str, Any] = json.loads(str(kept[HEADER]))
    if values.pop("format") != FORMAT:
        raise ValueError(f"it was written in another format than {FORMAT}")
    return Header(**values | {"base": Fingerprint(**values["base"])})


def _class(kind: str) -> type[Any]:
    if kind == "lora":
        from indexes.adapters.lora import Lora

        adapter: type[Any] = Lora
        return adapter
    return _KINDS[kind]


def _check_base(trained: Fingerprint | None, given: Fingerprint, path: Path) -> None:
    if trained == given or trained is None:
        return
    one, other = trained.to_dict(), given.to_dict()
    differing = [name for name in one if one[name] != other[name]]
    raise SliceError(
        f"The adapter at {path} was trained for another base encoder: "
        + ", ".join(f"{name} {one[name]!r} instead of {other[name]!r}" for name in differing)
        + ".",
        f"Set [models] back to the encoder {trained.model!r} that it was trained for, or remove {path}, so that the base "
        "encoder answers as it is, and train it again with `symposia train`.",
    )


@contextmanager
def _explained(path: Path) -> Iterator[None]:
    try:
        yield
    except (OSError, EOFError, ValueError, KeyError, TypeError, AttributeError, BadZipFile, zlib.error) as error:
        raise SliceError(
            f"The adapter at {path} is damaged: {error}",
            "Restore it from a copy, or remove it, so that the base encoder answers as it is, and train it again with "
            "`symposia train`.",
        ) from error
