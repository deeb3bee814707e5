from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np
import pytest

from indexes.adapters.base import Adapter, Identity
from indexes.encoders.base import Vectors
from indexes.slice import Slice
from indexes.store.open import MEMORY, opener
from retrievers.calibration import Background, background_questions, sigmoid
from retrievers.training import calibrate as module
from retrievers.training.calibrate import FEWEST, RATIOS, Judged, calibrate, dcg, fit
from retrievers.training.folds import crossed
from retrievers.training.material import Examples, Material
from retrievers.training.pairs import Labelled
from tests.fakes import TOPICS, WordEncoder, make_passages

PASSAGES = make_passages([text for texts in TOPICS.values() for text in texts])
MakeMaterial = Callable[[int], Material]


def judged(z: Sequence[float], coverage: Sequence[float], grades: Sequence[float]) -> Judged:
    ideal = dcg(np.sort(np.array(grades, float))[::-1][:10]) or 1.0
    return Judged(np.array(z, np.float32), np.array(coverage, np.float32), np.array(grades, float), ideal)


def drawn(ratio: float, scale: float, bias: float, questions: int = 300) -> list[Judged]:
    """Candidates whose relevance follows ``sigmoid(bias + scale · (z + ratio · coverage))``."""
    generator = np.random.default_rng(0)
    found = []
    for _ in range(questions):
        z, coverage = 2 * generator.standard_normal(30), generator.random(30)
        relevant = generator.random(30) < sigmoid(bias + scale * (z + ratio * coverage))
        if relevant.any():
            found.append(judged(z.tolist(), coverage.tolist(), relevant.astype(float).tolist()))
    return found


@pytest.fixture
def slice_(tmp_path: Path) -> Iterator[Slice]:
    made = Slice.create(tmp_path / "s", "s", "All.", WordEncoder(), opener(MEMORY), PASSAGES)
    made.add(PASSAGES, WordEncoder())
    yield made
    made.close()


@pytest.fixture
def make_material(slice_: Slice) -> MakeMaterial:
    """Makes the material of so many questions, each some words of the passage that answers it."""

    def make(questions: int) -> Material:
        generator = np.random.default_rng(1)
        pairs = []
        for number in range(questions):
            passage = PASSAGES[number % len(PASSAGES)]
            words = passage.text.strip(".").split()
            chosen = generator.choice(words, 4, replace=False)
            pairs.append((f"{' '.join(chosen)} {number}", {passage.id: 1.0}))
        ids, vectors = next(slice_.base_vectors())
        examples = Examples.of(Labelled.of(pairs), WordEncoder())
        return Material(ids, vectors, examples, crossed(examples.vectors, seed=0))

    return make


def background() -> tuple[tuple[str, ...], Vectors]:
    return background_questions(), WordEncoder().encode_questions(background_questions())


def test_gain_is_discounted_by_the_logarithm_of_the_rank() -> None:
    assert dcg(np.array([2.0, 0.0, 1.0])) == pytest.approx(2 + 1 / math.log2(4))
    assert dcg(np.zeros(0)) == 0


def test_the_ratio_decides_the_ranking_and_equals_keep_their_order() -> None:
    one = judged([2, 1, 1], [0, 0.5, 0.5], [0, 1, 0])
    assert one.ndcg(0) == pytest.approx(1 / math.log2(3))
    assert one.ndcg(10) == 1
    assert one.ndcg(2) == pytest.approx(1 / math.log2(3))  # all are equal


def test_only_the_first_ten_count() -> None:
    assert judged(range(20, 0, -1), [0] * 20, [0] * 10 + [1] * 10).ndcg(0) == 0


@pytest.mark.parametrize(("ratio", "scale", "bias"), [(0.0, 1.5, -3.0), (1.8, 1.0, -5.0)])
def test_what_relevance_was_drawn_by_is_found_again(ratio: float, scale: float, bias: float) -> None:
    found = fit([drawn(ratio, scale, bias)])
    assert found is not None
    assert abs(RATIOS.index(round(found.lexical / found.dense, 6)) - RATIOS.index(ratio)) <= 1
    assert found.dense == pytest.approx(scale, rel=0.15)
    assert found.bias == pytest.approx(bias, abs=0.5)


def test_where_coverage_changes_no_ranking_it_gets_no_weight() -> None:
    found = fit([[judged([3, 2, 1, 0], [0.5] * 4, [1, 0, 0, 0]), judged([3, 2.5, 1, 0], [0.1] * 4, [0, 1, 0, 0])]])
    assert found is not None
    assert (found.lexical, found.dense > 0) == (0, True)


@pytest.mark.parametrize("grades", [[0, 0, 0], [1, 1, 2]])
def test_where_nothing_or_everything_is_relevant_nothing_is_fitted(grades: list[float]) -> None:
    assert fit([[judged([1, 2, 3], [0, 0.5, 0], grades)]]) is None


def test_scores_that_fall_with_relevance_give_no_calibration() -> None:
    assert fit([[judged([3, 2, 1, 0], [0, 0, 0, 0], [0, 0, 0, 1])] * 5]) is None


def test_an_expert_is_calibrated_on_the_questions_that_judge(slice_: Slice, make_material: MakeMaterial) -> None:
    material = make_material(96)
    found = calibrate(slice_, material, [Identity()] * len(material.folds), background())
    assert found is not None
    passages, questions = material.passages, material.examples.vectors
    measured = Background.of((background()[1] @ passages.T).max(axis=1))
    best = measured.z((questions @ passages.T).max(axis=1))
    off_topic = measured.z((background()[1] @ passages.T).max(axis=1))
    right, wrong = (
        sigmoid(found.bias + found.dense * z + found.lexical * c) for z, c in ((best, 0.9), (off_topic, 0.0))
    )
    assert np.median(right) > 0.5
    assert np.median(wrong) < 0.2


def test_too_few_judging_questions_calibrate_nothing(slice_: Slice, make_material: MakeMaterial) -> None:
    for count, fitted in ((FEWEST - 1, False), (FEWEST, True)):
        material = make_material(count)
        found = calibrate(slice_, material, [Identity()] * len(material.folds), background())
        assert (found is not None) == fitted


def test_each_question_is_judged_once_under_the_adapter_of_its_own_fold(
    slice_: Slice, make_material: MakeMaterial, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Spy(Identity):
        def __init__(self) -> None:
            self.texts: list[str] = []

        def questions(self, texts: Sequence[str], vectors: Vectors) -> Vectors:
            self.texts += texts
            return vectors

    material, judges = make_material(60), []
    monkeypatch.setattr(module, "fit", lambda groups: judges.extend(map(len, groups)))
    spies: list[Spy] = [Spy() for _ in material.folds]
    adapters: Sequence[Adapter] = spies
    calibrate(slice_, material, adapters, background())
    assert judges == [60]
    for spy, fold in zip(spies, material.folds, strict=True):
        own = {material.examples.labelled.questions[row] for row in fold.dev}
        assert set(spy.texts) == own | set(background_questions())


def test_groups_of_questions_weigh_the_same_whatever_their_number() -> None:
    one, other = drawn(0.0, 1.5, -3.0), drawn(5.0, 1.0, -5.0)
    found, repeated, pooled = fit([one, other]), fit([one * 3, other]), fit([one + other + one * 2])
    assert found and repeated and pooled
    assert repeated.bias == pytest.approx(found.bias, abs=1e-3)
    assert pooled.bias != pytest.approx(found.bias, abs=1e-2)
