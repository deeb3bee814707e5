"""What a principal does not see does not exist: everything is as in a system that was built without it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, example, given, settings
from hypothesis import strategies as st

from app.access.principal import LOCAL, Action, Principal
from app.conversations.store import Conversations
from app.symposium import Symposium
from app.train import Request
from generators.answer import Verdict
from generators.decoding.knowing import Measured
from generators.verdicts.calibrated_verdict import CalibratedVerdict
from indexes.errors import InputError, SettingsError
from indexes.passage import Document
from retrievers.calibrated_router import Calibrated
from retrievers.conformal import Guarantee
from retrievers.router import ScoredRouter
from tests.app.access.systems import Asked, Pool, assert_alike, everything, make_system, said
from tests.fakes import QUESTIONS, TOPICS, make_passages

SECRET = "Payroll: the chief engineer of the orchard earns CANARY-9471 a month."
ASKING = ("Who are you?", "What can you do?", "Which experts do you have?", "Thank you very much", "What is 17 * 23?")
NAMES = ("orchard", "engines", "planets", "mixed", "payroll", "orchard-2")
UNKNOWN = ("nobody", "Payroll")
WORDS = sorted({word.strip(".") for texts in TOPICS.values() for text in texts for word in text.split()})
QUICK: dict[str, Any] = {
    "deadline": None,
    "suppress_health_check": [HealthCheck.function_scoped_fixture],
    "phases": [Phase.explicit, Phase.generate],  # making a leak's example smaller would take minutes
}
QUESTION = st.one_of(
    st.sampled_from([*QUESTIONS.values(), *ASKING, "What does the chief engineer earn?"]),
    st.lists(st.sampled_from(WORDS), min_size=1, max_size=6).map(" ".join),
    st.tuples(st.sampled_from([*QUESTIONS.values()]), st.sampled_from([*QUESTIONS.values()])).map(
        lambda two: f"{two[0].rstrip('?')}, and {two[1][0].lower()}{two[1][1:]}"
    ),
    st.sampled_from(["", "?", "What is the currency of Wakanda?"]),
)
SOME = st.lists(st.sampled_from([*NAMES, *UNKNOWN]), max_size=2).map(tuple)
ASKED = st.builds(Asked, QUESTION, st.one_of(st.just(()), SOME), SOME, st.sampled_from([None, None, True, False]))
SUBSET = st.frozensets(st.sampled_from(NAMES))


class Untouchable:
    """Stands where an expert does that must not be looked at."""

    def __getattr__(self, name: str) -> Any:
        raise AssertionError(f"somebody looked at the {name} of an expert that does not exist")


@pytest.fixture(scope="module")
def pool(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pool]:
    passages = {name: make_passages(texts, title=name.title()) for name, texts in TOPICS.items()}
    passages["mixed"] = [*passages["orchard"][:4], *passages["engines"][:4]]  # the very passages of two others
    passages["payroll"] = make_passages([SECRET, "Salaries are paid on the last day of each month."], title="Payroll")
    passages["orchard-2"] = make_passages([f"{text[:-1]}, they say." for text in TOPICS["orchard"]], title="Hearsay")
    asked = {"engines": tuple(TOPICS["engines"][:3]), "payroll": ("Who earns how much?", "When are salaries paid?")}
    pool = Pool.of(tmp_path_factory.mktemp("pool"), passages, asked)
    with pytest.MonkeyPatch.context() as monkeypatch:
        monkeypatch.setattr("indexes.atomic.os.fsync", lambda _: None)  # nothing here must outlive a crash
        yield pool
    pool.panel.close()


def calibrate(folder: Path, experts: frozenset[str], temperature: float, confidence: float) -> None:
    """Put down what fitting on a panel of these experts leaves."""
    folder.mkdir(parents=True, exist_ok=True)
    names = tuple(sorted(experts))
    Calibrated(temperature, Guarantee(0.5, 0.9, 100), names).write(folder)
    CalibratedVerdict(confidence, 0.1, 0.9, 60, 0.5, (), "scripted", names).write(folder)
    Measured("scripted", (2.0,) * 40, experts=names).write(folder)


ALL, ORCHARD = frozenset(NAMES), frozenset({"orchard"})
CLEAR = [Asked(QUESTIONS["orchard"]), Asked("Which trees are pruned, and what is a crankshaft?")]
STRANGE = [Asked("Which film won the prize in Cannes?"), Asked("Who are you?"), Asked("Moons", ("payroll",))]


@example(ALL, frozenset(), ORCHARD | {"mixed"}, (ALL, 5.0, 0.999), CLEAR, False)
@example(ALL, frozenset(), ORCHARD | {"mixed"}, (ORCHARD | {"payroll"}, 5.0, 0.999), STRANGE, True)
@example(ALL, frozenset(), ORCHARD | {"mixed"}, (ORCHARD, 5.0, 0.999), CLEAR, True)
@example(ORCHARD, frozenset({"payroll"}), ORCHARD, None, CLEAR + STRANGE, True)
@settings(max_examples=20, **QUICK)
@given(
    sits=SUBSET,
    broken=st.frozensets(st.sampled_from(NAMES), max_size=2),
    sees=SUBSET,
    fitted=st.none() | st.tuples(SUBSET, st.sampled_from([0.1, 5.0]), st.sampled_from([0.0, 0.5, 0.99])),
    asked=st.lists(ASKED, min_size=1, max_size=3),
    before=st.booleans(),
)
def test_all_that_a_principal_is_told_is_what_a_system_without_the_other_experts_tells(
    pool: Pool,
    sits: frozenset[str],
    broken: frozenset[str],
    sees: frozenset[str],
    fitted: tuple[frozenset[str], float, float] | None,
    asked: list[Asked],
    before: bool,
) -> None:
    place = Path(mkdtemp(dir=pool.panel.folder.parent))
    problems = {name: f"The slice {name} is damaged.\nMend it." for name in broken - sits}
    experts: dict[str, Any] = {name: pool.experts[name] for name in sorted(sits)}
    seen = {name: expert for name, expert in experts.items() if name in sees}
    if fitted is not None:
        calibrate(place / "whole", *fitted)
        if fitted[0] and fitted[0] <= sees:
            calibrate(place / "fresh", *fitted)
    if not before:
        experts |= {name: Untouchable() for name in experts if name not in sees}
    whole = make_system(place / "whole", experts, problems, {"retrieval.draft": 0.1})
    fresh = make_system(
        place / "fresh", seen, {n: p for n, p in problems.items() if n in sees}, {"retrieval.draft": 0.1}
    )
    principal = Principal("anna", sees)
    if before:  # others ask first: nothing that they leave in memory may show
        everything(whole, asked)
        everything(whole.seen_by(Principal("bert", sees | {"payroll", "orchard"})), asked)
    assert_alike(everything(whole.seen_by(principal), asked), everything(fresh, asked))


@settings(max_examples=6, **QUICK)
@given(
    slices=st.dictionaries(
        st.sampled_from(("a", "b", "c")),
        st.lists(st.lists(st.sampled_from(WORDS), min_size=3, max_size=8).map(" ".join), min_size=1, max_size=4),
        min_size=2,
        max_size=3,
    ),
    sees=st.frozensets(st.sampled_from(("a", "b", "c")), max_size=2),
    asked=st.lists(QUESTION.map(Asked), min_size=1, max_size=2),
)
def test_so_it_is_for_slices_of_any_content_that_are_built_twice(
    tmp_path: Path, slices: dict[str, list[str]], sees: frozenset[str], asked: list[Asked]
) -> None:
    place = Path(mkdtemp(dir=tmp_path))
    passages = {name: make_passages(texts) for name, texts in slices.items()}
    whole = Pool.of(place / "whole", passages, {})
    fresh = Pool.of(place / "fresh", {name: given for name, given in passages.items() if name in sees}, {})
    first = make_system(place / "whole", whole.experts)
    second = make_system(place / "fresh", fresh.experts)
    assert_alike(everything(first.seen_by(Principal("anna", sees)), asked), everything(second, asked))


@pytest.fixture
def whole(tmp_path: Path, pool: Pool) -> Symposium:
    """A system whose experts anyone may look at; nothing that tests do to it reaches the pool."""
    return make_system(tmp_path / "whole", {name: pool.experts[name] for name in ("orchard", "payroll")})


@pytest.fixture
def home(tmp_path: Path) -> Symposium:
    """A system with slices of its own, which may be changed."""
    made = make_system(tmp_path / "home", {})
    for name in ("orchard", "payroll"):
        made.add_documents([Document(f"{TOPICS['orchard'][0]} {SECRET}", title=name)], name)
    return made


def test_the_whole_is_what_whoever_sits_at_the_machine_sees(whole: Symposium) -> None:
    asked = [Asked(QUESTIONS["orchard"]), Asked("Thank you very much"), Asked("", ("nobody",))]
    assert everything(whole.seen_by(LOCAL), asked) == everything(whole, asked)


def test_a_view_of_a_view_sees_and_may_do_no_more(whole: Symposium) -> None:
    orchard = whole.seen_by(Principal("anna", frozenset({"orchard"}), frozenset({Action.ASK})))
    again = orchard.seen_by(LOCAL)
    assert [card.name for card in again.experts()] == ["orchard"]
    assert again.principal.actions == {Action.ASK}
    assert orchard.seen_by(Principal("bert", frozenset({"payroll"}))).experts() == []


@pytest.mark.parametrize("name", ["payroll", "no-such-expert"])
def test_forbidden_and_unknown_names_are_refused_in_the_same_words(home: Symposium, name: str) -> None:
    anna = home.seen_by(Principal("anna", frozenset({"orchard", "plums"})))
    before = sorted(path.name for path in home.panel.folder.rglob("*"))
    refusals = [
        said(lambda: anna.remove(name)),
        said(lambda: anna.train(Request(name))),
        said(lambda: anna.ask("What?", experts=[name])),
        said(lambda: anna.add_documents([Document("Plums are dried.")], name)),
    ]
    expected = [["There is no expert named 'X'.", "The experts are: orchard."]] * 3
    expected += [
        ["You may not add documents to an expert named 'X'.", "The names that you may use are: orchard, plums."]
    ]
    told = [[each[part].replace(repr(name), "'X'") for part in ("problem", "fix")] for each in refusals]
    assert told == expected
    assert {each["error"] for each in refusals} == {"InputError"}
    assert sorted(path.name for path in home.panel.folder.rglob("*")) == before


def test_experts_that_come_and_go_do_so_for_whoever_sees_them(home: Symposium) -> None:
    anna = home.seen_by(Principal("anna", frozenset({"orchard", "plums"})))
    bert = home.seen_by(Principal("bert", frozenset({"payroll"})))
    anna.add_documents([Document("Plums are dried on wooden racks.", title="Plums")], "plums")
    assert [[card.name for card in each.experts()] for each in (anna, bert, home)] == [
        ["orchard", "plums"],
        ["payroll"],
        ["orchard", "payroll", "plums"],
    ]
    assert anna.ask("How are plums dried?").route.experts == ("plums",)
    home.remove("orchard")
    anna.remove("plums")
    assert anna.experts() == []
    assert [card.name for card in bert.experts()] == ["payroll"]


@pytest.mark.parametrize("sees", [None, frozenset({"orchard"})])
def test_closing_what_somebody_sees_leaves_the_whole_open(home: Symposium, sees: frozenset[str] | None) -> None:
    slices = dict(home.panel.experts)
    with home.seen_by(Principal("anna", sees)) as anna:
        anna.retrieve("apple")
    assert home.panel.experts == slices
    assert home.retrieve("apple trees blossom", retrieval=True)[1]


@pytest.mark.parametrize(
    ("action", "call"),
    [
        ("ask", lambda symposium: symposium.ask("What?")),
        ("ask", lambda symposium: symposium.stream("What?")),
        ("ask", lambda symposium: symposium.ask_many(["What?"])),
        ("ask", lambda symposium: symposium.retrieve("What?")),
        ("ask", lambda symposium: symposium.retrieve_many(["What?"])),
        ("ask", lambda symposium: symposium.explain("What?")),
        ("ask", lambda symposium: symposium.documents("orchard")),
        ("ask", lambda symposium: symposium.passages("orchard", "1")),
        ("write", lambda symposium: symposium.add([], "orchard")),
        ("write", lambda symposium: symposium.add_documents([Document("Plums.")], "orchard")),
        ("write", lambda symposium: symposium.remove_documents("orchard", ["1"])),
        ("write", lambda symposium: symposium.remove("orchard")),
        ("train", lambda symposium: symposium.train(Request("orchard"))),
        ("admin", lambda symposium: symposium.calibrate([])),
        ("admin", lambda symposium: symposium.calibrate_verdict([])),
        ("admin", lambda symposium: symposium.reset_calibration()),
    ],
)
def test_what_a_principal_may_not_do_is_not_done(whole: Symposium, action: str, call: Any) -> None:
    others = frozenset(each for each in Action if each.value != action)
    with pytest.raises(InputError, match=f"may not {action}"):
        call(whole.seen_by(Principal("anna", None, others)))


@pytest.mark.parametrize("call", ["calibrate", "calibrate_verdict", "reset_calibration"])
def test_what_concerns_all_experts_is_for_those_who_see_all(whole: Symposium, call: str) -> None:
    arguments = () if call == "reset_calibration" else ([],)
    with pytest.raises(InputError, match="this concerns all"):
        getattr(whole.seen_by(Principal("anna", frozenset({"orchard"}))), call)(*arguments)


def test_all_views_write_in_turn_with_one_model(whole: Symposium) -> None:
    anna, bert = (whole.seen_by(Principal(name, frozenset({name}))) for name in ("orchard", "payroll"))
    assert anna._writing is bert._writing is whole._writing
    assert anna.answerer.model is bert.answerer.model is whole.answerer.model
    assert anna.panel is whole.seen_by(Principal("carl", frozenset({"orchard"}))).panel


@pytest.mark.parametrize(
    ("sees", "serves"),
    [(None, True), (frozenset({"orchard", "payroll"}), True), (frozenset({"orchard", "engines"}), False)],
)
def test_what_was_fitted_serves_those_who_see_all_whose_questions_it_was_fitted_on(
    tmp_path: Path, pool: Pool, sees: frozenset[str] | None, serves: bool
) -> None:
    calibrate(tmp_path, frozenset({"orchard", "payroll"}), 5.0, 0.999)
    system = make_system(tmp_path, pool.experts, flags={"retrieval.draft": 0.1}).seen_by(Principal("anna", sees))
    router = system.panel.router
    assert isinstance(router, ScoredRouter)
    assert (router.temperature, router.mass) == ((5.0, 0.5) if serves else (1.0, 0.9))
    assert (router.knows is not None) == serves
    answer = system.ask(QUESTIONS["orchard"])
    assert answer.verdict is (Verdict.NOT_IN_SOURCES if serves else Verdict.ANSWERED)


def test_what_cannot_be_read_or_does_not_say_whose_it_is_serves_only_those_who_see_all(
    tmp_path: Path, pool: Pool
) -> None:
    system = make_system(tmp_path, pool.experts)
    anna = system.seen_by(Principal("anna", frozenset(NAMES)))
    CalibratedVerdict(0.999, 0.1, 0.9, 60, 0.5, (), "scripted").write(tmp_path)
    (tmp_path / "router.json").write_text("{")
    assert anna.ask(QUESTIONS["orchard"]).verdict is Verdict.ANSWERED
    with pytest.raises(SettingsError, match="damaged"):
        system.ask(QUESTIONS["orchard"])


@pytest.mark.parametrize("sees", [frozenset({"orchard"}), frozenset({"orchard", "payroll"}), frozenset()])
def test_conversations_with_experts_that_one_does_not_see_any_more_are_as_if_they_had_never_been(
    tmp_path: Path, home: Symposium, sees: frozenset[str]
) -> None:
    kept, fresh = Conversations(tmp_path / "a.db"), Conversations(tmp_path / "b.db")
    ids = {}
    for scope in (frozenset({"orchard"}), frozenset({"orchard", "payroll"})):
        anna = Principal("anna", scope)
        answer = home.seen_by(anna).ask(QUESTIONS["orchard"])
        ids[scope] = kept.record(anna, None, "When?", answer).conversation
        if scope <= sees:
            fresh.record(anna, None, "When?", answer)
    now = Principal("anna", sees)
    assert [(each.title, each.turns) for each in kept.list(now)] == [
        (each.title, each.turns) for each in fresh.list(now)
    ]
    for scope, conversation in ids.items():
        told = said(lambda conversation=conversation: [turn.asked for turn in kept.turns(now, conversation)])  # type: ignore[misc]
        unknown = said(lambda: kept.turns(now, "no-such-conversation"))
        if scope <= sees:
            assert told == ["When?"]
        else:
            assert told == {name: text.replace("no-such-conversation", conversation) for name, text in unknown.items()}


def test_a_conversation_of_which_an_answer_may_name_an_expert_that_was_forbidden_is_of_that_expert_too(
    tmp_path: Path, home: Symposium
) -> None:
    kept = Conversations(tmp_path / "a.db")
    before, now = Principal("anna", frozenset({"orchard", "payroll"})), Principal("anna", frozenset({"orchard"}))
    seen = home.seen_by(before)
    answer = seen.ask("Which experts do you have?", forbid=["payroll"])
    assert any("payroll" in fact for fact in seen.answerer.facts())  # what the answer was written from
    assert "payroll" not in {share.expert for share in answer.route.shares}
    kept.record(before, None, "Which experts do you have?", answer, ["payroll"])
    assert [conversation.turns for conversation in kept.list(before)] == [1]
    assert kept.list(now) == []
