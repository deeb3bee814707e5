"""An expert: a slice, the pilots that stand for it in routing, and the background that its scores are measured against."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from indexes.encoders.base import Encoder, Vectors
from indexes.slice import Slice
from retrievers.arrays import read_arrays
from retrievers.calibration import Background, background_questions
from retrievers.pilots import Pilots, centroids

FILE = "expert.npz"


@dataclass(frozen=True, slots=True)
class Expert:
    """One body of knowledge that can be asked.

    Parameters
    ----------
    slice
        Its passages.
    pilots
        Where it lies in the encoder's space.
    background
        Best dense score that random questions attain in the slice.
    """

    slice: Slice
    pilots: Pilots
    background: Background

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
        """Load pilots and background from the slice's folder, or make them where the slice has changed since."""
        expert = _load(slice_, slice_.folder / FILE)
        return expert if expert is not None else _make(slice_, encoder, slice_.folder / FILE)


def _load(slice_: Slice, path: Path) -> Expert | None:
    arrays = read_arrays(path)
    if arrays is None or str(arrays.get("updated")) != slice_.manifest.updated:
        return None
    try:
        pilot_centre, pilot_spread, centre, spread = (float(value) for value in arrays["background"])
        pilots = Pilots(arrays["pilots"], Background(pilot_centre, pilot_spread))
    except (KeyError, ValueError):
        return None
    return Expert(slice_, pilots, Background(centre, spread))


def _make(slice_: Slice, encoder: Encoder, path: Path) -> Expert:
    questions = encoder.encode_questions(background_questions())
    vectors = _all_vectors(slice_)
    pilots = Pilots.of(centroids(vectors), questions)
    background = Background.of((questions @ vectors.T).max(axis=1))
    numbers = [pilots.background.centre, pilots.background.spread, background.centre, background.spread]
    partial = path.with_suffix(".partial.npz")
    np.savez(partial, pilots=pilots.vectors, background=np.array(numbers), updated=np.array(slice_.manifest.updated))
    partial.replace(path)
    return Expert(slice_, pilots, background)


def _all_vectors(slice_: Slice) -> Vectors:
    batches = [vectors for _, vectors in slice_.store.scan()]
    dimension = slice_.manifest.fingerprint.dimension
    return np.concatenate(batches) if batches else np.zeros((0, dimension), dtype=np.float32)
