from __future__ import annotations

from typing import Any

import pytest

from app.cli.ask import follow
from app.cli.output import Output
from generators.answer import Answer


def test_json_is_the_answer_as_a_dictionary(run: Any, symposium: Any, answer: Answer) -> None:
    ended = run("ask", "What?", "--json")
    assert ended.code == 0
    assert ended.document == answer.to_dict()
    assert symposium.closed


def test_wishes_reach_the_symposium(run: Any, symposium: Any) -> None:
    run("ask", "What?", "--expert", "a", "--expert", "b", "--forbid", "c", "--no-retrieve")
    assert symposium.asked == [{"question": "What?", "experts": ["a", "b"], "forbid": ["c"], "retrieval": False}]


def test_without_wishes_the_router_and_the_gate_decide(run: Any, symposium: Any) -> None:
    run("ask", "What?")
    assert symposium.asked == [{"question": "What?", "experts": (), "forbid": (), "retrieval": None}]


def test_a_question_may_begin_with_a_dash(run: Any, symposium: Any) -> None:
    assert run("ask", "--", "--json").code == 0
    assert symposium.asked[0]["question"] == "--json"


def test_in_a_pipe_there_is_only_the_checked_answer(run: Any, symposium: Any) -> None:
    ended = run("ask", "What?")
    first = ended.out.splitlines()[0]
    assert first == "Paris is the capital. [1] It has two rivers. [unsupported]"
    assert "\x1b" not in ended.out
    assert "draft" not in ended.out + ended.err


def test_sources_can_be_left_out(run: Any, symposium: Any) -> None:
    assert "Sources" in run("ask", "What?").out
    assert "Sources" not in run("ask", "What?", "--no-sources").out


@pytest.mark.usefixtures("terminal")
def test_on_a_terminal_the_draft_is_drawn_on_stderr_and_the_answer_on_stdout(run: Any, symposium: Any) -> None:
    ended = run("ask", "What?")
    assert "A draft that is replaced." in ended.err
    assert "A draft" not in ended.out
    assert "╭─ answered" in ended.out.replace("\x1b[32m", "").replace("\x1b[0m", "")


@pytest.mark.usefixtures("terminal")
def test_on_a_terminal_json_draws_nothing(run: Any, symposium: Any) -> None:
    ended = run("ask", "What?", "--json")
    assert ended.document["verdict"] == "answered"
    assert "draft" not in ended.err


@pytest.mark.usefixtures("terminal")
def test_no_color_is_respected(run: Any, symposium: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    coloured = run("ask", "What?").out
    monkeypatch.setenv("NO_COLOR", "1")
    plain = run("ask", "What?").out
    assert "\x1b[36m" in coloured
    assert "\x1b[36m" not in plain
    assert "[unsupported]" in plain


def test_events_without_an_answer_are_a_defect(capsys: pytest.CaptureFixture[str]) -> None:
    import sys

    with pytest.raises(RuntimeError, match="ended without an answer"):
        follow(Output(sys.stdout, sys.stderr), iter(()))


def test_retrieve_prints_route_and_evidence_as_json(run: Any, symposium: Any, answer: Answer) -> None:
    ended = run("retrieve", "What?", "--passages", "2", "--retrieve", "--json")
    assert ended.document == {
        "question": "What?",
        "route": answer.route.to_dict(),
        "evidence": [item.to_dict() for item in answer.evidence],
    }
    expected = {"question": "What?", "experts": (), "forbid": (), "retrieval": True, "passages": 2}
    assert symposium.asked == [expected]


def test_retrieve_prints_route_and_evidence_for_people(run: Any, symposium: Any) -> None:
    out = run("retrieve", "What?").out
    assert "asked countries 0.80; not asked speeches 0.15; no retrieval 0.05" in out
    assert "[1] countries  France › Government  (2024)" in out
    assert "relevance 0.90 (dense 0.500)" in out


def test_retrieving_no_passages_is_wrong_usage(run: Any, symposium: Any) -> None:
    assert run("retrieve", "What?", "--passages", "0").code == 2
