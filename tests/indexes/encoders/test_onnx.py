from __future__ import annotations

import json
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from indexes.encoders import export as exporting
from indexes.encoders.exported import MODEL, RECORD, TOKENIZER
from indexes.encoders.onnx import OnnxEncoder, Precision
from indexes.encoders.sentence_transformer import SentenceTransformerEncoder, load_model
from indexes.errors import InputError, MissingModelError, SettingsError, StoreError

TEXTS = (
    "The mill by the river",
    "grain",
    "",
    "Größe 東京 🌍 naïve\tflour\n\nwheel",
    "water, water. " * 50,
    "The flood gate? The miller, the stone.",
    "x" * 500,
)
QUESTION, ANSWER = "encoder.layer.1.attention.self.query.weight", "encoder.layer.0.output.dense.bias"
HEAVY = {"torch", "transformers", "sentence_transformers", "onnx", "scipy", "sklearn", "pandas"}


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where this module's exports lie: each encoder is exported once."""
    return tmp_path_factory.mktemp("cache")


def cosines(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    np.testing.assert_allclose(np.linalg.norm(np.vstack([one, other]), axis=1), 1, atol=1e-5)
    return (one * other).sum(axis=1)


def transformer_of(folder: Path) -> Any:
    first: Any = load_model(folder)[0]
    return first.auto_model


def small_deltas() -> dict[str, np.ndarray]:
    noise = np.random.default_rng(0)
    return {
        QUESTION: noise.normal(size=(32, 32)).astype(np.float32),
        ANSWER: noise.normal(size=32).astype(np.float32),
    }


def test_float32_gives_torchs_vectors_for_questions_and_passages_of_any_kind(tiny_folder: Path, cache: Path) -> None:
    fast = OnnxEncoder(tiny_folder, precision="float32", cache=cache)
    reference = SentenceTransformerEncoder(tiny_folder)
    assert fast.fingerprint == reference.fingerprint
    assert (fast.fingerprint.query_prompt, fast.fingerprint.precision) == ("query: ", "float32")
    questions, passages = fast.encode_questions(TEXTS), fast.encode_passages(TEXTS)
    assert questions.dtype == passages.dtype == np.float32
    assert cosines(questions, reference.encode_questions(TEXTS)).min() >= 0.9999
    assert cosines(passages, reference.encode_passages(TEXTS)).min() >= 0.9999
    assert cosines(questions, passages).min() < 0.99


def test_joined_poolings_and_a_dense_layer_are_exported_too(dense_folder: Path, cache: Path) -> None:
    fast = OnnxEncoder(dense_folder, precision="float32", cache=cache)
    reference = SentenceTransformerEncoder(dense_folder)
    assert fast.fingerprint.dimension == reference.fingerprint.dimension == 12
    assert cosines(fast.encode_passages(TEXTS), reference.encode_passages(TEXTS)).min() >= 0.9999


def test_int8_is_near_torch_and_has_a_fingerprint_of_its_own(tiny_folder: Path, cache: Path) -> None:
    fast = OnnxEncoder(tiny_folder, precision="int8", cache=cache)
    reference = SentenceTransformerEncoder(tiny_folder)
    alike = cosines(fast.encode_passages(TEXTS), reference.encode_passages(TEXTS))
    assert 0.97 <= alike.mean() < 0.99999
    assert fast.fingerprint != reference.fingerprint
    assert (fast.fingerprint.revision, fast.fingerprint.precision) == (reference.fingerprint.revision, "int8")


@pytest.mark.parametrize("precision", ["int8", "float32"])
def test_a_vector_depends_on_its_text_alone(tiny_folder: Path, cache: Path, precision: Precision) -> None:
    encoder = OnnxEncoder(tiny_folder, precision=precision, cache=cache, threads=3)
    alone = np.vstack([encoder.encode_passages([text]) for text in TEXTS])
    np.testing.assert_array_equal(encoder.encode_passages(TEXTS), alone)
    np.testing.assert_array_equal(encoder.encode_passages(TEXTS[::-1])[::-1], alone)


def test_a_long_text_is_truncated_and_its_end_does_not_matter(tiny_folder: Path, cache: Path) -> None:
    encoder = OnnxEncoder(tiny_folder, precision="float32", cache=cache)
    one, other = encoder.encode_passages(["mill " * 30 + "river", "mill " * 30 + "flood"])
    np.testing.assert_array_equal(one, other)
    assert cosines(*encoder.encode_passages(["mill " * 3 + "river", "mill " * 3 + "flood"])[:, None]).min() < 0.999


def test_no_texts_are_no_vectors_and_export_nothing(tiny_folder: Path, tmp_path: Path) -> None:
    encoder = OnnxEncoder(tiny_folder, precision="int8", cache=tmp_path)
    assert encoder.encode_questions([]).shape == encoder.encode_passages([]).shape == (0, 32)
    assert SentenceTransformerEncoder(tiny_folder).encode_questions([]).shape == (0, 32)
    assert not encoder.exported
    assert list(tmp_path.iterdir()) == []


def test_progress_is_told_share_by_share(tiny_folder: Path, cache: Path) -> None:
    encoder = OnnxEncoder(tiny_folder, precision="int8", cache=cache, threads=2)
    seen: list[tuple[int, int]] = []
    encoder.encode_passages(["mill"] * 70, lambda done, total: seen.append((done, total)))
    assert seen == [(32, 70), (64, 70), (70, 70)]
    encoder.encode_passages(["mill"], lambda done, total: seen.append((done, total)))
    assert seen[3:] == [(1, 1)]


def test_a_callers_error_ends_the_encoding(tiny_folder: Path, cache: Path) -> None:
    encoder = OnnxEncoder(tiny_folder, precision="int8", cache=cache, threads=1)
    seen: list[int] = []

    def stop(done: int, total: int) -> None:
        seen.append(done)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        encoder.encode_passages(["mill"] * 70, stop)
    assert seen == [16]


def test_an_export_is_used_again_and_needs_no_torch(tiny_folder: Path, cache: Path) -> None:
    wanted = OnnxEncoder(tiny_folder, precision="int8", cache=cache).encode_questions(TEXTS[:2])
    code = (
        "import json, sys\n"
        "from pathlib import Path\n"
        "from indexes.encoders.open import open_encoder\n"
        "encoder = open_encoder(Path(sys.argv[1]), 'tiny', 'int8', Path(sys.argv[2]))\n"
        "vectors = encoder.encode_questions(json.loads(sys.argv[3]))\n"
        "print(json.dumps([vectors.tolist(), sorted(name.split('.')[0] for name in sys.modules)]))\n"
    )
    arguments = [sys.executable, "-c", code, str(tiny_folder), str(cache), json.dumps(TEXTS[:2])]
    done = subprocess.run(arguments, capture_output=True, text=True, check=True, cwd=Path(__file__).parents[3])
    vectors, modules = json.loads(done.stdout)
    assert set(modules) & HEAVY == set()
    assert done.stderr == ""
    np.testing.assert_allclose(vectors, wanted, atol=1e-6)


def test_what_an_export_was_made_of_is_recorded(tiny_folder: Path, cache: Path) -> None:
    encoder = OnnxEncoder(tiny_folder, "my tiny/one", precision="int8", cache=cache)
    encoder.encode_questions(["mill"])
    [folder] = [path for path in (cache / ".onnx").iterdir() if path.name.startswith("my-tiny-one-") and path.is_dir()]
    record = json.loads((folder / RECORD).read_text())
    assert encoder.fingerprint.revision in folder.name
    assert record["model"] == "my tiny/one"
    assert record["likeness_to_torch"]["n"] == 2 * len(exporting.PROBES)
    assert record["likeness_to_torch"]["float_layers"] == 0
    assert 0.97 <= record["likeness_to_torch"]["mean"] <= 1
    assert set(record["versions"]) >= {"torch", "onnxruntime", "tokenizers"}
    assert record["files"][MODEL] == (folder / MODEL).stat().st_size
    assert sorted(path.name for path in folder.iterdir()) == sorted([MODEL, TOKENIZER, RECORD])


@pytest.fixture
def counted(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Names of the precisions that were exported."""
    made: list[str] = []
    original = exporting.export

    def export(folder: Path, into: Path, fingerprint: Any, deltas: Any = None) -> Mapping[str, Any]:
        made.append(fingerprint.precision)
        return original(folder, into, fingerprint, deltas)

    monkeypatch.setattr(exporting, "export", export)
    return made


def test_several_that_need_an_export_at_once_make_one(tiny_folder: Path, tmp_path: Path, counted: list[str]) -> None:
    encoders = [OnnxEncoder(tiny_folder, precision="float32", cache=tmp_path) for _ in range(4)]
    ready = threading.Barrier(8)

    def ask(number: int) -> np.ndarray:
        ready.wait()
        return encoders[number % 4].encode_questions(["river"])

    with ThreadPoolExecutor(8) as pool:
        vectors = list(pool.map(ask, range(8)))
    assert counted == ["float32"]
    for vector in vectors[1:]:
        np.testing.assert_array_equal(vector, vectors[0])


@pytest.mark.parametrize("name", [MODEL, TOKENIZER, RECORD])
def test_a_damaged_export_is_made_anew(tiny_folder: Path, tmp_path: Path, counted: list[str], name: str) -> None:
    first = OnnxEncoder(tiny_folder, precision="float32", cache=tmp_path)
    wanted = first.encode_questions(["river"])
    [path] = (tmp_path / ".onnx").glob(f"*/{name}")
    path.write_bytes(path.read_bytes()[:-1] if name != RECORD else b"{")
    again = OnnxEncoder(tiny_folder, precision="float32", cache=tmp_path)
    assert not again.exported
    np.testing.assert_array_equal(again.encode_questions(["river"]), wanted)
    assert again.exported
    assert counted == ["float32", "float32"]


def test_a_graph_that_cannot_be_loaded_is_named(tiny_folder: Path, tmp_path: Path) -> None:
    OnnxEncoder(tiny_folder, precision="float32", cache=tmp_path).encode_questions(["river"])
    [path] = (tmp_path / ".onnx").glob(f"*/{MODEL}")
    path.write_bytes(bytes(path.stat().st_size))
    with pytest.raises(MissingModelError, match="cannot be loaded") as caught:
        OnnxEncoder(tiny_folder, precision="float32", cache=tmp_path).encode_questions(["river"])
    assert "Remove that folder" in caught.value.fix


def test_a_model_that_torch_cannot_export_is_refused_and_leaves_nothing(
    tiny_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: Any, **__: Any) -> None:
        raise RuntimeError("no symbol for aten::strange\nand more")

    monkeypatch.setattr("torch.onnx.export", fail)
    with pytest.raises(SettingsError, match="'tiny' cannot be exported to ONNX: RuntimeError: no symbol") as caught:
        OnnxEncoder(tiny_folder, precision="int8", cache=tmp_path).encode_questions(["river"])
    assert caught.value.fix == 'Set models.runtime = "torch".'
    assert [path for path in (tmp_path / ".onnx").iterdir() if path.is_dir()] == []


@pytest.mark.parametrize("precision", ["int8", "float32"])
def test_a_graph_with_other_vectors_than_torchs_is_never_used(
    tiny_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, precision: Precision
) -> None:
    original = exporting._trace

    def wrong(model: Any, path: Path) -> None:
        other = load_model(tiny_folder)
        other[0].auto_model.embeddings.word_embeddings.weight.data.mul_(-1)
        original(other, path)

    monkeypatch.setattr(exporting, "_trace", wrong)
    encoder = OnnxEncoder(tiny_folder, precision=precision, cache=tmp_path)
    with pytest.raises(SettingsError, match="other vectors by ONNX than by torch: the lowest cosine of") as caught:
        encoder.encode_questions(["river"])
    assert caught.value.fix == 'Set models.runtime = "torch".'
    assert not encoder.exported


def test_int8_that_loses_too_much_is_refused(
    tiny_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(exporting, "MEAN_COSINE", 0.99999)
    encoder = OnnxEncoder(tiny_folder, precision="int8", cache=tmp_path)
    with pytest.raises(
        SettingsError, match=r"loses too much as int8: the mean cosine of 18 texts .* is 0\.9"
    ) as caught:
        encoder.encode_questions(["river"])
    assert caught.value.fix == 'Set models.runtime = "float32".'
    assert not encoder.exported


def test_layers_whose_input_has_outliers_stay_in_float32_so_that_int8_serves(tiny_folder: Path, tmp_path: Path) -> None:
    weights = dict(transformer_of(tiny_folder).named_parameters())
    deltas = {}
    for layer in range(2):
        narrowing = f"encoder.layer.{layer}.output.dense.weight"
        deltas[narrowing] = np.zeros((32, 64), np.float32)
        deltas[narrowing][:, 0] = -weights[narrowing].detach().numpy()[:, 0]  # nothing reads the outlier
        deltas[f"encoder.layer.{layer}.intermediate.dense.bias"] = np.eye(64, dtype=np.float32)[0] * 1000
    fast = OnnxEncoder(tiny_folder, precision="int8", cache=tmp_path).with_deltas(deltas, "outliers")
    reference = SentenceTransformerEncoder(tiny_folder).with_deltas(deltas, "outliers")
    assert cosines(fast.encode_passages(TEXTS), reference.encode_passages(TEXTS)).mean() >= 0.97
    [record] = (tmp_path / ".onnx").glob(f"*/{RECORD}")
    assert json.loads(record.read_text())["likeness_to_torch"]["float_layers"] == 2


def test_a_cache_that_cannot_be_written_is_named(tiny_folder: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError, match="could not be written to") as caught:
        OnnxEncoder(tiny_folder, precision="int8", cache=tmp_path / "file").encode_questions(["river"])
    assert "models.cache" in caught.value.fix


@pytest.mark.parametrize("precision", ["int8", "float32"])
def test_adapted_weights_give_torchs_adapted_vectors_and_leave_the_base_alone(
    tiny_folder: Path, cache: Path, precision: Precision
) -> None:
    base = OnnxEncoder(tiny_folder, precision=precision, cache=cache)
    before = base.encode_passages(TEXTS)
    adapted = base.with_deltas(small_deltas(), "abc123")
    reference = SentenceTransformerEncoder(tiny_folder).with_deltas(small_deltas(), "abc123")
    assert adapted.fingerprint.revision == reference.fingerprint.revision == f"{base.fingerprint.revision}+abc123"
    assert adapted.fingerprint.precision == precision
    vectors = adapted.encode_passages(TEXTS)
    alike = cosines(vectors, reference.encode_passages(TEXTS))
    assert alike.min() >= 0.9999 if precision == "float32" else alike.mean() >= 0.97
    assert cosines(vectors, before).mean() < 0.95
    np.testing.assert_array_equal(base.encode_passages(TEXTS), before)


def test_adapting_twice_adds_both(tiny_folder: Path, cache: Path) -> None:
    deltas = small_deltas()
    base = SentenceTransformerEncoder(tiny_folder)
    once = base.with_deltas({name: 2 * delta for name, delta in deltas.items()}, "double")
    twice = OnnxEncoder(tiny_folder, precision="float32", cache=cache).with_deltas(deltas, "a")
    twice = twice.with_deltas(deltas, "b")
    assert twice.fingerprint.revision == f"{base.fingerprint.revision}+a+b"
    assert cosines(twice.encode_passages(TEXTS), once.encode_passages(TEXTS)).min() >= 0.9999


@pytest.mark.parametrize("kind", ["onnx", "torch"])
def test_deltas_that_do_not_fit_are_refused(tiny_folder: Path, tmp_path: Path, kind: str) -> None:
    base = OnnxEncoder(tiny_folder, precision="int8", cache=tmp_path)
    encoder = base if kind == "onnx" else SentenceTransformerEncoder(tiny_folder)
    unknown = encoder.with_deltas({**small_deltas(), "encoder.layer.9.bias": np.zeros(3, np.float32)}, "t1")
    with pytest.raises(InputError, match=r"a parameter 'encoder\.layer\.9\.bias', which the encoder does not have"):
        unknown.encode_questions(["river"])
    wrong = encoder.with_deltas({ANSWER: np.zeros((32, 1), np.float32)}, "t2")
    with pytest.raises(InputError, match=r"have the shape \(32, 1\), but the parameter has \(32,\)"):
        wrong.encode_questions(["river"])
    with pytest.raises(InputError, match="cannot be part of a file name"):
        encoder.with_deltas({}, "../up")


@pytest.fixture(scope="module")
def real_cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Exports of the fetched model, kept apart from the user's."""
    return tmp_path_factory.mktemp("real")


REAL = (
    "What is the capital of France?",
    "Paris is the seat of the French government. " * 60,
    "sorted(list) returns a new sorted list.",
    "Größe, naïve, 東京, Москва, ≥ 3 µm 🌍",
    "0-dimensional biomaterials lack inductive properties.",
    "A long sentence about nothing in particular, which goes on and on, as long sentences do. " * 5,
)


@pytest.mark.slow
@pytest.mark.parametrize("precision", ["float32", "int8"])
def test_the_default_encoder_by_onnx_is_like_torchs(
    model_folder: Callable[[str], Path], real_cache: Path, precision: Precision
) -> None:
    folder = model_folder("all-minilm-l6-v2")
    fast = OnnxEncoder(folder, precision=precision, cache=real_cache)
    reference = SentenceTransformerEncoder(folder)
    questions, passages = fast.encode_questions(REAL), fast.encode_passages(REAL)
    for alike in (
        cosines(questions, reference.encode_questions(REAL)),
        cosines(passages, reference.encode_passages(REAL)),
    ):
        assert alike.min() >= 0.9999 if precision == "float32" else alike.mean() >= 0.97
    single = np.vstack([fast.encode_questions([text]) for text in REAL])
    np.testing.assert_array_equal(single, questions)
    np.testing.assert_array_equal(np.argsort(-single @ passages.T), np.argsort(-questions @ passages.T))
    one, other = fast.encode_passages([REAL[1], REAL[1] + "Something else."])
    np.testing.assert_array_equal(one, other)
