from __future__ import annotations

import itertools

import numpy as np
import pytest

from evaluation.comparison import compare
from evaluation.intervals import bootstrap_interval, bootstrap_means, cluster_sums, paired_randomisation

TALKS = ["b", "a", "b", "b", "c"]
SCORES = [1.0, 0.0, 0.5, 0.0, 1.0]


def test_the_values_of_a_cluster_are_summed_in_the_order_of_names() -> None:
    assert cluster_sums(np.array(SCORES), TALKS).tolist() == [0.0, 1.5, 1.0]
    two = np.stack([SCORES, np.ones(5)], axis=1)
    assert cluster_sums(two, TALKS).tolist() == [[0.0, 1.0], [1.5, 3.0], [1.0, 1.0]]


def test_draws_of_whole_clusters_have_the_means_worked_by_hand() -> None:
    # a: 0/1, b: 1.5/3, c: 1/1. Three are drawn, so a mean is one of ten: sums over sizes of each choice.
    sums, sizes = {"a": 0.0, "b": 1.5, "c": 1.0}, {"a": 1, "b": 3, "c": 1}
    drawn = list(itertools.product("abc", repeat=3))
    by_hand = [sum(sums[name] for name in three) / sum(sizes[name] for name in three) for three in drawn]
    means = bootstrap_means(np.array(SCORES), 20_000, np.random.default_rng(0), TALKS)
    assert set(np.round(means, 9)) == set(np.round(by_hand, 9))
    for mean in set(by_hand):
        wanted = np.mean(np.isclose(by_hand, mean))
        assert np.mean(np.isclose(means, mean)) == pytest.approx(wanted, abs=0.01)


def test_the_mean_is_over_the_questions_whatever_their_clusters() -> None:
    assert bootstrap_interval(SCORES, clusters=TALKS).value == pytest.approx(0.5)


def test_clusters_of_one_question_each_change_nothing() -> None:
    values = np.random.default_rng(1).random(40)
    own = [f"{place:02}" for place in range(40)]
    clustered, plain = bootstrap_interval(values, clusters=own), bootstrap_interval(values)
    assert (clustered.low, clustered.high) == pytest.approx((plain.low, plain.high))
    other = values[::-1]
    assert paired_randomisation(values, other, clusters=own) == paired_randomisation(values, other)


def test_turns_that_repeat_their_conversation_count_once() -> None:
    talks = np.random.default_rng(2).random(25)
    turns, clusters = np.repeat(talks, 6), [f"{talk:02}" for talk in range(25) for _ in range(6)]
    clustered, once = bootstrap_interval(turns, clusters=clusters), bootstrap_interval(talks)
    assert (clustered.low, clustered.high) == pytest.approx((once.low, once.high))
    independent = bootstrap_interval(turns)
    assert clustered.high - clustered.low > 2 * (independent.high - independent.low)
    assert paired_randomisation(turns, np.full(150, 0.6), clusters=clusters) == paired_randomisation(
        talks, np.full(25, 0.6)
    )


def test_the_p_value_is_that_of_all_flips_of_whole_clusters() -> None:
    first, second = np.array([0.9, 0.8, 0.4, 0.7, 0.6, 0.9, 0.1]), np.array([0.5, 0.2, 0.6, 0.1, 0.5, 0.2, 0.2])
    clusters = ["a", "a", "b", "c", "d", "d", "e"]
    # Sums of the clusters' differences: a 1.0, b -0.2, c 0.6, d 0.8, e -0.1; 2.1 together. Of the 32 flips, these reach
    # 2.1 in absolute value: b and e may be turned (2.1, 2.5, 2.3, 2.7), and the same four with all signs turned.
    assert paired_randomisation(first, second, clusters=clusters) == pytest.approx(8 / 32, abs=0.02)


def test_differences_that_cancel_within_each_cluster_are_none() -> None:
    first = np.tile([0.3, -0.1, -0.2], 30)
    clusters = [f"{talk:02}" for talk in range(30) for _ in range(3)]
    assert paired_randomisation(first, np.zeros(90), clusters=clusters) == 1.0


def test_false_alarms_on_clustered_scores_are_as_rare_as_the_level_says() -> None:
    generator = np.random.default_rng(11)
    clusters = [f"{talk:02}" for talk in range(24) for _ in range(5)]
    alarms, heedless = 0, 0
    for seed in range(300):
        differences = np.repeat(generator.normal(size=24), 5) + 0.3 * generator.normal(size=120)
        zeros = np.zeros(120)
        alarms += paired_randomisation(differences, zeros, resamples=199, seed=seed, clusters=clusters) <= 0.05
        heedless += paired_randomisation(differences, zeros, resamples=199, seed=seed) <= 0.05
    assert 0.02 <= alarms / 300 <= 0.09
    assert heedless / 300 > 0.25


def test_the_order_of_the_questions_does_not_matter() -> None:
    generator = np.random.default_rng(4)
    values, order = generator.random(30), generator.permutation(30)
    clusters = [f"{place // 4}" for place in range(30)]
    turned = bootstrap_interval(values[order], clusters=[clusters[place] for place in order])
    straight = bootstrap_interval(values, clusters=clusters)
    assert (turned.low, turned.high) == pytest.approx((straight.low, straight.high))


def test_a_comparison_by_clusters_says_so_and_is_wider() -> None:
    generator = np.random.default_rng(5)
    gain = np.repeat(generator.normal(0.1, 0.3, size=20), 6)
    base = generator.random(120)
    systems = {"old": {"m": base}, "new": {"m": base + gain}}
    clusters = [f"talk {place // 6}" for place in range(120)]
    clustered, plain = compare("t", systems, clusters=clusters), compare("t", systems)
    assert clustered.row("new").n == 120
    assert clustered.row("new").values["m"].value == plain.row("new").values["m"].value
    wide, narrow = clustered.row("new").difference["m"], plain.row("new").difference["m"]
    assert wide.high - wide.low > 1.8 * (narrow.high - narrow.low)
    assert clustered.row("new").p["m"] > plain.row("new").p["m"]
    assert any("whole clusters of questions: 20 of them" in note for note in clustered.notes)
    assert not any("clusters" in note for note in plain.notes)


def test_cluster_names_that_do_not_fit_the_scores_are_a_defect() -> None:
    with pytest.raises(ValueError, match="2 cluster names for 3 values"):
        bootstrap_interval([1.0, 0.0, 1.0], clusters=["a", "b"])
    with pytest.raises(ValueError, match="2 cluster names for 3 values"):
        paired_randomisation([1, 2, 3], [0, 0, 0], clusters=["a", "b"])
