"""The torch side of a LoRA: the base model with low-rank factors in its attention, and nothing else that learns."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from indexes.encoders.base import Vectors
from indexes.encoders.sentence_transformer import load_model
from indexes.errors import InputError

if TYPE_CHECKING:
    from torch import Tensor, nn

ATTENTION = (
    ("query", "value"),  # BERT, RoBERTa, XLM-R, ELECTRA
    ("q_lin", "v_lin"),  # DistilBERT
    ("query_proj", "value_proj"),  # DeBERTa
    ("q_proj", "v_proj"),  # Llama, Qwen, Gemma
    ("q", "v"),  # MPNet, T5
    ("Wqkv",),  # ModernBERT, Nomic
    ("qkv_proj",),  # GTE
)
"""Names of attention's projections to queries and values, in the order in which they are looked for."""
BATCH = 64


@dataclass(frozen=True, slots=True)
class Rank:
    """Size and place of the factors: a module gives ``W x + (alpha / rank) · B A dropout(x)`` (LoRA, arXiv 2106.09685).

    Parameters
    ----------
    targets
        Last parts of the names of the linear layers to adapt; attention's projections to queries and values where empty.
    """

    rank: int = 8
    alpha: float = 16.0
    dropout: float = 0.0
    targets: tuple[str, ...] = ()


class LoraModel:
    """A sentence-transformers model with factors that learn. A begins random and B with zeros: at first it is the base.

    The base's own dropout stays off.

    Parameters
    ----------
    folder
        The base model, in sentence-transformers' format.
    seed
        Of the random beginning.

    Raises
    ------
    InputError
        PEFT is not installed, or the target modules cannot be found.
    """

    def __init__(self, folder: Path, rank: Rank, seed: int = 0) -> None:
        import torch

        try:
            from peft import LoraConfig, inject_adapter_in_model
        except ImportError as error:
            raise InputError(
                "LoRA is trained with PEFT, which is not installed.",
                "Install it with: pip install 'symposia[train]', or train another kind with `symposia train --kind linear`.",
            ) from error
        self.model = load_model(folder)
        self.transformer = _transformer(self.model, folder.name)
        targets = find_targets(self.transformer, rank.targets, folder.name)
        config = LoraConfig(
            r=rank.rank,
            lora_alpha=rank.alpha,  # type: ignore[arg-type]
            lora_dropout=rank.dropout,
            target_modules=targets,
        )
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            inject_adapter_in_model(config, self.transformer)
        for name, parameter in self.model.named_parameters():
            parameter.requires_grad = "lora_" in name
        self.dropout = [module for name, module in self.model.named_modules() if name.endswith("lora_dropout.default")]
        self.model.eval()
        self.bf16 = native_bf16()

    def parameters(self) -> dict[str, nn.Parameter]:
        """The factors, by PEFT's names without the adapter's own: ``<module>.lora_A.weight`` and ``….lora_B.weight``."""
        pairs = sorted(self.transformer.named_parameters())
        return {name.replace(".default.", "."): p for name, p in pairs if p.requires_grad}

    def inputs(self, texts: Sequence[str], side: str = "query") -> dict[str, Tensor]:
        """Token ids of a batch and whatever else the model takes, with the side's prompt."""
        return dict(self.model.preprocess(list(texts), prompt=self.model.prompts.get(side) or None))

    @contextmanager
    def passing(self) -> Iterator[None]:
        """Within it the model's arithmetic is the processor's fastest, and dropout is on where gradients flow."""
        import torch

        for module in self.dropout:
            module.train(torch.is_grad_enabled())
        with torch.autocast("cpu", torch.bfloat16, enabled=self.bf16):
            yield

    def unit(self, texts: Sequence[str], side: str = "query") -> Tensor:
        """Unit vectors ``[len(texts), dimension]`` of a batch, with gradients."""
        import torch

        with self.passing():
            vectors = self.model(self.inputs(texts, side))["sentence_embedding"]
        return torch.nn.functional.normalize(vectors.float(), dim=1)

    def encode(self, texts: Sequence[str], side: str = "query") -> Vectors:
        """Unit vectors ``[len(texts), dimension]`` of at least one text, without gradients or dropout."""
        import torch

        order = sorted(range(len(texts)), key=lambda i: (-len(texts[i]), i))
        batches = [order[first : first + BATCH] for first in range(0, len(order), BATCH)]
        with torch.no_grad():
            vectors = [self.unit([texts[i] for i in rows], side).numpy() for rows in batches]
        return np.asarray(np.concatenate(vectors)[np.argsort(order)], dtype=np.float32)


def find_targets(transformer: nn.Module, wanted: Sequence[str], name: str) -> list[str]:
    """Last parts of the names of the linear layers to adapt; ``wanted``, or else the first of ``ATTENTION`` that is there.

    Raises
    ------
    InputError
        Where there are none.
    """
    from torch import nn

    linear = {path.rsplit(".", 1)[-1] for path, module in transformer.named_modules() if isinstance(module, nn.Linear)}
    choices = (tuple(wanted),) if wanted else ATTENTION
    for choice in choices:
        if linear.issuperset(choice):
            return list(choice)
    raise InputError(
        f"LoRA finds no linear layers named {' or '.join(' and '.join(choice) for choice in choices)} in {name}.",
        f"Name the layers to adapt ({', '.join(sorted(linear)) or 'it has no linear ones'}), or train a linear adapter.",
    )


def native_bf16() -> bool:
    """Whether this processor multiplies in bfloat16 itself; where that is emulated, float32 was 3.5 times as fast."""
    import torch

    has: Mapping[str, Any] = getattr(torch.cpu, "get_capabilities", dict)()
    return bool(has.get("avx512_bf16") or has.get("amx_bf16"))


def _transformer(model: nn.Module, name: str) -> nn.Module:
    from torch import nn

    transformer = getattr(next(model.children()), "auto_model", None)
    if not isinstance(transformer, nn.Module):
        raise InputError(
            f"{name} does not begin with a transformer, so there is nothing for LoRA to adapt.",
            "Train a linear adapter: `symposia train --kind linear`.",
        )
    return transformer
