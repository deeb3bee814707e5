"""GGUF files: a language model in one file, as llama.cpp reads it. Its weights are unpacked when they are loaded."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from indexes.errors import MissingModelError

if TYPE_CHECKING:
    from generators.models.precision import Format

SUFFIX = ".gguf"
MAGIC = b"GGUF"
ADVICE = "Choose another file, or let llama.cpp or Ollama serve it and set models.server to that server's address."

_PART = re.compile(r"-(\d{5})-of-(\d{5})\.gguf$", re.IGNORECASE)


def is_gguf(path: Path) -> bool:
    """Whether the path names a GGUF file rather than a folder, by its suffix."""
    return path.suffix.lower() == SUFFIX and not path.is_dir()


def require_gguf(path: Path) -> None:
    """Refuse a file that is absent, is no GGUF file, or is one part of several.

    Raises
    ------
    MissingModelError
        With the reason.
    """
    if not path.is_file():
        raise MissingModelError(
            f"There is no file {path}.",
            "Name a GGUF file that is there, or a model that `symposia models list` shows.",
        )
    with path.open("rb") as stream:
        start = stream.read(len(MAGIC))
    if start != MAGIC:
        raise MissingModelError(f"{path} is no GGUF file: it begins with {start!r}.", "Download it again.")
    if (part := _PART.search(path.name)) and int(part[2]) > 1:
        raise MissingModelError(
            f"{path} is one of {int(part[2])} parts of a model.",
            "Join them with: llama-gguf-split --merge FIRST-PART WHOLE.gguf",
        )


def tokenizer_options(path: Path) -> dict[str, Any]:
    """How ``AutoTokenizer.from_pretrained(path.parent, …)`` reads the tokenizer and its chat template from the file."""
    return {"gguf_file": path.name, "local_files_only": True}


def weights_options(path: Path, kind: Format) -> dict[str, Any]:
    """How ``AutoModelForCausalLM.from_pretrained(path.parent, …)`` reads the weights, unpacked to floating point.

    For int8 they are unpacked to bfloat16, which is finer than what GGUF files hold, and rounded again layer by layer.
    """
    import transformers

    options = tokenizer_options(path) | {"dtype": "bfloat16" if kind == "int8" else kind}
    # Newer versions would keep packed weights where a kernel for them is installed; older ones always unpack.
    unpack = getattr(transformers, "GgufConfig", None)
    if unpack is not None:
        options["quantization_config"] = unpack(dequantize=True)
    return options


@contextmanager
def without_bar() -> Iterator[None]:
    """Keep the library from drawing a bar of its own while it unpacks: its switch for bars does not reach this one."""
    from importlib import import_module

    try:
        module: Any = import_module("transformers.modeling_gguf_pytorch_utils")
    except ImportError:  # it has moved, and whether its successor draws one is seen by a test
        yield
        return
    drawn = getattr(module, "tqdm", None)
    module.tqdm = _plain
    try:
        yield
    finally:
        module.tqdm = drawn


def _plain(items: Iterable[Any], **_: object) -> Iterable[Any]:
    return items
