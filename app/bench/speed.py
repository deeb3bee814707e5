"""Speed and size of the demo panel, each beside the target that it is held to."""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from app.cli.output import Output
from app.demo.questions import read_questions
from app.symposium import Symposium
from generators import prompts
from generators.decoding.decode import decode
from generators.events import Token
from generators.policies.registry import policy
from generators.remote.model import RemoteModel
from indexes.errors import InputError

if TYPE_CHECKING:
    from app.settings import Settings

ROUNDS = 3
DECODED = 24
MEBIBYTE = 1 << 20


@dataclass(frozen=True, slots=True)
class Measure:
    """One measured quantity.

    Parameters
    ----------
    median, low, high
        Of ``n`` repetitions; ``low`` and ``high`` are the quartiles, or the extremes where n < 4.
    target
        The most that it may be.
    """

    name: str
    unit: str
    n: int
    median: float
    low: float
    high: float
    target: float

    @property
    def met(self) -> bool:
        """Whether the median is within the target."""
        return self.median <= self.target

    @property
    def verdict(self) -> str:
        """``met`` or ``MISSED``."""
        return "met" if self.met else "MISSED"

    @classmethod
    def of(cls, name: str, unit: str, values: Sequence[float], target: float) -> Measure:
        """Median and spread of the values."""
        ordered = sorted(values)
        quartiles = statistics.quantiles(ordered, n=4) if len(ordered) > 3 else [ordered[0], 0, ordered[-1]]
        return cls(name, unit, len(ordered), statistics.median(ordered), quartiles[0], quartiles[2], target)

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON types."""
        return {**asdict(self), "met": self.met}


def run(settings: Settings, output: Output) -> dict[str, Any]:
    """Measure and show; the demo panel must have been built, and nothing else should run.

    Returns
    -------
    dict
        ``ok`` where every target is met, and the measures.
    """
    with output.progress("measuring") as update:
        measures = measure(settings, update)
    rows = [
        (
            m.name,
            str(m.n),
            f"{m.median:.3g} [{m.low:.3g}, {m.high:.3g}] {m.unit}",
            f"≤ {m.target:g} {m.unit}",
            m.verdict,
        )
        for m in measures
    ]
    output.table(("what", "n", "median [quartiles]", "target", ""), rows)
    return {"ok": all(m.met for m in measures), "measures": [m.to_dict() for m in measures]}


def measure(settings: Settings, on_progress: Callable[[str], None]) -> list[Measure]:
    """All measures, in the order of a question's way."""
    on_progress("starting the command line")
    measures = [Measure.of("symposia --help", "s", [_help() for _ in range(ROUNDS)], 0.5)]
    on_progress("starting anew, to the first token")
    measures.append(
        Measure.of("second start to first token", "s", [_second_start(settings) for _ in range(ROUNDS)], 15)
    )
    with Symposium.open(settings) as symposium:
        symposium.warm_up()
        on_progress("encoding")
        measures.append(_encoding(symposium))
        on_progress("routing and searching")
        measures.append(_retrieval(symposium))
        on_progress("first tokens")
        measures.append(_first_token(symposium, settings.retrieval.passages))
        on_progress("decoding")
        measures.append(_policies(symposium))
        measures.append(Measure.of("resident memory, encoder and generator", "MiB", [resident()], 2.5 * 1024))
    return measures


def _help() -> float:
    return _timed([sys.executable, "-m", "app.cli", "--help"])


def _second_start(settings: Settings) -> float:
    """Seconds from the start of a new process to the first token of an answer."""
    code = (
        "import json, sys, time\n"
        "from app.settings import load_settings\n"
        "from app.symposium import Symposium\n"
        "from generators.events import Token\n"
        "flags = json.loads(sys.argv[1])\n"
        "with Symposium.open(load_settings(flags=flags).settings) as s:\n"
        "    next(e for e in s.stream(sys.argv[2]) if isinstance(e, Token))\n"
        "    print(time.time())\n"
    )
    flags = {"home": str(settings.home), "models.cache": str(settings.models.folder)}
    started = time.time()
    arguments = [sys.executable, "-c", code, json.dumps(flags), read_questions()[0].question]
    done = subprocess.run(arguments, check=True, capture_output=True, text=True)  # noqa: S603 (our own code)
    return float(done.stdout.split()[-1]) - started


def _encoding(symposium: Symposium) -> Measure:
    values = []
    for question in [q.question for q in read_questions()] * ROUNDS:
        started = time.process_time()
        symposium.panel.encoder.encode_questions([question])
        values.append(1000 * (time.process_time() - started))
    return Measure.of("encoding, a question", "ms CPU", values, 4)


def _retrieval(symposium: Symposium) -> Measure:
    questions = [q.question for q in read_questions() if q.kind == "evidence"]
    values = []
    for question in questions * ROUNDS:
        started = time.process_time()
        symposium.retrieve(question)
        values.append(1000 * (time.process_time() - started))
    return Measure.of("route and search, a question", "ms CPU", values, 30)


def _first_token(symposium: Symposium, passages: int) -> Measure:
    values = []
    for question in [q.question for q in read_questions() if q.kind == "evidence"][: 3 * ROUNDS : 3]:
        started = time.perf_counter()
        for event in symposium.stream(question):
            if isinstance(event, Token):
                values.append(time.perf_counter() - started)
                break
    return Measure.of(f"time to first token, up to {passages} passages", "s", values, 4)


def _policies(symposium: Symposium) -> Measure:
    """Wall time per token of AdaCAD over greedy's, the two taking turns on the same prompts."""
    model, ratios = symposium.answerer.model, []
    if isinstance(model, RemoteModel):
        raise InputError(
            "Policies are compared on a model that is held here, but models.server is set.", "Empty it for this."
        )
    for question in [q.question for q in read_questions() if q.kind == "evidence"][:ROUNDS]:
        _, evidence = symposium.retrieve(question, passages=2)
        rows = model.chat_tokens(prompts.with_sources(question, evidence))
        memory = model.chat_tokens(prompts.without_sources(question))
        paces = {}
        for name, other in (("greedy", None), ("adacad", memory)):
            times = [time.perf_counter() for _ in decode(model, rows, other, policy(name), max_tokens=DECODED)]
            paces[name] = (times[-1] - times[0]) / max(1, len(times) - 1)
        ratios.append(paces["adacad"] / paces["greedy"])
    return Measure.of("AdaCAD over greedy, wall time per token", "×", ratios, 1.5)


def resident() -> float:
    """Resident set now, in MiB (Linux; elsewhere the peak)."""
    status = Path("/proc/self/status")
    if status.exists():
        line = next(row for row in status.read_text().splitlines() if row.startswith("VmRSS"))
        return int(line.split()[1]) / 1024
    import resource

    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024) / MEBIBYTE


def _timed(arguments: list[str]) -> float:
    started = time.perf_counter()
    subprocess.run(arguments, check=True, capture_output=True, env=os.environ)  # noqa: S603 (our own program)
    return time.perf_counter() - started
