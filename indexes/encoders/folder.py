"""What a model folder says about itself, read from its files without loading the model."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from indexes.encoders.base import Fingerprint, revision_of
from indexes.errors import MissingModelError

WIDTHS = ("hidden_size", "d_model", "dim")


def fingerprint_of(folder: Path, name: str, *, precision: str = "float32", tag: str = "") -> Fingerprint:
    """Fingerprint of the model in a sentence-transformers folder.

    Parameters
    ----------
    name
        Name for people.
    precision
        Of the arithmetic: ``float32`` or ``int8``.
    tag
        Of the changed weights, where there are any; see ``Deltas``.

    Raises
    ------
    MissingModelError
        The folder does not exist, or does not state the width of the model.
    """
    revision = revision_of(folder)
    prompts = _read_json(folder / "config_sentence_transformers.json").get("prompts", {})
    return Fingerprint(
        model=name,
        revision=f"{revision}+{tag}" if tag else revision,
        dimension=_dimension(folder),
        query_prompt=prompts.get("query") or "",
        passage_prompt=prompts.get("document") or "",
        precision=precision,
    )


def _dimension(folder: Path) -> int:
    """Length of a vector: what the last dense layer or else the pooling gives, or else the model's width."""
    for dense in sorted(folder.glob("*_Dense/config.json"), reverse=True):
        return int(_read_json(dense)["out_features"])
    for pooling in sorted(folder.glob("*_Pooling/config.json")):
        values = _read_json(pooling)
        width = values.get("word_embedding_dimension", values.get("embedding_dimension"))
        if width is not None:
            return int(width) * _modes(values)
    config = _read_json(folder / "config.json")
    for key in WIDTHS:
        if key in config:
            return int(config[key])
    raise MissingModelError(
        f"{folder / 'config.json'} does not state the width of the model ({' or '.join(WIDTHS)}).",
        "Name a folder that sentence-transformers has saved.",
    )


def _modes(pooling: dict[str, Any]) -> int:
    """Number of poolings whose results are joined: one flag each in older folders, a name or a list in newer ones."""
    named = pooling.get("pooling_mode")
    if named is not None:
        return 1 if isinstance(named, str) else len(named)
    return max(1, sum(value is True for key, value in pooling.items() if key.startswith("pooling_mode_")))


def _read_json(path: Path) -> dict[str, Any]:
    return dict(json.loads(path.read_text(encoding="utf-8"))) if path.is_file() else {}
