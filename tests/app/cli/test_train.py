from __future__ import annotations

from typing import Any

import pytest

from app.cli import train as module
from app.train import Request
from indexes.errors import InputError
from retrievers.training.card import Card, Estimate, Line, Sizes, Source

DEV = (
    Line("identity", "", Estimate(0.5, 0.45, 0.55)),
    Line("linear", "λ 0.75", Estimate(0.6, 0.55, 0.65), p=0.0004, seconds=7.2),
)
CARD = Card(
    "birds",
    "linear",
    True,
    "linear (λ 0.75) is better: 0.5000 → 0.6000 on 84 dev questions, p 0.000.",
    (Source("pairs.jsonl", 90),),
    Sizes(67, 84, 12, near_test=6, near_dev=2, unmatched=3, passages=500, folds=5),
    DEV,
    (DEV[0],),
    0.93,
    seconds=12.0,
)


@pytest.fixture
def asked(symposium: Any) -> list[Request]:
    """What the command asks the symposium to train; the answer is a card."""
    requests: list[Request] = []

    def train(request: Request, *, on_progress: Any, on_note: Any) -> Card:
        requests.append(request)
        on_note("Going on where this training was interrupted.")
        on_progress("linear", 3, 40)
        return CARD

    symposium.train = train
    return requests


def test_every_option_reaches_the_training(run: Any, asked: list[Request]) -> None:
    options = ("--data", "a:train", "--data", "b.jsonl", "--dev", "a:dev", "--test", "a:test")
    assert run("train", "birds", *options, "--kind", "nudge,linear", "--seed", "7").code == 0
    expected = Request("birds", ("a:train", "b.jsonl"), "a:dev", "a:test", ("linear", "nudge"), seed=7)
    assert asked == [expected]


def test_without_options_the_slice_itself_is_learnt_from(run: Any, asked: list[Request]) -> None:
    run("train", "birds")
    assert asked == [Request("birds")]


def test_the_card_is_shown(run: Any, asked: list[Request]) -> None:
    ended = run("train", "birds")
    lines = ended.out.splitlines()
    assert lines[0].split() == ["adapter", "setting", "dev", "nDCG@10", "p", "seconds"]
    assert lines[1].split() == ["identity", "0.500", "[0.450,", "0.550]"]
    assert lines[2].split() == ["linear", "λ", "0.75", "0.600", "[0.550,", "0.650]", "<", "0.001", "7"]
    assert "Left out of train: 2 near-duplicates of dev, 6 of test; 3 questions that no passage here answers." in lines
    assert CARD.reason in lines
    assert "Off its domain: 93% of the ten best passages for questions about anything stay so." in lines
    assert lines[-1] == "birds now has the adapter of kind linear, in 12 s."


def test_notes_and_progress_go_to_stderr(run: Any, asked: list[Request]) -> None:
    ended = run("train", "birds")
    assert "Going on where this training was interrupted." in ended.err
    assert "birds: linear [#-----------------------] 3 of at most 40" in ended.err
    assert "interrupted" not in ended.out


def test_json_is_the_card(run: Any, asked: list[Request]) -> None:
    document = run("train", "birds", "--json").document
    assert document["dev"][1]["ndcg"] == {"value": 0.6, "low": 0.55, "high": 0.65}
    assert (document["ships"], document["sizes"]["folds"]) == (True, 5)


@pytest.mark.parametrize("kind", ["cubic", "", "linear,identity", "auto,cubic"])
def test_unknown_kinds_are_wrong_usage(run: Any, asked: list[Request], kind: str) -> None:
    ended = run("train", "birds", "--kind", kind)
    assert ended.code == 2
    assert "name some of auto, linear, two-sided, nudge, lora, identity" in ended.err
    assert asked == []


def test_an_error_and_ctrl_c_have_their_exit_codes(run: Any, symposium: Any) -> None:
    for error, code in ((InputError("Too few.", "Give more."), 1), (KeyboardInterrupt(), 130)):

        def fail(*_: Any, error: BaseException = error, **__: Any) -> Card:
            raise error

        symposium.train = fail
        assert run("train", "birds").code == code


def test_the_remaining_time_is_told_from_the_rate_so_far(monkeypatch: pytest.MonkeyPatch) -> None:
    times = iter([100.0, 110.0, 111.0])
    monkeypatch.setattr(module.time, "monotonic", lambda: next(times))
    clock = module._Clock()
    assert clock.line("linear", 10, 40) == "linear [######------------------] 10 of at most 40"
    assert clock.line("linear", 20, 40).endswith("20 of at most 40 (at most 20 s left)")
    assert clock.line("nudge", 0, 0) == f"nudge [{'-' * 24}] 0 of at most 0"
