from __future__ import annotations

import numpy as np
import pytest

from evaluation.abstention import AURC, AUROC, COVERED, MEASURES, REFUSED, abstention_table, auroc, curve
from indexes.errors import InputError

SCORES = [0.9, 0.8, 0.7, 0.6, 0.5]
RIGHT = [True, True, False, True, False]


def values(scores: list[float], right: list[bool]) -> dict[str, float]:
    table = abstention_table("t", right, {"one": scores}, resamples=10)
    return {measure: table.rows[0].values[measure].value for measure in MEASURES}


def test_the_measures_by_hand() -> None:
    found = values(SCORES, RIGHT)
    assert found[AUROC] == pytest.approx(5 / 6)  # of the 6 pairs, only (0.6, 0.7) stands the wrong way
    assert found[AURC] == pytest.approx((0 + 0 + 1 / 3 + 1 / 4 + 2 / 5) / 5)
    assert found[REFUSED] == 0.5  # the last can be refused without touching the answerable
    assert found[COVERED] == pytest.approx(2 / 5)


def test_the_curve_goes_from_the_surest_to_all() -> None:
    found = curve(SCORES, RIGHT)
    assert found.thresholds.tolist() == SCORES
    assert found.coverage.tolist() == pytest.approx([0.2, 0.4, 0.6, 0.8, 1.0])
    assert found.risk.tolist() == pytest.approx([0, 0, 1 / 3, 1 / 4, 2 / 5])
    assert set(found.to_dict()) == {"thresholds", "coverage", "risk"}


def test_equal_scores_are_answered_or_refused_together() -> None:
    found = curve([1.0, 0.0, 0.0, 0.0], [True, True, False, False])
    assert found.coverage.tolist() == [0.25, 1.0]
    assert found.risk.tolist() == [0.0, 0.5]
    measures = values([1.0, 0.0, 0.0, 0.0], [True, True, False, False])
    assert measures[AUROC] == 0.75
    assert measures[REFUSED] == 0.0  # refusing the three would refuse half of the answerable


def test_order_alone_counts_and_auroc_equals_scikit_learns() -> None:
    from sklearn.metrics import roc_auc_score

    generator = np.random.default_rng(1)
    right = generator.random(80) < 0.6
    scores = np.round(generator.normal(size=80) + right, 1)  # with ties
    assert auroc(scores, right) == pytest.approx(roc_auc_score(right, scores))
    assert values((scores * 3 + 7).tolist(), right.tolist()) == pytest.approx(values(scores.tolist(), right.tolist()))


def test_a_perfect_score_is_perfect_and_its_reverse_is_the_worst() -> None:
    right = [True] * 5 + [False] * 5
    good = values([float(flag) for flag in right], right)
    bad = values([-float(flag) for flag in right], right)
    assert (good[AUROC], good[REFUSED], good[COVERED]) == (1.0, 1.0, 0.5)
    assert (bad[AUROC], bad[REFUSED], bad[COVERED]) == (0.0, 0.0, 0.0)


def test_systems_are_resampled_alike_so_that_a_copy_differs_by_nothing() -> None:
    generator = np.random.default_rng(0)
    right = generator.random(60) < 0.5
    scores = generator.normal(size=60) + right
    table = abstention_table("t", right, {"one": scores, "copy": 2 * scores, "other": -scores}, resamples=200, seed=3)
    assert not table.rows[0].difference
    difference = table.row("copy").difference[AUROC]
    assert difference.signed == "0.000 [–, –]"  # no resample differs, so there is no interval
    assert table.row("other").difference[AUROC].high < 0
    interval = table.rows[0].values[AUROC]
    assert interval.low < interval.value < interval.high
    again = abstention_table("t", right, {"one": scores}, resamples=200, seed=3)
    assert again.rows[0].values == table.rows[0].values


def test_the_notes_say_how_many_of_each_kind_there_are() -> None:
    table = abstention_table("t", RIGHT, {"one": SCORES}, resamples=10, notes=("Own note.",))
    assert table.notes[0] == "3 questions are answerable, 2 are not."
    assert table.notes[-1] == "Own note."


@pytest.mark.parametrize(
    ("scores", "right", "problem"),
    [
        ([0.1, 0.2], [True, True], "All 2 questions are answerable"),
        ([0.1, 0.2], [False, False], "All 2 questions are unanswerable"),
        ([0.1, float("nan")], [True, False], "1 of 2 scores are not finite"),
        ([], [], "0 of 0 scores"),
    ],
)
def test_what_cannot_be_measured_is_an_error(scores: list[float], right: list[bool], problem: str) -> None:
    with pytest.raises(InputError, match=problem):
        abstention_table("t", right, {"one": scores})


def test_an_unknown_baseline_is_an_error() -> None:
    with pytest.raises(InputError, match="no system 'two'"):
        abstention_table("t", RIGHT, {"one": SCORES}, baseline="two")


def test_scores_and_labels_of_different_length_are_a_mistake_of_the_caller() -> None:
    with pytest.raises(ValueError, match="2 scores for 3 questions"):
        curve([0.1, 0.2], [True, False, True])
