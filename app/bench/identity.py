"""What every record of what a language model said depends on, whatever it was asked; see ``evaluation.kept.fingerprint``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from generators.models.precision import number_format

if TYPE_CHECKING:
    from generators.models.language_model import LocalModel


def identity(model: LocalModel) -> tuple[str, str]:
    """Fingerprint of the model's files, and the number format that it computes in here.

    Raises
    ------
    MissingModelError
        The model's folder or file is absent.
    """
    return model.fingerprint, number_format(model.dtype)
