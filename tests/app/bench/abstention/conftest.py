from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from app.bench.abstention.questions import DEVELOPMENT, LABELLED, SETS
from app.settings import Settings
from tests.app.beir_folders import write_set
from tests.app.bench.retrieval.conftest import settings_at, stand_in
from tests.fakes import TOPICS, WordEncoder

OWN = {"ibmcloud": "orchard", "fiqa": "engines"}
"""The topic that stands for each collection."""


def turn(collection: str, passage: int, label: str, asked: str = "") -> dict[str, Any]:
    """A task of two turns, about a passage of the collection's topic."""
    text = asked or TOPICS[OWN[collection]][passage]
    said = [
        {"speaker": "user", "text": "Hello"},
        {"speaker": "agent", "text": "Yes?"},
        {"speaker": "user", "text": text},
    ]
    contexts = [{"document_id": f"d{passage}"}] if label == "ANSWERABLE" else []
    return {
        "task_id": f"{collection}-{passage}-{label}",
        "input": said,
        "answerability": [label],
        "Collection": collection,
        "contexts": contexts,
    }


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A folder in the layout of the benchmark's data; the unanswerable questions are about planets."""
    folder = tmp_path / "data"
    for collection, topic in OWN.items():
        write_set(folder / "beir" / SETS[collection], topic)
    for topic, (name, split) in zip((*TOPICS, "orchard"), DEVELOPMENT.items(), strict=True):
        write_set(folder / "beir" / name, topic, (split,))
    tasks = [turn(collection, n, "ANSWERABLE") for collection in OWN for n in range(6)]
    tasks += [turn(collection, n, "UNANSWERABLE", TOPICS["planets"][n]) for collection in OWN for n in range(6)]
    tasks += [turn("fiqa", 7, "PARTIAL"), turn("fiqa", 6, "UNDERSPECIFIED", "And then?")]
    path = folder / LABELLED
    path.parent.mkdir(parents=True)
    path.write_text("".join(json.dumps(task) + "\n" for task in tasks))
    return folder


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    stand_in(monkeypatch, WordEncoder())
    return settings_at(tmp_path / "home")
