"""Several processes on one home: a panel that notices what the others add, change and take away.

That is possible where the slices' points lie on a Qdrant server; an embedded store is held by one process alone.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from threading import Thread
from typing import Any

from app.telemetry.stages import MeasuredPanel
from indexes.adapters.files import FILE as ADAPTER
from indexes.errors import SymposiaError
from indexes.manifest import FILE as MANIFEST
from indexes.manifest import Manifest
from indexes.slice import Slice
from retrievers.expert import LEARNED, MOMENTS, Expert
from retrievers.shared_lock import SharedLock

INTERVAL = 1.0  # seconds between two looks
KEPT = (ADAPTER, LEARNED, MOMENTS)  # what training writes beside the manifest

Stamp = tuple[tuple[int, int, int] | None, ...]
"""Time, size and number of the manifest's file and of each that training writes; ``None`` for one that is not there."""


class NoticingPanel(MeasuredPanel):
    """A panel that looks, once a second at most and when it is used, whether its slices have changed.

    A slice that another process has added, filled, trained, or withdrawn is opened anew, or leaves the panel; questions
    under way end with what they began with. While this process itself adds or encodes, the look is put off.
    """

    def __init__(self, *args: Any, clock: Callable[[], float] = time.monotonic, **more: Any) -> None:  # noqa: ANN401
        super().__init__(*args, **more)
        self._clock = clock
        self._looking = threading.Lock()
        self._looked = 0.0
        self._noted: dict[str, Stamp] = {}

    def open(self) -> None:
        """See ``Panel``; whoever uses the panel opens it first."""
        with self._lock:
            if not self._opened:
                self._noted, self._looked = self._stamps(), self._clock()
            super().open()
        if self._clock() - self._looked >= INTERVAL and self._looking.acquire(blocking=False):
            try:
                self._look()
            finally:
                self._looking.release()

    def install(self, slice_: Slice) -> Expert:
        """See ``Panel``."""
        expert = super().install(slice_)
        self._noted = {**self._noted, slice_.folder.name: _stamp(slice_.folder)}
        return expert

    def _look(self) -> None:
        self._looked, found = self._clock(), self._stamps()
        changed = {name for name in {*found, *self._noted} if found.get(name) != self._noted.get(name)}
        if not changed or self._rebuilt:
            return
        with self._changing.alone(lambda: True) as nobody_changes:
            if nobody_changes:
                self._follow({name for name in changed if not self._known(name, found.get(name))})
                self._noted = found

    def _follow(self, changed: Iterable[str]) -> None:
        """Open these slices anew, in one moment for whoever asks."""
        experts, problems = dict(self._experts), dict(self._problems)
        left = []
        for name in sorted(changed):
            problems.pop(name, None)
            if (before := experts.pop(name, None)) is not None:
                left.append(before.slice)
            if (self.folder / name / MANIFEST).is_file():
                self._seat(name, experts, problems)
        with self._lock, self._moment:
            self._experts, self._problems = experts, problems
            asking, self._asking = self._asking, SharedLock()
        if left:
            Thread(target=_close, args=(asking, left), name="symposia-closing", daemon=True).start()

    def _seat(self, name: str, experts: dict[str, Expert], problems: dict[str, str]) -> None:
        try:
            experts[name] = self.expert_in(self.folder / name, self.encoder)
        except SymposiaError as error:
            problems[name] = str(error)

    def _known(self, name: str, stamp: Stamp | None) -> bool:
        """Whether the slice is as this process has it open: it may have written the manifest itself."""
        noted = self._noted.get(name)
        if stamp is None or noted is None or stamp[1:] != noted[1:] or name not in self._experts:
            return False
        try:
            return Manifest.read(self.folder / name) == self._experts[name].slice.manifest
        except SymposiaError:
            return False

    def _stamps(self) -> dict[str, Stamp]:
        return {path.parent.name: _stamp(path.parent) for path in self.folder.glob(f"*/{MANIFEST}")}


def _stamp(folder: Path) -> Stamp:
    return tuple(_of(folder / name) for name in (MANIFEST, *KEPT))


def _of(file: Path) -> tuple[int, int, int] | None:
    try:
        found = file.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size, found.st_ino


def _close(asking: SharedLock, slices: Iterable[Slice]) -> None:
    """Close slices once the last question that may look into them has ended."""
    with asking.alone():
        for slice_ in slices:
            slice_.close()
