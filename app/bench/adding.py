"""What adding costs: a second time, after small changes, beside the bare encoder, and in memory."""

from __future__ import annotations

import json
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from itertools import chain, islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from app.library import AddReport, Library
from app.wiring import encoder_of
from evaluation.intervals import Interval, bootstrap_interval
from indexes.errors import InputError
from indexes.passage import Document
from indexes.readers.jsonl import CORPUS, rows
from indexes.store.open import opener
from retrievers.panel import Panel

if TYPE_CHECKING:
    from app.settings import Settings
    from indexes.encoders.base import Encoder, Progress, Vectors

CHANGED = 10
SHARE, RATIO, MOST = 0.05, 0.9, 1.5 * 2**30  # targets: of the first time, of the bare encoder's pace, and bytes
SETTLE = 2.5  # seconds after which a file that was written is taken to be what its time and size say
EXPERT = "bench"

Report = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Plan:
    """What is measured.

    Parameters
    ----------
    folders
        BEIR folders.
    passages
        Of all of them together that are added twice, as many of each as of the others; 0 for all.
    timed
        Passages that are added, and encoded, in one repetition.
    repetitions
        Of that; 0 leaves it out.
    memory
        Passages that are added by a process of its own, to see how much memory it takes; 0 leaves it out.
    seed
        Of the choice of documents.
    """

    folders: tuple[Path, ...]
    passages: int = 0
    timed: int = 2000
    repetitions: int = 5
    memory: int = 0
    seed: int = 0


@dataclass(frozen=True, slots=True)
class Twice:
    """Adding the same documents again, and then with some of them changed.

    Parameters
    ----------
    documents, passages
        In all.
    first, second, third
        Seconds; the third time, ``changed`` documents have changed.
    embedded
        Texts that were encoded each time.
    expected
        Passages of the changed documents.
    """

    documents: int
    passages: int
    changed: int
    expected: int
    first: float
    second: float
    third: float
    embedded: tuple[int, int, int]

    @property
    def share(self) -> float:
        """Of the first time's seconds that the second one takes."""
        return self.second / self.first

    @property
    def ok(self) -> bool:
        """Whether nothing was embedded twice, and the second time took less than a twentieth."""
        return self.embedded[1:] == (0, self.expected) and self.share < SHARE


@dataclass(frozen=True, slots=True)
class Pace:
    """Adding beside encoding alone, the same texts in turns.

    Parameters
    ----------
    passages
        In each of ``repetitions``.
    bare, adding
        Texts a second, mean with 95 % bootstrap interval over repetitions.
    ratio
        Of the second to the first, in each repetition.
    cpu
        The same of texts a second of processor time, which says something on a machine that has other work, too.
    """

    passages: int
    repetitions: int
    bare: Interval
    adding: Interval
    ratio: Interval
    cpu: Interval


@dataclass(frozen=True, slots=True)
class Found:
    """All of it; ``peak`` is in bytes, of a process that added ``added`` passages, and ``None`` where that was left out."""

    twice: Twice
    pace: Pace | None
    added: int
    peak: int | None

    @property
    def ok(self) -> bool:
        """Whether every target is met."""
        fast = self.pace is None or self.pace.ratio.value >= RATIO
        return self.twice.ok and fast and (self.peak is None or self.peak <= MOST)

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON types."""
        return {**asdict(self), "share": self.twice.share, "ok": self.ok}


class Counting:
    """An encoder that counts the passages that it encodes."""

    def __init__(self, encoder: Encoder) -> None:
        self.fingerprint = encoder.fingerprint
        self.passages = 0
        self._encoder = encoder

    def encode_questions(self, texts: Sequence[str]) -> Vectors:
        """See ``Encoder``."""
        return self._encoder.encode_questions(texts)

    def encode_passages(self, texts: Sequence[str], on_progress: Progress | None = None) -> Vectors:
        """See ``Encoder``."""
        self.passages += len(texts)
        return self._encoder.encode_passages(texts, on_progress)


def run(settings: Settings, plan: Plan, report: Report) -> Found:
    """Measure. What is added lies in a temporary folder.

    Raises
    ------
    InputError
        A folder without a corpus, or too few documents for what is asked for.
    """
    for folder in plan.folders:
        if not (folder / CORPUS).is_file():
            raise InputError(f"There is no {CORPUS} in {folder}.", "Name folders in BEIR's layout.")
    encoder = encoder_of(settings)
    encoder.encode_passages(["What is loaded at the first use."] * 8)
    with tempfile.TemporaryDirectory(prefix="symposia-adding-") as name:
        found = twice(settings, encoder, plan, Path(name), report)
        pace = beside(settings, encoder, plan, Path(name), report) if plan.repetitions else None
    report(f"adding {plan.memory} passages in a process of its own")
    peak = _peak(settings, plan) if plan.memory else None
    return Found(found, pace, plan.memory, peak)


def twice(settings: Settings, encoder: Encoder, plan: Plan, folder: Path, report: Report) -> Twice:
    """Add the corpora, add them again, and again after ten documents have changed."""
    copies = _copied(plan, folder / "corpora")
    time.sleep(SETTLE)
    counting = Counting(encoder)

    def add(what: str) -> tuple[list[AddReport], float, int]:
        report(what)
        before, started = counting.passages, time.perf_counter()
        panel = Panel(folder / "slices", counting, opener())
        try:
            done = [Library(panel, settings).add_paths([copy], copy.name) for copy in copies]
        finally:
            panel.close()
        return done, time.perf_counter() - started, counting.passages - before

    done, first, embedded = add("adding all of it")
    _, second, again = add("adding it again")
    expected = _change(settings, copies, plan.seed)
    _, third, changed = add(f"adding it again, with {CHANGED} documents changed")
    return Twice(
        sum(each.documents for each in done),
        sum(each.passages for each in done),
        CHANGED,
        expected,
        first,
        second,
        third,
        (embedded, again, changed),
    )


def beside(settings: Settings, encoder: Encoder, plan: Plan, folder: Path, report: Report) -> Pace:
    """Encode texts, and add documents with these texts to a new expert; which comes first changes every time."""
    needed = plan.timed * plan.repetitions
    documents = list(islice(_spread(plan.folders, needed), needed))
    random.Random(plan.seed).shuffle(documents)  # noqa: S311 (an order, no secret)
    if len(documents) < needed:
        raise InputError(f"There are {len(documents)} different texts, not {needed}.", "Ask for fewer.")
    wall: list[dict[str, float]] = []
    cpu: list[dict[str, float]] = []
    for number in range(plan.repetitions):
        part = documents[number * plan.timed : (number + 1) * plan.timed]
        texts = _texts(settings, part)
        ways: dict[str, Callable[[], object]] = {
            "bare": partial(encoder.encode_passages, texts),
            "adding": partial(_add, settings, encoder, part, folder / f"pace-{number}"),
        }
        wall.append({})
        cpu.append({})
        for way in sorted(ways, reverse=bool(number % 2)):
            report(f"repetition {number + 1} of {plan.repetitions}: {way}")
            started = time.perf_counter(), time.process_time()
            ways[way]()
            wall[-1][way], cpu[-1][way] = time.perf_counter() - started[0], time.process_time() - started[1]
    intervals = {
        "bare": [plan.timed / each["bare"] for each in wall],
        "adding": [plan.timed / each["adding"] for each in wall],
        "ratio": [each["bare"] / each["adding"] for each in wall],
        "cpu": [each["bare"] / each["adding"] for each in cpu],
    }
    found = {name: bootstrap_interval(values, seed=plan.seed, bounded=False) for name, values in intervals.items()}
    return Pace(plan.timed, plan.repetitions, **found)


def add_for_memory(settings: Settings, folders: Sequence[Path], passages: int) -> int:
    """Add so many passages, texts repeated under new numbers where there are too few; gives this process's peak in bytes."""

    def documents() -> Iterator[Document]:
        for turn in range(1_000_000):
            for document in _spread(folders, passages):
                text = f"{document.text} ({turn})" if turn else document.text
                yield Document(text, document.title, key=f"{turn}/{document.key}", whole=True)

    with tempfile.TemporaryDirectory(prefix="symposia-adding-") as name:
        _add(settings, encoder_of(settings), islice(documents(), passages), Path(name))
    return peak_bytes()


def peak_bytes() -> int:
    """The most memory that this process has had."""
    status = Path("/proc/self/status")
    if status.exists():
        line = next(row for row in status.read_text().splitlines() if row.startswith("VmHWM"))
        return int(line.split()[1]) * 1024
    import resource

    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)


def _peak(settings: Settings, plan: Plan) -> int:
    code = (
        "import json, sys\n"
        "from pathlib import Path\n"
        "from app.bench.adding import add_for_memory\n"
        "from app.settings import load_settings\n"
        "flags, folders, passages = json.loads(sys.argv[1])\n"
        "settings = load_settings(flags=flags).settings\n"
        "print(add_for_memory(settings, [Path(folder) for folder in folders], passages))\n"
    )
    flags = {
        "home": str(settings.home),
        "models.cache": str(settings.models.folder),
        "models.encoder": settings.models.encoder,
        "models.runtime": settings.models.runtime,
    }
    given = json.dumps([flags, [str(folder) for folder in plan.folders], plan.memory])
    done = subprocess.run([sys.executable, "-c", code, given], check=True, capture_output=True, text=True)  # noqa: S603
    return int(done.stdout.split()[-1])


def _add(settings: Settings, encoder: Encoder, documents: Sequence[Document] | Iterator[Document], home: Path) -> None:
    panel = Panel(home, encoder, opener())
    try:
        Library(panel, settings).add_documents(documents, EXPERT)
    finally:
        panel.close()


def _copied(plan: Plan, into: Path) -> list[Path]:
    """The beginnings of the corpora, each in a folder of its own."""
    each = -(-plan.passages // len(plan.folders)) if plan.passages else None
    copies = []
    for folder in plan.folders:
        copy = into / folder.resolve().name
        copy.mkdir(parents=True)
        with (folder / CORPUS).open(encoding="utf-8") as lines, (copy / CORPUS).open("w", encoding="utf-8") as file:
            file.writelines(islice(lines, each))
        copies.append(copy)
    return copies


def _change(settings: Settings, copies: Sequence[Path], seed: int) -> int:
    """Add a sentence to some documents; gives how many passages they have."""
    chosen = random.Random(seed).sample(  # noqa: S311 (a draw, no secret)
        [(copy, document.key) for copy in copies for document in _documents(copy)], CHANGED
    )
    expected = 0
    for copy in copies:
        keys = {key for folder, key in chosen if folder == copy}
        changed = []
        for line in (copy / CORPUS).read_bytes().splitlines():  # a text may hold what ends a line elsewhere, as U+2028
            row = json.loads(line)
            if str(row["_id"]) in keys:
                row["text"] = f"{row.get('text', '')} This sentence is new."
            changed.append(json.dumps(row, ensure_ascii=False) + "\n")
        if keys:
            (copy / CORPUS).write_text("".join(changed), encoding="utf-8")
        expected += len(_texts(settings, [each for each in _documents(copy) if each.key in keys]))
    time.sleep(SETTLE)
    return expected


def _documents(folder: Path) -> Iterator[Document]:
    return (row for row in rows(folder / CORPUS) if isinstance(row, Document))


def _spread(folders: Sequence[Path], count: int) -> Iterator[Document]:
    """Different texts from all folders alike, at most ``count`` from each; then there are no more."""
    seen: set[str] = set()
    for document in chain.from_iterable(zip_all([islice(_documents(folder), count) for folder in folders])):
        if document.text not in seen:
            seen.add(document.text)
            yield document


def zip_all(iterators: Sequence[Iterator[Document]]) -> Iterator[list[Document]]:
    """One of each in turn, for as long as any has one."""
    while found := [document for each in iterators if (document := next(each, None)) is not None]:
        yield found


def _texts(settings: Settings, documents: Sequence[Document]) -> list[str]:
    from indexes.splitter import Splitter

    splitter = Splitter(size=settings.split.size, overlap=settings.split.overlap)
    return [passage.searchable for document in documents for passage in splitter.split(document)]
