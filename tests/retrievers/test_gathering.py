from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
import pytest

from indexes.adapters.base import Identity
from indexes.encoders.base import Vectors
from retrievers.calibration import Background
from retrievers.fusion import fuse, ranking
from retrievers.gathering import Asked, Gathered, Hit, Listing, Retrieval, ask, evidence, gather, listing, search
from retrievers.panel import Panel
from tests.fakes import DIMENSION, QUESTIONS
from tests.retrievers.conftest import break_store

QUESTION = QUESTIONS["orchard"]
NOTHING = Gathered((), (), {})


def gathered(panel: Panel, *names: str, question: str = QUESTION, passages: int = 4) -> Gathered:
    vector = panel.encoder.encode_questions([question])[0]
    asked = Asked(question, vector, dict.fromkeys(names, 1.0))
    return gather([asked], panel.experts, Retrieval(passages=passages))[0]


def test_hits_of_all_experts_fall_in_probability_with_ties_by_id(panel: Panel) -> None:
    found = gathered(panel, "orchard", "engines", "planets")
    assert list(found.hits) == sorted(found.hits, key=lambda hit: (-hit.score, hit.passage.id))
    assert {hit.expert for hit in found.hits} == {"orchard", "engines", "planets"}
    again = gathered(panel, "planets", "orchard", "engines")
    assert [hit.passage.id for hit in again.hits] == [hit.passage.id for hit in found.hits]
    assert all(set(hit.scores) == {"dense", "bm25", "coverage"} for hit in found.hits)


def test_each_expert_gives_enough_for_all_passages_to_be_its_own_though_half_repeat(panel: Panel) -> None:
    assert len(gathered(panel, "orchard", passages=3).hits) == 6
    assert len(gathered(panel, "orchard", passages=100).hits) == 8


def test_nobody_asked_is_nothing_found(panel: Panel) -> None:
    assert gathered(panel) == NOTHING
    assert evidence([], Retrieval()) == ()
    assert evidence([NOTHING, NOTHING], Retrieval()) == ()


def test_a_word_is_unknown_where_no_expert_asked_holds_it(panel: Panel) -> None:
    question = "Does the crankshaft of Saturn zorblax an apple?"
    assert gathered(panel, "orchard", question=question).unknown == ("crankshaft", "Saturn", "zorblax")
    assert gathered(panel, "orchard", "engines", question=question).unknown == ("Saturn", "zorblax")
    assert gathered(panel, "orchard", "engines", "planets", question=question).unknown == ("zorblax",)


def test_a_word_of_an_experts_description_is_known(panel: Panel, monkeypatch: pytest.MonkeyPatch) -> None:
    expert = panel.experts["orchard"]
    described = replace(expert.slice.manifest, description="From the Zorblax Almanac.")
    monkeypatch.setattr(expert.slice, "manifest", described)
    assert gathered(panel, "orchard", question="The Zorblax Almanac on plums and tractors?").unknown == ("tractors",)


def test_a_broken_expert_says_nothing_about_unknown_words(panel: Panel, monkeypatch: pytest.MonkeyPatch) -> None:
    break_store(panel.experts["engines"], "candidates", monkeypatch)
    found = gathered(panel, "orchard", "engines", question="Does a crankshaft turn apples?")
    assert list(found.failures) == ["engines"]
    assert found.unknown == ("crankshaft", "turn")
    assert {hit.expert for hit in found.hits} == {"orchard"}


def test_the_parts_of_a_question_take_turns(panel: Panel) -> None:
    one, other = gathered(panel, "orchard"), gathered(panel, "planets", question=QUESTIONS["planets"])
    chosen = evidence([one, NOTHING, other], Retrieval(passages=4, floor=0.0))
    assert [e.expert for e in chosen] == ["orchard", "planets"] * 2
    assert [e.passage.id for e in chosen[::2]] == [hit.passage.id for hit in one.hits[:2]]
    assert [(e.number, e.part) for e in chosen] == [(1, 1), (2, 3), (3, 1), (4, 3)]


def test_a_short_part_leaves_its_turns_to_the_others(panel: Panel) -> None:
    one, other = gathered(panel, "orchard"), gathered(panel, "planets")
    chosen = evidence([replace(one, hits=one.hits[:1]), other], Retrieval(passages=4, floor=0.0))
    assert [e.expert for e in chosen] == ["orchard", "planets", "planets", "planets"]


def test_a_probability_of_zero_is_a_probability(panel: Panel) -> None:
    hit: Hit = replace(gathered(panel, "orchard").hits[0], probability=0.0)
    (chosen,) = evidence([Gathered((hit,), (), {})], Retrieval())
    assert (chosen.number, chosen.probability) == (1, 0.0)


def test_certain_hits_keep_the_order_of_their_scores(panel: Panel) -> None:
    expert = replace(panel.experts["orchard"], background=Background(0.0, 0.001))
    vector = panel.encoder.encode_questions([QUESTION])[0]
    candidates = expert.slice.search(QUESTION, vector, 8)
    expected = ranking(candidates, fuse(candidates, expert.background, "calibrated"), 8)
    (found,) = gather([Asked(QUESTION, vector, {"orchard": 1.0})], {"orchard": expert}, Retrieval(passages=4))
    assert np.isfinite([score for _, score in expected]).all()
    assert [hit.passage.id for hit in found.hits] == [i for i, _ in expected]


class Spy(Identity):
    """Notes the texts of each call."""

    def __init__(self) -> None:
        self.calls: list[list[str]] = []

    def questions(self, texts: Sequence[str], vectors: Vectors) -> Vectors:
        assert vectors.shape == (len(texts), DIMENSION)
        self.calls.append(list(texts))
        return vectors


def asked(panel: Panel, *shares: Mapping[str, float]) -> list[Asked]:
    """One question for each mapping of experts to shares."""
    texts = [list(QUESTIONS.values())[row % 3] for row in range(len(shares))]
    vectors = panel.encoder.encode_questions(texts)
    return [Asked(*each) for each in zip(texts, vectors, shares, strict=True)]


def ids(found: Listing) -> list[str]:
    return [i for i, _ in found.order]


def test_an_adapter_is_called_once_for_all_questions_of_its_expert(panel: Panel) -> None:
    spies = {name: Spy() for name in panel.experts}
    experts = {name: replace(expert, adapter=spies[name]) for name, expert in panel.experts.items()}
    questions = asked(panel, {"orchard": 1.0}, {"orchard": 0.5, "engines": 0.5}, {}, {"orchard": 1.0})
    found = search(questions, experts, Retrieval(depth=4))
    assert spies["orchard"].calls == [[questions[0].text, questions[1].text, questions[3].text]]
    assert (spies["engines"].calls, spies["planets"].calls) == ([[questions[1].text]], [])
    assert [[reply.expert.name for reply in one.replies] for one in found] == [
        ["orchard"],
        ["engines", "orchard"],
        [],
        ["orchard"],
    ]
    assert found[2].order == []


def test_many_questions_are_searched_as_each_alone(panel: Panel) -> None:
    questions = asked(panel, {"orchard": 1.0}, {"orchard": 0.6, "engines": 0.4}, {"planets": 1.0})
    together = search(questions, panel.experts, Retrieval(depth=4))
    alone = [search([question], panel.experts, Retrieval(depth=4))[0] for question in questions]
    assert list(map(ids, together)) == list(map(ids, alone))


def test_the_question_is_searched_as_the_adapter_turns_it(panel: Panel) -> None:
    class Turned(Identity):
        def questions(self, texts: Sequence[str], vectors: Vectors) -> Vectors:
            return -vectors

    expert = replace(panel.experts["orchard"], adapter=Turned())
    ((plain,), (turned,)) = (ask(one, asked(panel, {"orchard": 1.0}), 8) for one in (panel.experts["orchard"], expert))
    np.testing.assert_allclose(turned.candidates.dense, -plain.candidates.dense, atol=1e-5)
    np.testing.assert_allclose(turned.candidates.bm25, plain.candidates.bm25, atol=1e-5)


def test_a_broken_expert_costs_the_questions_that_asked_it_its_hits_alone(
    panel: Panel, monkeypatch: pytest.MonkeyPatch
) -> None:
    questions = asked(panel, {"orchard": 0.5, "engines": 0.5}, {"orchard": 1.0}, {"engines": 1.0})
    break_store(panel.experts["engines"], "candidates", monkeypatch)
    both, well, broken = search(questions, panel.experts, Retrieval())
    assert [list(one.failures) for one in (both, well, broken)] == [["engines"], [], ["engines"]]
    assert "The store is broken." in both.failures["engines"]
    assert {both.sources[i][0].expert.name for i in ids(both)} == {"orchard"}
    assert (len(ids(well)), ids(broken)) == (8, [])


def test_a_listing_weighs_an_expert_by_its_share(panel: Panel) -> None:
    def order(orchard: float, engines: float, **options: float) -> list[str]:
        (question,) = asked(panel, {"orchard": orchard, "engines": engines})
        return ids(search([question], panel.experts, Retrieval(**options))[0])  # type: ignore[arg-type]

    engines = set(ids(search(asked(panel, {"engines": 1.0}), panel.experts, Retrieval())[0]))
    assert set(order(1e-9, 1.0)[:8]) == engines
    assert not set(order(1.0, 1e-9)[:8]) & engines
    assert order(1e-9, 1.0, prior=0.0) == order(1.0, 1e-9, prior=0.0)


def test_a_passage_of_two_slices_is_shown_as_that_of_the_expert_who_is_surer(panel: Panel) -> None:
    first, second = (replace(panel.experts["orchard"], background=Background(c, 0.1)) for c in (0.5, 0.1))
    (question,) = asked(panel, {"orchard": 1.0})
    replies = [ask(expert, [question], 8)[0] for expert in (first, second)]
    for given in (replies, replies[::-1]):
        found = listing(question, given, {"x": "broken"}, Retrieval())
        assert len(ids(found)) == 8
        assert all(found.sources[i][0].expert is second for i in ids(found))
        assert [p.id for p in found.passages(3)] == ids(found)[:3]
        assert found.failures == {"x": "broken"}


def test_merging_in_the_base_space_ranks_by_the_encoders_own_cosines(panel: Panel) -> None:
    class Turned(Identity):
        def questions(self, texts: Sequence[str], vectors: Vectors) -> Vectors:
            return -vectors

    experts = {name: replace(expert, adapter=Turned()) for name, expert in panel.experts.items()}
    (question,) = asked(panel, dict.fromkeys(experts, 1.0))
    (found,) = search([question], experts, Retrieval(merging="base"))
    cosines = {
        i: float(vector @ question.vector)
        for expert in experts.values()
        for rows, vectors in expert.slice.base_vectors()
        for i, vector in zip(rows, vectors, strict=True)
    }
    assert dict(found.order) == pytest.approx(cosines, abs=1e-5)
    assert [score for _, score in found.order] == sorted((score for _, score in found.order), reverse=True)
