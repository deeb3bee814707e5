from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from itertools import product
from pathlib import Path

import numpy as np
import pytest

from indexes.encoders.base import Vectors
from indexes.encoders.sentence_transformer import SentenceTransformerEncoder
from indexes.errors import InputError
from retrievers.training.both_sides import BothSidesOptions, train_both_sides
from retrievers.training.descent import Descended, Pace
from retrievers.training.lora import Asked
from retrievers.training.lora_model import Rank
from retrievers.training.measure import ndcg
from retrievers.training.state import Part
from tests.tiny import make_tiny_model

pytestmark = pytest.mark.slow

THINGS = ["apple", "pear", "plum", "cherry", "quince", "piston", "valve", "turbine", "moon", "planet", "ring", "comet"]
FRAMES = ("what is a {}", "how does the {} turn", "where is it {}")
PACE = Pace(rate=2e-2, batch=6, epochs=5, patience=5)
OPTIONS = BothSidesOptions(Rank(rank=4, alpha=8, dropout=0.1), PACE, rivals=12)
TEXTS = [f"the {thing} in the old {thing} tree" for thing in THINGS]


def asked(frames: tuple[str, ...]) -> Asked:
    """Questions about each thing."""
    pairs = list(product(range(len(THINGS)), frames))
    return Asked([frame.format(THINGS[n]) for n, frame in pairs], [{n: 1.0} for n, _ in pairs])


TRAIN, DEV = asked(FRAMES[:2]), asked(FRAMES[2:])


@pytest.fixture(scope="module")
def encoder(tmp_path_factory: pytest.TempPathFactory) -> SentenceTransformerEncoder:
    return SentenceTransformerEncoder(make_tiny_model(tmp_path_factory.mktemp("models") / "tiny", prompt="who asks "))


@pytest.fixture(scope="module")
def passages(encoder: SentenceTransformerEncoder) -> Vectors:
    return encoder.encode_passages(TEXTS)


class Killed(BaseException):
    """What no code expects."""


def killed_after(steps: int) -> Callable[[int, int, str], None]:
    def on_progress(done: int, _total: int, _message: str) -> None:
        if done == steps:
            raise Killed

    return on_progress


def score(folder: Path) -> float:
    encoder = SentenceTransformerEncoder(folder)
    return float(ndcg(encoder.encode_questions(DEV.texts), encoder.encode_passages(TEXTS), DEV.relevant).mean())


def test_what_comes_out_is_a_model_folder_that_ranks_better_and_keeps_the_prompt(
    encoder: SentenceTransformerEncoder, passages: Vectors, tmp_path: Path
) -> None:
    out = tmp_path / "expert"
    done = train_both_sides(encoder.folder, TRAIN, TEXTS, passages, DEV, out, OPTIONS)
    served = SentenceTransformerEncoder(out)
    assert max(done.history) > done.history[0] + 0.1
    assert score(encoder.folder) == pytest.approx(done.history[0], abs=1e-6), "all twelve passages are rivals"
    assert score(out) == pytest.approx(max(done.history), abs=1e-5)
    assert served.fingerprint.query_prompt == "who asks "
    assert served.fingerprint.revision != encoder.fingerprint.revision
    assert np.abs(served.encode_passages(TEXTS) - passages).max() > 0.01, "passages moved too"


def test_a_training_killed_and_run_again_ends_as_if_it_had_not_been(
    encoder: SentenceTransformerEncoder, passages: Vectors, tmp_path: Path
) -> None:
    options = replace(OPTIONS, pace=replace(PACE, epochs=2))
    part = Part(tmp_path / "state.npz")

    def train(out: str, **more: object) -> Descended:
        return train_both_sides(encoder.folder, TRAIN, TEXTS, passages, DEV, tmp_path / out, options, **more)  # type: ignore[arg-type]

    straight = train("straight")
    with pytest.raises(Killed):
        train("resumed", state=part, pause=0, on_progress=killed_after(3))
    assert not (tmp_path / "resumed").exists()
    resumed = train("resumed", state=part)
    assert resumed.history == straight.history
    assert all(np.array_equal(resumed.values[name], value) for name, value in straight.values.items())
    assert score(tmp_path / "resumed") == score(tmp_path / "straight")


def test_a_folder_that_is_there_is_not_overwritten(
    encoder: SentenceTransformerEncoder, passages: Vectors, tmp_path: Path
) -> None:
    with pytest.raises(InputError, match="there already"):
        train_both_sides(encoder.folder, TRAIN, TEXTS, passages, DEV, tmp_path, OPTIONS)
