from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.access.principal import LOCAL, Action, Principal
from app.conversations.store import LONGEST_TITLE, Conversations
from generators.answer import Answer
from indexes.errors import InputError
from tests.app.conversations.made import make_answer
from tests.generators.any_answer import ANSWERS

ANN, BEN = Principal("ann"), Principal("ben")


def test_without_a_file_there_are_no_conversations_and_none_is_made(store: Conversations) -> None:
    assert store.list(LOCAL) == []
    assert list(store.judged(LOCAL)) == []
    assert not store.file.exists()


def test_a_conversation_is_titled_by_its_question_and_keeps_its_turns_in_order(
    store: Conversations, answer: Answer
) -> None:
    first = store.record(LOCAL, None, "How do swifts sleep?", answer)
    second = store.record(LOCAL, first.conversation, "And where?", replace(answer, question="Where do swifts sleep?"))
    (conversation,) = store.list(LOCAL)
    assert (conversation.id, conversation.title, conversation.turns) == (first.conversation, "How do swifts sleep?", 2)
    assert (conversation.began, conversation.changed) == (first.at, second.at)
    assert store.turns(LOCAL, conversation.id) == [first, second]


def test_another_object_on_the_same_file_reads_the_same(store: Conversations) -> None:
    turn = store.record(LOCAL, None, "Who?", make_answer())
    again = Conversations(store.file)
    assert [str(t) for t in again.turns(LOCAL, turn.conversation)] == [str(turn)]


def test_the_conversation_that_changed_last_comes_first(store: Conversations, answer: Answer) -> None:
    one = store.record(LOCAL, None, "one", answer).conversation
    two = store.record(LOCAL, None, "two", answer).conversation
    assert [c.title for c in store.list(LOCAL)] == ["two", "one"]
    store.record(LOCAL, one, "again", answer)
    assert [c.id for c in store.list(LOCAL)] == [one, two]


def test_a_long_question_of_many_lines_gives_a_short_title_of_one(store: Conversations, answer: Answer) -> None:
    turn = store.record(LOCAL, None, "Why\n" + "very " * 40 + "much?", answer)
    (conversation,) = store.list(LOCAL)
    assert len(conversation.title) <= LONGEST_TITLE
    assert conversation.title.startswith("Why very very")
    assert conversation.title.endswith("…")
    assert turn.asked.endswith("much?")


def test_rename_and_delete(store: Conversations, answer: Answer) -> None:
    kept = store.record(LOCAL, None, "kept", answer)
    gone = store.record(LOCAL, None, "gone", answer)
    store.judge(LOCAL, gone.id, True)
    store.rename(LOCAL, kept.conversation, "  Swifts  ")
    store.delete(LOCAL, gone.conversation)
    assert [c.title for c in store.list(LOCAL)] == ["Swifts"]
    assert list(store.judged(LOCAL)) == []
    with pytest.raises(InputError, match="no conversation"):
        store.turns(LOCAL, gone.conversation)


def test_an_empty_title_is_refused(store: Conversations, answer: Answer) -> None:
    turn = store.record(LOCAL, None, "Who?", answer)
    with pytest.raises(InputError, match="title is empty"):
        store.rename(LOCAL, turn.conversation, " \n")


@pytest.mark.parametrize("text", ["a\ud800b", "nul\0here", "𝔘𝔫𝔦𝔠𝔬𝔡𝔢 \u202e", "'; DROP TABLE turns; --"])
def test_any_text_can_be_asked_and_said(store: Conversations, text: str) -> None:
    answer = make_answer(text)
    turn = store.record(LOCAL, None, text, answer)
    store.judge(LOCAL, turn.id, False, text)
    (back,) = store.turns(LOCAL, turn.conversation)
    assert back.answer == answer
    assert back.asked == back.comment == text.replace("\ud800", "?")


def test_a_thumb_can_be_given_changed_and_taken_back(store: Conversations, answer: Answer) -> None:
    turn = store.record(LOCAL, None, "Who?", answer)
    assert turn.helpful is None
    store.judge(LOCAL, turn.id, True, "yes")
    assert [(t.helpful, t.comment) for t in store.turns(LOCAL, turn.conversation)] == [(True, "yes")]
    store.judge(LOCAL, turn.id, False)
    assert [(t.helpful, t.comment) for t in store.judged(LOCAL)] == [(False, "")]
    store.judge(LOCAL, turn.id, None)
    assert list(store.judged(LOCAL)) == []


def test_a_comment_that_is_too_long_is_refused(store: Conversations, answer: Answer) -> None:
    turn = store.record(LOCAL, None, "Who?", answer)
    with pytest.raises(InputError, match="4,001 characters"):
        store.judge(LOCAL, turn.id, True, "x" * 4_001)


def test_a_turn_in_json(store: Conversations, answer: Answer) -> None:
    turn = store.record(LOCAL, None, "Who?", answer)
    values = json.loads(json.dumps(turn.to_dict()))
    assert Answer.from_dict(values.pop("answer")) == answer
    assert values == {
        "id": turn.id,
        "conversation": turn.conversation,
        "asked": "Who?",
        "at": "2026-03-01T12:00:00.000000+00:00",
        "helpful": None,
        "comment": "",
    }
    (conversation,) = store.list(LOCAL)
    assert conversation.to_dict()["turns"] == 1


def refusals(store: Conversations, principal: Principal, conversation: str, turn: str) -> list[str]:
    """What each method says about a conversation and a turn that do not exist for the principal."""
    answer = make_answer()
    calls: list[Callable[[], object]] = [
        lambda: store.turns(principal, conversation),
        lambda: store.record(principal, conversation, "Who?", answer),
        lambda: store.rename(principal, conversation, "Mine"),
        lambda: store.delete(principal, conversation),
        lambda: store.markdown(principal, conversation),
        lambda: store.judge(principal, turn, True),
    ]
    said = []
    for call in calls:
        with pytest.raises(InputError) as caught:
            call()
        said.append(str(caught.value).replace(conversation, "ID").replace(turn, "ID"))
    return said


def test_another_owners_conversation_does_not_exist(store: Conversations, answer: Answer) -> None:
    turn = store.record(ANN, None, "Mine?", answer)
    store.judge(ANN, turn.id, True)
    assert store.list(BEN) == []
    assert list(store.judged(BEN)) == []
    assert refusals(store, BEN, turn.conversation, turn.id) == refusals(store, BEN, "unknown", "none")
    assert [t.asked for t in store.turns(ANN, turn.conversation)] == ["Mine?"]


@pytest.mark.parametrize(
    "hidden",
    [
        make_answer(experts=("law",)),
        make_answer(experts=("birds", "law")),
        make_answer(evidence="law"),
        make_answer(failures=("law",)),
    ],
    ids=["asked", "only probable", "evidence", "broken"],
)
def test_a_conversation_that_names_an_expert_one_does_not_see_does_not_exist(
    store: Conversations, answer: Answer, hidden: Answer
) -> None:
    turn = store.record(ANN, None, "Who?", answer)
    seen = store.record(ANN, None, "Seen?", answer)
    store.record(ANN, turn.conversation, "And?", hidden)
    store.judge(ANN, turn.id, True)
    narrow = Principal("ann", frozenset({"birds"}))
    assert [c.id for c in store.list(narrow)] == [seen.conversation]
    assert list(store.judged(narrow)) == []
    assert refusals(store, narrow, turn.conversation, turn.id) == refusals(store, narrow, "unknown", "none")
    assert len(store.turns(ANN, turn.conversation)) == 2
    wide = Principal("ann", frozenset({"birds", "law", "engines"}))
    assert {c.id for c in store.list(wide)} == {turn.conversation, seen.conversation}


def test_an_administrator_reads_all_thumbs_of_the_experts_that_it_sees(store: Conversations, answer: Answer) -> None:
    for principal, about in ((ANN, answer), (BEN, make_answer(experts=("law",), evidence="law"))):
        store.judge(principal, store.record(principal, None, principal.name, about).id, True)
    assert [t.asked for t in store.judged_by_all(LOCAL)] == ["ann", "ben"]
    assert [t.asked for t in store.judged_by_all(Principal("head", frozenset({"birds"})))] == ["ann"]
    with pytest.raises(InputError, match="may not admin"):
        store.judged_by_all(Principal("ann", actions=frozenset({Action.ASK})))


EXPERTS = ("birds", "engines", "law")
PEOPLE = st.builds(
    Principal, st.sampled_from(("ann", "ben")), st.none() | st.frozensets(st.sampled_from(EXPERTS), max_size=3)
)


@given(st.lists(st.tuples(st.sampled_from((ANN, BEN)), st.sampled_from(EXPERTS), st.booleans()), max_size=8), PEOPLE)
@settings(max_examples=15, deadline=None)
def test_what_one_sees_is_what_there_is_without_the_rest(
    tmp_path_factory: pytest.TempPathFactory, recorded: list[tuple[Principal, str, bool]], principal: Principal
) -> None:
    whole, bare = (Conversations(tmp_path_factory.mktemp("store") / "c.db") for _ in range(2))
    last: dict[str, str] = {}
    recording: dict[str, list[tuple[str, str]]] = {}
    for number, (owner, expert, continues) in enumerate(recorded):
        known = last.get(owner.name) if continues else None
        turn = whole.record(owner, known, f"{number}", make_answer(experts=(expert,), evidence=expert))
        last[owner.name] = turn.conversation
        if owner.name == principal.name:
            recording.setdefault(turn.conversation, []).append((f"{number}", expert))
    for turns in recording.values():
        if all(principal.sees(expert) for _, expert in turns):
            begun = None
            for asked, expert in turns:
                begun = bare.record(
                    principal, begun, asked, make_answer(experts=(expert,), evidence=expert)
                ).conversation
    assert texts(whole, principal) == texts(bare, principal)


def texts(store: Conversations, principal: Principal) -> list[tuple[str, ...]]:
    return sorted(tuple(turn.asked for turn in store.turns(principal, c.id)) for c in store.list(principal))


@given(ANSWERS)
@settings(max_examples=20, deadline=None)
def test_any_answer_is_kept_as_it_is(tmp_path_factory: pytest.TempPathFactory, answer: Answer) -> None:
    store = Conversations(tmp_path_factory.mktemp("store") / "c.db")
    turn = store.record(LOCAL, None, "Who?", answer)
    (back,) = store.turns(LOCAL, turn.conversation)
    assert json.dumps(back.to_dict()) == json.dumps(turn.to_dict())
    assert store.markdown(LOCAL, turn.conversation)


def test_the_file_is_readable_by_its_owner_only(store: Conversations, answer: Answer) -> None:
    store.record(LOCAL, None, "Who?", answer)
    assert {oct(path.stat().st_mode & 0o777) for path in store.file.parent.iterdir()} == {"0o600"}


def test_a_file_that_was_moved_away_is_begun_anew(store: Conversations, answer: Answer, tmp_path: Path) -> None:
    old = store.record(LOCAL, None, "old", answer)
    store.file.rename(tmp_path / "moved.db")
    store.record(LOCAL, None, "new", answer)
    assert [c.title for c in store.list(LOCAL)] == ["new"]
    assert [c.id for c in Conversations(tmp_path / "moved.db").list(LOCAL)] == [old.conversation]
