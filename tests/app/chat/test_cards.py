from __future__ import annotations

import re
from dataclasses import replace
from html import unescape

from hypothesis import given
from hypothesis import strategies as some

from app.chat import cards
from generators.answer import Answer, Citation, Conflict, Side
from indexes.passage import Passage
from retrievers.evidence import Evidence


def marked(html: str) -> list[str]:
    return [unescape(part) for part in re.findall(r"<mark[^>]*>(.*?)</mark>", html, re.DOTALL)]


def stripped(html: str) -> str:
    return unescape(re.sub(r"<[^>]*>", "", html))


def test_the_supporting_sentence_is_highlighted_in_its_passage(answered: Answer) -> None:
    html = cards.checked(1, answered)
    assert marked(html) == ["Highest point: Kilimanjaro (highest point in Africa) 5,895 m"]


def test_a_card_shows_number_title_place_expert_date_and_relevance_but_no_raw_score(answered: Answer) -> None:
    shown = stripped(cards.card(1, answered.evidence[0], ()))
    assert shown.startswith(
        "[1]Tanzania › Geographycountries · 2024-03-07 · relevance\N{NO-BREAK SPACE}87\N{NO-BREAK SPACE}%"
    )
    assert "africa/tz.json, characters 120 to 265" in shown
    assert "0.61" not in shown


def test_cards_are_numbered_as_cited_and_addresses_differ_between_turns(answered: Answer) -> None:
    first, second = (cards.found(turn, answered.evidence) for turn in (1, 2))
    assert re.findall(r'id="([^"]*)"', first) == ["sy-1-1", "sy-1-2", "sy-1-3"]
    assert not set(re.findall(r'id="([^"]*)"', first)) & set(re.findall(r'id="([^"]*)"', second))


def test_what_is_not_cited_is_folded_away_but_there(answered: Answer, abstained: Answer) -> None:
    cited, _, rest = cards.checked(1, answered).partition("2 more passages were found and not cited")
    assert "[1]" in cited and "[2]" not in cited
    assert "[2]" in rest and "[3]" in rest
    assert "3 passages were found; none is cited" in cards.checked(1, abstained)


def test_a_cited_card_says_in_words_how_surely_it_supports_the_answer(answered: Answer) -> None:
    words = {}
    for degree in (0.93, 0.6, 0.1):
        claim = replace(answered.claims[0], citations=(replace(answered.claims[0].citations[0], support=degree),))
        words[degree] = cards.support(1, replace(answered, claims=(claim,)))
    assert [stripped(html) for html in words.values()] == [
        "clearly supports the answer",
        "supports the answer",
        "hints at it",
    ]
    assert "clearly supports the answer" in stripped(cards.checked(1, answered)) and "0.93" not in cards.checked(
        1, answered
    )
    assert "supports" not in stripped(cards.found(1, answered.evidence))


def test_a_source_of_a_conflict_says_which_side_it_takes(answered: Answer) -> None:
    sides = (Side("5,895 m", (Citation(1, 0, 5, 0.1, 0.9),)), Side("<i>5,892</i> m", (Citation(2, 0, 5, 0.1, 0.9),)))
    disagreeing = replace(answered, claims=(), conflict=Conflict("How high?", sides))
    assert stripped(cards.support(1, disagreeing)) == "says A: 5,895 m"
    assert stripped(cards.support(2, disagreeing)) == "says B: <i>5,892</i> m" and "<i>" not in cards.checked(
        1, disagreeing
    )


def test_no_evidence_makes_no_section(remembered: Answer) -> None:
    assert cards.found(1, ()) == "" and cards.checked(1, remembered) == ""


def test_documents_cannot_bring_elements_of_their_own(answered: Answer) -> None:
    html = cards.found(1, answered.evidence)
    assert set(re.findall(r"<(\w+)", html)) == {"section", "p", "details", "summary", "span", "div", "blockquote"}
    assert "<script>document.title = 'owned'</script> ![pixel](https://example.com/pixel.png)" in stripped(html)
    assert "Kenya <b>bold</b>" in stripped(html)


def test_a_closed_card_quotes_what_supports_the_answer_else_how_the_passage_begins(answered: Answer) -> None:
    quoted = re.findall(r'class="sy-snippet"[^>]*>(.*?)</span>', cards.checked(1, answered))
    assert quoted[0] == "Highest point: Kilimanjaro (highest point in Africa) 5,895 m"
    assert quoted[2] == "Fellow citizens."


def test_spans_outside_the_passage_are_cut_and_empty_ones_dropped() -> None:
    item = Evidence(1, Passage("p", "d", "0123456789"), "e", 0.5)
    wild = [
        Citation(1, -5, 2, 0.0, 1.0),
        Citation(1, 8, 99, 0.0, 1.0),
        Citation(1, 5, 5, 0.0, 1.0),
        Citation(1, 50, 60, 0.0, 1.0),
    ]
    assert cards.spans(item, wild) == [(0, 2), (8, 10)]


@given(
    some.text(alphabet="ab<>&\"' é\n", max_size=30),
    some.lists(some.tuples(some.integers(0, 30), some.integers(0, 30)), max_size=5),
)
def test_highlighting_never_changes_the_text(passage: str, pairs: list[tuple[int, int]]) -> None:
    item = Evidence(1, Passage("p", "d", passage), "e", 0.5)
    spans = cards.spans(item, [Citation(1, start, end, 0.0, 1.0) for start, end in pairs])
    assert stripped(cards.mark(passage, spans)) == passage
    covered = {i for start, end in pairs for i in range(start, min(end, len(passage)))}
    assert {i for start, end in spans for i in range(start, end)} == covered
