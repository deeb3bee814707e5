"""Support by an entailment (NLI) model, where a user has one."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from indexes.errors import MissingModelError

if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

ENTAILS = ("entailment", "entails", "supported", "consistent", "true")
LONGEST = 512  # tokens of premise and hypothesis together, unless the model reads fewer


class EntailmentModel:
    """A sequence-classification model of transformers in a local folder. Nothing is loaded before the first use.

    Its configuration must say which output is entailment: a label such as ``entailment``. A model with a single
    output is taken to give the log-odds of it.

    Parameters
    ----------
    folder
        Folder with ``config.json``, safetensors weights and a tokenizer.
    batch_size
        Pairs per forward pass.
    """

    def __init__(self, folder: Path | str, batch_size: int = 8) -> None:
        self.folder = Path(folder)
        self.batch_size = batch_size
        self._lock = threading.Lock()
        self._loaded: tuple[PreTrainedModel, PreTrainedTokenizerBase, int] | None = None

    @property
    def name(self) -> str:
        """Name of the folder."""
        return self.folder.name

    def probabilities(self, premises: Sequence[str], hypotheses: Sequence[str]) -> NDArray[np.float32]:
        """Probability, 0 to 1, that each premise entails its hypothesis, ``[len(premises)]``. Long premises are cut.

        Raises
        ------
        MissingModelError
            The folder is absent or damaged, or its model does not name an entailment label.
        """
        pairs = list(zip(premises, hypotheses, strict=True))
        found = np.zeros(len(pairs), dtype=np.float32)
        if not pairs:
            return found
        with self._lock:
            self._loaded = self._loaded or _load(self.folder)
            for start in range(0, len(pairs), self.batch_size):
                batch = pairs[start : start + self.batch_size]
                found[start : start + len(batch)] = _probabilities(*self._loaded, batch)
        return found


def _probabilities(
    model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase, wanted: int, pairs: Sequence[tuple[str, str]]
) -> NDArray[np.float32]:
    import torch

    longest = min(LONGEST, getattr(model.config, "max_position_embeddings", LONGEST), tokenizer.model_max_length)
    inputs: Any = tokenizer(
        [premise for premise, _ in pairs],
        [hypothesis for _, hypothesis in pairs],
        padding=True,
        truncation="only_first",
        max_length=longest,
        return_tensors="pt",
    )
    with torch.inference_mode():
        logits = model(**inputs).logits.float()
    chosen = torch.sigmoid(logits[:, 0]) if logits.shape[1] == 1 else torch.softmax(logits, dim=1)[:, wanted]
    return np.asarray(chosen.numpy(), dtype=np.float32)


def _load(folder: Path) -> tuple[PreTrainedModel, PreTrainedTokenizerBase, int]:
    if not (folder / "config.json").is_file():
        raise MissingModelError(
            f"There is no entailment model in {folder}.",
            "Set models.entailment to a folder that holds one, or to nothing.",
        )
    from safetensors import SafetensorError
    from transformers import AutoModelForSequenceClassification, AutoTokenizer

    try:
        tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True)
        loaded: Any = AutoModelForSequenceClassification.from_pretrained(
            folder, local_files_only=True, use_safetensors=True, output_loading_info=True
        )
    except (OSError, ValueError, RuntimeError, SafetensorError) as error:
        raise _unusable(folder, str(error).strip().split("\n")[0].rstrip(".")) from error
    model, report = loaded
    if report["missing_keys"]:  # transformers would fill them with noise
        first = min(report["missing_keys"])
        raise _unusable(folder, f"the weights of {first} are missing")
    return model.eval(), tokenizer, _entailment_output(folder, model)


def _entailment_output(folder: Path, model: PreTrainedModel) -> int:
    labels = {int(number): str(label).lower() for number, label in (model.config.id2label or {}).items()}
    if len(labels) == 1:
        return 0
    found = [number for number, label in sorted(labels.items()) if label in ENTAILS]
    if len(found) != 1:
        named = ", ".join(labels[number] for number in sorted(labels))
        raise _unusable(folder, f"its labels ({named}) do not say which output is entailment")
    return found[0]


def _unusable(folder: Path, reason: str) -> MissingModelError:
    return MissingModelError(
        f"The entailment model in {folder} cannot be used: {reason}.",
        "Set models.entailment to a sequence-classification model that was trained on NLI, or to nothing.",
    )
