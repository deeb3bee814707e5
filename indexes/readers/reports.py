"""Reports on rows: not a thousand of the same mistake."""

from __future__ import annotations

from pathlib import Path

from indexes.readers import limits
from indexes.readers.keys import Keys
from indexes.readers.problem import OnProblem, Problem


class RowReports:
    """Reports on the rows of one file: the first ten problems one by one, the others counted at the end.

    Parameters
    ----------
    path
        The file.
    fix
        What to do about a bad row.
    on_problem
        Where reports go.
    """

    def __init__(self, path: Path, fix: str, on_problem: OnProblem) -> None:
        self.path = path
        self._fix = fix
        self._report = on_problem
        self._bad = 0
        self._keys = Keys()
        self._doubles = 0

    def bad(self, problem: Problem) -> None:
        """A row that was left out."""
        self._bad += 1
        if self._bad <= limits.REPORTED:
            self._report(problem)

    def key(self, number: int, key: str) -> None:
        """Take note of a row's id; both rows are kept where an earlier one has it too."""
        if not key or self._keys.add(key):
            return
        self._doubles += 1
        if self._doubles <= limits.REPORTED:
            reason = f"line {number}: has the id {limits.cut(key, 80)!r} of an earlier line; both were read"
            self._report(Problem(self.path, reason, "Give each row an id of its own.", left_out=False))

    def close(self) -> None:
        """Report how many there were besides those reported."""
        if self._bad > limits.REPORTED:
            more = self._bad - limits.REPORTED
            self._report(Problem(self.path, f"has {more} more lines that cannot be read", self._fix))
        if self._doubles > limits.REPORTED:
            more = self._doubles - limits.REPORTED
            reason = f"has {more} more lines with the id of an earlier one; all were read"
            self._report(Problem(self.path, reason, "Give each row its own.", left_out=False))
