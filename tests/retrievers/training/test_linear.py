from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from indexes.adapters.linear import Linear
from retrievers.training import linear
from retrievers.training.linear import Maps, Options, project, train_linear
from retrievers.training.measure import ndcg
from retrievers.training.state import Part
from tests.retrievers.training.conftest import DIMENSION, world

OPTIONS = Options(rate=0.01, rounds=20, batch=32)
PASSAGES, TRAIN = world(200, seed=1)
_, DEV = world(40, seed=2)


def same(one: Maps, other: Maps) -> bool:
    """Whether two trainings ended alike; sums depend in their last bits on where arrays lie in memory."""
    maps = [(one.question, other.question), (one.passage, other.passage)]
    close = [a is None if b is None else a is not None and np.allclose(a, b, atol=1e-4) for a, b in maps]
    return all(close) and np.allclose(one.values, other.values, atol=0.02)


@pytest.mark.parametrize("two_sided", [False, True])
def test_a_turn_of_the_questions_is_learnt(two_sided: bool) -> None:
    maps = train_linear(TRAIN, PASSAGES, DEV, OPTIONS, two_sided=two_sided)
    _, new = world(40, seed=3)
    before = ndcg(new.vectors, PASSAGES, new.relevant).mean()
    after = ndcg(project(new.vectors, maps.question), project(PASSAGES, maps.passage), new.relevant).mean()
    assert after > before + 0.1
    assert (maps.passage is not None) == two_sided


def test_the_best_round_is_given_and_its_value_is_that_of_its_map() -> None:
    maps = train_linear(TRAIN, PASSAGES, DEV, OPTIONS)
    assert maps.values[0] == pytest.approx(ndcg(DEV.vectors, PASSAGES, DEV.relevant).mean())
    best = ndcg(project(DEV.vectors, maps.question), PASSAGES, DEV.relevant).mean()
    assert max(maps.values) == maps.values[maps.best] == pytest.approx(best)


def test_the_adapter_does_what_training_measured() -> None:
    maps = train_linear(TRAIN, PASSAGES, DEV, OPTIONS)
    adapted = Linear(maps.question).questions([], DEV.vectors)
    assert adapted == pytest.approx(project(DEV.vectors, maps.question), abs=1e-6)


def test_where_nothing_can_be_gained_the_map_stays_zero() -> None:
    passages, perfect = world(40, turn=0.0, noise=0.0)
    maps = train_linear(perfect, passages, perfect, Options(rounds=5))
    assert (maps.best, maps.values[0]) == (0, 1.0)
    assert not maps.question.any()


def test_training_ends_when_patience_does() -> None:
    passages, perfect = world(40, turn=0.0, noise=0.0)
    seen: list[int] = []
    train_linear(
        perfect, passages, perfect, Options(rounds=9, patience=3), on_progress=lambda done, _: seen.append(done)
    )
    assert seen == [1, 2, 3]


def test_higher_grades_pull_harder() -> None:
    passages, train = world(60)
    both = [{**rows, (next(iter(rows)) + 1) % len(passages): 9.0} for rows in train.relevant]
    graded = type(train)(train.vectors, both)
    maps = train_linear(graded, passages, graded, Options(rate=0.01, rounds=10, batch=32))
    moved = project(train.vectors, maps.question)
    first = np.array([next(iter(rows)) for rows in train.relevant])
    light = np.einsum("nd,nd->n", moved - train.vectors, passages[first]).mean()
    heavy = np.einsum("nd,nd->n", moved - train.vectors, passages[(first + 1) % len(passages)]).mean()
    assert heavy > light


@pytest.mark.parametrize("two_sided", [False, True])
@pytest.mark.parametrize("after", [1, 4])
def test_an_interrupted_training_ends_as_an_uninterrupted_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, after: int, two_sided: bool
) -> None:
    monkeypatch.setattr(linear, "PAUSE", 0.0)

    def stop(done: int, _total: int) -> None:
        if done == after:
            raise KeyboardInterrupt

    whole = train_linear(TRAIN, PASSAGES, DEV, OPTIONS, two_sided=two_sided)
    part = Part(tmp_path / "linear.npz")
    with pytest.raises(KeyboardInterrupt):
        train_linear(TRAIN, PASSAGES, DEV, OPTIONS, two_sided=two_sided, on_progress=stop, part=part)
    rounds: list[int] = []
    resumed = train_linear(
        TRAIN,
        PASSAGES,
        DEV,
        OPTIONS,
        two_sided=two_sided,
        on_progress=lambda done, _: rounds.append(done),
        part=part,
    )
    assert rounds[0] == after + 1
    assert same(resumed, whole)
    assert same(train_linear(TRAIN, PASSAGES, DEV, OPTIONS, two_sided=two_sided, part=part), whole)


def test_without_a_residual_nothing_is_projected() -> None:
    assert project(PASSAGES, None) is PASSAGES
    assert project(PASSAGES, np.zeros((DIMENSION, DIMENSION), np.float32)) == pytest.approx(PASSAGES, abs=1e-6)
