"""A language model's folder or GGUF file: what is in it, read into memory, or refused with a reason."""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from generators.models import gguf
from generators.models.precision import Format, number_format
from indexes.errors import MissingModelError

if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

SAMPLE_BYTES = 1 << 20  # read from each end of a weights file for the fingerprint


@dataclass(frozen=True, slots=True)
class LoadedModel:
    """A model in memory, with what its configuration says about it.

    Parameters
    ----------
    eos_ids
        Tokens that end an answer.
    controls
        Control tokens as they are written, such as ``<|im_end|>``.
    window
        Most tokens that the model reads.
    """

    model: PreTrainedModel
    tokenizer: PreTrainedTokenizerBase
    eos_ids: frozenset[int]
    controls: tuple[str, ...]
    window: int


def load_model(path: Path, dtype: str) -> LoadedModel:
    """Read tokenizer and weights from a folder or a GGUF file; nothing is asked of the network.

    Raises
    ------
    MissingModelError
        It is absent or incomplete, its files are damaged, or the model is not made for chat.
    """
    require_model(path)
    from safetensors import SafetensorError

    try:
        tokenizer = _read_tokenizer(path)
        model, missing = _read_weights(path, number_format(dtype))
    except (OSError, ValueError, RuntimeError, LookupError, struct.error, SafetensorError) as error:
        raise _unusable(path, str(error).strip().split("\n")[0].rstrip(".")) from error
    if missing:
        raise _unusable(path, f"{len(missing)} weights are missing, the first of them {missing[0]}")
    if not tokenizer.encode("question", add_special_tokens=False):
        raise _unusable(path, "its tokenizer is missing")  # transformers makes an empty one up
    if tokenizer.chat_template is None:
        raise _unusable(path, "it has no chat template, so it was not trained to answer questions")
    window = getattr(model.config.get_text_config(), "max_position_embeddings", tokenizer.model_max_length)
    return LoadedModel(model, tokenizer, _end_tokens(model, tokenizer), _controls(tokenizer), int(window))


def require_model(path: Path) -> None:
    """Refuse a folder without a model's configuration, and what is no GGUF file.

    Raises
    ------
    MissingModelError
        With the reason.
    """
    if gguf.is_gguf(path):
        gguf.require_gguf(path)
        return
    if not (path / "config.json").is_file():
        raise MissingModelError(
            f"There is no language model in {path}.",
            "Fetch it with: symposia models fetch, or set the generator to a folder that holds one.",
        )


def fingerprint(path: Path) -> str:
    """SHA-256 that tells models apart without reading a gigabyte.

    It covers the small files whole and, of each weights file, its size and one megabyte from each end.

    Raises
    ------
    MissingModelError
        The folder or the file is absent.
    """
    require_model(path)
    digest = hashlib.sha256()
    for file in [path] if path.is_file() else sorted(path.iterdir()):
        if file.suffix in {".json", ".jinja"} or _holds_weights(file):
            digest.update(f"{file.name}\x00{file.stat().st_size}\x00".encode())
            digest.update(_ends(file))
    return digest.hexdigest()


def _ends(file: Path) -> bytes:
    if not _holds_weights(file) or file.stat().st_size <= 2 * SAMPLE_BYTES:
        return file.read_bytes()
    with file.open("rb") as stream:
        head = stream.read(SAMPLE_BYTES)
        stream.seek(-SAMPLE_BYTES, 2)
        return head + stream.read()


def _holds_weights(file: Path) -> bool:
    return file.suffix == ".safetensors" or gguf.is_gguf(file)


def _read_tokenizer(path: Path) -> PreTrainedTokenizerBase:
    from transformers import AutoTokenizer

    if gguf.is_gguf(path):
        return AutoTokenizer.from_pretrained(path.parent, **gguf.tokenizer_options(path))
    return AutoTokenizer.from_pretrained(path, local_files_only=True)


def _read_weights(path: Path, kind: Format) -> tuple[PreTrainedModel, list[str]]:
    """The model, and the names of weights that its files lack: transformers would fill those with noise.

    For int8 the weights are read as they are stored, which is half of float32, and rounded layer by layer.
    """
    from transformers import AutoModelForCausalLM

    quiet: AbstractContextManager[None]
    if gguf.is_gguf(path):
        quiet, place, options = gguf.without_bar(), path.parent, gguf.weights_options(path, kind)
    else:
        quiet, place, options = (
            nullcontext(),
            path,
            {"dtype": "auto" if kind == "int8" else kind, "local_files_only": True},
        )
        options["use_safetensors"] = True
    with _without_bars(), quiet:
        loaded: Any = AutoModelForCausalLM.from_pretrained(place, output_loading_info=True, **options)
    model, report = loaded
    if kind == "int8":
        from generators.models.int8 import quantise_linears

        quantise_linears(model)
    return model.eval(), sorted(report["missing_keys"])


@contextmanager
def _without_bars() -> Iterator[None]:
    """Draw no progress bars while reading."""
    from transformers.utils import logging

    bars: Any = logging  # transformers leaves these switches untyped
    shown = bars.is_progress_bar_enabled()
    bars.disable_progress_bar()
    try:
        yield
    finally:
        if shown:
            bars.enable_progress_bar()


def _end_tokens(model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase) -> frozenset[int]:
    """End tokens of the generation settings (one or several) and of the tokenizer, and its padding: nothing follows it."""
    settings: Any = model.generation_config.eos_token_id if model.generation_config else None
    several = settings if isinstance(settings, list) else [settings]
    return frozenset(
        int(token) for token in (*several, tokenizer.eos_token_id, tokenizer.pad_token_id) if token is not None
    )


def _controls(tokenizer: PreTrainedTokenizerBase) -> tuple[str, ...]:
    """Special tokens, and ``<|…|>`` marks that some models do not declare special."""
    added = tokenizer.added_tokens_decoder.values()
    return tuple(sorted(token.content for token in added if token.special or token.content.startswith("<|")))


def _unusable(path: Path, reason: str) -> MissingModelError:
    if gguf.is_gguf(path):
        return MissingModelError(f"The GGUF file {path} cannot be used: {reason}.", gguf.ADVICE)
    return MissingModelError(
        f"The language model in {path} cannot be used: {reason}.",
        "Check it with: symposia models verify, and fetch it again with: symposia models fetch.",
    )
