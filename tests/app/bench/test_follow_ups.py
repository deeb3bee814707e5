from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from app.bench import follow_ups
from app.bench.abstention.questions import LABELLED
from app.bench.dialogues import exchanges, follow
from app.bench.follow_ups import (
    ALONE,
    MODEL,
    PEOPLE,
    RULES,
    WHOLE,
    Turn,
    read_dialogues,
    read_user_turns,
    readings,
    run,
)
from app.settings import Settings
from generators.writing.follow_up import Exchange
from indexes.errors import InputError
from indexes.store.open import MEMORY, opener
from retrievers.panel import Panel
from tests.fakes import TOPICS, WordEncoder

TURNS = ("What is OpenShift?", "What benefits does it offer?", "And its price?")
REWRITTEN = ("What is OpenShift?", "What benefits does OpenShift offer?", "What is the price of OpenShift?")


def lines(path: Path, records: list[dict[str, Any]]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps(record) + "\n" for record in records), encoding="utf-8")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two of mtRAG's conversations: one of three turns, one of a single turn."""
    where = tmp_path / "mtrag-cloud"
    ids = ["a<::>1", "a<::>2", "a<::>3", "b<::>1"]
    last = [*TURNS, "Who?"]
    whole = ["\n".join(f"|user|: {turn}" for turn in TURNS[: n + 1]) for n in range(3)] + ["|user|: Who?"]
    for name, texts in (
        ("corpus", ["OpenShift offers containers."]),
        ("queries", [*REWRITTEN, "Who?"]),
        ("queries_lastturn", last),
        ("queries_allturns", whole),
        ("queries_un", ["And then?"]),
    ):
        keys = ["d1"] if name == "corpus" else ["c<::>2"] if name == "queries_un" else ids
        lines(where / f"{name}.jsonl", [{"_id": k, "title": "", "text": t} for k, t in zip(keys, texts, strict=True)])
    (where / "qrels").mkdir()
    head = "query-id\tcorpus-id\tscore\n"
    (where / "qrels" / "test.tsv").write_text(head + "".join(f"{k}\td1\t1\n" for k in ids))
    (where / "qrels" / "un.tsv").write_text(head + "c<::>2\td1\t1\n")
    return where


def test_first_turns_are_no_follow_ups(folder: Path) -> None:
    found = read_user_turns(folder)
    assert [(t.id, t.question, t.rewritten) for t in found] == [
        ("a<::>2", TURNS[1], REWRITTEN[1]),
        ("a<::>3", TURNS[2], REWRITTEN[2]),
    ]
    assert found[1].said == (Exchange(TURNS[0]), Exchange(TURNS[1]))
    assert found[0].relevant == {"d1": 1}


def test_dialogues_keep_their_answers_and_only_judged_ones_with_a_past_count(folder: Path, tmp_path: Path) -> None:
    dialogue = [("user", "What is RBAC?"), ("agent", "Access by roles."), ("user", " And then? ")]
    tasks = [
        {"task_id": key, "input": [{"speaker": s, "text": t} for s, t in turns]}
        for key, turns in (("c<::>2", dialogue), ("d<::>1", dialogue), ("c<::>1", dialogue[:1]))
    ]
    lines(tmp_path / "reference.jsonl", tasks)
    (turn,) = read_dialogues(tmp_path / "reference.jsonl", [folder])
    assert (turn.id, turn.question) == ("c<::>2", "And then?")
    assert turn.said == (Exchange("What is RBAC?", "Access by roles."),)


def test_a_line_that_is_no_task_is_named(folder: Path, tmp_path: Path) -> None:
    lines(tmp_path / "reference.jsonl", [{"task": 1}])
    with pytest.raises(InputError, match=r"reference\.jsonl:1"):
        read_dialogues(tmp_path / "reference.jsonl", [folder])


def test_exchanges_pair_questions_with_all_that_was_answered() -> None:
    said = [("agent", "Hello."), ("user", "A?"), ("agent", "b"), ("agent", "c"), ("user", "D?")]
    assert exchanges(said) == (Exchange("A?", "b c"), Exchange("D?"))


def test_each_question_is_understood_in_the_light_of_those_before_as_they_were_understood(folder: Path) -> None:
    _, last = read_user_turns(folder)
    assert follow(last.question, last.said) == "And its price? (benefits offer OpenShift)"
    heard: list[list[str]] = []

    def say(question: str, before: Any) -> str:
        heard.append([e.question for e in before])
        return "What benefits does OpenShift offer?" if "benefits" in question else ""

    assert follow(last.question, last.said, say) == "And its price? (benefits OpenShift offer)"
    assert heard == [[TURNS[0]], [TURNS[0], "What benefits does OpenShift offer?"]]


def test_readings_of_a_turn(folder: Path) -> None:
    turns = read_user_turns(folder)
    found = readings(turns, lambda *_: "What is the price of OpenShift?", lambda *_: None)
    assert list(found) == [ALONE, WHOLE, RULES, MODEL, PEOPLE]
    assert found[ALONE] == list(TURNS[1:])
    assert found[WHOLE][1] == "\n".join(TURNS)
    assert found[MODEL][1] == "What is the price of OpenShift?"
    assert found[PEOPLE] == list(REWRITTEN[1:])
    assert MODEL not in readings(turns, None, lambda *_: None)


def write_data(root: Path, asked_again: int = 1) -> Path:
    """The layout of the benchmark's data: 16 conversations, where only questions are known with so many equal follow-ups each."""
    topics = {"mtrag-cloud": "orchard", "mtrag-fiqa": "engines"}
    tasks = []
    for number, (name, topic) in enumerate(topics.items()):
        where, texts = root / "beir" / name, TOPICS[topic]
        corpus = [{"_id": f"{name}-{n}", "title": "", "text": text} for n, text in enumerate(texts)]
        lines(where / "corpus.jsonl", corpus)
        turns = {f"{name}{n}<::>{2 + again}": n for n in range(len(texts)) for again in range(asked_again)}
        asked = [{"_id": key, "text": "And why?"} for key in turns]
        lines(where / "queries_lastturn.jsonl", asked)
        lines(where / "queries.jsonl", [{"_id": key, "text": texts[n]} for key, n in turns.items()])
        whole = [{"_id": key, "text": f"|user|: {texts[n]}\n|user|: And why?"} for key, n in turns.items()]
        lines(where / "queries_allturns.jsonl", whole)
        lines(where / "queries_un.jsonl", asked)
        (where / "qrels").mkdir()
        judged = "".join(f"{key}\t{name}-{n}\t1\n" for key, n in turns.items())
        for split in ("test", "un"):
            (where / "qrels" / f"{split}.tsv").write_text("query-id\tcorpus-id\tscore\n" + judged)
        for n, text in enumerate(texts):
            said = [("user", text), ("agent", f"Answer {number}."), ("user", "And why?")]
            tasks.append({"task_id": f"{name}{n}<::>2", "input": [{"speaker": s, "text": t} for s, t in said]})
    lines(root / LABELLED, tasks)
    return root


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """Of a panel in memory, whose encoder counts words."""

    def fake_panel(_: Settings, folder: Path) -> Panel:
        return Panel(folder, WordEncoder(), opener(MEMORY))

    monkeypatch.setattr(follow_ups, "make_panel", fake_panel)
    return Settings(home=tmp_path / "home")


def test_a_run_compares_the_ways_on_one_half_of_each_set(settings: Settings, tmp_path: Path) -> None:
    data = write_data(tmp_path)
    user, dialogue = run(settings, data, model=False, report=lambda *_: None)
    assert [row.name for row in user.rows] == [ALONE, WHOLE, RULES, PEOPLE]
    assert [row.name for row in dialogue.rows] == [ALONE, WHOLE, RULES]
    assert user.baseline == ALONE
    best = {row.name: row.values["R@5"].value for row in user.rows}
    assert best[RULES] == best[PEOPLE] == 1.0 > best[ALONE]
    other, _ = run(settings, data, part="tune", model=False, report=lambda *_: None)
    assert user.rows[0].n + other.rows[0].n == 16
    assert (user.title, other.title) == (
        "mtRAG, questions only, the half not tuned on",
        "mtRAG, questions only, the half tuned on",
    )
    few, _ = run(settings, data, limit=3, model=False, report=lambda *_: None)
    assert few.rows[0].n == 3


def test_no_seed_reports_a_question_that_was_tuned_on(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data, asked = write_data(tmp_path), list[set[str]]()

    def noted(turns: Sequence[Turn], *others: Any) -> dict[str, list[str]]:
        asked.append({turn.id for turn in turns})
        return readings(turns, *others)

    monkeypatch.setattr(follow_ups, "readings", noted)
    for seed in (0, 8):
        run(settings, data, model=False, seed=seed, report=lambda *_: None)
        run(settings, data, part="tune", model=False, seed=seed, report=lambda *_: None)
    (user, _, tuned, _), again = asked[:4], asked[4:]
    assert user.isdisjoint(tuned) and len(user | tuned) == 16
    assert again == asked[:4]


def test_a_conversation_that_asks_everything_twice_makes_nothing_surer(settings: Settings, tmp_path: Path) -> None:
    once, _ = run(settings, write_data(tmp_path / "once"), model=False, report=lambda *_: None)
    twice, _ = run(settings, write_data(tmp_path / "twice", 2), model=False, report=lambda *_: None)
    assert (once.rows[0].n, twice.rows[0].n) == (8, 16)
    for one, two in zip(once.rows, twice.rows, strict=True):
        assert two.p == one.p
        for measure, found in one.values.items():
            assert two.values[measure].to_dict() == pytest.approx(found.to_dict())
    notes = " ".join(twice.notes)
    assert "whole clusters of questions: 8 of them." in notes
    assert "A cluster is a conversation; from so few the intervals are somewhat too narrow." in notes
