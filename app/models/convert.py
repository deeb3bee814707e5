"""GGUF weights turned into a bf16 safetensors folder that ``from_pretrained`` reads in seconds.

Run as a program (``python -m app.models.convert GGUF FOLDER``) it converts one file and prints what it did as JSON, so
that the gigabytes this takes, and the libraries' own output, stay out of the program that asked.
"""

from __future__ import annotations

import json
import sys
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import torch
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

PROBE = "The Seine flows through Paris, the capital of France. def add(a, b): return a + b\n12 + 30 ="
TIE_LIMIT = 0.02  # nats per token; quantisation noise stays far below, really separate matrices far above

LIBRARIES = ("torch", "transformers", "gguf", "safetensors")


class ConversionError(RuntimeError):
    """What was written does not read back as what was meant."""


def convert(gguf: Path, folder: Path) -> dict[str, Any]:
    """Write the model in ``gguf`` to ``folder``: bf16 weights, tokenizer, chat template, generation settings.

    The folder is read back and must give the same logits, bit for bit, on a short text.

    Returns
    -------
    dict
        Versions of the libraries, the dtype, and ``tie_divergence``: mean KL divergence in nats per token between the
        next-token distributions before and after embedding and head were made one matrix; None where they were left
        apart.

    Raises
    ------
    ConversionError
        What was read back differs.
    """
    model, tokenizer = _read(gguf)
    tokens = _tokens(tokenizer)
    divergence = tie(model, tokens)
    expected = _logits(model, tokens)
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    _share_mode(folder)
    end = model.generation_config.eos_token_id if model.generation_config else None
    del model  # two copies at once are not needed
    _verify(folder, tokenizer, end, expected)
    versions = {name: version(name) for name in LIBRARIES}
    return {
        "converter": versions,
        "dtype": "bfloat16",
        "tie_divergence": None if divergence is None else round(divergence, 4),
    }


def tie(model: PreTrainedModel, tokens: torch.Tensor) -> float | None:
    """Make embedding and head one matrix where the trained model had them so.

    GGUF files of tied models may hold the matrix twice at different precision: Q4_K_M of Qwen2.5-0.5B has the embedding
    as Q5_0 and the head as Q8_0, 4.5 % apart. The head's copy is kept, as quantisation recipes never give it fewer
    bits. Whether the two are one is measured on ``tokens`` (int64, 1 x n), since no field of the file says it.

    Returns
    -------
    float or None
        Mean KL divergence in nats per token that tying causes (0.0 where they were one already); None, and the model is
        unchanged, where that exceeds ``TIE_LIMIT``.
    """
    parts: Any = model  # transformers leaves these two untyped
    embedding, head = parts.get_input_embeddings(), parts.get_output_embeddings()
    if embedding.weight.data_ptr() == head.weight.data_ptr():
        model.config.tie_word_embeddings = True
        return 0.0
    if embedding.weight.shape != head.weight.shape:
        return None
    before, own = _logits(model, tokens), embedding.weight
    embedding.weight = head.weight
    divergence = _divergence(before, _logits(model, tokens))
    if divergence > TIE_LIMIT:
        embedding.weight = own
        return None
    model.config.tie_word_embeddings = True
    model.tie_weights()
    return divergence


def _read(gguf: Path) -> tuple[PreTrainedModel, PreTrainedTokenizerBase]:
    import torch
    import transformers

    options: dict[str, Any] = {"gguf_file": gguf.name, "local_files_only": True}
    tokenizer = transformers.AutoTokenizer.from_pretrained(gguf.parent, **options)
    # Newer versions would keep packed weights where a kernel for them is installed; older ones always unpack.
    unpack = getattr(transformers, "GgufConfig", None)
    if unpack is not None:
        options["quantization_config"] = unpack(dequantize=True)
    model: Any = transformers.AutoModelForCausalLM.from_pretrained(gguf.parent, dtype=torch.bfloat16, **options)
    model.hf_quantizer = None  # else save_pretrained refuses, although nothing is quantised any more
    model.config.__dict__.pop("quantization_config", None)
    if len(tokenizer) <= model.config.vocab_size and tokenizer.model_max_length > model.config.max_position_embeddings:
        tokenizer.model_max_length = model.config.max_position_embeddings
    for passing in ("local_files_only", "is_local"):  # how it was read here is no property of the tokenizer
        tokenizer.init_kwargs.pop(passing, None)
    return model.eval(), tokenizer


def _tokens(tokenizer: PreTrainedTokenizerBase) -> torch.Tensor:
    tokens: torch.Tensor = tokenizer(PROBE, return_tensors="pt")["input_ids"]
    return tokens


def _logits(model: PreTrainedModel, tokens: torch.Tensor) -> torch.Tensor:
    import torch

    with torch.inference_mode():
        logits: torch.Tensor = model(tokens).logits[0]
    return logits


def _divergence(before: torch.Tensor, after: torch.Tensor) -> float:
    p, q = (logits.double().log_softmax(-1) for logits in (before, after))
    return float((p.exp() * (p - q)).sum(-1).mean())


def _verify(
    folder: Path, tokenizer: PreTrainedTokenizerBase, end: int | list[int] | None, expected: torch.Tensor
) -> None:
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    again = AutoTokenizer.from_pretrained(folder, local_files_only=True)
    tokens = _tokens(again)
    if not torch.equal(tokens, _tokens(tokenizer)) or again.chat_template != tokenizer.chat_template:
        raise ConversionError("the tokenizer did not survive being written")
    model: Any = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.bfloat16, local_files_only=True)
    if model.generation_config.eos_token_id != end:
        raise ConversionError("the generation settings did not survive being written")
    if not torch.equal(_logits(model.eval(), tokens), expected):
        raise ConversionError("the written weights give other logits")


def _share_mode(folder: Path) -> None:
    """Weights are written readable by their owner alone; give them the mode that the user's other files get."""
    mode = (folder / "config.json").stat().st_mode
    for path in folder.glob("*.safetensors"):
        path.chmod(mode)


if __name__ == "__main__":
    sys.stdout.write(json.dumps(convert(Path(sys.argv[1]), Path(sys.argv[2]))) + "\n")
