from __future__ import annotations

import numpy as np

from indexes.encoders.base import unit
from retrievers.training.folds import crossed, held_out, judges, single

VECTORS = unit(np.random.default_rng(0).standard_normal((103, 8)))


def test_each_question_judges_once_and_trains_in_the_other_folds() -> None:
    folds = crossed(VECTORS, seed=0)
    assert len(folds) == 5
    assert sorted(judges(folds)) == list(range(103))
    for fold in folds:
        assert not set(fold.train) & set(fold.dev)
        assert len(fold.train) + len(fold.dev) + fold.near == 103


def test_no_training_question_nearly_repeats_a_judging_one() -> None:
    twins = np.concatenate([VECTORS, VECTORS])
    for fold in (*crossed(twins, seed=0), *held_out(twins, seed=0)):
        assert (twins[fold.train] @ twins[fold.dev].T).max() <= 0.9
        assert fold.near > 0


def test_given_judges_are_taken_as_they_are() -> None:
    mask = np.arange(103) >= 100
    [fold] = single(VECTORS, mask)
    assert fold.dev.tolist() == [100, 101, 102]
    assert set(fold.train) <= set(range(100))


def test_the_seed_decides_who_judges() -> None:
    first, again, other = (held_out(VECTORS, seed)[0].dev.tolist() for seed in (0, 0, 1))
    assert first == again != other
