"""Kill a process that adds documents, at random moments, and see what is lost, what is doubled, and whether adding resumes.

SIGKILL leaves a process no time for anything. What it had reported as stored must be there; adding the same documents again
must embed only what is missing, and must end in the same slice, to the last bit, as if nothing had happened.
"""

from __future__ import annotations

import random
import shutil
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from multiprocessing import get_context
from pathlib import Path
from typing import TYPE_CHECKING, Any

from app.bench import crash_child as child
from indexes.errors import SymposiaError

if TYPE_CHECKING:
    from multiprocessing.connection import Connection
    from multiprocessing.process import BaseProcess

Report = Callable[[int, int], None]
Target = Callable[[Path, Path, "Connection"], None]

HEAVY = ("indexes.store.edge", "llama_index.core.node_parser", "sklearn.cluster")  # imported once, for all children
PATIENCE = 600.0  # seconds after which a child is taken to hang


@dataclass(frozen=True, slots=True)
class Death:
    """One process that was killed.

    Parameters
    ----------
    after
        Seconds from its start to its death.
    acknowledged
        Documents all passages of which it had reported as stored.
    lost
        Those of them of which any passage is missing.
    short
        By how many the passages that are there are fewer than those that it had reported, be their document complete or not.
    doubled
        Passages that are there more than once, before or after the rest was added.
    stored
        Passages that were there.
    embedded
        Passages that were embedded when the same documents were added again.
    resumed
        Whether these were exactly those that were missing.
    equal
        Whether the slice is then that of an undisturbed run, to the last bit.
    problem
        Why the slice could not be opened or added to; empty where it could.
    """

    after: float
    acknowledged: int
    lost: int
    short: int
    doubled: int
    stored: int
    embedded: int
    resumed: bool
    equal: bool
    problem: str = ""

    @property
    def fine(self) -> bool:
        """Whether nothing went wrong."""
        return not (self.lost or self.short or self.doubled or self.problem) and self.resumed and self.equal


@dataclass(frozen=True, slots=True)
class Crashes:
    """All deaths.

    Parameters
    ----------
    documents, passages
        What was to be added each time.
    undisturbed
        Seconds that this takes when nobody interferes.
    seconds
        Of the whole measurement.
    """

    documents: int
    passages: int
    seed: int
    undisturbed: float
    seconds: float
    deaths: tuple[Death, ...]

    @property
    def ok(self) -> bool:
        """Whether no death did any harm."""
        return all(death.fine for death in self.deaths)

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON types."""
        return {**asdict(self), "deaths": [asdict(death) for death in self.deaths], "ok": self.ok}

    def rows(self) -> list[tuple[str, str]]:
        """What was measured, in words and numbers."""
        deaths, times = self.deaths, len(self.deaths)
        acknowledged = sorted(death.acknowledged for death in deaths)
        started = sum(0 < death.stored < self.passages for death in deaths)
        return [
            ("processes killed", str(times)),
            ("… before anything was stored", str(sum(death.stored == 0 for death in deaths))),
            ("… with a part stored", str(started)),
            ("… with all stored, while finishing", str(sum(death.stored >= self.passages for death in deaths))),
            (
                "documents acknowledged before a death",
                f"{acknowledged[0]}–{acknowledged[-1]}, {sum(acknowledged)} in all",
            ),
            ("acknowledged documents lost", str(sum(death.lost for death in deaths))),
            ("acknowledged passages lost", str(sum(death.short for death in deaths))),
            ("passages doubled", str(sum(death.doubled for death in deaths))),
            ("slices that could not be opened or added to", str(sum(bool(death.problem) for death in deaths))),
            ("resumed, embedding only what was missing", f"{sum(death.resumed for death in deaths)} of {times}"),
            ("ended as an undisturbed run, bit by bit", f"{sum(death.equal for death in deaths)} of {times}"),
        ]


def run(*, times: int, documents: int, seed: int = 0, report: Report | None = None) -> Crashes:
    """Kill ``times`` processes, each at a moment drawn from the length of an undisturbed run.

    Everything happens in a temporary folder, which is removed. Works where processes can be killed by SIGKILL: not on
    Windows.

    Raises
    ------
    SymposiaError
        The undisturbed run fails.
    """
    started = time.perf_counter()
    with tempfile.TemporaryDirectory(prefix="symposia-crash-") as name:
        trial = _Trial(Path(name), documents, seed)
        moments = random.Random(seed)  # noqa: S311 (no secret)
        deaths = list[Death]()
        for _ in range(2 * times):  # now and then, a process is done before its moment comes
            death = trial.kill(moments.uniform(0, trial.undisturbed))
            if death is not None:
                deaths.append(death)
                if report is not None:
                    report(len(deaths), times)
            if len(deaths) == times:
                break
        seconds = time.perf_counter() - started
        return Crashes(documents, len(trial.expected), seed, trial.undisturbed, seconds, tuple(deaths))


class _Trial:
    """The documents, what they become when nobody interferes, and the processes that add them.

    The children are forked from a server process that has imported everything and opened nothing.
    """

    def __init__(self, folder: Path, documents: int, seed: int) -> None:
        self._documents, self._homes = folder / "documents", folder / "homes"
        self._context = get_context("forkserver")
        self._context.set_forkserver_preload([child.__name__, *HEAVY])
        child.write_documents(self._documents, documents, seed)
        self.expected = child.expected(self._documents)
        self.undisturbed, self._wanted = self._undisturbed()

    @cached_property
    def _passages_of(self) -> dict[str, list[str]]:
        found: dict[str, list[str]] = {}
        for document, passage in self.expected:
            found.setdefault(document, []).append(passage)
        return found

    def kill(self, moment: float) -> Death | None:
        """Kill a process so many seconds after its start; ``None`` where it was done by then."""
        home = self._homes / "killed"
        process, messages, began = self._start(child.add, home)
        said = _heard(messages, began + moment)
        process.kill()
        after = time.perf_counter() - began
        process.join()
        said += _heard(messages, None)
        try:
            return None if child.DONE in said else self._examined(home, after, said)
        finally:
            shutil.rmtree(home, ignore_errors=True)

    def _examined(self, home: Path, after: float, said: Sequence[Any]) -> Death:
        reports = [each for each in said if isinstance(each, child.Acknowledged)]
        acknowledged = {document for report in reports for document in report.documents}
        checked = self._check(home)
        found = set(checked.found.ids)
        return Death(
            after,
            len(acknowledged),
            sum(not found.issuperset(self._passages_of[document]) for document in acknowledged),
            max(0, max((report.passages for report in reports), default=0) - len(found)),
            checked.found.doubled + checked.after.doubled,
            len(found),
            checked.embedded,
            checked.embedded == len(self.expected) - len(found),
            checked.after == self._wanted,
            checked.problem,
        )

    def _undisturbed(self) -> tuple[float, child.State]:
        """The length of a run, and the slice that it makes: the second of two, since the first warms caches."""
        for number in range(2):
            home = self._homes / f"undisturbed-{number}"
            process, messages, began = self._start(child.add, home)
            said = _heard(messages, began + PATIENCE)
            seconds = time.perf_counter() - began
            process.join()
            checked = self._check(home)
            shutil.rmtree(home)
            if child.DONE not in said or checked.problem or sorted(checked.after.ids) != self._ids:
                raise SymposiaError(
                    f"The documents could not be added even without a death: {checked.problem or 'passages are missing'}.",
                    "Look at the output above; is there room in the folder for temporary files?",
                )
        return seconds, checked.after

    @property
    def _ids(self) -> list[str]:
        return sorted({passage for _, passage in self.expected})

    def _check(self, home: Path) -> child.Checked:
        process, messages, began = self._start(child.check, home)
        found = [each for each in _heard(messages, began + PATIENCE) if isinstance(each, child.Checked)]
        process.kill()
        process.join()
        if not found:
            return child.Checked(problem=f"the process that looked at it ended with code {process.exitcode}")
        return found[0]

    def _start(self, target: Target, home: Path) -> tuple[BaseProcess, Connection, float]:
        messages, sending = self._context.Pipe(duplex=False)
        process = self._context.Process(target=target, args=(self._documents, home, sending))
        began = time.perf_counter()
        process.start()
        sending.close()
        return process, messages, began


def _heard(messages: Connection, until: float | None) -> list[Any]:
    """What a child says until that moment, or until it falls silent for good."""
    said: list[Any] = []
    try:
        while until is None or messages.poll(max(0.0, until - time.perf_counter())):
            said.append(messages.recv())
    except (EOFError, OSError):  # a death in the middle of a message counts as silence
        pass
    return said
