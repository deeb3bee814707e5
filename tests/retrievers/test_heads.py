from __future__ import annotations

import numpy as np

from indexes.encoders.base import Vectors, unit
from retrievers.calibration import Background
from retrievers.heads import heads
from retrievers.pilots import Pilots
from retrievers.profile import Profile
from retrievers.scorers import Familiarity

DIMENSION = 16


def around(axis: int, count: int, seed: int) -> Vectors:
    """Unit vectors near one axis."""
    noise = np.random.default_rng(seed).normal(scale=0.05, size=(count, DIMENSION))
    return unit(np.eye(DIMENSION)[axis] + noise)


def profile(axis: int, questions: int | None = None) -> Profile:
    pilots = Pilots(around(axis, 20, axis), Background(0.0, 0.1))
    return Profile(pilots, questions=None if questions is None else around(questions, 8, 100 + questions))


def test_a_head_is_positive_for_questions_like_its_experts_and_negative_for_others() -> None:
    panel = {"a": profile(0, 5), "b": profile(1, 6), "c": profile(2)}
    found = heads(panel)
    assert sorted(found) == ["a", "b"]
    for name, axis, others in (("a", 5, (6, 0, 1, 2)), ("b", 6, (5, 0, 1, 2))):
        assert all(found[name].score(v) > 0 for v in around(axis, 20, 7))
        assert all(found[name].score(v) < 0 for other in others for v in around(other, 20, 8))


def test_heads_tell_apart_questions_that_lie_close_together() -> None:
    shift = np.eye(DIMENSION)[3] * 0.3
    one, other = unit(around(0, 40, 1) + shift), unit(around(0, 40, 2) - shift)
    panel = {
        "one": Profile(Pilots(around(9, 20, 3), Background(0.0, 0.1)), questions=one[:20]),
        "other": Profile(Pilots(around(9, 20, 4), Background(0.0, 0.1)), questions=other[:20]),
    }
    found = heads(panel)
    right = [found["one"].score(v) > found["other"].score(v) for v in one[20:]]
    right += [found["other"].score(v) > found["one"].score(v) for v in other[20:]]
    assert np.mean(right) > 0.9


def test_an_expert_alone_has_no_head_and_scaling_the_number_of_pilots_changes_little() -> None:
    assert heads({"a": profile(0, 5)}) == {}
    few = {"a": profile(0, 5), "b": profile(1)}
    many = {"a": profile(0, 5), "b": Profile(Pilots(np.tile(few["b"].pilots.vectors, (5, 1)), Background(0.0, 0.1)))}
    question = around(5, 1, 9)[0]
    assert abs(heads(few)["a"].score(question) - heads(many)["a"].score(question)) < 1e-6


def test_heads_follow_the_panel_as_it_is() -> None:
    scorer, a, b, c = Familiarity(), profile(0, 5), profile(1, 6), profile(2, 7)
    question = around(5, 1, 9)[0]
    before = scorer.logits("", question, {"a": a, "b": b})
    with_c = scorer.logits("", question, {"a": a, "b": b, "c": c})
    assert with_c.shape == (3,)
    assert with_c[0] != before[0]
    np.testing.assert_array_equal(scorer.logits("", question, {"a": a, "b": b}), before)
