from __future__ import annotations

import json
from pathlib import Path

from app.chat.examples import QUESTIONS, examples


def write(path: Path, *rows: tuple[str, str, list[str]]) -> Path:
    lines = [json.dumps({"question": q, "kind": kind, "experts": experts}) for q, kind, experts in rows]
    path.write_text("\n".join(lines), encoding="utf-8")
    return path


def test_each_expert_gets_the_first_question_that_it_can_answer(tmp_path: Path) -> None:
    path = write(
        tmp_path / "q.jsonl",
        ("Both?", "two experts", ["law", "tax"]),
        ("Unknown?", "unanswerable", ["law"]),
        ("Law first?", "evidence", ["law"]),
        ("Law second?", "evidence", ["law"]),
        ("Tax first?", "evidence", ["tax"]),
    )
    assert examples(["law", "tax"], path)[:2] == ["Law first?", "Tax first?"]
    assert examples(["art", "law", "tax"], path) == ["Law first?", "Tax first?", "What is art about?"]


def test_experts_without_questions_are_asked_about_themselves_and_there_are_always_three(tmp_path: Path) -> None:
    found = examples(["law"], tmp_path / "absent.jsonl")
    assert found[0] == "What is law about?" and len(found) == 3
    assert len(examples([f"e{i}" for i in range(9)], tmp_path / "absent.jsonl")) == 3


def test_the_demo_has_an_answerable_question_for_each_of_its_experts() -> None:
    rows = [json.loads(line) for line in QUESTIONS.read_text(encoding="utf-8").splitlines()]
    answerable = {row["question"]: row["experts"] for row in rows if row["kind"] == "evidence"}
    names = ["countries", "python", "speeches"]
    assert [answerable[question] for question in examples(names)] == [[name] for name in names]
