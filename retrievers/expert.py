"""An expert: a slice, the adapter that it has learned, and what is known of its scores.

Beside the slice lie ``expert.npz``, made again whenever the slice or the adapter changes, and, where the expert was trained,
``learned.npz`` and ``questions.npz``: its question pilots, its calibration, and the moments of its questions.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from indexes.adapters.base import Adapter
from indexes.adapters.files import read_adapter
from indexes.encoders.base import Encoder, Vectors
from indexes.slice import Slice
from retrievers.arrays import read_arrays, write_arrays
from retrievers.calibration import RELEVANCE, Background, Relevance, background_questions
from retrievers.moments import Moments
from retrievers.pilots import Pilots, centroids
from retrievers.profile import Profile, Vocabulary

FILE = "expert.npz"
LEARNED = "learned.npz"
MOMENTS = "questions.npz"


@dataclass(frozen=True, slots=True)
class Learned:
    """What an expert learned from labelled questions, besides its adapter.

    Parameters
    ----------
    questions
        Pilots from its labelled questions ``[n, dimension]``, in the base encoder's space.
    relevance
        How its scores become a probability; fitted for the adapter ``adapter`` and void with another.
    adapter
        Key of the adapter.
    moments
        Of all labelled questions; kept in a file of its own, and not read again by ``read``.
    """

    questions: Vectors | None = None
    relevance: Relevance | None = None
    adapter: str = ""
    moments: Moments | None = None

    def write(self, folder: Path) -> None:
        """Keep it in a slice's folder."""
        arrays = {"adapter": np.array(self.adapter)}
        if self.questions is not None:
            arrays["questions"] = self.questions
        if self.relevance is not None:
            arrays["relevance"] = np.array([self.relevance.bias, self.relevance.dense, self.relevance.lexical])
        if self.moments is not None:
            mean, second = self.moments.mean.astype(np.float32), self.moments.second.astype(np.float32)
            write_arrays(folder / MOMENTS, {"mean": mean, "second": second})
        write_arrays(folder / LEARNED, arrays)

    @classmethod
    def read(cls, folder: Path) -> Learned:
        """Read it; empty where there is none, or it is damaged."""
        arrays = read_arrays(folder / LEARNED) or {}
        relevance = Relevance(*map(float, arrays["relevance"])) if "relevance" in arrays else None
        return cls(arrays.get("questions"), relevance, str(arrays.get("adapter", "")))


@dataclass(frozen=True, slots=True)
class Expert:
    """One body of knowledge that can be asked.

    Parameters
    ----------
    slice
        Its passages.
    adapter
        From the base encoder's space to its own; its question side, since passages are stored as they are searched.
    profile
        What a router knows of it.
    background
        Best dense score that random questions attain in the slice, through the adapter.
    relevance
        How its scores become a probability of relevance.
    """

    slice: Slice
    adapter: Adapter
    profile: Profile
    background: Background
    relevance: Relevance = RELEVANCE

    @property
    def name(self) -> str:
        """The expert's name, which is its slice's."""
        return self.slice.name

    @property
    def description(self) -> str:
        """What the expert knows, for people."""
        return self.slice.manifest.description

    @classmethod
    def of(cls, slice_: Slice, encoder: Encoder) -> Expert:
        """Load what is known of the slice from its folder, or measure it where the slice or the adapter has changed since."""
        adapter = read_adapter(slice_.home, encoder)
        measured = _load(slice_, adapter) or _measure(slice_, adapter, encoder)
        learned = Learned.read(slice_.home)
        relevance = learned.relevance if learned.relevance is not None and learned.adapter == adapter.key else RELEVANCE
        moments = slice_.home / MOMENTS if (slice_.home / MOMENTS).is_file() else None
        description = slice_.manifest.description or slice_.name
        profile = Profile(measured.pilots, measured.vocabulary, learned.questions, description, moments)
        return cls(slice_, adapter.asking(), profile, measured.background, relevance)


@dataclass(frozen=True, slots=True)
class _Measured:
    pilots: Pilots
    vocabulary: Vocabulary
    background: Background


def _key(slice_: Slice, adapter: Adapter) -> str:
    return f"{slice_.manifest.updated}/{adapter.key}"


def _load(slice_: Slice, adapter: Adapter) -> _Measured | None:
    arrays = read_arrays(slice_.home / FILE)
    if arrays is None or str(arrays.get("key")) != _key(slice_, adapter):
        return None
    try:
        pilot_centre, pilot_spread, centre, spread = (float(value) for value in arrays["background"])
        pilots = Pilots(arrays["pilots"], Background(pilot_centre, pilot_spread))
        vocabulary = Vocabulary.of(arrays["terms"], arrays["counts"], int(arrays["passages"]))
    except (KeyError, ValueError):
        return None
    return _Measured(pilots, vocabulary, Background(centre, spread))


def _measure(slice_: Slice, adapter: Adapter, encoder: Encoder) -> _Measured:
    texts = background_questions()
    questions = encoder.encode_questions(texts)
    pilots = Pilots.of(centroids(_stacked(slice_, slice_.base_vectors())), questions)
    asked = adapter.questions(texts, questions)
    best = [(asked @ vectors.T).max(axis=1) for _, vectors in slice_.store.scan()]
    background = Background.of(np.max(best, axis=0))
    vocabulary = Vocabulary.of(*slice_.store.term_counts(), slice_.store.count())
    numbers = [pilots.background.centre, pilots.background.spread, background.centre, background.spread]
    arrays = {
        "key": np.array(_key(slice_, adapter)),
        "pilots": pilots.vectors,
        "background": np.array(numbers),
        "terms": vocabulary.terms,
        "counts": vocabulary.counts,
        "passages": np.array(vocabulary.passages),
    }
    write_arrays(slice_.home / FILE, arrays)
    return _Measured(pilots, vocabulary, background)


def _stacked(slice_: Slice, batches: Iterable[tuple[tuple[str, ...], Vectors]]) -> Vectors:
    found = [vectors for _, vectors in batches]
    dimension = slice_.manifest.fingerprint.dimension
    return np.concatenate(found) if found else np.zeros((0, dimension), dtype=np.float32)
