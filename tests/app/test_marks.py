from __future__ import annotations

import math
from dataclasses import replace

import pytest

from app.marks import beside_sides, moved, numbers, sayers
from generators.answer import Answer, Citation, Claim, Conflict, Side, Verdict
from indexes.passage import Passage
from retrievers.evidence import Evidence, Route

CITED = [Citation(number, 0, 1, 0.1, 0.9) for number in (2, 1, 2, 7)]
EVIDENCE = (
    Evidence(1, Passage("p1", "d1", "One."), "archive", 0.9),
    Evidence(2, Passage("p2", "d2", "Two.", date="2011"), "guides", 0.8),
)
ANSWER = Answer("q", "t", Verdict.ANSWERED, (), EVIDENCE, Route("retrieve", "domain", (), 0.0, ""), "m", "p")


def test_sentences_and_sides_cite() -> None:
    claim, conflict = Claim("t", 0, 1, "supported", (CITED[0],)), Conflict("q", (Side("a", (CITED[1],)),))
    assert replace(ANSWER, claims=(claim,), conflict=conflict).citations == tuple(CITED[:2])
    assert ANSWER.citations == ()


def test_sentences_that_spell_out_the_sides_are_left_to_the_list() -> None:
    sides = (Side("a", (CITED[0],)), Side("b", (CITED[1],)))
    texts = ("Some say a.", "It is large.", "One says b.", "So it is.")
    cited = (sides[0].citations, (CITED[3],), sides[1].citations, ())
    starts = (0, 12, 25, 37)
    claims = tuple(
        Claim(text, start, start + len(text), "supported", links)
        for text, start, links in zip(texts, starts, cited, strict=True)
    )
    whole = replace(ANSWER, text=" ".join(texts), claims=claims, conflict=Conflict("q", sides))
    rest = beside_sides(whole)
    assert rest.text == "It is large. So it is."
    assert [rest.text[claim.start : claim.end] for claim in rest.claims] == ["It is large.", "So it is."]
    assert beside_sides(replace(whole, conflict=None)).text == whole.text


def test_each_number_stands_once_with_who_says_so_and_when() -> None:
    assert numbers(CITED) == [2, 1, 7]
    assert sayers(CITED, EVIDENCE) == {2: "guides, 2011", 1: "archive"}


@pytest.mark.parametrize(
    ("status", "divergence", "memory", "expected"),
    [
        ("supported", 0.6, "Lyon", True),
        ("supported", 0.59, "Lyon", False),
        ("supported", math.nan, "Lyon", False),
        ("supported", 0.69, "", False),
        ("unsupported", 0.69, "Lyon", False),
    ],
)
def test_the_model_was_moved_where_a_supported_sentence_left_a_known_memory(
    status: str, divergence: float, memory: str, expected: bool
) -> None:
    claim = Claim("t", 0, 1, status, (), divergence)  # type: ignore[arg-type]
    assert moved(claim, replace(ANSWER, memory=memory)) is expected
