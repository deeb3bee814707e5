from __future__ import annotations

import json
from dataclasses import replace

from app.conversations.pairs import taught
from app.conversations.store import StoredTurn
from generators.answer import Answer, Citation, Conflict, Side, Verdict
from indexes.passage import Passage
from retrievers.evidence import Evidence
from tests.app.conversations.made import make_answer


def turn(answer: Answer, helpful: bool | None = True) -> StoredTurn:
    return StoredTurn("t", "c", "And at night?", answer, "2026-03-01T12:00:00.000000+00:00", helpful)


def with_uncited(answer: Answer) -> Answer:
    other = Evidence(2, Passage("p2", "d2", "Nobody cites this."), "birds", 0.8)
    return replace(answer, evidence=(*answer.evidence, other))


def test_a_thumb_up_pairs_the_understood_question_with_what_is_cited() -> None:
    found = taught([turn(with_uncited(make_answer()))])
    assert [pair.to_dict() for pair in found.pairs] == [
        {"question": "How do swifts sleep?", "passage_id": "p1", "grade": 1, "expert": "birds"}
    ]
    assert (found.up, found.down, found.silent, found.withdrawn) == (1, 0, 0, 0)


def test_a_thumb_down_gives_no_pair() -> None:
    found = taught([turn(with_uncited(make_answer()), helpful=False)])
    assert (found.pairs, found.up, found.down, found.withdrawn) == ((), 0, 1, 0)


def test_no_thumb_counts_as_none() -> None:
    found = taught([turn(make_answer(), helpful=None)])
    assert (found.pairs, found.up, found.down) == ((), 0, 0)


def test_a_thumb_down_withdraws_the_same_pair_and_no_other() -> None:
    turns = [turn(make_answer()), turn(make_answer("Where?")), turn(make_answer(), helpful=False)]
    found = taught(turns)
    assert [pair.question for pair in found.pairs] == ["Where?"]
    assert found.withdrawn == 1


def test_the_same_pair_counts_once() -> None:
    assert len(taught([turn(make_answer()), turn(make_answer("How  do swifts sleep?"))]).pairs) == 1


def test_abstentions_memory_and_unsupported_sentences_give_no_pair() -> None:
    answer = make_answer()
    unsupported = replace(answer, claims=tuple(replace(claim, status="unsupported") for claim in answer.claims))
    memory = replace(answer, verdict=Verdict.FROM_MEMORY, claims=(), evidence=())
    found = taught([turn(unsupported), turn(memory)])
    assert (found.pairs, found.up, found.silent) == ((), 2, 2)


def test_both_sides_of_a_conflict_answer_the_question() -> None:
    answer = with_uncited(make_answer())
    sides = tuple(Side(f"side {n}", (Citation(n, 0, 5, 0.0, 0.9),)) for n in (1, 2))
    conflict = replace(answer, verdict=Verdict.CONFLICT, claims=(), conflict=Conflict("Who?", sides))
    assert [pair.passage_id for pair in taught([turn(conflict)]).pairs] == ["p1", "p2"]


def test_one_expert_alone() -> None:
    turns = [turn(make_answer()), turn(make_answer(evidence="law", passage="p9"))]
    assert [pair.passage_id for pair in taught(turns, "law").pairs] == ["p9"]
    assert json.loads(json.dumps(taught(turns, "law").to_dict()))["pairs"][0]["expert"] == "law"


def test_an_answer_that_cites_another_expert_is_not_counted_among_those_that_cite_nothing() -> None:
    memory = replace(make_answer(), verdict=Verdict.FROM_MEMORY, claims=(), evidence=())
    found = taught([turn(make_answer()), turn(memory)], "law")
    assert (found.pairs, found.up, found.silent) == ((), 2, 1)
