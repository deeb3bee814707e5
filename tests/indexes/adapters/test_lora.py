from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from indexes.adapters.files import read_adapter, write_adapter
from indexes.adapters.lora import Lora
from indexes.encoders.base import Vectors
from indexes.encoders.sentence_transformer import SentenceTransformerEncoder
from indexes.errors import SliceError
from indexes.lexical import Bm25Settings
from indexes.manifest import Manifest
from tests.fakes import DIMENSION, WordEncoder
from tests.indexes.adapters.conftest import rows
from tests.tiny import make_tiny_model

MODULES = ("encoder.layer.0.attention.self.query", "encoder.layer.1.attention.self.value")
TEXTS = ("what is a comet", "how does the engine turn")


class DeltaEncoder(WordEncoder):
    """Turns its vectors by the sum of all deltas, so that a test sees what it was given; counts how often it was asked."""

    def __init__(self, shift: float = 0.0) -> None:
        super().__init__()
        self.shift = shift
        self.made: list[tuple[dict[str, NDArray[np.float32]], str]] = []

    def with_deltas(self, deltas: Mapping[str, NDArray[np.float32]], tag: str) -> DeltaEncoder:
        self.made.append((dict(deltas), tag))
        return DeltaEncoder(self.shift + float(sum(delta.sum() for delta in deltas.values())))

    def encode_questions(self, texts: Sequence[str]) -> Vectors:
        return np.asarray(np.roll(super().encode_questions(texts), 1 if self.shift else 0, axis=1))


def factors(rank: int = 4, width: int = 16, seed: int = 0, size: float = 0.5) -> dict[str, NDArray[Any]]:
    random = np.random.default_rng(seed)
    shapes = {".lora_A.weight": (rank, width), ".lora_B.weight": (width, rank)}
    return {
        module + end: (size * random.standard_normal(shape)).astype(np.float32)
        for module in MODULES
        for end, shape in shapes.items()
    }


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> SentenceTransformerEncoder:
    return SentenceTransformerEncoder(make_tiny_model(tmp_path_factory.mktemp("models") / "tiny"))


def test_questions_are_those_of_a_model_whose_weights_hold_alpha_by_rank_times_b_a(
    tiny: SentenceTransformerEncoder,
) -> None:
    from sentence_transformers import SentenceTransformer

    given = factors()
    model = SentenceTransformer(str(tiny.folder), device="cpu")
    weights = dict(model[0].auto_model.named_parameters())
    for module in MODULES:
        delta = 8 / 4 * given[f"{module}.lora_B.weight"] @ given[f"{module}.lora_A.weight"]
        weights[f"{module}.weight"].data += weights[f"{module}.weight"].new_tensor(delta)
    base = tiny.encode_questions(TEXTS)

    adapted = Lora(given, 8, tiny).questions(TEXTS, base)

    assert np.allclose(adapted, model.encode(list(TEXTS), normalize_embeddings=True), atol=1e-5)
    assert np.abs(adapted - base).max() > 0.01
    assert np.array_equal(tiny.encode_questions(TEXTS), base), "the base encoder is untouched"


def test_zero_b_and_zero_alpha_give_the_base_vectors_and_ask_no_encoder() -> None:
    zeros = {name: f if ".lora_A." in name else 0 * f for name, f in factors().items()}
    vectors = rows(2)
    encoder = DeltaEncoder()
    assert Lora(zeros, 8, encoder).questions(TEXTS, vectors) is vectors
    assert Lora(factors(), 0, encoder).questions(TEXTS, vectors) is vectors
    assert encoder.made == []
    assert encoder.questions == 0


def test_no_questions_give_no_vectors() -> None:
    encoder = DeltaEncoder()
    assert Lora(factors(), 8, encoder).questions([], rows(0)).shape == (0, DIMENSION)
    assert encoder.made == []


def test_passages_stay_the_same_object() -> None:
    vectors = rows(3)
    lora = Lora(factors(), 8, DeltaEncoder())
    assert not lora.moves_passages
    assert lora.passages(["a", "b", "c"], vectors) is vectors


def test_the_adapted_encoder_is_made_once_at_the_first_question_by_whatever_thread() -> None:
    encoder = DeltaEncoder()
    lora = Lora(factors(), 8, encoder)
    assert encoder.made == []
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: lora.questions(TEXTS, rows(2)), range(16)))
    assert [tag for _, tag in encoder.made] == [lora.key]
    assert set(encoder.made[0][0]) == {f"{module}.weight" for module in MODULES}
    assert all(np.array_equal(answer, answers[0]) for answer in answers)
    assert encoder.questions == 0, "the adapted encoder answered"


def test_a_kept_adapter_comes_back_with_its_key_and_its_vectors(tmp_path: Path) -> None:
    encoder = DeltaEncoder()
    Manifest("orchard", "Fruit trees.", encoder.fingerprint, Bm25Settings(8.0)).write(tmp_path)
    lora = Lora(factors(), 8, encoder)
    write_adapter(tmp_path, lora, {})
    back = read_adapter(tmp_path, encoder)
    assert isinstance(back, Lora)
    assert back.key == lora.key
    assert all(np.array_equal(back.deltas[name], delta) for name, delta in lora.deltas.items())
    assert np.array_equal(back.questions(TEXTS, rows(2)), lora.questions(TEXTS, rows(2)))


def test_the_key_changes_with_the_factors_and_with_alpha() -> None:
    lora = Lora(factors(), 8, DeltaEncoder())
    others = [Lora(factors(), 9, DeltaEncoder()), Lora(factors(seed=1), 8, DeltaEncoder())]
    assert len({lora.key, *(other.key for other in others)}) == 3
    assert len(lora.key) == 16
    assert lora.key == Lora.from_arrays(lora.arrays(), DeltaEncoder()).key


def test_the_arrays_of_a_caller_who_changes_them_later_do_not_change_the_adapter() -> None:
    given = factors()
    lora = Lora(given, 8, DeltaEncoder())
    before = lora.deltas[f"{MODULES[0]}.weight"].copy()
    given[f"{MODULES[0]}.lora_A.weight"] *= 2
    assert np.array_equal(lora.deltas[f"{MODULES[0]}.weight"], before)


def test_the_mean_has_the_mean_of_the_deltas() -> None:
    encoder = DeltaEncoder()
    loras = [Lora(factors(seed=seed), 8, encoder) for seed in range(3)]
    mean = Lora.mean(loras)
    for name, delta in mean.deltas.items():
        assert np.allclose(delta, np.mean([lora.deltas[name] for lora in loras], axis=0), atol=1e-6)
    assert Lora.from_arrays(mean.arrays(), encoder).key == mean.key


@pytest.mark.parametrize("other", [Lora(factors(), 9, DeltaEncoder()), Lora(factors(rank=2), 8, DeltaEncoder())])
def test_adapters_of_another_alpha_or_rank_have_no_mean(other: Lora) -> None:
    with pytest.raises(ValueError, match="same modules"):
        Lora.mean([Lora(factors(), 8, DeltaEncoder()), other])


@pytest.mark.parametrize(
    ("name", "array"),
    [
        (f"{MODULES[0]}.lora_B.weight", None),
        ("somewhere.else", np.zeros((2, 2))),
        (f"{MODULES[0]}.lora_B.weight", np.zeros((16, 3))),
        (f"{MODULES[0]}.lora_A.weight", np.zeros(16)),
        (f"{MODULES[0]}.lora_A.weight", np.full((4, 16), np.nan)),
    ],
    ids=["half of it missing", "no factor", "another rank", "no matrix", "no number"],
)
def test_factors_that_do_not_fit_are_refused(name: str, array: NDArray[Any] | None) -> None:
    given = factors()
    if array is None:
        del given[name]
    else:
        given[name] = array
    with pytest.raises(ValueError, match=r"lora|shape|finite"):
        Lora(given, 8, DeltaEncoder())


def test_no_factors_at_all_and_an_infinite_alpha_are_refused() -> None:
    with pytest.raises(ValueError, match="lora_A"):
        Lora({}, 8, DeltaEncoder())
    with pytest.raises(ValueError, match="alpha"):
        Lora(factors(), float("inf"), DeltaEncoder())


def test_an_encoder_that_takes_no_weights_is_named_with_what_to_do() -> None:
    with pytest.raises(SliceError, match="words") as caught:
        Lora(factors(), 8, WordEncoder()).questions(TEXTS, rows(2))
    assert "symposia train" in caught.value.fix
