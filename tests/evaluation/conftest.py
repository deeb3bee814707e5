from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
from hypothesis import settings

# The same examples on every run, and no time limit for one: the machine may be busy.
settings.register_profile("repeatable", derandomize=True, deadline=None)
settings.load_profile("repeatable")

MakeSet = Callable[..., Path]


@pytest.fixture
def data_folder() -> Path:
    beside = Path(__file__).resolve().parents[3] / "shared" / "data"
    folder = Path(os.environ.get("SYMPOSIA_DATA", beside))
    if not (folder / "beir").is_dir():
        pytest.skip("the benchmark data is not there: set SYMPOSIA_DATA, or put it at ../shared/data")
    return folder


@pytest.fixture
def make_set(tmp_path: Path) -> MakeSet:
    def make(
        queries: Mapping[str, str] | None = None,
        qrels: Mapping[str, Mapping[str, int]] | None = None,
        split: str = "test",
    ) -> Path:
        queries = {"q1": "who", "q2": "where", "q3": "unjudged"} if queries is None else queries
        qrels = {"q1": {"d1": 2, "d2": 1, "d3": 0}, "q2": {"d2": 1}} if qrels is None else qrels
        folder = tmp_path / "small"
        (folder / "qrels").mkdir(parents=True, exist_ok=True)
        documents = [{"_id": f"d{n}", "title": "", "text": f"text {n}"} for n in range(1, 6)]
        _write(folder / "corpus.jsonl", [json.dumps(document) for document in documents])
        _write(folder / "queries.jsonl", [json.dumps({"_id": q, "text": text}) for q, text in queries.items()])
        rows = [f"{q}\t{d}\t{grade}" for q, documents in qrels.items() for d, grade in documents.items()]
        _write(folder / "qrels" / f"{split}.tsv", ["query-id\tcorpus-id\tscore", *rows])
        return folder

    return make


def _write(path: Path, lines: list[str]) -> None:
    path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
