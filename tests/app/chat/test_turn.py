from __future__ import annotations

from dataclasses import replace

import pytest

from app.chat.turn import Choice, Ended, Failed, Loaded, Recorded, Stage, Step, Turn, Unrecorded
from app.conversations.store import StoredTurn
from generators.answer import Answer
from generators.events import Answered, Checking, Found, Routed, Token, Understood


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


def stored(answer: Answer, asked: str = "And how high is it?") -> StoredTurn:
    return StoredTurn("t1", "c1", asked, answer, "2026-01-01T00:00:00", helpful=False, comment="Why?")


def test_a_follow_up_is_read_first_and_shown_as_it_was_understood(answered: Answer) -> None:
    turn = run(Turn(2, "And how high?", 0.0, follows=True), (1.0, Loaded()))
    assert turn.stage is Stage.READING
    run(turn, (3.0, Understood("How high is Kilimanjaro?")), (3.5, Found(answered.evidence)))
    assert turn.rewritten == "How high is Kilimanjaro?" and turn.stage is Stage.WRITING
    assert turn.seconds == {Stage.LOADING: 1.0, Stage.READING: 2.0, Stage.SEARCHING: 0.5}


def test_a_follow_up_that_stands_for_itself_is_not_said_again(answered: Answer) -> None:
    turn = run(Turn(2, "How  high?", 0.0, follows=True), (0.0, Loaded()), (0.5, Found(answered.evidence)))
    run(turn, (1.0, Answered(replace(answered, question="How high?"))))
    assert turn.rewritten == ""
    assert Stage.READING not in turn.seconds and turn.seconds[Stage.SEARCHING] == 0.5


def test_a_recorded_turn_knows_what_is_kept_of_it(answered: Answer) -> None:
    turn = run(Turn(1, "q", 0.0), (1.0, Answered(answered)), (1.0, Recorded(stored(answered))), (1.0, Ended()))
    turn.judge(True, "Well said.")
    assert turn.stored is not None and (turn.stored.helpful, turn.stored.comment) == (True, "Well said.")
    assert turn.taken == 3


def test_a_turn_that_could_not_be_kept_says_why_and_keeps_its_answer(answered: Answer) -> None:
    why = Failed("The disk is full.", "Free some space.")
    turn = run(Turn(1, "q", 0.0), (1.0, Answered(answered)), (1.0, Unrecorded(why)), (1.0, Ended()))
    turn.judge(True, "")
    assert turn.unrecorded == why and turn.answer == answered and turn.stored is None and not turn.stopped


def test_a_reopened_turn_is_as_it_was(answered: Answer) -> None:
    answer = replace(answered, question="How high is Kilimanjaro?", seconds={"retrieve": 0.25, "write": 1.0})
    turn = Turn.reopened(3, stored(answer))
    assert turn.done and not turn.stopped and turn.answer == answer
    assert (turn.question, turn.rewritten) == ("And how high is it?", "How high is Kilimanjaro?")
    assert (turn.route, turn.evidence) == (answer.route, answer.evidence)
    assert turn.seconds == {Stage.SEARCHING: 0.25, Stage.WRITING: 1.0} and turn.waited(99.0) == 1.25
