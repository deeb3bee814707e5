"""Changed weights: an expert that was trained with LoRA is its base model with something added to some parameters."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from indexes.errors import InputError

if TYPE_CHECKING:
    from torch import nn

TAG = re.compile(r"[\w.-]{1,64}(\+[\w.-]{1,64})*", re.ASCII)


@dataclass(frozen=True, slots=True, eq=False)
class Deltas:
    """What is added to the parameters of a transformer.

    Parameters
    ----------
    values
        By the parameter's name, as ``named_parameters()`` of the transformers model gives it; of the parameter's shape.
    tag
        Hash of the values: it becomes a part of the fingerprint and of a file's name.

    Raises
    ------
    InputError
        A tag that could not be a file's name.
    """

    values: Mapping[str, NDArray[np.float32]]
    tag: str

    def __post_init__(self) -> None:
        if not TAG.fullmatch(self.tag):
            raise InputError(
                f"The tag {self.tag!r} of changed weights cannot be part of a file name.",
                "Give a hash: 1 to 64 letters, digits, dots, dashes and underscores.",
            )

    def then(self, other: Deltas) -> Deltas:
        """Both changes, one added to the other."""
        values = dict(self.values)
        for name, delta in other.values.items():
            values[name] = values[name] + delta if name in values else delta
        return Deltas(values, f"{self.tag}+{other.tag}")

    def add_to(self, transformer: nn.Module) -> None:
        """Add each delta to the parameter of its name, in place.

        Raises
        ------
        InputError
            A name that no parameter has, or another shape than the parameter's; nothing has been changed then.
        """
        import torch

        parameters = dict(transformer.named_parameters())
        for name, delta in self.values.items():
            _check(name, delta, parameters)
        with torch.no_grad():
            for name, delta in self.values.items():
                parameter = parameters[name]
                parameter.add_(torch.from_numpy(np.array(delta, dtype=np.float32)).to(parameter.dtype))


def _check(name: str, delta: NDArray[np.float32], parameters: Mapping[str, nn.Parameter]) -> None:
    advice = "Train the expert again with the encoder that the settings name."
    if name not in parameters:
        raise InputError(f"The changed weights name a parameter {name!r}, which the encoder does not have.", advice)
    wanted, given = tuple(parameters[name].shape), tuple(delta.shape)
    if wanted != given:
        raise InputError(
            f"The changed weights of {name!r} have the shape {given}, but the parameter has {wanted}.", advice
        )
