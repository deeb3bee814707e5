from __future__ import annotations

import re
from dataclasses import replace
from html import unescape

from app.chat import answers, cards
from app.chat.turn import Ended, Failed, Stage, Turn
from generators.answer import Answer, Citation, Claim, Verdict
from generators.events import Answered, Checking, Found, Token


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
