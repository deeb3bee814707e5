"""Reads cases in a process of its own, with limits of memory and time: ``python -m tests.indexes.readers.fuzz.run``.

Prints a line of JSON for each case: what came of it, and what was wrong with that.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

from indexes.passage import Document
from indexes.readers.files import read
from indexes.readers.limits import LONGEST_TITLE
from indexes.readers.problem import Problem, encodable, uncarried
from indexes.splitter import Splitter, count_words
from tests.indexes.readers.fuzz import folders as places
from tests.indexes.readers.fuzz import pages, pdfs, rows, texts, words
from tests.indexes.readers.fuzz.cases import Case

SOURCES: Mapping[str, Callable[[int, int], Iterator[Case]]] = {
    "texts": texts.cases,
    "rows": rows.cases,
    "pages": pages.cases,
    "pdfs": pdfs.cases,
    "words": words.cases,
    "folders": lambda _count, _seed: places.cases(),
}
MUTATIONS = 160  # of each format
SPLITTER = Splitter()


@dataclass(slots=True)
class Outcome:
    """What came of a case; ``wrong`` is empty where all was as it must be."""

    kind: str
    name: str
    documents: int = 0
    passages: int = 0
    problems: list[str] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)
    seconds: float = 0.0
    """By the clock."""


class HangError(BaseException):
    """A case takes too long."""


def cases(source: str, mutations: int, seed: int, *, heavy: bool) -> list[Case]:
    """The special cases of a source, or of all, and so many mutations of each format."""
    chosen = [SOURCES[source]] if source else list(SOURCES.values())
    found = (case for each in chosen for case in each(mutations, seed))
    return [case for case in found if heavy or not case.heavy]


def outcome(case: Case, folder: Path, seconds: float) -> Outcome:
    """Build and read one case."""
    result = Outcome(case.kind, case.name)
    path = case.build(folder)
    files = _files(path)
    sources: set[str] = set()
    problems: list[Problem] = []
    started = time.perf_counter()
    signal.setitimer(signal.ITIMER_PROF, seconds)  # of this process; the one of the parsers has limits of its own
    signal.setitimer(signal.ITIMER_REAL, 10 * seconds)
    try:
        for document in read(path, on_problem=problems.append):
            if not result.documents and case.during:
                case.during(path)
            result.documents += 1
            sources.add(document.source)
            _check(document, result)
    except HangError:
        result.wrong.append(f"took more than {seconds} seconds")
    except BaseException as error:  # noqa: BLE001 - this is what the cases look for
        result.wrong.append(f"raised {type(error).__name__}: {error}"[:300])
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.setitimer(signal.ITIMER_REAL, 0)
    result.seconds = time.perf_counter() - started
    reported = {str(problem.path) for problem in problems}
    for problem in problems:
        _check_problem(problem, result)
    if not case.during:
        missed = [name for name in files if str(name) not in sources and not _covered(name, reported)]
        result.wrong += [f"{name.name!r} neither gave a document nor was reported" for name in missed]
    if not result.documents and not problems:
        result.wrong.append("nothing came of it")
    return result


def _files(path: Path) -> list[Path]:
    """What ought to be read or reported: all but hidden files, and what stands beside the corpus of a BEIR folder."""
    if not path.is_dir():
        return [path]
    if (path / "corpus.jsonl").is_file():
        return [path / "corpus.jsonl"]
    found, folders = list[Path](), [path]
    while folders:
        for entry in os.scandir(folders.pop()):
            if entry.is_dir(follow_symlinks=False):
                folders += [Path(entry.path)] * (not entry.name.startswith("."))
            elif not entry.name.startswith((".", "~$")) and not Path(entry.path).is_dir():
                found.append(Path(entry.path))
    return found


def _covered(name: Path, reported: set[str]) -> bool:
    """Whether the file, or a folder above it, was reported."""
    path = Path(encodable(str(name)))
    return any(str(each) in reported for each in (path, *path.parents))


def _check(document: Document, result: Outcome) -> None:
    """What must be true of a document and its passages."""
    carried = [document.text, document.title, document.source, document.key, document.date, *document.metadata]
    carried += [*document.metadata.values(), *(mark.label for mark in document.marks)]
    wrong = [why for each in carried if (why := uncarried(each))]
    if "SECRET" in document.text or "root:x:0:0" in document.text:
        wrong.append("a secret was read")
    if len(document.title) > LONGEST_TITLE:
        wrong.append(f"its title has {len(document.title)} characters")
    if any(left.start > right.start for left, right in zip(document.marks, document.marks[1:], strict=False)):
        wrong.append("its marks are not in order")
    document.id.encode()
    passages = SPLITTER.split(document)
    result.passages += len(passages)
    if any(document.text[each.start : each.end] != each.text for each in passages):
        wrong.append("an offset is wrong")
    if not document.whole and any(count_words(each.text) > SPLITTER.size for each in passages):
        wrong.append("a passage is too long")
    if not passages:
        wrong.append("it has no passage")
    result.wrong += wrong[:5]


def _check_problem(problem: Problem, result: Outcome) -> None:
    """A problem has a reason and a fix, and can be printed and sent."""
    result.problems.append(problem.reason)
    try:
        text = str(problem)
        json.dumps([str(problem.path), text], ensure_ascii=False).encode()
    except UnicodeEncodeError as error:
        result.wrong.append(f"its problem cannot be sent: {error}")
        return
    if not problem.reason.strip() or not problem.fix.strip():
        result.wrong.append(f"its problem has no reason or no fix: {text!r}")
    if len(problem.reason) > 500 or len(problem.fix) > 2000:
        result.wrong.append(f"its problem has {len(text)} characters")


def _hang(number: int, frame: object) -> None:
    raise HangError


def main(arguments: Sequence[str]) -> None:
    """Run the cases that the arguments name."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--source", default="", choices=["", *SOURCES])
    parser.add_argument("--mutations", type=int, default=MUTATIONS)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--heavy", action="store_true")
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--memory", type=int, default=2 << 30)
    parser.add_argument("--only", default="")
    given = parser.parse_args(arguments)
    sys.setrecursionlimit(1000)
    signal.signal(signal.SIGALRM, _hang)
    signal.signal(signal.SIGPROF, _hang)
    chosen = [
        case
        for case in cases(given.source, given.mutations, given.seed, heavy=given.heavy)
        if given.only in f"{case.kind}: {case.name}"
    ]
    SPLITTER.split(Document("Load what it needs. Before memory is limited."))
    resource.setrlimit(resource.RLIMIT_AS, (given.memory, given.memory))
    with tempfile.TemporaryDirectory() as scratch:
        for number, case in enumerate(chosen):
            folder = Path(scratch, str(number))
            folder.mkdir()
            result = outcome(case, folder, given.seconds)
            subprocess.run(["rm", "-rf", folder], check=False)  # Python's own removal is recursive, and some are deep
            sys.stdout.write(json.dumps(asdict(result)) + "\n")
            sys.stdout.flush()
    peak = highest()
    sys.stdout.write(json.dumps({"peak": peak}) + "\n")


def highest() -> int:
    """The most memory that this process has held, in KiB. (What ``getrusage`` says includes whoever started it.)"""
    status = Path("/proc/self/status")
    if not status.is_file():
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    (line,) = (row for row in status.read_text().splitlines() if row.startswith("VmHWM"))
    return int(line.split()[1])


if __name__ == "__main__":
    main(sys.argv[1:])
