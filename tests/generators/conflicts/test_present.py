from __future__ import annotations

from generators.answer import Citation, Conflict, Side
from generators.conflicts.present import minority_of, present
from tests.generators.conflicts.speaker import found

EVIDENCE = [
    found(1, "It is 30 days.", "Policy", date="2023-01-01"),
    found(2, "It is 25 days.", "Handbook"),
    found(3, "Thirty days are given."),
]


def side(text: str, *numbers: int) -> Side:
    return Side(text, tuple(Citation(number, 0, 5, float("nan"), 1.0) for number in numbers))


def test_each_side_is_one_sentence_and_one_claim_with_its_own_citations() -> None:
    conflict = Conflict("how long?", (side("30 days", 1), side("25 days", 2)))
    text, claims = present(conflict, EVIDENCE)
    assert [claim.text for claim in claims] == [
        "The sources give different answers: “30 days” according to Policy (expert1, 2023-01-01).",
        "“25 days” according to Handbook (expert2).",
    ]
    assert [text[claim.start : claim.end] for claim in claims] == [claim.text for claim in claims]
    assert " ".join(claim.text for claim in claims) == text
    assert [claim.citations for claim in claims] == [each.citations for each in conflict.sides]
    assert {claim.status for claim in claims} == {"supported"}


def test_one_source_against_several_is_named_as_a_minority() -> None:
    conflict = Conflict("how long?", (side("30 days", 1, 3), side("25 days", 2)))
    text, _ = present(conflict, EVIDENCE)
    assert text == (
        "Most sources, 2 of them, say “30 days”: Policy (expert1, 2023-01-01); source 3 (expert3). "
        "One source says “25 days”: Handbook (expert2)."
    )


def test_a_minority_may_be_cited_without_its_words() -> None:
    conflict = Conflict("how long?", (side("30 days", 1, 3), side("25 days", 2)))
    text, claims = present(conflict, EVIDENCE, name_minority=False)
    assert "25" not in text
    assert claims[1].text == "One source says otherwise: Handbook (expert2)."
    assert claims[1].citations == conflict.sides[1].citations


def test_without_a_majority_nothing_is_a_minority() -> None:
    more = [*EVIDENCE, found(4, "It is 20 days."), found(5, "It is 25 days, says another.")]
    assert minority_of(Conflict("?", (side("30", 1), side("25", 2))), more) == ()
    assert minority_of(Conflict("?", (side("30", 1, 3), side("25", 2, 5))), more) == ()
    assert minority_of(Conflict("?", (side("30", 1, 3), side("25", 2), side("20", 4))), more) == ()
