"""Evaluations that were stored: what there is below the home folder, and one of them opened. Loads no model.

``symposia evaluate`` and ``evaluate-answers`` write into ``evaluations/`` of the home folder, the benches below ``benchmarks/``.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from evaluation.answer_records import FILE as ANSWERS
from evaluation.report import Table
from indexes.errors import InputError

if TYPE_CHECKING:
    from evaluation.abstention import Curve
    from evaluation.calibration import Reliability
    from evaluation.figures.write import Calibrated
    from evaluation.side_by_side import SideBySide

ROOTS = ("evaluations", "benchmarks")
DEEPEST = 5  # folders below a root
MANIFEST, METRICS, SCORES = "manifest.json", "metrics.json", "per_question.jsonl"
_APART = frozenset({"slices", "pools", "pool", "shard"})  # stores, which are large and hold no evaluations


@dataclass(frozen=True, slots=True)
class StoredEvaluation:
    """One folder that an evaluation wrote.

    Parameters
    ----------
    name
        Its path below the home folder.
    kind
        Whether rankings or answers were measured.
    finished
        UTC time, ISO 8601, or empty.
    data
        What was asked: name, split and number of questions of each set.
    complete
        False where it was stopped before its end.
    """

    folder: Path
    name: str
    kind: Literal["retrieval", "answers"]
    finished: str
    data: tuple[str, ...]
    complete: bool


@dataclass(frozen=True, slots=True)
class Confidence:
    """What the confidence of stored answers is worth.

    Parameters
    ----------
    n
        Answers that were given and judged.
    curves
        By signal: share of wrong answers among those given, against the share given, the surest first.
    reliability
        The first signal against the share that is right.
    """

    n: int
    curves: Mapping[str, Curve]
    reliability: Reliability


@dataclass(frozen=True, slots=True)
class OpenedEvaluation:
    """What an evaluation measured.

    Parameters
    ----------
    tables
        With intervals, as they were printed.
    notes
        What a reader must know.
    made_with
        What produced it, for people: seeds, packages, encoder, settings.
    calibrated
        Probabilities of routing or relevance against what happened, where they were stored.
    confidence
        Of answers, where they were stored with it; ``None`` without.
    """

    tables: tuple[Table, ...]
    notes: tuple[str, ...]
    made_with: dict[str, Any]
    calibrated: tuple[Calibrated, ...]
    confidence: Confidence | None


@dataclass(frozen=True, slots=True)
class Compared:
    """Several evaluations side by side: as ``symposia compare`` prints them, and the steps where there are answers."""

    whole: SideBySide
    steps: tuple[Table, ...]


def stored_evaluations(home: Path) -> list[StoredEvaluation]:
    """All evaluations below the home folder, the latest first; a folder that cannot be read is passed over."""
    found = [each for root in ROOTS for folder in _folders(home / root, DEEPEST) if (each := _described(folder, home))]
    return sorted(sorted(found, key=lambda each: each.name), key=lambda each: each.finished, reverse=True)


def open_evaluation(folder: Path) -> OpenedEvaluation:
    """Read what was measured.

    Raises
    ------
    InputError
        A file is missing or damaged.
    """
    from evaluation.figures.write import read_reliabilities

    metrics, manifest = _json(folder / METRICS), _json(folder / MANIFEST)
    try:
        tables = tuple(map(Table.from_dict, metrics.get("tables", [metrics])))
        notes = tuple(map(str, metrics.get("notes", ()))) if "tables" in metrics else ()
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise InputError(
            f"{folder / METRICS} holds no tables ({error!r}).", "Evaluate again to write it anew."
        ) from error
    calibrated = tuple(read_reliabilities({folder: folder.name}))
    return OpenedEvaluation(tables, notes, manifest, calibrated, _confidence(folder))


def compare_evaluations(chosen: Sequence[StoredEvaluation], baseline: str = "", seed: int = 0) -> Compared:
    """Compare stored evaluations: intervals, differences to the baseline and paired tests; see ``evaluation.side_by_side``.

    Parameters
    ----------
    chosen
        Two or more, or one with several systems.
    baseline
        Name of the system that the others are compared with; by default the first.

    Raises
    ------
    InputError
        They were judged by different questions, or a file is missing or damaged.
    """
    from evaluation.answer_comparison import compare_stored
    from evaluation.side_by_side import side_by_side
    from evaluation.stored import read_folder

    names = _short_names([each.name for each in chosen])
    runs = [run for each, name in zip(chosen, names, strict=True) for run in read_folder(each.folder, name)]
    whole = side_by_side(runs, baseline=baseline, seed=seed)
    return Compared(whole, tuple(compare_stored(runs, baseline=baseline, seed=seed)))


def _short_names(names: Sequence[str]) -> list[str]:
    """Each path without the folders that all have in common in front; nothing for a single one."""
    if len(names) == 1:
        return [""]
    parts = [name.split("/") for name in names]
    common = 0
    while all(len(part) > common + 1 and part[common] == parts[0][common] for part in parts):
        common += 1
    return ["/".join(part[common:]) for part in parts]


def _folders(folder: Path, deep: int) -> Iterator[Path]:
    if (folder / MANIFEST).is_file() and (folder / SCORES).is_file():
        yield folder
    if deep and folder.is_dir():
        for child in sorted(folder.iterdir()):
            if child.is_dir() and not child.is_symlink() and child.name not in _APART:
                yield from _folders(child, deep - 1)


def _described(folder: Path, home: Path) -> StoredEvaluation | None:
    try:
        manifest = _json(folder / MANIFEST)
    except InputError:
        return None
    data = manifest.get("data") or []
    entries = [each for each in (data if isinstance(data, list) else [data]) if isinstance(each, dict)]
    return StoredEvaluation(
        folder,
        folder.relative_to(home).as_posix(),
        "answers" if (folder / ANSWERS).is_file() else "retrieval",
        str(manifest.get("finished") or ""),
        tuple(map(_entry, entries)),
        manifest.get("complete") is not False,
    )


def _entry(data: dict[str, Any]) -> str:
    split = f", {data['split']} split" if data.get("split") else ""
    name = data.get("name") or "questions"
    return f"{name}{split}, n = {data.get('n', '?')}"


def _confidence(folder: Path) -> Confidence | None:
    from evaluation.abstention import curve
    from evaluation.answer_confidence import judged_signals
    from evaluation.answer_records import read_records
    from evaluation.calibration import reliability

    if not (folder / ANSWERS).is_file():
        return None
    right, signals = judged_signals(read_records(folder / ANSWERS))
    if not signals:
        return None
    first = next(iter(signals.values()))
    curves = {name: curve(values, right) for name, values in signals.items()}
    return Confidence(right.size, curves, reliability(first.clip(0, 1), right))


def _json(path: Path) -> dict[str, Any]:
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise InputError(f"Cannot read {path}: {error}.", "Evaluate again to write it anew.") from error
    if not isinstance(found, dict):
        raise InputError(f"{path} is no JSON object.", "Evaluate again to write it anew.")
    return found
