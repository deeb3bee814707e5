"""The process of ``indexes.readers.isolated``: reads one file after another, as it is told on standard input.

A request is ``{"kind", "path"}``. While it is worked on, each empty message says that there is progress; then comes one with
``documents``, ``problems`` and whether this process is ``spent`` and ends.
"""

from __future__ import annotations

import gc
import json
import os
import signal
import sys
from collections.abc import Mapping
from contextlib import suppress
from multiprocessing.connection import Connection
from pathlib import Path
from types import MappingProxyType
from typing import Any

from indexes.passage import Document
from indexes.readers import patience
from indexes.readers.docx import read_docx
from indexes.readers.html import read_html
from indexes.readers.markdown import read_markdown
from indexes.readers.pdf import read_pdf
from indexes.readers.problem import Problem, Reader, printable

KINDS: Mapping[str, Reader] = MappingProxyType(
    {"docx": read_docx, "html": read_html, "markdown": read_markdown, "pdf": read_pdf}
)
IDLE = 60.0  # seconds without work after which the process ends
_FIX = "Divide it into several files, or save its text as .txt."


def main() -> None:
    """Read what is asked for until nobody asks any more."""
    seconds, in_all, memory = float(sys.argv[1]), float(sys.argv[2]), int(sys.argv[3])
    _confine(memory)
    requests = Connection(os.dup(0), writable=False)
    replies = Connection(os.dup(1), readable=False)
    os.dup2(os.open(os.devnull, os.O_RDWR), 1)  # whatever a parser prints must not come between the replies

    spent = False
    with suppress(EOFError, BrokenPipeError):
        while not spent and requests.poll(IDLE):
            request = json.loads(requests.recv_bytes())
            patience.current = patience.Patience(seconds, in_all, lambda: replies.send_bytes(b""))
            reply, spent = answer(KINDS[request["kind"]], Path(request["path"]))
            replies.send_bytes(reply)


def answer(reader: Reader, path: Path) -> tuple[bytes, bool]:
    """The reply about a file, and whether the process should end, since it may be short of memory."""
    problems: list[Problem] = []
    reply = reason = None
    try:
        patience.current.step()
        reply = _packed(list(reader(path, problems.append)), problems, spent=False)
    except patience.TooSlowError:
        reason = f"takes its reader more than {patience.current.seconds:.0f} seconds"
    except MemoryError:
        reason = "takes its reader more memory than it may have"
    except RecursionError:
        reason = "is nested too deeply for its reader"
    except OSError as error:
        reason = f"cannot be read ({error.strerror or error})"
    patience.current.end()
    if reply is not None:
        return reply, False
    gc.collect()  # what was read until then is still there, and points to itself
    return _packed([], [*problems, Problem(path, reason or "cannot be read", _FIX)], spent=True), True


def _packed(documents: list[Document], problems: list[Problem], *, spent: bool) -> bytes:
    reply: dict[str, Any] = {
        "documents": [_values(document) for document in documents],
        "problems": [
            {"reason": each.reason, "fix": each.fix, "left_out": each.left_out} for each in map(printable, problems)
        ],
        "spent": spent,
    }
    return json.dumps(reply, ensure_ascii=False).encode("utf-8", "surrogatepass")


def _values(document: Document) -> dict[str, Any]:
    marks = [[mark.start, mark.label] for mark in document.marks]
    return {
        "text": document.text,
        "title": document.title,
        "key": document.key,
        "date": document.date,
        "marks": marks,
        "whole": document.whole,
        "metadata": dict(document.metadata),
    }


def _confine(memory: int) -> None:
    """Limit the memory of this process, and leave interrupts to the one that began it."""
    import resource

    signal.signal(signal.SIGINT, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    hard = resource.getrlimit(resource.RLIMIT_AS)[1]
    most = memory if hard == resource.RLIM_INFINITY else min(memory, hard)
    with suppress(ValueError, OSError):  # macOS knows this limit and refuses to set it
        resource.setrlimit(resource.RLIMIT_AS, (most, hard))


if __name__ == "__main__":
    main()
