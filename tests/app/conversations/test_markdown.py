from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from markdown_it.token import Token

from app.access.principal import LOCAL
from app.conversations.markdown import inert, markdown
from app.conversations.store import Conversation, Conversations, StoredTurn
from generators.answer import Answer, Citation, Conflict, Side, Verdict
from indexes.passage import Passage
from retrievers.evidence import Evidence
from tests.app.conversations.made import TEXT, make_answer
from tests.generators.any_answer import ANSWERS

AT = "2026-03-01T12:00:00.000000+00:00"
HOSTILE = (
    "<script>alert(1)</script>",
    "![pixel](https://example.com/pixel.png)",
    "[click](javascript:alert(1))",
    "<https://example.com>",
    "https://example.com/a_b_c",
    "www.example.com",
    "write to me@example.com",
    "[1]: https://example.com",
    "# Heading",
    "- item",
    "1. item",
    "1) item",
    "+ item",
    "===",
    "---",
    "> quote",
    "| a | b |\n|---|---|",
    "```\ncode\n```",
    "~~~",
    "**bold** _em_ ~~gone~~ `code`",
    "&lt;b&gt; &copy;",
    "a\\",
    "<!-- hidden -->",
    "\u202etxt.exe\u202c",
    "zero\u200bwidth\U000e0041",
    "``https://example.com``",
    "    indented code",
    "$x^2$ :material/home: :red[x]",
    "[x] done",
    "\x1b[31mred\x00",
    "[1]",
)
RENDERER = MarkdownIt("commonmark").enable(["table", "strikethrough"])
OURS = {
    *("heading_open", "heading_close", "paragraph_open", "paragraph_close", "inline", "text", "softbreak"),
    *("bullet_list_open", "bullet_list_close", "list_item_open", "list_item_close", "blockquote_open"),
    *("blockquote_close", "strong_open", "strong_close", "code_inline", "text_special"),
}


def tokens(text: str) -> list[Token]:
    return [inner for token in RENDERER.parse(text) for inner in (token, *(token.children or []))]


def shown(text: str) -> str:
    """What a reader sees of one line of Markdown."""
    (inline,) = [token for token in RENDERER.parse(text) if token.type == "inline"]
    return "".join(child.content for child in inline.children or [])


def conversation(*turns: StoredTurn, title: str = "How do swifts sleep?") -> str:
    return markdown(Conversation("c", title, AT, AT, len(turns)), turns)


def turn(answer: Answer, asked: str = "How do swifts sleep?", **changes: object) -> StoredTurn:
    return replace(StoredTurn("t", "c", asked, answer, AT), **changes)


def test_a_conversation_reads_well() -> None:
    text = conversation(turn(make_answer(), "And how do they sleep?", helpful=True, comment="Nice!"))
    assert text == (
        "# How do swifts sleep?\n\n"
        "Begun 2026-03-01 12:00 UTC, 1 question.\n\n"
        "## 1. And how do they sleep?\n\n"
        "Understood as: How do swifts sleep?\n\n"
        "Swifts sleep on the wing. [1] They snore. [unsupported]\n\n"
        "**Answered, asked: birds**, 2026-03-01 12:00 UTC.\n\n"
        "Sources:\n\n"
        "- [1] Swifts › Sleep (birds, 2024-03-07, birds/swifts.md)\n"
        "  > It sleeps on the wing, and drinks from the air.\n\n\n"
        "Judged helpful. Nice\\!\n"
    )


def test_a_question_that_stood_for_itself_is_not_repeated() -> None:
    assert "Understood as" not in conversation(turn(make_answer()))


def test_both_sides_of_a_conflict_are_quoted_and_memory_is_told() -> None:
    other = Evidence(2, Passage("p2", "d2", "Swifts sleep in trees.", "Trees"), "woods", 0.8)
    answer = make_answer()
    sides = (Side("wing", (Citation(1, 0, 16, 0.0, 0.9),)), Side("trees", (Citation(2, 0, 22, 0.0, 0.9),)))
    conflicting = replace(
        answer,
        verdict=Verdict.CONFLICT,
        text="One says wing.\nAnother says trees.",
        claims=(),
        evidence=(*answer.evidence, other),
        conflict=Conflict("Where?", sides),
        memory="In nests.",
    )
    text = conversation(turn(conflicting))
    wanted = ("Sources conflict", "One says wing.\n\nAnother says trees.", "> The common swift", "- [2] Trees (woods)")
    assert [
        each for each in (*wanted, "> Swifts sleep in trees.", "the model says: In nests.") if each not in text
    ] == []


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_text_is_shown_and_is_no_markup(text: str) -> None:
    line = inert(text)
    assert {token.type for token in tokens(line)} <= {
        "paragraph_open",
        "paragraph_close",
        "inline",
        "text",
        "code_inline",
        "text_special",
    }
    visible = "".join(c for c in " ".join(text.split()) if c not in "\u202e\u202c\u200b\U000e0041")
    assert shown(line).split() == visible.replace("\x1b", "\ufffd").replace("\x00", "\ufffd").split()


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_text_is_inert_wherever_it_stands(text: str) -> None:
    passage = Passage("p", "d", text, text, source=text, place=text, date=text)
    answer = replace(
        make_answer(text),
        text=text,
        claims=(
            replace(
                make_answer().claims[0],
                text=text,
                start=0,
                end=len(text),
                citations=(Citation(1, 0, len(text), 0.0, 1.0),),
            ),
        ),
        evidence=(Evidence(1, passage, "birds", 0.9),),
        memory=text,
    )
    found = tokens(conversation(turn(answer, text + " asked", helpful=False, comment=text), title=text))
    assert {token.type for token in found} <= OURS
    assert sum(token.type == "heading_open" for token in found) == 2
    assert sum(token.type == "list_item_open" for token in found) == 1
    linked = [
        t.content for t in found if t.type in ("text", "text_special") and ("://" in t.content or "www." in t.content)
    ]
    assert linked == []


@given(st.text(st.sampled_from("ab1 \n\t#*_`[]()<>!\\-+=.|~&$:@/^\"'"), max_size=30))
@settings(max_examples=300, deadline=None)
def test_no_text_at_all_becomes_markup(text: str) -> None:
    line = inert(text)
    assert {token.type for token in tokens(line)} <= {
        "paragraph_open",
        "paragraph_close",
        "inline",
        "text",
        "code_inline",
        "text_special",
    }
    if text.strip():
        assert shown(line).split() == text.split()


@given(ANSWERS)
@settings(max_examples=60, deadline=None)
def test_any_answer_can_be_exported(answer: Answer) -> None:
    assert {token.type for token in tokens(conversation(turn(answer)))} <= OURS


def test_the_store_exports_its_own(store: Conversations) -> None:
    first = store.record(LOCAL, None, "How do swifts sleep?", make_answer())
    store.record(LOCAL, first.conversation, "Again?", make_answer())
    text = store.markdown(LOCAL, first.conversation)
    assert "2 questions" in text
    assert "## 2. Again?" in text
    assert text.count(TEXT.split(". ")[0]) == 2
