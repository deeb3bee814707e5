from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from retrievers.calibration import Background
from retrievers.fusion import fuse, ranking
from retrievers.gathering import Asked, Gathered, Hit, Retrieval, evidence, gather
from retrievers.panel import Panel
from tests.fakes import QUESTIONS
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
