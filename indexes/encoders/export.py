"""From a sentence-transformers folder to an ONNX graph: the only part of the ONNX runtime that needs torch.

The graph is the whole pipeline (transformer, pooling, dense layers, normalisation) for one text of any length. Int8 is
dynamic quantisation with one scale for each channel of a weight; with one scale for a whole weight (the libraries'
default) the vectors of all-MiniLM-L6-v2 would have a mean cosine of .95 with the originals instead of .99.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from indexes.encoders.base import Fingerprint, unit
from indexes.encoders.deltas import Deltas
from indexes.encoders.exported import FORMAT, MODEL, OPSET, TOKENIZER
from indexes.encoders.graph import Graph, onnx_errors
from indexes.errors import SettingsError

if TYPE_CHECKING:
    from onnx import ModelProto
    from sentence_transformers import SentenceTransformer

LIBRARIES = ("torch", "transformers", "sentence-transformers", "onnx", "onnxruntime", "tokenizers")
BY_TORCH = (RuntimeError, TypeError, ValueError, LookupError, AttributeError, AssertionError)  # it cannot trace
UNLIMITED = 1_000_000  # tokens: tokenizers without a limit state 10^30
LOWEST_COSINE = 0.9999  # of any float32 vector with torch's
MEAN_COSINE = 0.97  # of int8 vectors with torch's
WORDS = "The mill by the river grinds wheat, rye and barley from August until the first frost. "
PROBES = (
    "river",
    "What is the capital of France?",
    "How many moons does Mars have, and who found them?",
    "The crankshaft turns the motion of the pistons into rotation.",
    "def mean(values):\n    return sum(values) / len(values)",
    "Aspirin (acetylsalicylic acid) irreversibly inhibits COX-1; 75–100 mg a day is a usual dose.",
    "Größe, naïve, 東京, Москва, ≥ 3 µm 🌍",
    WORDS * 3,
    WORDS * 100,  # more tokens than most encoders read
)


@dataclass(frozen=True, slots=True)
class Likeness:
    """Cosines of a graph's vectors with torch's, over the probes as questions and as passages.

    Parameters
    ----------
    float_layers
        Layers of an int8 graph that were left in float32.
    """

    n: int
    mean: float
    lowest: float
    float_layers: int = 0


def export(folder: Path, into: Path, fingerprint: Fingerprint, deltas: Deltas | None = None) -> Mapping[str, Any]:
    """Export an encoder, and compare the result with the original before anybody relies on it.

    Parameters
    ----------
    folder
        Of the sentence-transformers model.
    into
        An empty folder, which gets the graph and the tokenizer.
    fingerprint
        Of the exported encoder; its precision says whether the graph is quantised.
    deltas
        Added to the weights first.

    Returns
    -------
    dict
        For the record: versions, and how near the vectors are to torch's.

    Raises
    ------
    SettingsError
        torch cannot export the model, or the graph's vectors differ from torch's; the fix names the runtime to use.
    InputError
        Deltas that do not fit the model.
    """
    from indexes.encoders.sentence_transformer import load_model

    model = load_model(folder, deltas).float().eval()
    failures: tuple[type[Exception], ...] = (*BY_TORCH, *onnx_errors())
    try:
        _save_tokenizer(model, into / TOKENIZER)
        _trace(model, into / MODEL)
        likeness = _compare(model, into, fingerprint)
        _check_exact(likeness, fingerprint)
        if fingerprint.precision == "int8":
            likeness = _quantise(model, into, fingerprint)
    except failures as error:
        reason = str(error).strip().split("\n", 1)[0]
        raise _refusal(fingerprint, f"cannot be exported to ONNX: {type(error).__name__}: {reason}") from error
    return {
        "format": FORMAT,
        "opset": OPSET,
        **fingerprint.to_dict(),
        "likeness_to_torch": asdict(likeness),
        "versions": {name: metadata.version(name) for name in LIBRARIES},
    }


def _save_tokenizer(model: SentenceTransformer, path: Path) -> None:
    """The tokenizer as transformers has set it up, truncating to the model's limit."""
    from tokenizers import Tokenizer

    backend = getattr(model.tokenizer, "backend_tokenizer", None)
    if backend is None:
        raise TypeError(f"{type(model.tokenizer).__name__} is no fast tokenizer")
    tokenizer = Tokenizer.from_str(backend.to_str())
    tokenizer.no_padding()
    limit = model.max_seq_length
    if limit is None or limit > UNLIMITED:
        tokenizer.no_truncation()
    else:
        tokenizer.enable_truncation(limit, direction=model.tokenizer.truncation_side)
    tokenizer.save(str(path))


def _trace(model: SentenceTransformer, path: Path) -> None:
    """Trace the pipeline with one text. There is no mask: a text that stands alone has no padding to be masked."""
    import torch

    class Pipeline(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.model = model

        def forward(self, input_ids: torch.Tensor) -> torch.Tensor:
            vectors: torch.Tensor = self.model({"input_ids": input_ids})["sentence_embedding"]
            return vectors

    example = model.tokenizer([PROBES[2]], truncation=True, return_tensors="pt")["input_ids"]
    with torch.no_grad(), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the tracer warns of what _compare then checks
        torch.onnx.export(
            Pipeline(),
            (example,),
            str(path),
            input_names=["input_ids"],
            output_names=["vector"],
            dynamic_axes={"input_ids": {1: "tokens"}},
            dynamo=False,
            opset_version=OPSET,
        )


def _quantise(model: SentenceTransformer, into: Path, fingerprint: Fingerprint) -> Likeness:
    """Quantise everything; where that loses too much, leave the layers that narrow in float32.

    They read what the widest layers have computed, where single values can be so large (all-mpnet-base-v2: mean cosine
    .91, and .99 with these layers left) that one scale for all leaves nothing of the others.
    """
    import onnx
    from onnxruntime.quantization import QuantType, quantize_dynamic

    graph = onnx.load(str(into / MODEL))
    # Pre-processing is optional and fails on these graphs; without this mark a warning advises it on the root logger.
    onnx.helper.set_model_props(graph, {"onnx.quant.pre_process": "onnxruntime.quant"})
    for kept in ([], _narrowing(graph)):
        path = str(into / MODEL)
        quantize_dynamic(graph, path, per_channel=True, weight_type=QuantType.QInt8, nodes_to_exclude=kept)
        likeness = replace(_compare(model, into, fingerprint), float_layers=len(kept))
        if likeness.mean >= MEAN_COSINE:
            return likeness
    raise _refusal(
        fingerprint,
        f"loses too much as int8: the mean cosine of {likeness.n} texts with its float32 vectors is {likeness.mean:.4f}",
        "float32",
    )


def _narrowing(graph: ModelProto) -> list[str]:
    """Names of the products with a weight ``[in, out]`` of fewer outputs than inputs."""
    shapes = {weight.name: tuple(weight.dims) for weight in graph.graph.initializer}
    products = [(node.name, shapes.get(node.input[1], ())) for node in graph.graph.node if node.op_type == "MatMul"]
    return [name for name, shape in products if len(shape) == 2 and shape[0] > shape[1]]


def _compare(model: SentenceTransformer, into: Path, fingerprint: Fingerprint) -> Likeness:
    graph, cosines = Graph.open(into), []
    for prompt, encode in (
        (fingerprint.query_prompt, model.encode_query),
        (fingerprint.passage_prompt, model.encode_document),
    ):
        wanted = unit(encode(list(PROBES), show_progress_bar=False))
        given = unit(np.stack([graph.vector(prompt + text) for text in PROBES]))
        if given.shape[1] != fingerprint.dimension:
            raise ValueError(f"it gives {given.shape[1]} dimensions, but its folder states {fingerprint.dimension}")
        cosines += (wanted * given).sum(axis=1).tolist()
    return Likeness(len(cosines), float(np.mean(cosines)), min(cosines))


def _check_exact(likeness: Likeness, fingerprint: Fingerprint) -> None:
    if not likeness.lowest >= LOWEST_COSINE:  # so that NaN is refused too
        raise _refusal(
            fingerprint,
            f"gives other vectors by ONNX than by torch: the lowest cosine of {likeness.n} texts is {likeness.lowest:.4f}",
        )


def _refusal(fingerprint: Fingerprint, problem: str, runtime: str = "torch") -> SettingsError:
    return SettingsError(f"The encoder {fingerprint.model!r} {problem}.", f'Set models.runtime = "{runtime}".')
