from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from indexes.adapters.lora import Lora
from indexes.encoders.base import Vectors
from indexes.encoders.sentence_transformer import SentenceTransformerEncoder
from indexes.errors import InputError
from retrievers.training import lora_model
from retrievers.training.descent import Pace
from retrievers.training.lora import Asked, Contrast, LoraOptions, TrainedLora, train_lora
from retrievers.training.lora_model import LoraModel, Rank, find_targets
from retrievers.training.measure import ndcg
from retrievers.training.state import Part
from tests.tiny import make_tiny_model

pytestmark = pytest.mark.slow  # a transformer learns

THINGS = ["apple", "pear", "plum", "cherry", "quince", "piston", "valve", "turbine", "moon", "planet", "ring", "comet"]
FRAMES = ("what is a {}", "how does the {} turn", "where is it {}")
PACE = Pace(rate=3e-2, batch=8, epochs=8, patience=8)
OPTIONS = LoraOptions(Rank(rank=4, alpha=8), PACE)


def asked(frames: tuple[str, ...]) -> Asked:
    """Questions about each thing, which a model of random weights finds in about half of the cases."""
    pairs = list(product(range(len(THINGS)), frames))
    return Asked([frame.format(THINGS[n]) for n, frame in pairs], [{n: 1.0} for n, _ in pairs])


TRAIN, DEV = asked(FRAMES[:2]), asked(FRAMES[2:])


@pytest.fixture(scope="module")
def encoder(tmp_path_factory: pytest.TempPathFactory) -> SentenceTransformerEncoder:
    return SentenceTransformerEncoder(make_tiny_model(tmp_path_factory.mktemp("models") / "tiny", prompt="who asks "))


@pytest.fixture(scope="module")
def passages(encoder: SentenceTransformerEncoder) -> Vectors:
    return encoder.encode_passages([f"the {thing} in the old {thing} tree" for thing in THINGS])


@pytest.fixture(scope="module")
def trained(encoder: SentenceTransformerEncoder, passages: Vectors) -> TrainedLora:
    return train_lora(encoder.folder, TRAIN, passages, DEV, OPTIONS)


class Killed(BaseException):
    """What no code expects."""


def killed_after(steps: int) -> Callable[[int, int, str], None]:
    def on_progress(done: int, _total: int, _message: str) -> None:
        if done == steps:
            raise Killed

    return on_progress


def same(one: TrainedLora, other: TrainedLora) -> bool:
    arrays = one.arrays.keys() == other.arrays.keys() and all(
        np.array_equal(one.arrays[name], other.arrays[name]) for name in one.arrays
    )
    return arrays and one.history == other.history and one.epoch == other.epoch


def test_questions_learn_which_passages_answer_them(trained: TrainedLora) -> None:
    assert trained.history[0] < 0.6
    assert max(trained.history) > trained.history[0] + 0.2
    assert trained.epoch == int(np.argmax(trained.history)) > 0


def test_the_arrays_served_by_the_encoder_score_on_dev_what_training_says(
    trained: TrainedLora, encoder: SentenceTransformerEncoder, passages: Vectors
) -> None:
    lora = Lora.from_arrays(trained.arrays, encoder)
    served = lora.questions(DEV.texts, encoder.encode_questions(DEV.texts))
    assert float(ndcg(served, passages, DEV.relevant).mean()) == pytest.approx(max(trained.history), abs=1e-6)


def test_deltas_are_what_peft_merges_into_the_weights(
    trained: TrainedLora, encoder: SentenceTransformerEncoder
) -> None:
    import torch
    from peft.tuners.lora import LoraLayer

    model = LoraModel(encoder.folder, OPTIONS.rank)
    with torch.no_grad():
        for name, parameter in model.parameters().items():
            parameter.copy_(torch.from_numpy(trained.arrays[name]))
    layers = {name: m for name, m in model.transformer.named_modules() if isinstance(m, LoraLayer)}
    base = {name: layer.get_base_layer().weight.detach().clone() for name, layer in layers.items()}
    for layer in layers.values():
        layer.merge()

    deltas = Lora.from_arrays(trained.arrays, encoder).deltas

    assert set(deltas) == {f"{name}.weight" for name in layers}
    for name, layer in layers.items():
        merged = layer.get_base_layer().weight.detach() - base[name]
        assert np.allclose(merged.numpy(), deltas[f"{name}.weight"], atol=1e-6)
        assert np.abs(merged.numpy()).max() > 1e-3


def test_before_training_questions_are_the_base_encoders_with_its_prompt(encoder: SentenceTransformerEncoder) -> None:
    texts = ["what is a comet", "apple", "how does the old turbine turn"]
    model = LoraModel(encoder.folder, Rank(dropout=0.5))
    assert np.allclose(model.encode(texts), encoder.encode_questions(texts), atol=1e-6)
    assert np.allclose(model.encode(texts, "document"), encoder.encode_passages(texts), atol=1e-6)


def test_only_the_factors_learn(encoder: SentenceTransformerEncoder) -> None:
    model = LoraModel(encoder.folder, Rank(rank=3))
    learning = {name for name, p in model.model.named_parameters() if p.requires_grad}
    assert len(learning) == len(model.parameters()) == 2 * 2 * 2
    assert all("lora_" in name for name in learning)
    assert {p.shape for p in model.parameters().values()} == {(3, 16), (16, 3)}


@pytest.mark.parametrize("mined", [None, 3], ids=["all passages", "mined ones"])
@pytest.mark.parametrize("steps", [2, 3, 7], ids=["within the first pass", "at its end", "within the third"])
def test_a_training_killed_and_run_again_ends_as_if_it_had_not_been(
    encoder: SentenceTransformerEncoder, passages: Vectors, tmp_path: Path, steps: int, mined: int | None
) -> None:
    options = LoraOptions(Rank(4, 8, dropout=0.2), replace(PACE, epochs=4), mined=mined)
    straight = train_lora(encoder.folder, TRAIN, passages, DEV, options)
    part = Part(tmp_path / "lora.npz")
    with pytest.raises(Killed):
        train_lora(encoder.folder, TRAIN, passages, DEV, options, state=part, pause=0, on_progress=killed_after(steps))
    done: list[int] = []
    resumed = train_lora(
        encoder.folder, TRAIN, passages, DEV, options, state=part, pause=0, on_progress=lambda n, _t, _m: done.append(n)
    )
    assert done == list(range(steps + 1, 13))
    assert same(resumed, straight)


def test_steps_between_two_checkpoints_are_taken_again_with_the_same_end(
    encoder: SentenceTransformerEncoder, passages: Vectors, tmp_path: Path
) -> None:
    part = Part(tmp_path / "lora.npz")
    with pytest.raises(Killed):
        train_lora(encoder.folder, TRAIN, passages, DEV, OPTIONS, state=part, pause=999, on_progress=killed_after(5))
    done: list[int] = []
    resumed = train_lora(
        encoder.folder, TRAIN, passages, DEV, OPTIONS, state=part, on_progress=lambda n, _t, _m: done.append(n)
    )
    assert done[0] == 4, "the end of the first pass, after three steps, was kept"
    assert same(resumed, train_lora(encoder.folder, TRAIN, passages, DEV, OPTIONS))


def test_a_finished_training_is_not_run_again_and_one_with_other_options_starts_anew(
    encoder: SentenceTransformerEncoder, passages: Vectors, tmp_path: Path
) -> None:
    part, done = Part(tmp_path / "lora.npz"), list[int]()
    short = replace(OPTIONS, pace=replace(PACE, epochs=1))

    def train(options: LoraOptions) -> TrainedLora:
        done.clear()
        return train_lora(
            encoder.folder, TRAIN, passages, DEV, options, state=part, on_progress=lambda n, _t, _m: done.append(n)
        )

    first = train(short)
    assert same(train(short), first)
    assert done == []
    train(replace(short, temperature=0.1))
    assert done == [1, 2, 3]


def test_progress_says_how_far_and_how_good(encoder: SentenceTransformerEncoder, passages: Vectors) -> None:
    said: list[tuple[int, int, str]] = []
    options = replace(OPTIONS, pace=replace(PACE, epochs=2))
    history = train_lora(
        encoder.folder, TRAIN, passages, DEV, options, on_progress=lambda *now: said.append(now)
    ).history
    assert [(done, total) for done, total, _ in said] == [(n, 6) for n in range(1, 7)]
    assert f"{max(history):.4f}" in said[-1][2]
    assert f"{history[0]:.4f}" in said[-1][2]


def test_training_ends_where_dev_has_not_gained_for_as_many_passes_as_patience(
    encoder: SentenceTransformerEncoder, passages: Vectors
) -> None:
    perfect = Asked(DEV.texts, [dict.fromkeys(range(len(THINGS)), 1.0)] * len(DEV))
    options = replace(OPTIONS, pace=replace(PACE, patience=2))
    trained = train_lora(encoder.folder, TRAIN, passages, perfect, options)
    assert trained.history == (1.0, 1.0, 1.0)
    assert trained.epoch == 0
    assert not any(array.any() for name, array in trained.arrays.items() if ".lora_B." in name)


def test_a_seed_gives_the_same_again_and_another_seed_something_else(
    trained: TrainedLora, encoder: SentenceTransformerEncoder, passages: Vectors
) -> None:
    import torch

    torch.rand(3)  # whoever draws random numbers in between does not change the training
    assert same(train_lora(encoder.folder, TRAIN, passages, DEV, OPTIONS), trained)
    other = replace(OPTIONS, pace=replace(PACE, seed=1))
    assert not same(train_lora(encoder.folder, TRAIN, passages, DEV, other), trained)


def test_training_leaves_torchs_random_numbers_alone(encoder: SentenceTransformerEncoder, passages: Vectors) -> None:
    import torch

    torch.manual_seed(7)
    expected = torch.rand(2)
    torch.manual_seed(7)
    train_lora(encoder.folder, TRAIN, passages, DEV, replace(OPTIONS, pace=replace(PACE, epochs=1)))
    assert torch.equal(torch.rand(2), expected)


def test_grades_share_the_target_and_passages_that_answer_others_in_the_batch_are_negatives() -> None:
    import torch

    class Fixed:
        """Gives two questions the vectors of passages 0 and 1."""

        def unit(self, texts: list[str]) -> Any:
            return torch.eye(4)[[int(text) for text in texts]]

        def encode(self, texts: list[str]) -> Vectors:
            return np.eye(4, dtype=np.float32)[[int(text) for text in texts]]

    train = Asked(["0", "1"], [{0: 1.0, 2: 3.0}, {1: 1.0}])
    passages = np.eye(4, dtype=np.float32)
    rows = np.array([0, 1])

    def loss(mined: int | None) -> float:
        options = LoraOptions(temperature=1.0, mined=mined)
        return float(Contrast(Fixed(), train, passages, options).loss(rows, 0))  # type: ignore[arg-type]

    def expected(columns: int) -> float:
        whole = np.log(np.e + columns - 1)
        return float(np.mean([-(0.25 * (1 - whole) + 0.75 * (0 - whole)), -(1 - whole)]))

    assert loss(None) == pytest.approx(expected(4))
    assert loss(0) == pytest.approx(expected(3)), "passage 3 answers nobody in the batch"


@pytest.mark.parametrize(
    ("names", "found"),
    [
        (("query", "key", "value"), ["query", "value"]),
        (("q_lin", "k_lin", "v_lin"), ["q_lin", "v_lin"]),
        (("q", "k", "v", "o"), ["q", "v"]),
        (("Wqkv", "Wo"), ["Wqkv"]),
        (("q_proj", "v_proj", "up_proj"), ["q_proj", "v_proj"]),
    ],
)
def test_the_projections_of_attention_are_found_by_the_names_of_many_architectures(
    names: tuple[str, ...], found: list[str]
) -> None:
    from torch import nn

    assert find_targets(nn.ModuleDict({name: nn.Linear(2, 2) for name in names}), (), "model") == found


def test_layers_that_are_not_there_are_named_beside_those_that_are(encoder: SentenceTransformerEncoder) -> None:
    with pytest.raises(InputError, match="nothing_such") as caught:
        LoraModel(encoder.folder, Rank(targets=("query", "nothing_such")))
    assert "query" in caught.value.fix
    assert "dense" in caught.value.fix


def test_targets_can_be_named(encoder: SentenceTransformerEncoder) -> None:
    names = LoraModel(encoder.folder, Rank(targets=("key",))).parameters()
    assert names
    assert all(".key.lora_" in name for name in names)


def test_bf16_arithmetic_trains_too(
    encoder: SentenceTransformerEncoder, passages: Vectors, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lora_model, "native_bf16", lambda: True)
    trained = train_lora(encoder.folder, TRAIN, passages, DEV, OPTIONS)
    assert max(trained.history) > trained.history[0] + 0.1
    assert all(array.dtype == np.float32 for name, array in trained.arrays.items() if "lora_" in name)
