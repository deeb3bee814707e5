"""The audit log: who did what, with which experts, and how it ended. One line of JSON each; never the text of a question."""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path

from app.access.principal import Principal

FILE = "audit.jsonl"


class Audit:
    """Appends to a file. Safe to use from several threads and processes: a line is written in one go.

    Parameters
    ----------
    file
        Made with the first line, readable by its owner alone. It may be moved away while it is in use.
    questions
        Whether the text of questions is to be kept, too.
    """

    def __init__(self, file: Path, *, questions: bool = False) -> None:
        self.file = file
        self.questions = questions
        self._lock = threading.Lock()

    def record(
        self,
        principal: Principal,
        action: str,
        experts: Iterable[str],
        outcome: str,
        trace: str,
        seconds: float,
        question: str = "",
    ) -> None:
        """Note what a principal did.

        Parameters
        ----------
        action
            An ``Action`` or what the surface calls it.
        experts
            Who was asked, or whose documents were touched.
        outcome
            A verdict, ``done``, ``cancelled``, or the kind of error.
        trace
            Id of the request, under which it stands in other logs.
        question
            Kept only where the log was told to keep questions.
        """
        line = {
            "at": datetime.now(UTC).isoformat(timespec="milliseconds"),
            "principal": principal.name,
            "action": str(action),
            "experts": sorted(set(experts)),
            "outcome": outcome,
            "trace": trace,
            "seconds": round(seconds, 4),
            **({"question": question} if self.questions and question else {}),
        }
        content = (json.dumps(line) + "\n").encode()
        with self._lock:
            self.file.parent.mkdir(parents=True, exist_ok=True)
            handle = os.open(self.file, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
            try:
                os.write(handle, content)
            finally:
                os.close(handle)
