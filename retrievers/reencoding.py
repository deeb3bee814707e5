"""Encoding a panel's slices anew with another encoder, beside those that are asked meanwhile, and swapping all at once."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path

from indexes.adapters.files import read_header
from indexes.encoders.base import Encoder
from indexes.errors import SliceError, SymposiaError
from indexes.generations import drop_others, generation_for, opened, promote
from indexes.manifest import FILE, Manifest
from indexes.next_generation import Followed, Next
from indexes.slice import Slice
from indexes.store.base import Store
from retrievers.expert import LEARNED, Expert
from retrievers.panel import Panel, Seating, empty
from retrievers.router import Wishes
from retrievers.shared_lock import SharedLock

ROUNDS = 3
SETTLED = 1.0  # seconds after which a rate says something


@dataclass(frozen=True, slots=True)
class Progress:
    """How far encoding anew has come.

    Parameters
    ----------
    expert
        Whose slice is looked at; empty while the swap is prepared, which waits for those who are adding documents.
    done, total
        Passages that were looked at, and of all slices that are encoded anew.
    encoded
        Those of them that were encoded now; the others had been, before an interruption.
    seconds
        Since the start.
    """

    expert: str
    done: int
    total: int
    encoded: int
    seconds: float

    @property
    def rate(self) -> float | None:
        """Passages encoded a second; ``None`` in the first second."""
        return self.encoded / self.seconds if self.encoded and self.seconds >= SETTLED else None

    @property
    def left(self) -> float | None:
        """Seconds that the rest takes at that rate, at most; ``None`` where that is not known."""
        return None if self.rate is None else max(0, self.total - self.done) / self.rate


@dataclass(frozen=True, slots=True)
class Encoded:
    """One expert's slice, encoded anew.

    Parameters
    ----------
    passages
        Of the slice.
    encoded
        Those that were encoded this time.
    trained
        Kind of the adapter that the expert had learned, which stays behind with the vectors that it was made for; empty
        where it had none.
    labelled
        Whether it had learned anything else from labelled questions, which stays behind as well.
    """

    expert: str
    passages: int
    encoded: int
    trained: str = ""
    labelled: bool = False


@dataclass(frozen=True, slots=True)
class Outcome:
    """What encoding anew did.

    Parameters
    ----------
    slices
        Those that were encoded, by name.
    swapped
        Whether the panel is asked with the new encoder from now on.
    waiting
        Experts whose slices have to be encoded before that can be.
    problems
        Slices that cannot be asked with the new encoder, with the reason.
    dropped
        Generations of other encoders that were deleted.
    stopped
        Whether somebody ended it early; the same again goes on where it was.
    """

    slices: tuple[Encoded, ...] = ()
    swapped: bool = False
    waiting: tuple[str, ...] = ()
    problems: dict[str, str] = field(default_factory=dict)
    dropped: int = 0
    stopped: bool = False


class Stopped(Exception):  # noqa: N818 (no error: somebody asked for it)
    """Somebody ended it early."""


class Reencoding:
    """One run. What it has encoded is kept, however it ends; another run goes on from there.

    Parameters
    ----------
    panel
        Of which all slices are meant.
    encoder
        What they are encoded with.
    report
        Told how far it has come, after each batch.
    cancelled
        Asked after each batch.
    """

    def __init__(
        self,
        panel: Panel,
        encoder: Encoder,
        report: Callable[[Progress], None] = lambda _progress: None,
        cancelled: Callable[[], bool] = lambda: False,
    ) -> None:
        self.panel = panel
        self.encoder = encoder
        self._report = report
        self._cancelled = cancelled
        self._nexts: dict[str, Next] = {}
        self._encoded: dict[str, int] = {}
        self._problems: dict[str, str] = {}
        self._total = self._done = 0
        self._started = time.perf_counter()

    def run(
        self,
        only: Sequence[str] = (),
        *,
        swap: bool = True,
        commit: Callable[[], None] = lambda: None,
        keep_old: bool = False,
    ) -> Outcome:
        """Encode the slices; then, unless some are left for another time, swap all of them at once.

        Parameters
        ----------
        only
            Experts whose slices are encoded now; all by default.
        swap
            Whether to swap once all slices are encoded. Else the next panel that is opened with the encoder does.
        commit
            Makes the encoder the one that later panels are opened with. Where it fails, everything is as before.
        keep_old
            Whether slices as other encoders see them stay on the disk after a swap: then going back costs next to nothing.

        Raises
        ------
        InputError
            For an unknown expert, or where the panel is being encoded anew already.
        SymposiaError
            Where a slice that is asked cannot be read, or nothing can be written; all slices are asked as before then.
        """
        self.panel.open()
        Wishes(force=tuple(only)).check([*self.panel.experts, *self.panel.problems])
        with self.panel.rebuilds(folder.name for folder in self._folders()):
            try:
                self._build(only)
                waiting = self._waiting(besides=self._nexts) if only else ()
                if waiting or not swap:
                    return Outcome(self._slices(), waiting=waiting, problems=self._problems)
                return self._swap(commit, keep_old)
            except Stopped:
                return Outcome(self._slices(), waiting=self._waiting(), problems=self._problems, stopped=True)
            finally:
                for next_ in self._nexts.values():
                    next_.close()

    def _build(self, only: Sequence[str]) -> None:
        """Encode while documents come and go; what changes afterwards is followed before the swap.

        What has changed by the end is followed once more, so that little is left for when those who add have to wait.
        """
        seen: dict[str, str] = {}
        for _ in range(ROUNDS):
            wanted = [each for each in self._differing() if not only or each[0].name in only]
            changed = [folder for folder, manifest in wanted if seen.get(folder.name) != manifest.updated]
            seen = {folder.name: manifest.updated for folder, manifest in wanted}
            self._done, self._total = 0, sum(m.passages for folder, m in wanted if folder in changed)
            for folder in changed:
                self._follow(folder)
                self._ready(folder.name)

    def _ready(self, name: str) -> None:
        """Let the index be built, and what an expert keeps of its scores be made, now."""
        if name in self._nexts and self._nexts[name].store.count():
            self._nexts[name].store.optimize()
            Expert.of(self._nexts[name].as_slice(), self.encoder)

    def _swap(self, commit: Callable[[], None], keep_old: bool) -> Outcome:
        self._tell("", 0)
        seating = self.panel.seating_for(self.encoder)
        with self.panel.still(self._cancelled) as still:
            if not still:
                raise Stopped
            with ExitStack() as writing:
                for expert in self.panel.experts.values():
                    writing.enter_context(expert.slice.writing)
                self._done, changing = 0, self._differing()
                self._total = sum(manifest.passages for _, manifest in changing)
                for folder, _ in changing:
                    self._follow(folder)
                slices = self._slices()
                asked, out = self._put(seating, commit)
        with asked.alone():  # once everybody has ended who still asks them
            for slice_ in out:
                slice_.close()
        dropped = 0 if keep_old else sum(drop_others(folder, self.panel.open_store) for folder, _ in self._manifests())
        return Outcome(slices, True, (), dict(self.panel.problems), dropped)

    def _put(self, seating: Seating, commit: Callable[[], None]) -> tuple[SharedLock, list[Slice]]:
        """Promote all generations, in the folders and then on the panel; gives what was swapped out, and its lock."""
        before = {name: expert.slice for name, expert in self.panel.experts.items()}
        experts, problems = self._seats()
        promoted: list[tuple[Path, Manifest]] = []
        try:
            for _, next_ in sorted(self._nexts.items()):
                promoted.append((next_.folder, Manifest.read(next_.folder)))
                promote(next_.folder, next_.manifest)
            commit()
        except BaseException:
            for folder, manifest in reversed(promoted):
                with suppress(OSError, SymposiaError):  # what cannot be undone now is when a panel is opened
                    promote(folder, manifest)
            for name in experts.keys() - self._nexts.keys() - before.keys():
                experts[name].slice.close()
            raise
        asked = self.panel.swap(replace(seating, experts=experts), problems)
        self._nexts = {name: next_ for name, next_ in self._nexts.items() if name not in experts}
        seated = {expert.slice for expert in experts.values()}
        return asked, [slice_ for slice_ in before.values() if slice_ not in seated]

    def _seats(self) -> tuple[dict[str, Expert], dict[str, str]]:
        """Every slice as an expert that is asked with the encoder; and those that cannot be, with the reason."""
        experts, problems = {}, dict(self._problems)
        for folder, _ in self._manifests():
            try:
                experts[folder.name] = self._seat(folder)
            except SymposiaError as error:
                problems[folder.name] = str(error)
        return experts, problems

    def _seat(self, folder: Path) -> Expert:
        name = folder.name
        if name in self._nexts:
            slice_ = self._nexts[name].as_slice()
            if not slice_.store.count():
                raise empty(name)
            return Expert.of(slice_, self.encoder)
        seated = self.panel.experts.get(name)
        if seated is not None:
            return seated
        if name in self._problems:
            raise SliceError(self._problems[name], "`symposia doctor` checks everything.")
        return self.panel.expert_in(folder, self.encoder)

    def _follow(self, folder: Path) -> None:
        """Bring the next generation of a slice up to date with the present one."""
        name, seated = folder.name, self.panel.experts.get(folder.name)
        try:
            with self._source(folder) as store:
                if name not in self._nexts:
                    self._nexts[name] = Next(folder, self.encoder, self.panel.open_store)
                self._steps(name, store)
        except SymposiaError as error:
            if seated is not self.panel.experts.get(name):  # it has lost its last document, or got another adapter
                self._follow(folder)
            elif seated is None and isinstance(error, SliceError):
                self._problems[name] = str(error)
            else:
                raise

    def _steps(self, name: str, store: Store) -> None:
        before, step = self._encoded.get(name, 0), Followed(0)
        for step in self._nexts[name].follow(store):
            self._encoded[name] = before + step.encoded
            self._tell(name, step.compared)
            if self._cancelled():
                raise Stopped
        self._done += step.compared

    def _tell(self, expert: str, compared: int) -> None:
        seconds, encoded = time.perf_counter() - self._started, sum(self._encoded.values())
        done = self._done + compared
        self._report(Progress(expert, done, max(done, self._total), encoded, seconds))

    @contextmanager
    def _source(self, folder: Path) -> Iterator[Store]:
        seated = self.panel.experts.get(folder.name)
        if seated is not None:
            yield seated.slice.store
            return
        with closing(opened(Manifest.read(folder), folder, self.panel.open_store)) as store:
            yield store

    def _folders(self) -> list[Path]:
        return sorted(path.parent for path in self.panel.folder.glob(f"[!.]*/{FILE}"))

    def _manifests(self) -> list[tuple[Path, Manifest]]:
        """Of all slices that can be read; the others are problems."""
        found = []
        for folder in self._folders():
            try:
                found.append((folder, Manifest.read(folder)))
            except SliceError as error:
                self._problems[folder.name] = str(error)
        return found

    def _differing(self) -> list[tuple[Path, Manifest]]:
        """Slices that another encoder has encoded."""
        return [each for each in self._manifests() if each[1].fingerprint != self.encoder.fingerprint]

    def _waiting(self, besides: Collection[str] = ()) -> tuple[str, ...]:
        """Those of them whose next generation has not been built to the end."""
        found = []
        for folder, manifest in self._differing():
            built = generation_for(folder, self.encoder.fingerprint)
            if folder.name not in {*besides, *self._problems} and (
                built is None or built.passages != manifest.passages
            ):
                found.append(folder.name)
        return tuple(found)

    def _slices(self) -> tuple[Encoded, ...]:
        found = []
        for name, next_ in sorted(self._nexts.items()):
            home = Manifest.read(next_.folder).store_folder(next_.folder)
            trained = read_header(home)
            kind = trained.kind if trained.key else ""
            passages, encoded = next_.store.count(), self._encoded.get(name, 0)
            found.append(Encoded(name, passages, encoded, kind, (home / LEARNED).is_file()))
        return tuple(found)
