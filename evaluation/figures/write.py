"""Draw a comparison into a folder: each figure as an SVG file, and ``report.html`` with all of them."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from evaluation.calibration import FILE as CALIBRATION
from evaluation.calibration import Reliability, read_calibration, reliability
from evaluation.figures.diagram import reliability_diagram
from evaluation.figures.forest import forest
from evaluation.figures.page import page
from evaluation.figures.trade import cost_quality, costs_of
from evaluation.files import write_lines
from evaluation.routing import FILE as ROUTING
from evaluation.routing import Routed, hit_vector, read_routing
from evaluation.side_by_side import SideBySide

REPORT = "report.html"


@dataclass(frozen=True, slots=True)
class Calibrated:
    """Whose probabilities of what were compared with what happened."""

    name: str
    kind: str
    found: Reliability

    @property
    def axes(self) -> tuple[str, str]:
        """Words for what was promised, and for what came true."""
        return _AXES[self.kind]

    def draw(self) -> str:
        """The reliability diagram."""
        what, share = self.axes
        return reliability_diagram(self.found, f"{self.name}, {self.kind}", what, share)


_AXES = {
    "routing": ("probability of the first expert", "share where it is right"),
    "relevance": ("probability of relevance", "share that is relevant"),
}


def read_reliabilities(folders: Mapping[Path, str]) -> list[Calibrated]:
    """What ``routing.jsonl`` and ``calibration.jsonl`` in the folders say, by system; sets are pooled.

    Parameters
    ----------
    folders
        Each with the name of its runs where the file gives none.
    """
    routed: dict[str, list[Routed]] = {}
    pairs: dict[str, list[np.ndarray]] = {}
    for folder, name in folders.items():
        if (folder / ROUTING).is_file():
            for run, records in read_routing(folder / ROUTING).items():
                routed.setdefault(run or name, []).extend(records)
        if (folder / CALIBRATION).is_file():
            for run, (chance, true) in read_calibration(folder / CALIBRATION).items():
                pairs.setdefault(run or name, []).append(np.stack([chance, true]))
    routing = [
        Calibrated(name, "routing", reliability([r.probabilities[r.first] for r in records], hit_vector(records)))
        for name, records in routed.items()
        if all(record.probabilities for record in records)
    ]
    relevance = [
        Calibrated(name, "relevance", reliability(*np.concatenate(found, axis=1))) for name, found in pairs.items()
    ]
    return [*routing, *relevance]


def write_report(
    found: SideBySide,
    folder: Path,
    *,
    measures: Sequence[str],
    calibrated: Sequence[Calibrated] = (),
    sources: Sequence[str] = (),
) -> list[Path]:
    """Write the figures that there is something to draw in, and the page; returns the files, the page first.

    Parameters
    ----------
    measures
        Those to draw, some of ``found.measures``.

    Raises
    ------
    InputError
        Where a file cannot be written.
    """
    differences = {f"forest-{m}": forest(found, m) for m in measures if len(found.whole.rows) > 1}
    costs = {f"cost-{kind}-{m}": cost_quality(found.whole, m, kind) for kind in costs_of(found.whole) for m in measures}
    reliabilities = {f"reliability-{each.kind}-{each.name}": each.draw() for each in calibrated}
    groups = [
        ("Differences to the baseline", differences),
        ("Cost and quality", costs),
        ("Calibration", reliabilities),
    ]
    files = []
    for _, drawn in groups:
        for name, svg in drawn.items():
            files.append(folder / f"{re.sub(r'[^A-Za-z0-9@.-]+', '-', name).strip('-')}.svg")
            write_lines(files[-1], svg.splitlines())
    shown = [(heading, list(drawn.values())) for heading, drawn in groups if drawn]
    write_lines(folder / REPORT, page(found, shown, sources).splitlines())
    return [folder / REPORT, *files]
