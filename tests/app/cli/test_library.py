from __future__ import annotations

from pathlib import Path
from typing import Any

from app.library import AddReport, ExpertCard
from indexes.readers.problem import Problem

CARDS = (
    ExpertCard("birds", "Knows birds.", 1234, "all-minilm-l6-v2", "2026-01-02T03:04:05+00:00"),
    ExpertCard("fish", problem="Its slice is locked."),
)


def test_adding_prints_what_was_added(run: Any, symposium: Any) -> None:
    ended = run("add", "a.md", "b", "--expert", "birds", "--description", "Knows birds.")
    assert ended.code == 0
    assert ended.out == "birds: 2 documents, 30 passages, 20 of them new, 10 there already, in 1.50 s\n"
    assert symposium.asked == [{"paths": [Path("a.md"), Path("b")], "expert": "birds", "description": "Knows birds."}]
    assert "birds: 20 of 50 passages, 15 embedded, 1 documents read, 3.0 a second, 10 s left" in ended.err


def test_what_changed_is_replaced_unless_it_is_to_be_kept(run: Any, symposium: Any) -> None:
    for options in ((), ("--replace",), ("--keep",), ("--prune",)):
        run("add", "a.md", "--expert", "birds", *options)
    assert symposium.replacing == [(True, False), (True, False), (False, False), (True, True)]


def test_a_report_names_what_was_replaced_removed_and_repeated(run: Any, symposium: Any) -> None:
    symposium.report = AddReport("birds", 9, 3000, 20, (), 61.0, 2, 1, removed=3, reused=5, repeated=7)
    assert run("add", "a", "--expert", "birds").out == (
        "birds: 9 documents, 1 earlier versions replaced, 3 removed, 3,000 passages, 25 of them new, 5 of these with the "
        "vector of an equal text, 2,975 there already, in 1 min 1 s; 7 passages repeat another document\n"
    )


def test_what_was_withheld_is_said_and_the_exit_code_is_1(run: Any, symposium: Any) -> None:
    gone = Problem(Path("notes"), "has lost the files of 9 of the 10 documents that came from it", "Use --prune.")
    symposium.report = AddReport("birds", 1, 3, 0, (), 1.0, withheld=(gone,))
    ended = run("add", "notes", "--expert", "birds")
    assert (ended.code, ended.err.count("notes has lost the files of 9 of the 10")) == (1, 1)
    assert run("add", "notes", "--expert", "birds", "--json").document["withheld"][0]["path"] == "notes"


def test_a_dry_run_says_what_would_be_done_and_adds_nothing(run: Any, symposium: Any) -> None:
    ended = run("add", "notes", "--expert", "birds", "--dry-run", "--prune")
    assert (ended.code, symposium.replacing) == (0, [(True, True)])
    assert ended.out == (
        "birds: 9 documents: 2 new, 3 changed, 4 unchanged; 1 would be removed\n"
        "40 passages: 1,200 would be embedded, 5 take a known vector; about 1 min 15 s (tried with some of them)\n"
        "Nothing was written.\n"
    )
    document = run("add", "notes", "--expert", "birds", "--dry-run", "--json").document
    assert (document["changed"], document["seconds"], document["problems"]) == (3, 75.0, [])
    symposium.problems = (Problem(Path("bad.pdf"), "is damaged", "Repair it."),)
    ended = run("add", "notes", "--expert", "birds", "--dry-run")
    assert (ended.code, "would be left out: bad.pdf is damaged" in ended.err) == (1, True)


def test_adding_with_json_prints_the_report(run: Any, symposium: Any) -> None:
    document = run("add", "a.md", "--expert", "birds", "--json").document
    assert (document["expert"], document["passages"], document["problems"]) == ("birds", 30, [])


def test_a_file_that_was_left_out_is_named_and_the_exit_code_is_1(run: Any, symposium: Any) -> None:
    symposium.problems = (Problem(Path("bad.pdf"), "is damaged", "Repair it."),)
    ended = run("add", ".", "--expert", "birds")
    assert ended.code == 1
    assert "left out: bad.pdf is damaged\nRepair it." in ended.err
    assert "20 of them new" in ended.out
    assert run("add", ".", "--expert", "birds", "--json").document["problems"][0]["path"] == "bad.pdf"


def test_experts_are_listed_with_and_without_the_word(run: Any, symposium: Any) -> None:
    symposium.cards = CARDS
    ended = run("experts")
    assert ended.out == run("experts", "list").out
    lines = ended.out.splitlines()
    assert lines[1].split()[:3] == ["birds", "1,234", "all-minilm-l6-v2"]
    assert "cannot be asked" in lines[2]
    assert "fish: Its slice is locked." in ended.err


def test_experts_as_json(run: Any, symposium: Any) -> None:
    symposium.cards = CARDS
    expected = {"experts": [card.to_dict() for card in CARDS]}
    assert run("experts", "--json").document == run("experts", "list", "--json").document == expected
    assert run("experts", "--json", "list").document == expected


def test_an_expert_removed_with_json_asked_of_the_group_is_json(run: Any, symposium: Any) -> None:
    assert run("experts", "--json", "remove", "birds").document == {"removed": "birds"}


def test_no_experts_names_the_next_step(run: Any, symposium: Any) -> None:
    assert "symposia add PATH --expert NAME" in run("experts").out
    assert run("experts", "--json").document == {"experts": []}


def test_an_expert_is_removed(run: Any, symposium: Any) -> None:
    assert run("experts", "remove", "birds", "--yes").out == "Removed birds.\n"
    assert run("experts", "remove", "birds", "--json").document == {"removed": "birds"}
    assert symposium.asked == [{"removed": "birds"}] * 2


def test_on_a_terminal_removing_asks_first(run: Any, symposium: Any, monkeypatch: Any) -> None:
    monkeypatch.setattr("sys.stdin.isatty", lambda: True, raising=False)
    for agrees, code, removed in ((False, 1, []), (True, 0, [{"removed": "birds"}])):
        monkeypatch.setattr("typer.confirm", lambda *_, yes=agrees, **__: yes)
        assert run("experts", "remove", "birds").code == code
        assert symposium.asked == removed


def test_removing_an_unknown_expert_is_an_error(run: Any, symposium: Any) -> None:
    ended = run("experts", "remove", "cats", "--yes")
    assert ended.code == 1
    assert "The experts are: birds." in ended.err
