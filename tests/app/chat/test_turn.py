from __future__ import annotations

import pytest

from app.chat.turn import Choice, Ended, Failed, Loaded, Stage, Step, Turn
from generators.answer import Answer
from generators.events import Answered, Checking, Found, Routed, Token


def run(turn: Turn, *steps: tuple[float, Step]) -> Turn:
    for at, step in steps:
        turn.absorb(step, at)
    return turn


def test_stages_are_timed_by_when_their_steps_happened(answered: Answer) -> None:
    turn = run(
        Turn(1, "q", started=10.0),
        (12.0, Loaded()),
        (12.25, Routed(answered.route)),
        (12.5, Found(answered.evidence)),
        (13.0, Token("Kili", 0.1)),
        (15.5, Checking("Kilimanjaro.")),
        (16.0, Answered(answered)),
        (16.5, Ended()),
    )
    assert turn.seconds == {Stage.LOADING: 2.0, Stage.SEARCHING: 0.5, Stage.WRITING: 3.0, Stage.CHECKING: 1.0}
    assert turn.waited(now=99.0) == 6.5
    assert turn.done and not turn.stopped


def test_a_turn_counts_the_seconds_from_the_question_while_it_runs() -> None:
    assert Turn(1, "q", started=10.0).waited(now=13.0) == 3.0


def test_the_draft_grows_token_by_token_and_is_replaced_by_what_is_checked(answered: Answer) -> None:
    turn = run(Turn(1, "q", 0.0), (1.0, Loaded()), (1.0, Found(answered.evidence)))
    assert turn.evidence == answered.evidence and turn.draft == ""
    run(turn, (2.0, Token(" Kili", 0.1)), (3.0, Token("manjaro.", 0.1)))
    assert (turn.draft, turn.stage) == (" Kilimanjaro.", Stage.WRITING)
    run(turn, (4.0, Checking("Kilimanjaro.")))
    assert (turn.draft, turn.stage) == ("Kilimanjaro.", Stage.CHECKING)


def test_a_turn_that_ends_without_an_answer_was_stopped() -> None:
    turn = run(Turn(1, "q", 0.0), (1.0, Loaded()), (2.0, Token("Half", 0.1)), (3.0, Ended()))
    assert turn.stopped and turn.draft == "Half"


def test_a_failed_turn_was_not_stopped() -> None:
    turn = run(Turn(1, "q", 0.0), (1.0, Failed("No model.", "Fetch it.")), (1.0, Ended()))
    assert turn.done and not turn.stopped and turn.failure == Failed("No model.", "Fetch it.")


@pytest.mark.parametrize(
    ("choice", "words"),
    [
        (Choice(), ""),
        (Choice(experts=("law", "tax")), "ask only law, tax"),
        (Choice(forbid=("law",), retrieval=True), "always search; never ask law"),
        (Choice(retrieval=False), "answer from memory"),
    ],
)
def test_a_choice_says_what_was_decided_by_hand(choice: Choice, words: str) -> None:
    assert str(choice) == words
