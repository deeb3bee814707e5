"""What runs in the process that ``test_reencoding_killed`` kills."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Sequence
from multiprocessing.connection import Connection
from pathlib import Path

from indexes import atomic, next_generation
from indexes.encoders.base import Progress, Vectors
from indexes.store.open import opener
from retrievers.panel import Panel
from retrievers.reencoding import Reencoding
from tests.fakes import WordEncoder, make_passages
from tests.retrievers.conftest import fill

SETTING, ENCODED, ADDED = "encoder", "encoded", "added"
BATCH = 4


class Noting(WordEncoder):
    """Notes in a file how many passages it is about to encode, and takes its time."""

    def __init__(self, revision: str, file: Path) -> None:
        super().__init__(revision)
        self.file = file

    def encode_passages(self, texts: Sequence[str], on_progress: Progress | None = None) -> Vectors:
        note(self.file, str(len(texts)))
        time.sleep(0.01)
        return super().encode_passages(texts, on_progress)


def note(file: Path, line: str) -> None:
    with file.open("a", encoding="utf-8") as opened:
        opened.write(line + "\n")
        opened.flush()
        os.fsync(opened.fileno())


def added_text(number: int) -> str:
    return f"Medlar number {number} ripens on day {number * 7}."


def setting(home: Path) -> str:
    """The encoder that panels are opened with."""
    return (home / SETTING).read_text(encoding="utf-8")


def reencode(home: Path, target: str, first: int, started: Connection) -> None:
    """Encode all slices with the target and switch to it, while three texts are added, each acknowledged in a file."""
    next_generation.BATCH = BATCH
    panel = Panel(home / "slices", WordEncoder(setting(home)), opener())
    panel.open()
    if panel.problems:
        raise SystemExit(str(panel.problems))

    def add() -> None:
        for number in range(first, first + 3):
            with panel.changing():
                fill(panel, "orchard", make_passages([added_text(number)]))
            note(home / ADDED, str(number))
            time.sleep(0.1)

    adding = threading.Thread(target=add)
    started.send(True)
    adding.start()
    encoder = Noting(target, home / ENCODED)
    outcome = Reencoding(panel, encoder).run(commit=lambda: atomic.write(home / SETTING, target.encode()))
    adding.join()
    panel.close()
    if not outcome.swapped:
        raise SystemExit("not swapped")
