from __future__ import annotations

import re
from dataclasses import replace
from html import unescape

from app.chat import answers, cards
from app.chat.turn import Ended, Failed, Stage, Turn
from generators.answer import Answer, Citation, Claim, Conflict, Side, Verdict
from generators.events import Answered, Checking, Found, Token

SIDES = (
    Side("5,895 m", (Citation(1, 72, 134, 0.7, 0.9), Citation(3, 0, 5, 0.2, 0.6))),
    Side("<i>5,892</i> m", (Citation(2, 0, 5, 0.4, 0.7),)),
)


def disagreeing(answered: Answer) -> Answer:
    return replace(
        answered, text="They disagree.", claims=(), verdict=Verdict.CONFLICT, conflict=Conflict("How <high>?", SIDES)
    )


def stripped(html: str) -> str:
    return unescape(re.sub(r"<[^>]*>", "", html))


def targets(html: str) -> set[str]:
    return set(re.findall(r'href="#([^"]*)"', html))


def test_the_chips_are_the_numbers_of_the_source_cards(answered: Answer) -> None:
    html = answers.checked(4, answered)
    assert re.findall(r">\[(\d+)\]</a>", html) == ["1"]
    assert targets(html) <= set(re.findall(r'id="([^"]*)"', cards.checked(4, answered)))
    assert "Highest point: Kilimanjaro" in html


def test_an_unsupported_sentence_is_marked_in_words_and_counted(answered: Answer) -> None:
    shown = stripped(answers.checked(1, answered))
    assert shown.endswith("Kilimanjaro is the highest point of Tanzania. [1] It is made of cheese. unsupported")
    assert "1 of 2 sentences is not supported by the sources" in shown


def test_each_verdict_has_its_own_words(answered: Answer, remembered: Answer, abstained: Answer) -> None:
    assert "Answered from memory (no retrieval)" in stripped(answers.checked(1, remembered))
    assert "Not in the sources" in stripped(answers.checked(1, abstained))
    assert stripped(answers.checked(1, answered)).startswith("✓ Answered1 of 2")
    assert set(answers.VERDICTS) == set(Verdict)


def test_two_citations_of_one_passage_by_one_sentence_make_one_chip(answered: Answer) -> None:
    claim = answered.claims[0]
    twice = replace(claim, citations=(Citation(2, 0, 5, 0.1, 0.9), *claim.citations, *claim.citations))
    html = answers.checked(1, replace(answered, claims=(twice,)))
    assert re.findall(r">\[(\d+)\]</a>", html) == ["1", "2"]


def test_the_nearest_passage_that_an_abstention_names_can_be_opened(abstained: Answer) -> None:
    html = answers.checked(2, abstained)
    assert targets(html) == {"sy-2-1"}
    assert stripped(html).endswith("The nearest is [1] Tanzania › Geography (countries).")


def test_a_number_without_a_source_is_no_link(abstained: Answer) -> None:
    html = answers.checked(2, replace(abstained, text="See [9] and [1]."))
    assert targets(html) == {"sy-2-1"} and stripped(html).endswith("See [9] and [1].")


def test_whatever_the_model_writes_is_inert(answered: Answer) -> None:
    text = "<b>x</b> ![p](https://example.com/p.png)"
    claims = (Claim(text, 0, len(text), "unsupported"),)
    html = answers.checked(1, replace(answered, text=text, claims=claims))
    assert "<b>" not in html and text in stripped(html)
    turn = Turn(1, "q", 0.0)
    turn.absorb(Token(text, 0.1), 1.0)
    assert "<b>" not in answers.shown(turn) and text in stripped(answers.shown(turn))


def test_text_between_and_after_the_sentences_is_kept(answered: Answer) -> None:
    text = "\n- One.\n- Two.\n(end)"
    claims = (Claim("One.", 3, 7, "memory"), Claim("Two.", 10, 14, "memory"))
    assert stripped(answers.sentences(1, replace(answered, text=text, claims=claims))) == text.strip()


def test_a_draft_says_that_it_was_not_checked_until_the_answer_replaces_it(answered: Answer) -> None:
    turn = Turn(1, "q", 0.0)
    turn.absorb(Found(answered.evidence), 1.0)
    assert answers.shown(turn) == ""
    turn.absorb(Token("A rash draft.", 0.1), 1.0)
    assert "Draft, not checked yet" in answers.shown(turn)
    turn.absorb(Checking("A rash draft."), 2.0)
    assert turn.stage is Stage.CHECKING and "Checking the draft" in answers.shown(turn)
    turn.absorb(Answered(answered), 3.0)
    assert "rash" not in answers.shown(turn) and "Kilimanjaro" in answers.shown(turn)


def test_a_stopped_draft_stays_and_says_that_it_was_not_checked() -> None:
    turn = Turn(1, "q", 0.0)
    turn.absorb(Token("Half a", 0.1), 1.0)
    turn.absorb(Ended(), 2.0)
    assert "Stopped. This draft was not checked." in answers.shown(turn) and "Half a" in answers.shown(turn)


def test_a_failure_takes_the_place_of_the_answer() -> None:
    turn = Turn(1, "q", 0.0)
    turn.absorb(Failed("No model.", "Run `symposia models fetch`."), 1.0)
    assert "No model." in answers.shown(turn) and "<code>symposia models fetch</code>" in answers.shown(turn)


def test_a_conflict_shows_every_side_with_chips_experts_and_dates(answered: Answer) -> None:
    html = answers.checked(4, disagreeing(answered))
    shown = stripped(html)
    assert shown == (
        "≠ Sources conflictThe sources disagreeHow <high>?"
        "Sources A say5,895 m[1] Tanzania › Geography · countries · 2024-03-07[3] State of the Union 1986 · speeches"
        "Source B says<i>5,892</i> m[2] Kenya <b>bold</b> · countries"
    )
    assert "<i>" not in html and "<high>" not in html
    assert "They disagree." not in shown
    cited = cards.checked(4, disagreeing(answered))
    assert targets(html) == {"sy-4-1", "sy-4-2", "sy-4-3"} <= set(re.findall(r'id="([^"]*)"', cited))
    assert "not cited" not in cited and cited.count("<mark") == 3


def test_sentences_beside_a_conflict_are_kept(answered: Answer) -> None:
    both = replace(disagreeing(answered), text=answered.text, claims=answered.claims)
    shown = stripped(answers.checked(1, both))
    assert shown.index("1 of 2 sentences") < shown.index("Kilimanjaro is the highest") < shown.index("How <high>?")


def test_what_memory_would_have_said_is_folded_away(answered: Answer) -> None:
    html = answers.checked(1, replace(answered, memory="Mount <b>Meru</b>."))
    assert "<details" in html and "<b>" not in html
    assert stripped(html).endswith("Mount <b>Meru</b>.From the model's memory, checked against no source.")
    assert "memory" not in stripped(answers.checked(1, answered))


def test_beside_sources_that_disagree_stands_what_memory_says(answered: Answer) -> None:
    html = answers.checked(1, replace(disagreeing(answered), memory="Some <b>6,000</b> m."))
    shown = stripped(html)
    assert shown.index("Source B says") < shown.index("The model’s memory says") < shown.index("Some <b>6,000</b> m.")
    assert "<b>6" not in html and "<details" not in html


def test_a_sentence_that_moved_the_model_is_marked_in_words_where_its_memory_is_shown(answered: Answer) -> None:
    moved = replace(answered.claims[0], divergence=0.65)
    both = replace(answered, claims=(moved, replace(answered.claims[1], divergence=0.69)))
    assert answers.MOVED_MARK not in stripped(answers.checked(1, both))
    shown = stripped(answers.checked(1, replace(both, memory="Meru.")))
    assert shown.count(answers.MOVED_MARK) == 2
    assert f"[1] {answers.MOVED_MARK}" in shown
    assert shown.endswith(f"{answers.MOVED_MARK} marks where the sources moved the model away from it.")
