from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from evaluation.intervals import paired_randomisation
from indexes.adapters.base import Identity
from indexes.adapters.linear import Linear
from indexes.encoders.sentence_transformer import SentenceTransformerEncoder
from indexes.errors import InputError
from retrievers.training.choose import choose
from retrievers.training.folds import Fold
from retrievers.training.kinds import AUTO, Candidate, Workshop
from retrievers.training.linear import Options
from retrievers.training.material import Examples, Material
from retrievers.training.pairs import Labelled
from retrievers.training.state import State
from tests.fakes import WordEncoder
from tests.retrievers.training.conftest import MakeMaterial
from tests.tiny import make_tiny_model

OPTIONS = Options(rate=0.01, rounds=8, shortest=90)


def workshop(material: Material, folder: Path, **options: object) -> Workshop:
    return Workshop(material, WordEncoder(), State(folder, "k"), OPTIONS, **options)  # type: ignore[arg-type]


def before(material: Material) -> np.ndarray:
    return material.judged([Identity()] * len(material.folds))


@pytest.mark.parametrize("folds", [1, 5])
def test_all_quick_kinds_are_trained(make_material: MakeMaterial, tmp_path: Path, folds: int) -> None:
    material = make_material(folds=folds)
    candidates = workshop(material, tmp_path).candidates(AUTO)
    assert [candidate.name for candidate in candidates] == ["linear", "two-sided", "nudge", "linear + nudge"]
    for candidate in candidates:
        assert candidate.scores.shape == before(material).shape
        assert candidate.scores.mean() > before(material).mean() + 0.05 or candidate.name == "nudge"
    assert candidates[0].adapter.kind == "linear"
    assert not candidates[0].adapter.moves_passages
    assert candidates[1].adapter.kind == "two-sided"


@pytest.mark.parametrize("folds", [1, 5])
def test_where_questions_ask_for_the_same_passages_again_nudging_them_helps(
    make_material: MakeMaterial, tmp_path: Path, folds: int
) -> None:
    material = make_material(questions=200, folds=folds, turn=1.0, noise=0.25)
    candidates = workshop(material, tmp_path).candidates(["nudge"])
    assert [candidate.adapter.kind for candidate in candidates] == ["nudge", "nudge"]
    assert candidates[0].scores.mean() > before(material).mean() + 0.05
    assert candidates[1].scores.mean() > before(material).mean() + 0.05


def test_with_one_fold_the_scores_are_those_of_the_adapter_that_ships(
    make_material: MakeMaterial, tmp_path: Path
) -> None:
    material = make_material()
    for candidate in workshop(material, tmp_path).candidates(AUTO):
        judging = material.examples.take(material.folds[0].dev)
        assert np.array_equal(candidate.scores, material.scores(candidate.adapter, judging))


def test_with_five_folds_the_mean_of_their_maps_ships(make_material: MakeMaterial, tmp_path: Path) -> None:
    [candidate] = workshop(make_material(folds=5), tmp_path).candidates(["linear"])
    maps = [adapter.question for adapter in candidate.folds if isinstance(adapter, Linear)]
    assert len(maps) == 5
    assert isinstance(candidate.adapter, Linear)
    assert candidate.adapter.question == pytest.approx(np.mean(maps, axis=0))
    assert not np.array_equal(maps[0], maps[1])


def test_where_nothing_is_to_be_gained_the_identity_wins(make_material: MakeMaterial, tmp_path: Path) -> None:
    material = make_material(turn=0.0, noise=0.0)
    choice = choose(workshop(material, tmp_path).candidates(AUTO), before(material), paired_randomisation)
    assert not choice.ships
    assert "No adapter is better than the encoder as it is" in choice.reason


def test_passages_that_nobody_asked_for_are_not_nudged(make_material: MakeMaterial, tmp_path: Path) -> None:
    material = make_material(questions=50, turn=1.0, noise=0.25)
    [nudged, _] = workshop(material, tmp_path).candidates(["nudge"])
    moved = nudged.adapter.passages(material.ids, material.passages) != material.passages
    trained = material.examples.take(material.folds[0].train).labelled
    asked = {passage for grades in trained.relevant for passage in grades}
    assert {material.ids[row] for row in np.flatnonzero(moved.any(axis=1))} == asked


def test_progress_is_told_over_all_folds(make_material: MakeMaterial, tmp_path: Path) -> None:
    told: list[tuple[str, int, int]] = []
    material = make_material(folds=5)
    workshop(material, tmp_path, report=lambda *step: told.append(step)).candidates(["linear"])
    assert {(what, total) for what, _, total in told} == {("linear", 5 * 8)}
    done = [step for _, step, _ in told]
    assert done == sorted(done)
    assert done[-1] <= 40


def test_an_interrupted_training_of_folds_goes_on_and_ends_the_same(
    make_material: MakeMaterial, tmp_path: Path
) -> None:
    material = make_material(folds=5)
    [whole] = workshop(material, tmp_path / "one").candidates(["linear"])

    def stop(_what: str, done: int, _total: int) -> None:
        if done > 20:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        workshop(material, tmp_path / "two", report=stop).candidates(["linear"])
    told: list[int] = []
    [resumed] = workshop(material, tmp_path / "two", report=lambda _w, done, _t: told.append(done)).candidates(
        ["linear"]
    )
    assert told[0] > 8
    assert isinstance(resumed.adapter, Linear)
    assert isinstance(whole.adapter, Linear)
    assert resumed.adapter.question == pytest.approx(whole.adapter.question, abs=1e-4)


def test_lora_needs_the_model_s_files(make_material: MakeMaterial, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no model files"):
        workshop(make_material(), tmp_path).candidates(["lora"])


def test_lora_is_trained_in_the_model_s_files_and_judged_by_the_encoder_that_will_serve_it(tmp_path: Path) -> None:
    encoder = SentenceTransformerEncoder(make_tiny_model(tmp_path / "tiny"))
    things = ("apple", "pear", "plum", "cherry", "piston", "valve", "moon", "comet")
    ids = tuple(f"p{number}" for number in range(len(things)))
    pairs = [
        (f"{frame} {thing}", {i: 1.0})
        for frame in ("what is a", "where is it")
        for i, thing in zip(ids, things, strict=True)
    ]
    examples = Examples.of(Labelled.of(pairs), encoder)
    passages = encoder.encode_passages([f"the {thing} in the old {thing} tree" for thing in things])
    dev = np.arange(len(pairs)) >= len(things)
    fold = Fold(np.flatnonzero(~dev), np.flatnonzero(dev))  # the words of two frames are nearly the same
    material = Material(ids, passages, examples, [fold])
    told: list[str] = []
    made = workshop(material, tmp_path, model_folder=encoder.folder, report=lambda what, _d, _t: told.append(what))
    made.encoder = encoder
    [trained] = made.candidates(["lora"])
    assert trained.adapter.kind == "lora"
    assert trained.scores.mean() >= before(material).mean()
    assert told[0].startswith("lora, ")


def candidate(name: str, scores: list[float]) -> Candidate:
    return Candidate(name, Identity(), "", np.array(scores))


def test_the_best_on_dev_ships_and_of_equals_the_first() -> None:
    zeros = np.zeros(20)
    better = [candidate("a", [0.5] * 20), candidate("b", [0.7] * 20), candidate("c", [0.7] * 20)]
    choice = choose(better, zeros, paired_randomisation)
    assert (choice.best.name, choice.ships) == ("b", True)
    assert choice.gain == pytest.approx(0.7)
    assert "b () is better: 0.0000 → 0.7000 on 20 dev questions" in choice.reason


def test_a_gain_that_chance_could_give_does_not_ship() -> None:
    lucky = [candidate("a", [1.0, 1.0, 0.0, 0.0])]
    choice = choose(lucky, np.array([0.0, 0.0, 0.5, 0.5]), paired_randomisation)
    assert choice.gain > 0
    assert not choice.ships
    assert "may be better by chance" in choice.reason


def test_a_loss_never_ships_however_sure_it_is() -> None:
    choice = choose([candidate("a", [0.1] * 30)], np.full(30, 0.9), paired_randomisation)
    assert choice.p < 0.01
    assert not choice.ships
