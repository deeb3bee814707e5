from __future__ import annotations

import io
from dataclasses import replace

import pytest

from app.cli.output import Output
from app.cli.render import LONGEST_QUOTE, answer_text, memory_lines, route_lines, show_answer, source_lines, times
from generators.answer import Answer, Citation, Claim, Conflict, Side, Verdict
from retrievers.evidence import Route


def shown(answer: Answer, *, sources: bool = True) -> str:
    stdout = io.StringIO()
    show_answer(Output(stdout, io.StringIO()), answer, sources=sources)
    return stdout.getvalue()


def test_the_marks_are_those_of_the_answer(answer: Answer) -> None:
    assert answer_text(answer).plain == answer.marked


def test_an_unsupported_sentence_has_its_own_style(answer: Answer) -> None:
    text = answer_text(answer)
    styled = {text.plain[span.start : span.end]: str(span.style) for span in text.spans}
    assert styled["It has two rivers."] == "yellow"
    assert styled[" [1]"] == "cyan"


def test_a_source_has_expert_title_place_date_and_the_supporting_span(answer: Answer) -> None:
    assert [line.plain for line in source_lines(answer)] == [
        "[1] countries  France › Government  (2024)",
        "    “Its capital is Paris.”",
    ]


def test_a_span_that_two_sentences_cite_is_quoted_once(answer: Answer) -> None:
    twice = replace(answer.claims[1], status="supported", citations=answer.claims[0].citations)
    both = replace(answer, claims=(answer.claims[0], twice))
    assert [line.plain for line in source_lines(both)] == [line.plain for line in source_lines(answer)]


def test_control_characters_of_documents_do_not_reach_the_terminal(answer: Answer) -> None:
    claim = replace(answer.claims[0], citations=(Citation(2, 0, 18, 1.0, 0.9),))
    lines = [line.plain for line in source_lines(replace(answer, claims=(claim,)))]
    assert lines[0] == "[2] countries  Rivers [of] Paris\ufffd[31m"


def test_a_long_span_is_cut(answer: Answer) -> None:
    passage = replace(answer.evidence[0].passage, text="word " * 200)
    evidence = (replace(answer.evidence[0], passage=passage), answer.evidence[1])
    claim = Claim("x", 0, 1, "supported", (Citation(1, 0, 1000, 1.0, 0.9),))
    quote = source_lines(replace(answer, evidence=evidence, claims=(claim,)))[1].plain.strip()
    assert quote.endswith("…”")
    assert len(quote) == LONGEST_QUOTE + 2


def test_the_route_shows_probabilities_reason_and_failures(answer: Answer) -> None:
    assert [line.plain for line in route_lines(answer.route)] == [
        "Route    asked countries 0.80; not asked speeches 0.15; no retrieval 0.05",
        "         Asked countries: it is nearest.",
        "Failed   python: its slice is locked",
    ]


def test_a_route_without_experts_says_so() -> None:
    route = Route("skip", "chitchat", (), 1.0, "It is a greeting.")
    assert route_lines(route)[0].plain == "Route    asked no expert; no retrieval 1.00"


def test_everything_is_shown_in_order(answer: Answer) -> None:
    text = shown(answer)
    parts = ["Paris is the capital. [1]", "Sources", "Route ", "Verdict  answered (a-model, adacad)", "Time  "]
    positions = [text.index(part) for part in parts]
    assert positions == sorted(positions)
    assert text.splitlines()[-1] == "Time     retrieve 0.02 s, write 12 s, in all 12 s"


def test_an_abstention_has_no_sources_and_no_marks(answer: Answer) -> None:
    refused = replace(answer, text="The sources do not say.", claims=(), verdict=Verdict.NOT_IN_SOURCES, model="")
    text = shown(refused)
    assert text.startswith("The sources do not say.\n")
    assert "Sources" not in text
    assert "Verdict  not in the sources (adacad)" in text


def test_long_lines_are_not_wrapped_in_a_pipe(answer: Answer) -> None:
    text = "word " * 100 + "end."
    claim = Claim(text, 0, len(text), "memory")
    assert shown(replace(answer, text=text, claims=(claim,))).splitlines()[0] == text


@pytest.mark.parametrize(("seconds", "text"), [({}, "in all 0.00 s"), ({"write": 200.4}, "write 3 min 20 s")])
def test_times(seconds: dict[str, float], text: str) -> None:
    assert text in times(seconds)


SIDES = (Side("Paris", (Citation(1, 23, 45, 1.3, 0.9),)), Side("Rou\x1ben", (Citation(2, 0, 18, 1.0, 0.9),)))


def disagreeing(answer: Answer) -> Answer:
    conflict = Conflict("What is the capital?", SIDES)
    return replace(answer, text="They disagree.", claims=(), verdict=Verdict.CONFLICT, conflict=conflict)


def test_a_conflict_shows_every_side_with_marks_experts_and_dates(answer: Answer) -> None:
    assert answer_text(disagreeing(answer)).plain.splitlines() == [
        "The sources disagree: What is the capital?",
        "  1. Paris",
        "     [1] countries, 2024",
        "  2. Rou\ufffden",
        "     [2] countries",
    ]
    lines = [line.plain for line in source_lines(disagreeing(answer))]
    assert [line.strip() for line in lines if line.startswith("  ")] == [
        "“Its capital is Paris.”",
        "“Rivers: the Seine.”",
    ]
    assert "Verdict  sources conflict (a-model, adacad)" in shown(disagreeing(answer))


def test_sentences_beside_a_conflict_are_kept(answer: Answer) -> None:
    both = replace(disagreeing(answer), text=answer.text, claims=answer.claims)
    assert answer_text(both).plain.startswith(f"{answer.marked}\n\nThe sources disagree: ")


def test_what_memory_would_have_said_is_shown_where_it_differs(answer: Answer) -> None:
    assert memory_lines(answer) == []
    assert "Memory   without the sources the model would have said: “Lyon\ufffd.”\n" in shown(
        replace(answer, memory="Lyon\x1b.")
    )


def test_a_sentence_that_moved_the_model_is_marked_and_the_mark_explained(answer: Answer) -> None:
    claims = (replace(answer.claims[0], divergence=0.65), replace(answer.claims[1], divergence=0.69))
    text = shown(replace(answer, claims=claims, memory="Lyon."))
    assert text.startswith("Paris is the capital. [1] [≠ memory] It has two rivers. [unsupported]\n")
    assert "\n         [≠ memory]: there the sources moved" in text
    assert "≠" not in shown(replace(answer, claims=claims))
