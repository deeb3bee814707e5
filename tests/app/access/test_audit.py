from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path

from app.access.audit import Audit
from app.access.principal import Action, Principal

ANNA = Principal("anna\n{}", frozenset({"contracts"}))


def test_a_line_says_who_did_what_and_how_it_ended_but_not_what_was_asked(tmp_path: Path) -> None:
    audit = Audit(tmp_path / "home" / "audit.jsonl")
    audit.record(ANNA, Action.ASK, ["hr", "contracts", "hr"], "answered", "ab12", 1.23456, "Who earns what?")
    (line,) = audit.file.read_text().splitlines()
    found = json.loads(line)
    at = datetime.fromisoformat(found.pop("at"))
    assert abs((datetime.now(UTC) - at).total_seconds()) < 60
    assert found == {
        "principal": "anna\n{}",
        "action": "ask",
        "experts": ["contracts", "hr"],
        "outcome": "answered",
        "trace": "ab12",
        "seconds": 1.2346,
    }
    assert audit.file.stat().st_mode & 0o777 == 0o600


def test_questions_are_kept_only_where_that_was_asked_for(tmp_path: Path) -> None:
    audit = Audit(tmp_path / "audit.jsonl", questions=True)
    audit.record(ANNA, "ask", [], "answered", "", 0.0, "Who earns\nwhat?")
    audit.record(ANNA, "add", [], "done", "", 0.0)
    first, second = map(json.loads, audit.file.read_text().splitlines())
    assert first["question"] == "Who earns\nwhat?"
    assert "question" not in second


def test_lines_of_many_threads_are_whole_and_a_log_that_was_moved_away_begins_anew(tmp_path: Path) -> None:
    audits = [Audit(tmp_path / "audit.jsonl") for _ in range(2)]
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda n: audits[n % 2].record(ANNA, "ask", ["x" * 500], "answered", str(n), 0.0), range(80)))
    lines = [json.loads(line) for line in audits[0].file.read_text().splitlines()]
    assert sorted(int(line["trace"]) for line in lines) == list(range(80))
    audits[0].file.rename(tmp_path / "audit.1")
    audits[0].record(ANNA, "ask", [], "answered", "81", 0.0)
    assert len(audits[0].file.read_text().splitlines()) == 1
