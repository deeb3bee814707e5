"""LoRA of questions and passages alike: what comes out is another base encoder, and its slice is embedded anew.

No adapter of a shared base can hold it, since every passage's vector changes. It is dear, too: passages, which are long, pass
through the model at every step. It is for a slice whose passages the base reads badly.
"""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from indexes.adapters.lora import deltas_of
from indexes.encoders.base import Vectors, revision_of
from indexes.encoders.deltas import Deltas
from indexes.encoders.sentence_transformer import load_model
from indexes.errors import InputError
from retrievers.training.descent import PAUSE, Descended, Descent, Pace, Progress
from retrievers.training.lora import Asked, mined
from retrievers.training.lora_model import LoraModel, Rank
from retrievers.training.measure import ndcg
from retrievers.training.pool import narrowed
from retrievers.training.state import Part, key_of

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True, slots=True)
class BothSidesOptions:
    """How both sides are trained.

    Parameters
    ----------
    rank, pace
        See ``LoraOptions``.
    temperature
        Of the softmax over cosines; sentence-transformers' scale is its inverse.
    rivals
        Passages beside the relevant ones that dev ranks for each of its questions, the nearest by the base: ranking all
        after every pass would embed the slice every time.
    """

    rank: Rank = field(default_factory=Rank)
    pace: Pace = field(default_factory=lambda: Pace(rate=1e-3, batch=16, epochs=3, patience=1))
    temperature: float = 0.05
    rivals: int = 5


def train_both_sides(
    folder: Path,
    train: Asked,
    texts: Sequence[str],
    passages: Vectors,
    dev: Asked,
    out: Path,
    options: BothSidesOptions | None = None,
    *,
    state: Part | None = None,
    pause: float = PAUSE,
    on_progress: Progress = lambda _done, _total, _message: None,
) -> Descended:
    """Train on questions, passages and mined hard negatives, and write the merged model to ``out``.

    Parameters
    ----------
    folder
        Of the base model, in sentence-transformers' format.
    train, dev
        No question of one may nearly repeat one of the other.
    texts, passages
        Of the slice: searchable texts, and their base unit vectors ``[passages, d]``, by which hard negatives are mined.
    out
        A folder that is not there yet; it becomes a sentence-transformers model with the base's prompts. The history is over
        a few passages a question: measure the model on the whole slice before it is used.
    state, pause, on_progress
        See ``train_lora``.

    Raises
    ------
    InputError
        ``out`` is there, PEFT is not installed, or the model has no layers to adapt.
    """
    if out.exists():
        raise InputError(f"{out} is there already.", "Name a folder that does not exist yet, or remove this one.")
    options = options or BothSidesOptions()
    model = LoraModel(folder, options.rank, options.pace.seed)
    key = key_of(
        options=asdict(options),
        base=revision_of(folder),
        data=[list(asked.texts) + [sorted(rows.items()) for rows in asked.relevant] for asked in (train, dev)],
        passages=list(texts),
    )
    loss = _Pairs(model, train, texts, passages, options).loss
    score = _Rivals(model, dev, texts, passages, options).score
    done = Descent(model, loss, score, len(train), options.pace, part=state, key=key, pause=pause).run(on_progress)
    _write(folder, Deltas(deltas_of(done.values, options.rank.alpha), key), out)
    return done


class _Pairs:
    """sentence-transformers' MultipleNegativesRankingLoss over (question, relevant passage, mined negative)."""

    def __init__(
        self, model: LoraModel, train: Asked, texts: Sequence[str], passages: Vectors, options: BothSidesOptions
    ) -> None:
        from sentence_transformers.sentence_transformer.losses import MultipleNegativesRankingLoss

        self.model, self.train, self.texts, self.seed = model, train, texts, options.pace.seed
        self.negatives = mined(model.encode(train.texts), train, passages, 1)[:, 0]
        self.ranking = MultipleNegativesRankingLoss(model.model, scale=1 / options.temperature)

    def loss(self, rows: NDArray[np.intp], epoch: int) -> Tensor:
        """Of a batch; see ``Descent``. Each pass takes one relevant passage of a question, by chance and grade."""
        chosen: dict[int, int] = {}  # relevant passage → question: twice in a batch it would be its own negative
        for row in rows:
            chosen.setdefault(self._relevant(int(row), epoch), int(row))
        negatives = [int(self.negatives[row]) for row in chosen.values()]
        columns = [
            self.model.inputs([self.train.texts[row] for row in chosen.values()]),
            self.model.inputs([self.texts[row] for row in chosen], "document"),
            self.model.inputs([self.texts[row] for row in negatives], "document"),
        ]
        with self.model.passing():
            loss: Tensor = self.ranking(columns, None)
        return loss

    def _relevant(self, row: int, epoch: int) -> int:
        grades = self.train.relevant[row]
        weights = np.fromiter(grades.values(), dtype=float)
        random = np.random.default_rng((self.seed, epoch, row))
        return int(random.choice(list(grades), p=weights / weights.sum()))


class _Rivals:
    """Mean nDCG@10 of dev questions over the passages that are relevant to any of them or near to one by the base."""

    def __init__(
        self, model: LoraModel, dev: Asked, texts: Sequence[str], passages: Vectors, options: BothSidesOptions
    ) -> None:
        self.model, self.dev = model, dev
        near = mined(model.encode(dev.texts), dev, passages, options.rivals)
        relevant = np.array([row for rows in dev.relevant for row in rows], dtype=np.intp)
        rows = np.union1d(near.ravel(), relevant)
        self.texts = [texts[row] for row in rows]
        self.relevant = narrowed(dev.relevant, rows)

    def score(self) -> float:
        """See ``Descent``."""
        questions, passages = self.model.encode(self.dev.texts), self.model.encode(self.texts, "document")
        return float(ndcg(questions, passages, self.relevant).mean())


def _write(folder: Path, deltas: Deltas, out: Path) -> None:
    partial = out.with_name(out.name + ".partial")
    shutil.rmtree(partial, ignore_errors=True)
    load_model(folder, deltas).save_pretrained(str(partial), create_model_card=False)
    partial.replace(out)
