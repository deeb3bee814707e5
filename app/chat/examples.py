"""Three questions to begin with: from the demo's questions where its experts are there, else from the experts' names."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path

QUESTIONS = Path(__file__).parents[2] / "data" / "questions.jsonl"
ALWAYS = ("What can you do?", "What is 17 * 23?", "Hello there!")


def examples(experts: Sequence[str], path: Path = QUESTIONS, count: int = 3) -> list[str]:
    """``count`` questions for these experts, one an expert; those that are known to have an answer first.

    Parameters
    ----------
    experts
        Names of the experts that can be asked.
    path
        JSON lines with ``question``, ``kind`` and ``experts``; need not exist.
    count
        How many.
    """
    by_expert: dict[str, str] = {}
    for question, names in _answerable(path):
        if len(names) == 1:
            by_expert.setdefault(names[0], question)
    known = [by_expert[name] for name in experts if name in by_expert]
    others = [f"What is {name} about?" for name in experts if name not in by_expert]
    return [*known, *others, *ALWAYS][:count]


def _answerable(path: Path) -> Iterator[tuple[str, list[str]]]:
    if not path.is_file():
        return
    for line in path.read_text(encoding="utf-8").splitlines():
        row = json.loads(line)
        if row["kind"] == "evidence":
            yield row["question"], row["experts"]
