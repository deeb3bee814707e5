"""Whatever stands in a file, reading it raises nothing, comes to an end, and gives documents or says why not."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from tests.indexes.readers.fuzz.run import MUTATIONS, SOURCES

ROOT = Path(__file__).parents[4]
PEAK = 1_200_000  # KiB of the process that reads; the address space of both it and the parsers' process is limited too
LEAST = 1000


def run(*arguments: str, seconds: float) -> list[dict[str, Any]]:
    """What came of the cases; each has been read with limits of time and memory, in another process."""
    command = [sys.executable, "-m", "tests.indexes.readers.fuzz.run", *arguments]
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "MALLOC_ARENA_MAX": "2"}
    done = subprocess.run(
        command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=seconds, check=False
    )
    assert done.returncode == 0, done.stderr[-3000:]
    *outcomes, last = map(json.loads, done.stdout.splitlines())
    assert last["peak"] < PEAK
    return outcomes


def wrong(outcomes: list[dict[str, Any]]) -> list[str]:
    return [f"{each['kind']}: {each['name']}: {why}" for each in outcomes for why in each["wrong"]]


def test_hundreds_of_hostile_files_are_read_or_reported() -> None:
    outcomes = run("--mutations", "12", "--seconds", "30", seconds=500)
    assert wrong(outcomes) == []
    assert len(outcomes) > 400
    kinds = {each["kind"].split()[0] for each in outcomes}
    assert kinds >= {
        "beir",
        "changing",
        "csv",
        "docx",
        "encodings",
        "folders",
        "html",
        "jsonl",
        "markdown",
        "pdf",
        "tsv",
        "text",
    }
    assert sum(bool(each["documents"]) for each in outcomes) > 100
    assert sum(bool(each["problems"]) for each in outcomes) > 200


COUNTS = Counter[str]()


@pytest.mark.slow
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("source", list(SOURCES))
def test_all_hostile_files_are_read_or_reported(source: str, record_property: pytest.RecordProperty) -> None:
    outcomes = run("--source", source, "--heavy", seconds=1700)
    assert wrong(outcomes) == []
    counts = Counter(each["kind"] for each in outcomes)
    COUNTS.update(counts)
    for kind, count in sorted(counts.items()):
        record_property(kind, count)
        sys.stdout.write(f"{kind}: {count}\n")
    formats = {"texts": 2, "rows": 3, "pages": 1, "pdfs": 1, "words": 1, "folders": 0}
    assert counts.total() > formats[source] * MUTATIONS + 40


@pytest.mark.slow
def test_there_are_more_than_a_thousand() -> None:
    if len(COUNTS) < 20:
        pytest.skip("counts what the tests before this one have read")
    assert COUNTS.total() >= LEAST
    assert sum(count for kind, count in COUNTS.items() if kind.endswith("mutated")) >= LEAST
