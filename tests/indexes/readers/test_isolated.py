from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from indexes.passage import Document
from indexes.readers import isolated as module
from indexes.readers.isolated import Allowed, isolated
from indexes.readers.markdown import read_markdown
from indexes.readers.problem import Problem, Reader
from tests.indexes.readers.test_markdown import HANDBOOK
from tests.indexes.readers.test_pdf import pdf

Reading = Callable[[Path], tuple[list[Document], list[Problem]]]
SLOW = b"<a " * 60_000  # html.parser looks to the end of the file for the end of each of them


@pytest.fixture(autouse=True)
def _none_left() -> Iterator[None]:
    while module._idle:
        module._idle.pop().end()
    yield
    while module._idle:
        module._idle.pop().end()


def everything(reader: Reader, path: Path) -> tuple[list[Document], list[Problem]]:
    problems: list[Problem] = []
    return list(reader(path, problems.append)), problems


def write(path: Path, data: str | bytes) -> Path:
    path.write_bytes(data.encode() if isinstance(data, str) else data)
    return path


def idle() -> int:
    """Id of the one process that waits."""
    (process,) = module._idle
    return process._process.pid


def test_another_process_reads_the_same(tmp_path: Path) -> None:
    path = write(tmp_path / "a.md", HANDBOOK + "Ἀθῆναι, 東京, 😀, e\u0301")
    assert everything(isolated("markdown"), path) == everything(read_markdown, path)
    assert idle() != os.getpid()


def test_on_other_systems_the_readers_run_here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "POSIX", False)
    path = write(tmp_path / "a.md", HANDBOOK)
    assert everything(isolated("markdown"), path) == everything(read_markdown, path)
    assert not module._idle


def test_one_process_reads_one_file_after_another(tmp_path: Path) -> None:
    write(tmp_path / "a.md", "# One")
    write(tmp_path / "b.pdf", pdf(["Two."]))
    everything(isolated("markdown"), tmp_path / "a.md")
    first = idle()
    assert everything(isolated("pdf"), tmp_path / "b.pdf")[0][0].text == "Two."
    assert idle() == first


def test_a_relative_path_stays_as_it_is_given_wherever_the_process_was_started(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(tmp_path / "a.md", "# One")
    everything(isolated("markdown"), tmp_path / "a.md")
    (tmp_path / "below").mkdir()
    write(tmp_path / "below" / "b.md", "\x00" * 100)
    write(tmp_path / "below" / "c.md", "# Three")
    monkeypatch.chdir(tmp_path / "below")
    assert everything(isolated("markdown"), Path("c.md"))[0][0].source == "c.md"
    assert everything(isolated("markdown"), Path("b.md"))[1][0].path == Path("b.md")


def test_a_file_that_takes_too_long_is_reported_and_the_next_one_is_read(tmp_path: Path) -> None:
    reader = isolated("html", Allowed(seconds=0.3, grace=60))
    documents, problems = everything(reader, write(tmp_path / "a.html", SLOW))
    assert not documents
    assert problems[0].reason == "takes its reader more than 0 seconds"
    assert problems[0].fix
    assert not module._idle
    assert everything(reader, write(tmp_path / "b.html", "<p>Words.</p>"))[0][0].text == "Words."


def test_a_process_that_does_not_keep_to_its_time_is_ended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    os.mkfifo(tmp_path / "never")  # who opens it waits in the system, where no Python code runs
    monkeypatch.setattr("indexes.readers.isolated.open_file", lambda _: (tmp_path / "a").open("xb"))
    monkeypatch.setattr("indexes.readers.isolated.BUSY", 0.0)
    answer = isolated("docx", Allowed(seconds=1, grace=2))
    started = time.monotonic()
    documents, problems = everything(answer, tmp_path / "never")
    assert time.monotonic() - started < 30
    assert not documents
    assert problems[0].reason == "takes its reader more than 1 seconds"
    assert not module._idle


def test_a_file_that_takes_too_much_memory_is_reported_and_the_next_one_is_read(tmp_path: Path) -> None:
    reader = isolated("html", Allowed(memory=130 << 20))
    documents, problems = everything(reader, write(tmp_path / "a.html", b"<p>" + b"x" * 30_000_000))
    assert not documents
    assert problems[0].reason == "takes its reader more memory than it may have"
    assert everything(reader, write(tmp_path / "b.html", "<p>Words.</p>"))[0][0].text == "Words."


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGSEGV])
def test_a_process_that_ended_while_it_waited_is_replaced(tmp_path: Path, number: signal.Signals) -> None:
    path = write(tmp_path / "a.md", "# One")
    everything(isolated("markdown"), path)
    process = module._idle[0]
    os.kill(idle(), number)
    process._process.wait()
    documents, problems = everything(isolated("markdown"), path)
    assert len(documents) == 1
    assert not problems


def test_a_process_that_breaks_off_is_reported_with_how(tmp_path: Path) -> None:
    path = write(tmp_path / "a.html", SLOW)
    everything(isolated("markdown"), write(tmp_path / "a.md", "# One"))
    stopping = threading.Timer(0.5, os.kill, (idle(), signal.SIGSEGV))
    stopping.start()
    documents, problems = everything(isolated("html"), path)
    stopping.join()
    assert not documents
    assert problems[0].reason == "made its reader break off (SIGSEGV)"


def test_an_interrupt_ends_the_process(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ended: list[str] = []

    def interrupted(self: module.Process, kind: str, path: Path) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(module.Process, "read", interrupted)
    monkeypatch.setattr(module.Process, "end", lambda self: ended.append("ended") or self._process.kill())
    with pytest.raises(KeyboardInterrupt):
        everything(isolated("markdown"), write(tmp_path / "a.md", "# One"))
    assert ended == ["ended"]


def test_threads_have_a_process_each(tmp_path: Path) -> None:
    paths = [write(tmp_path / f"{number}.md", f"# Number {number}") for number in range(12)]
    titles: dict[int, str] = {}

    def work(start: int) -> None:
        for number in range(start, 12, 3):
            titles[number] = everything(isolated("markdown"), paths[number])[0][0].title

    threads = [threading.Thread(target=work, args=(start,)) for start in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert titles == {number: f"Number {number}" for number in range(12)}
    assert 1 <= len(module._idle) <= 3


def test_a_page_that_takes_too_long_does_not_keep_the_others_from_being_read(tmp_path: Path) -> None:
    pages = ["The first page.", "\n".join(["A line of the page."] * 30_000), "The last page."]
    documents, problems = everything(isolated("pdf", Allowed(seconds=1.0)), write(tmp_path / "a.pdf", pdf(pages)))
    assert [mark.label for mark in documents[0].marks] == ["p. 1", "p. 3"]
    assert [problem.reason for problem in problems] == ["is damaged on page 2 (not read in 1 seconds)"]


def test_what_a_problem_means_for_its_file_comes_over(tmp_path: Path) -> None:
    before, _, after = pdf(["Text.", "More."]).rpartition(b"<< /Length")
    path = write(tmp_path / "a.pdf", before + b"<< /Filter /Fl /Length" + after)
    documents, problems = everything(isolated("pdf"), path)
    assert [document.text for document in documents] == ["Text."]
    assert [problem.left_out for problem in problems] == [False]


def test_pages_that_take_too_long_together_are_reported_and_those_before_are_kept(tmp_path: Path) -> None:
    path = write(tmp_path / "a.pdf", pdf([f"Page {number}. " * 40 for number in range(400)]))
    documents, problems = everything(isolated("pdf", Allowed(in_all=0.4)), path)
    assert 0 < len(documents[0].marks) < 400
    assert problems[0].reason.startswith(f"was read up to page {len(documents[0].marks)} of 400")
