from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from app.bench.retrieval.arms import PoolArm, RoutedArm, Work, best_expert, ndcg, routed
from app.bench.retrieval.pool import pooled
from app.bench.retrieval.sets import Questions
from indexes.adapters.linear import Linear
from indexes.store.open import opener
from retrievers.evidence import Route, Share
from retrievers.panel import Panel
from retrievers.router import ScoredRouter, Wishes
from retrievers.scorers import Everyone, Oracle
from tests.fakes import QUESTIONS, TOPICS, WordEncoder
from tests.retrievers.conftest import fill

TEXTS = ("apple trees", "engine oil", "small talk about moons of Saturn")


@pytest.fixture(scope="module")
def panel(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Panel]:
    panel = Panel(tmp_path_factory.mktemp("slices"), WordEncoder(), opener())
    for name in TOPICS:
        fill(panel, name)
    yield panel
    panel.close()


def passage_id(panel: Panel, name: str, text: str) -> str:
    slice_ = panel.experts[name].slice
    found = [p for ids, _ in slice_.store.scan() for p in slice_.passages(ids)]
    return next(passage.id for passage in found if passage.text == text)


def questions(*texts: str) -> Questions:
    return Questions("orchard", tuple(f"q{n}" for n in range(len(texts))), texts, tuple({"x": 1} for _ in texts))


def router(panel: Panel, **options: object) -> ScoredRouter:
    assert isinstance(panel.router, ScoredRouter)
    return replace(panel.router, skip=2.0, **options)  # type: ignore[arg-type]


def test_a_question_without_results_scores_nothing_and_counts() -> None:
    judged = Questions("e", ("a", "b", "c"), ("", "", ""), ({"p": 1}, {"p": 1}, {"missing k": 1, "p": 1}))
    found = ndcg(judged, [[("p", 1.0)], [], [("p", 1.0)]])
    ideal = 1 + 1 / np.log2(3)
    assert found.tolist() == pytest.approx([1.0, 0.0, 1 / ideal])


def test_rankings_beyond_ten_do_not_count_and_grades_do() -> None:
    late = [(f"n{i}", 20.0 - i) for i in range(10)] + [("p", 1.0)]
    judged = Questions("e", ("a", "b"), ("", ""), ({"p": 1}, {"p": 2, "r": 1}))
    worse = (1 + 2 / np.log2(3)) / (2 + 1 / np.log2(3))
    assert ndcg(judged, [late, [("r", 2.0), ("p", 1.0)]]).tolist() == pytest.approx([0.0, worse])


def test_the_right_expert_is_the_set_s_and_probabilities_are_made_to_sum_to_one() -> None:
    shares = (Share("engines", 0.3, True), Share("orchard", 0.1, False))
    route = Route("retrieve", "domain", shares, 0.6, "")
    skipped = Route("skip", "chitchat", (), 1.0, "")
    one, two = routed(questions("a", "b", "c"), [([], route), ([], None), ([], skipped)])
    assert (one.question, one.right, one.asked) == ("orchard/q0", frozenset({"orchard"}), ("engines",))
    assert one.probabilities == pytest.approx({"engines": 0.75, "orchard": 0.25})
    assert (two.question, two.asked, two.probabilities) == ("orchard/q2", (), {})


def test_the_oracle_takes_for_each_question_the_expert_whose_list_scores_best(panel: Panel) -> None:
    texts = tuple(QUESTIONS.values())
    best = [passage_id(panel, "orchard", TOPICS["orchard"][0]), passage_id(panel, "engines", TOPICS["engines"][4])]
    asked = replace(questions(*texts), relevant=({best[0]: 1}, {best[1]: 1}, {"nowhere": 1}))
    work = Work.of(asked, panel.encoder.encode_questions(texts), panel.experts)
    found = best_expert(work, TOPICS)
    assert [ranking[0][0] for ranking, _ in found[:2]] == best
    assert {i for i, _ in found[2][0]} <= {i for ids, _ in panel.experts["engines"].slice.store.scan() for i in ids}
    for expert in TOPICS:
        alone = RoutedArm(
            router(panel, scorer=Oracle(dict.fromkeys(texts, expert)), most=1), panel.experts, panel.retrieval
        )
        rankings = [ranking for ranking, _ in alone.answers(work)]
        assert (ndcg(asked, [ranking for ranking, _ in found]) >= ndcg(asked, rankings)).all()


def test_one_question_from_the_start_is_answered_as_among_many(panel: Panel, tmp_path: Path) -> None:
    vectors = panel.encoder.encode_questions(TEXTS)
    work = Work.of(questions(*TEXTS), vectors, panel.experts)
    everyone = RoutedArm(router(panel, scorer=Everyone(), mass=1.0), panel.experts, panel.retrieval)
    slice_ = pooled(panel, list(TOPICS), tmp_path / "pool", lambda *_: None)
    pool = PoolArm(slice_, {"dense": "dense", "rrf": ("rrf", 0.5)})
    rankings = pool.rankings(work)
    for row, (text, vector) in enumerate(zip(TEXTS, vectors, strict=True)):
        ranking, route = everyone.one(text, vector)
        assert (ranking, route) == everyone.answers(work)[row]
        assert route is not None
        assert sorted(route.experts) == sorted(TOPICS)
        assert [pool.one(name, text, vector) for name in pool.fusions] == [rankings[name][row] for name in pool.fusions]
    slice_.close()


def test_what_experts_reply_is_merged_as_the_panel_merges_it(panel: Panel) -> None:
    """``rank_many`` is the panel's own way from a question to a ranking."""
    work = Work.of(questions(*TEXTS), panel.encoder.encode_questions(TEXTS), panel.experts)
    assert isinstance(panel.router, ScoredRouter)
    ours = RoutedArm(panel.router, panel.experts, panel.retrieval).answers(work)
    for (ranking, route), (taken, ranked) in zip(ours, panel.rank_many(TEXTS, 100, Wishes()), strict=True):
        assert route is not None
        assert route.experts == taken.experts
        assert [i for i, _ in ranking] == [passage.id for passage, _ in ranked]


def test_an_adapter_moves_the_pool_s_questions(panel: Panel, tmp_path: Path) -> None:
    vectors = panel.encoder.encode_questions(TEXTS)
    work = Work(questions(*TEXTS), vectors)
    slice_ = pooled(panel, list(TOPICS), tmp_path / "pool", lambda *_: None)
    turn = np.random.default_rng(0).standard_normal((64, 64)).astype(np.float32)
    plain = PoolArm(slice_, {"x": "dense"}).rankings(work)["x"]
    moved = PoolArm(slice_, {"x": "dense"}, Linear(turn)).rankings(work)["x"]
    asked = Linear(turn).questions(TEXTS, vectors)
    for row, (ranking, _) in enumerate(moved):
        nearest = {
            i: float(v @ asked[row]) for ids, rows in slice_.store.scan() for i, v in zip(ids, rows, strict=True)
        }
        assert ranking[0][0] == max(nearest, key=lambda i: nearest[i])
        assert [i for i, _ in ranking] != [i for i, _ in plain[row][0]]
    slice_.close()
