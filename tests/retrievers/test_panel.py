from __future__ import annotations

import re
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import permutations
from pathlib import Path
from typing import get_args

import numpy as np
import pytest
from filelock import FileLock
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from indexes.errors import InputError, SliceError
from indexes.manifest import FILE as MANIFEST
from indexes.store.lock import LOCK
from indexes.store.open import SHARD, opener
from retrievers.evidence import Evidence, Route
from retrievers.fusion import Fusion
from retrievers.gathering import Retrieval
from retrievers.panel import Panel
from retrievers.router import Wishes
from tests.fakes import QUESTIONS, TOPICS, WordEncoder, make_passages
from tests.retrievers.conftest import MakePanel, break_store, facts, fill

ASKED = (*QUESTIONS.values(), "Which moon circles the crankshaft of an apple tree?", "Thank you very much")
WORDS = sorted({word for texts in TOPICS.values() for text in texts for word in text.split()})


def found_by(panel: Panel, name: str) -> list[tuple[str, float, float]]:
    """All that one expert alone answers to all questions, with every number."""
    found = panel.retrieve_many(ASKED, Wishes(force=(name,)), passages=8)
    return [
        (e.passage.id, round(e.probability, 5), round(e.scores["dense"], 5)) for _, evidence in found for e in evidence
    ]


def rankings(panel: Panel, name: str) -> list[list[tuple[str, float]]]:
    """The expert's rankings by every fusion."""
    return [
        [(passage.id, round(score, 3)) for passage, score in ranking]
        for fusion in get_args(Fusion)
        for ranking in panel.search(name, ASKED, fusion, 8)
    ]


def texts(evidence: Sequence[Evidence]) -> list[str]:
    return [e.passage.text for e in evidence]


@pytest.mark.parametrize("name", TOPICS)
def test_a_clear_question_is_answered_by_its_expert(panel: Panel, name: str) -> None:
    route, evidence = panel.retrieve(QUESTIONS[name])
    assert route.experts[0] == name
    assert route.shares[0].probability > 0.8  # slices of eight passages know few words
    assert evidence[0].expert == name
    assert evidence[0].passage.title == name.title()
    shared = set(QUESTIONS[name].lower().strip("?").split()) & set(evidence[0].passage.text.lower().strip(".").split())
    assert len(shared) >= 2
    assert evidence[0].scores["bm25"] > 0
    assert not route.failures


@pytest.mark.parametrize("question", ASKED)
@pytest.mark.parametrize("passages", [1, 3, 8])
def test_evidence_is_numbered_from_1_and_falls_in_probability(panel: Panel, question: str, passages: int) -> None:
    route, evidence = panel.retrieve(question, Wishes(retrieval=True), passages)
    assert [e.number for e in evidence] == list(range(1, len(evidence) + 1))
    assert 1 <= len(evidence) <= passages
    assert [e.probability for e in evidence] == sorted((e.probability for e in evidence), reverse=True)
    assert {e.expert for e in evidence} <= set(route.experts)
    assert len(set(texts(evidence))) == len(evidence)
    assert all(0 <= e.probability <= 1 for e in evidence)


@given(st.lists(st.sampled_from(WORDS), min_size=1, max_size=6).map(" ".join))
@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_the_same_question_finds_the_same(panel: Panel, question: str) -> None:
    first = facts(panel.retrieve(question))
    assert facts(panel.retrieve(question)) == first
    assert facts(panel.retrieve_many([*ASKED, question])[-1]) == first


def test_many_questions_find_what_each_alone_finds(panel: Panel) -> None:
    together = panel.retrieve_many(ASKED)
    assert [facts(found) for found in together] == [facts(panel.retrieve(question)) for question in ASKED]
    assert panel.retrieve_many([]) == []


def test_several_threads_find_what_one_finds(panel: Panel) -> None:
    alone = [facts(panel.retrieve(question)) for question in ASKED]
    with ThreadPoolExecutor(4) as pool:
        assert [facts(found) for found in pool.map(panel.retrieve, ASKED * 3)] == alone * 3


def test_a_panel_that_was_closed_opens_and_finds_the_same(make_panel: MakePanel) -> None:
    first = make_panel("orchard", "engines", open_store=opener())
    before = [facts(first.retrieve(question)) for question in ASKED]
    first.close()
    again = make_panel(open_store=opener())
    assert [facts(again.retrieve(question)) for question in ASKED] == before
    assert [first.problems, again.problems] == [{}, {}]


def test_opening_encodes_nothing_a_second_time(make_panel: MakePanel) -> None:
    made = make_panel("orchard", "engines")
    assert made.router
    made.close()
    encoder = WordEncoder()
    panel = make_panel(encoder=encoder)
    panel.retrieve(QUESTIONS["orchard"])
    assert (encoder.passages, encoder.questions) == (0, 1)


def ranked(panel: Panel, wishes: Wishes | None = None) -> list[tuple[tuple[str, ...], list[tuple[str, float]]]]:
    """Experts asked and ranking of each question, scores to five places."""
    found = panel.rank_many(ASKED, 30, wishes)
    return [(route.experts, [(p.id, round(score, 5)) for p, score in listed]) for route, listed in found]


@pytest.mark.parametrize("newcomer", TOPICS)
def test_a_newcomer_leaves_the_others_order_among_all_experts(make_panel: MakePanel, newcomer: str) -> None:
    others = tuple(name for name in TOPICS if name != newcomer)
    panel = make_panel(*others)
    before = ranked(panel, Wishes(force=others))
    own = {p.id for p in make_passages(TOPICS[newcomer], title=newcomer.title())}
    fill(panel, newcomer)
    after = ranked(panel, Wishes(force=tuple(TOPICS)))
    assert all(own & {i for i, _ in listed} for _, listed in after)
    assert [[pair for pair in listed if pair[0] not in own] for _, listed in after] == [listed for _, listed in before]
    assert ranked(panel, Wishes(force=others)) == before
    panel.withdraw(newcomer)
    assert ranked(panel, Wishes(force=others)) == before


@pytest.mark.parametrize("newcomer", TOPICS)
def test_a_newcomer_changes_nothing_for_questions_that_are_not_for_it(make_panel: MakePanel, newcomer: str) -> None:
    panel = make_panel(*(name for name in TOPICS if name != newcomer))
    before = ranked(panel)
    fill(panel, newcomer)
    after = ranked(panel)
    same = [row for row, (experts, _) in enumerate(after) if experts and experts == before[row][0]]
    assert same
    assert [after[row] for row in same] == [before[row] for row in same]
    panel.withdraw(newcomer)
    assert ranked(panel) == before


def test_many_rankings_are_those_of_each_question_alone(panel: Panel) -> None:
    together = panel.rank_many(ASKED, 5)
    for question, (route, listed) in zip(ASKED, together, strict=True):
        ((alone, expected),) = panel.rank_many([question], 5)
        assert (route.experts, [p.id for p, _ in listed]) == (alone.experts, [p.id for p, _ in expected])
        assert [score for _, score in listed] == pytest.approx([score for _, score in expected], abs=1e-5)
    assert panel.rank_many([], 5) == []


@pytest.mark.parametrize("depth", [1, 8, 30])
def test_a_ranking_is_as_deep_as_asked_and_falls_in_score(panel: Panel, depth: int) -> None:
    for route, listed in panel.rank_many(ASKED[:3], depth, Wishes(force=tuple(TOPICS))):
        assert set(route.experts) == set(TOPICS)
        assert len(listed) == min(depth, 24)
        assert [score for _, score in listed] == sorted((score for _, score in listed), reverse=True)


@pytest.mark.parametrize("name", TOPICS)
def test_a_ranking_of_one_expert_is_what_its_search_gives(panel: Panel, name: str) -> None:
    searched = panel.search(name, ASKED, "calibrated", 8)
    for (_, listed), expected in zip(panel.rank_many(ASKED, 8, Wishes(force=(name,))), searched, strict=True):
        assert [p for p, _ in listed] == [p for p, _ in expected]
        assert [score for _, score in listed] == pytest.approx([score for _, score in expected], abs=1e-5)


def test_a_ranking_begins_with_the_evidence_and_drops_nothing(panel: Panel) -> None:
    for question in QUESTIONS.values():
        ((_, listed),) = panel.rank_many([question], 50)
        _, evidence = panel.retrieve(question, passages=24)
        assert [e.passage.id for e in evidence] == [p.id for p, _ in listed][: len(evidence)]
        assert len(listed) > len(evidence)


def test_for_a_ranking_a_question_is_encoded_once_and_not_taken_apart(make_panel: MakePanel) -> None:
    encoder = WordEncoder()
    panel = make_panel("orchard", "planets", encoder=encoder)
    assert panel.router
    encoded = encoder.questions
    question = "When do apple trees blossom, and what are the rings of Saturn made of?"
    ((route, listed),) = panel.rank_many([question], 5)
    assert encoder.questions == encoded + 1
    assert (route.decision, len(listed)) == ("retrieve", 5)


def test_a_question_that_needs_no_sources_has_an_empty_ranking(panel: Panel) -> None:
    (route, listed), (_, other) = panel.rank_many(["Thank you very much", QUESTIONS["orchard"]], 5)
    assert (route.decision, listed, len(other)) == ("skip", [], 5)
    with pytest.raises(InputError, match="no expert named 'fruit'"):
        panel.rank_many(ASKED, 5, Wishes(force=("fruit",)))


@pytest.mark.parametrize("others", [("engines",), ("engines", "planets"), ("planets", "engines")])
def test_other_experts_coming_and_going_leave_an_experts_rankings_alone(
    make_panel: MakePanel, others: tuple[str, ...]
) -> None:
    panel = make_panel("orchard")
    alone = found_by(panel, "orchard"), rankings(panel, "orchard")
    for other in others:
        fill(panel, other)
        assert (found_by(panel, "orchard"), rankings(panel, "orchard")) == alone
    for other in others:
        panel.withdraw(other)
        assert (found_by(panel, "orchard"), rankings(panel, "orchard")) == alone


def test_the_order_in_which_experts_came_is_no_matter(make_panel: MakePanel, tmp_path: Path) -> None:
    panels = [
        make_panel(*order, folder=tmp_path / "-".join(order), open_store=opener(":memory:"))
        for order in permutations(TOPICS)
    ]
    first, *others = [[facts(found) for found in panel.retrieve_many(ASKED)] for panel in panels]
    assert all(other == first for other in others)


def test_a_withdrawn_expert_is_gone_for_good(make_panel: MakePanel) -> None:
    panel = make_panel("orchard", "engines")
    panel.withdraw("engines")
    assert list(panel.experts) == ["orchard"]
    assert not (panel.folder / "engines").exists()
    assert panel.retrieve(QUESTIONS["engines"])[0].experts == ("orchard",)
    with pytest.raises(InputError, match="no expert named 'engines'"):
        panel.withdraw("engines")
    fill(panel, "engines")
    assert panel.retrieve(QUESTIONS["engines"])[1][0].expert == "engines"


def test_new_passages_are_found_at_once_and_given_again_change_nothing(make_panel: MakePanel) -> None:
    panel = make_panel("orchard", "engines")
    new = make_passages(["Walnut trees are shaken by machines."])
    fill(panel, "orchard", new)
    found = panel.retrieve("What are walnut trees shaken by?")
    assert found[1][0].passage == new[0]
    fill(panel, "orchard", new)
    assert facts(panel.retrieve("What are walnut trees shaken by?")) == facts(found)


@pytest.mark.parametrize("force", [("planets",), ("engines", "planets")])
def test_forced_experts_alone_give_evidence(panel: Panel, force: tuple[str, ...]) -> None:
    route, evidence = panel.retrieve(QUESTIONS["orchard"], Wishes(force=force))
    assert set(route.experts) == set(force)
    assert {e.expert for e in evidence} <= set(force)
    assert evidence


def test_forbidden_experts_give_none(panel: Panel) -> None:
    route, evidence = panel.retrieve(QUESTIONS["orchard"], Wishes(forbid=("orchard",)))
    assert "orchard" not in [share.expert for share in route.shares]
    assert route.experts
    assert "orchard" not in {e.expert for e in evidence}


@pytest.mark.parametrize("wishes", [Wishes(force=("fruit",)), Wishes(forbid=("fruit",))])
def test_wishes_for_unknown_experts_are_refused(panel: Panel, wishes: Wishes) -> None:
    with pytest.raises(InputError, match="no expert named 'fruit'") as caught:
        panel.retrieve(QUESTIONS["orchard"], wishes)
    assert "engines, orchard, planets" in caught.value.fix
    with pytest.raises(InputError, match="no expert named 'fruit'"):
        panel.search("fruit", ASKED, "dense", 5)


def test_without_retrieval_there_is_no_evidence(panel: Panel) -> None:
    route, evidence = panel.retrieve(QUESTIONS["orchard"], Wishes(retrieval=False))
    assert (route.decision, route.experts, evidence) == ("skip", (), ())


@pytest.mark.parametrize(
    ("question", "kind"), [("Thank you very much", "chitchat"), ("Who are you?", "about"), ("2+2", "arithmetic")]
)
def test_what_needs_no_sources_gets_none_unless_asked_for(panel: Panel, question: str, kind: str) -> None:
    route, evidence = panel.retrieve(question)
    assert (route.decision, route.kind, evidence) == ("skip", kind, ())
    route, evidence = panel.retrieve(question, Wishes(retrieval=True))
    assert (route.decision, route.kind) == ("retrieve", "domain")
    assert evidence


def test_equal_texts_come_once(make_panel: MakePanel) -> None:
    panel = make_panel("orchard", "engines")
    panel.retrieval = Retrieval(floor=0.0)
    fill(panel, "engines", make_passages(TOPICS["orchard"], title="Copy"))
    _, evidence = panel.retrieve(QUESTIONS["orchard"], Wishes(force=("orchard", "engines")), passages=16)
    assert {e.expert for e in evidence} == {"orchard", "engines"}
    assert len(set(texts(evidence))) == len(evidence)
    assert texts(evidence).count(TOPICS["orchard"][0]) == 1
    assert [e.number for e in evidence] == list(range(1, len(evidence) + 1))


def test_two_questions_in_one_get_evidence_for_both(panel: Panel) -> None:
    question = "When do apple trees blossom, and what are the rings of Saturn made of?"
    route, evidence = panel.retrieve(question, passages=4)
    assert set(route.experts) >= {"orchard", "planets"}
    assert [(e.expert, e.part) for e in evidence[:2]] == [("orchard", 1), ("planets", 2)]
    assert [e.number for e in evidence] == list(range(1, len(evidence) + 1))
    assert route.null + sum(share.probability for share in route.shares) == pytest.approx(1)
    talk, only = panel.retrieve("How are you doing today? What are the rings of Saturn made of?")
    assert talk.decision == "retrieve"
    assert {(e.expert, e.part) for e in only} == {("planets", 2)}


def test_words_that_no_expert_knows_are_named(panel: Panel) -> None:
    everyone = Wishes(force=tuple(TOPICS))
    assert panel.retrieve("How does a Zorblax turn the crankshaft of Saturn?", everyone)[0].unknown == ("Zorblax",)
    assert panel.retrieve("How does a crankshaft turn on Saturn?", everyone)[0].unknown == ()
    assert panel.retrieve("How does a crankshaft turn?", Wishes(force=("orchard",)))[0].unknown == (
        "crankshaft",
        "turn",
    )


def test_a_floor_drops_the_improbable_but_keeps_the_best(panel: Panel, monkeypatch: pytest.MonkeyPatch) -> None:
    orchard = Wishes(force=("orchard",))
    monkeypatch.setattr(panel, "retrieval", Retrieval(passages=8, floor=0.0))
    everything = texts(panel.retrieve(QUESTIONS["orchard"], orchard)[1])
    assert len(everything) == 8
    monkeypatch.setattr(panel, "retrieval", Retrieval(passages=8, floor=1.0))
    assert texts(panel.retrieve(QUESTIONS["orchard"], orchard)[1]) == everything[:1]


def test_no_passages_is_a_number_of_passages(panel: Panel) -> None:
    route, evidence = panel.retrieve(QUESTIONS["orchard"], passages=0)
    assert (route.decision, evidence) == ("retrieve", ())


@pytest.mark.parametrize(
    ("breakage", "problem"),
    [
        ("encoder", r"built with encoder words \(revision words-2"),
        ("manifest", "manifest of the slice at .* is damaged"),
        ("shard", "could not be read or written"),
        ("locked", "is in use by"),
        ("empty", "is empty"),
    ],
)
def test_a_broken_slice_is_reported_and_the_others_answer(make_panel: MakePanel, breakage: str, problem: str) -> None:
    panel = make_panel("orchard", "engines", open_store=opener())
    alone = found_by(panel, "orchard")
    panel.close()
    lock = FileLock(panel.folder / "engines" / SHARD / LOCK, is_singleton=False)
    broken_by(breakage, panel.folder / "engines", lock)
    route, _ = panel.retrieve(QUESTIONS["engines"])
    assert list(panel.experts) == ["orchard"]
    assert_reported(panel, route, problem)
    assert found_by(panel, "orchard") == alone
    with pytest.raises(SliceError, match="Expert 'engines' cannot be asked"):
        panel.retrieve(QUESTIONS["engines"], Wishes(force=("engines",)))
    assert panel.retrieve(QUESTIONS["orchard"], Wishes(forbid=("engines",)))[1]
    lock.release()
    panel.withdraw("engines")
    assert panel.problems == {}
    fill(panel, "engines")
    assert panel.retrieve(QUESTIONS["engines"])[0].failures == {}
    assert panel.retrieve(QUESTIONS["engines"])[1][0].expert == "engines"


def test_a_slice_that_was_mended_is_no_problem_after_reopening(make_panel: MakePanel) -> None:
    panel = make_panel("orchard", "engines")
    panel.close()
    manifest = panel.folder / "engines" / MANIFEST
    content = manifest.read_bytes()
    manifest.write_bytes(b"{")
    panel.open()
    assert list(panel.problems) == ["engines"]
    panel.close()
    manifest.write_bytes(content)
    assert panel.retrieve(QUESTIONS["engines"])[0].failures == {}


def test_damaged_pilots_do_not_keep_the_panel_from_opening(make_panel: MakePanel) -> None:
    panel = make_panel("orchard", "engines")
    panel.close()
    (panel.folder / "engines" / "expert.npz").write_bytes(b"PK\x03\x04")
    assert panel.retrieve(QUESTIONS["orchard"])[1][0].expert == "orchard"


def test_an_expert_that_breaks_while_it_is_asked_is_reported_and_the_others_answer(
    make_panel: MakePanel, monkeypatch: pytest.MonkeyPatch
) -> None:
    panel = make_panel("orchard", "engines")
    both = Wishes(force=("orchard", "engines"))
    break_store(panel.experts["engines"], "candidates", monkeypatch)
    route, evidence = panel.retrieve(QUESTIONS["orchard"], both)
    assert set(route.experts) == {"orchard", "engines"}
    assert route.failures == {"engines": "The store is broken.\nMend it."}
    assert {e.expert for e in evidence} == {"orchard"}
    monkeypatch.undo()
    assert panel.retrieve(QUESTIONS["orchard"], both)[0].failures == {}


def test_an_expert_that_breaks_when_its_texts_are_fetched_is_reported_and_the_others_answer(
    make_panel: MakePanel, monkeypatch: pytest.MonkeyPatch
) -> None:
    panel = make_panel("orchard", "engines")
    break_store(panel.experts["engines"], "fetch", monkeypatch)
    route, evidence = panel.retrieve(QUESTIONS["orchard"], Wishes(force=("orchard", "engines")), passages=16)
    assert list(route.failures) == ["engines"]
    assert {e.expert for e in evidence} == {"orchard"}


def test_a_panel_without_experts_says_how_to_make_one(make_panel: MakePanel) -> None:
    panel = make_panel()
    with pytest.raises(SliceError, match="There are no experts") as caught:
        panel.retrieve(QUESTIONS["orchard"])
    assert "symposia add" in caught.value.fix
    assert panel.retrieve("Thank you very much")[0].decision == "skip"


def test_a_panel_of_broken_experts_says_what_is_wrong_with_each(make_panel: MakePanel) -> None:
    panel = make_panel("orchard", "engines")
    panel.close()
    for name in ("orchard", "engines"):
        (panel.folder / name / MANIFEST).write_bytes(b"{")
    with pytest.raises(SliceError, match="No expert can be asked") as caught:
        panel.retrieve(QUESTIONS["orchard"])
    assert "orchard: The manifest" in caught.value.problem
    assert "engines: The manifest" in caught.value.problem


def test_an_offline_ranking_goes_as_deep_as_asked(panel: Panel) -> None:
    question = QUESTIONS["planets"]
    for fusion in get_args(Fusion):
        (deep,) = panel.search("planets", [question], fusion, 8)
        (short,) = panel.search("planets", [question], fusion, 3)
        assert len({passage.id for passage, _ in deep}) == len(deep) == 8
        assert len(short) == 3
        scores = [score for _, score in deep]
        assert scores == sorted(scores, reverse=True)
        assert deep[0][0].text == "The rings of Saturn are made of ice and dust."


def broken_by(breakage: str, folder: Path, lock: FileLock) -> None:
    if breakage == "encoder":
        (folder / MANIFEST).write_text((folder / MANIFEST).read_text().replace("words-1", "words-2"))
    elif breakage == "manifest":
        (folder / MANIFEST).write_bytes(b"{")
    elif breakage == "shard":
        (folder / SHARD / "edge_config.json").write_bytes(b"{")
    elif breakage == "locked":
        lock.acquire()
    else:
        store = opener()("engines", folder, 64)
        store.delete([i for ids, _ in store.scan() for i in ids])
        store.close()


def assert_reported(panel: Panel, route: Route, problem: str) -> None:
    assert list(panel.problems) == list(route.failures) == ["engines"]
    assert re.search(problem, panel.problems["engines"])
    assert panel.problems["engines"] == route.failures["engines"]
    assert "\n" in panel.problems["engines"]  # the problem, and what to do about it


def test_a_reranker_reorders_the_evidence_and_leaves_its_probabilities(
    panel: Panel, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Shortest:
        def scores(self, _question: str, texts: Sequence[str]) -> np.ndarray:
            return np.array([-len(text) for text in texts], dtype=np.float32)

    question = QUESTIONS["orchard"]
    monkeypatch.setattr(panel, "retrieval", Retrieval(floor=0.0))
    _, before = panel.retrieve(question, passages=8)
    monkeypatch.setattr(panel, "reranker", Shortest())
    _, after = panel.retrieve(question, passages=8)
    assert {e.passage.id: e.probability for e in after} == {e.passage.id: e.probability for e in before}
    lengths = [len(e.passage.searchable) for e in after]
    assert lengths == sorted(lengths)
    assert [e.passage.id for e in after] != [e.passage.id for e in before]
    assert [e.number for e in after] == list(range(1, len(after) + 1))
