from __future__ import annotations

from collections.abc import Sequence

from generators.writing.base import LONG, fitting
from indexes.passage import Passage
from retrievers.evidence import Evidence


def item(number: int, text: str) -> Evidence:
    return Evidence(number, Passage(f"p{number}", f"d{number}", text), "expert", 0.5)


def characters(evidence: Sequence[Evidence]) -> int:
    return sum(len(each.passage.text) for each in evidence)


def test_what_fits_stays_as_it_is() -> None:
    evidence = [item(1, "a" * 5 * LONG), item(2, "b")]
    assert fitting(evidence, characters, 5 * LONG + 1) == tuple(evidence)


def test_an_endless_passage_is_cut_and_crowds_out_nobody() -> None:
    endless, short = "word " * 10 * LONG, "b" * 700
    kept = fitting([item(1, endless), item(2, short), item(3, short)], characters, 3 * LONG)
    assert [each.number for each in kept] == [1, 2, 3]
    assert [each.passage.text for each in kept[1:]] == [short, short]
    assert endless.startswith(kept[0].passage.text)
    assert LONG / 2 <= len(kept[0].passage.text) <= 3 * LONG


def test_passages_of_common_length_are_left_out_from_the_end() -> None:
    evidence = [item(n, "a" * 700) for n in range(1, 6)]
    assert fitting(evidence, characters, 1500) == tuple(evidence[:2])
    assert fitting(evidence, characters, 10) == tuple(evidence[:1])


def test_no_evidence_is_none() -> None:
    assert fitting([], lambda _: 100, 10) == ()
