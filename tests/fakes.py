"""Small deterministic parts for tests in which a real model is not the point."""

from __future__ import annotations

import re
import zlib
from collections.abc import Mapping, Sequence
from functools import cache

import numpy as np

from indexes.encoders.base import Fingerprint, Progress, Vectors, unit
from indexes.passage import Document, Passage

DIMENSION = 64

TOPICS: Mapping[str, tuple[str, ...]] = {
    "orchard": (
        "Apple trees blossom in April and carry fruit from August.",
        "Pear trees need a second variety nearby for pollination.",
        "Cherries split when heavy rain falls shortly before harvest.",
        "Plums are dried on wooden racks and keep through the winter.",
        "Quinces are too hard to eat raw and are boiled into jelly.",
        "Pruning in February keeps the crown of an apple tree open.",
        "Codling moths lay their eggs on young apples in June.",
        "A ladder with three legs stands firmly on sloping ground.",
    ),
    "engines": (
        "A diesel engine ignites its fuel by compression alone.",
        "The crankshaft turns the motion of the pistons into rotation.",
        "Worn piston rings let oil pass into the combustion chamber.",
        "The camshaft opens the valves at half the speed of the crankshaft.",
        "A turbocharger is driven by the exhaust gas of the engine.",
        "Coolant carries heat from the cylinder block to the radiator.",
        "A timing belt is replaced every hundred thousand kilometres.",
        "Spark plugs of a petrol engine are gapped to less than a millimetre.",
    ),
    "planets": (
        "Mercury circles the Sun in eighty-eight days.",
        "Venus turns backwards and is hotter than an oven.",
        "Mars has two small moons named Phobos and Deimos.",
        "Jupiter's red spot is a storm wider than the Earth.",
        "The rings of Saturn are made of ice and dust.",
        "Uranus lies on its side as it circles the Sun.",
        "Neptune was found by calculation before it was seen.",
        "Titan, a moon of Saturn, has lakes of methane.",
    ),
}
QUESTIONS: Mapping[str, str] = {
    "orchard": "When do apple trees blossom?",
    "engines": "How is a turbocharger driven by the exhaust gas?",
    "planets": "What are the rings of Saturn made of?",
}


class WordEncoder:
    """A text's vector is the sum of its words' random vectors, so texts that share words are near one another.

    Words of up to three letters count a tenth, since they say little.

    Parameters
    ----------
    revision, dimension
        Of the fingerprint; encoders that differ in either have different vectors.
    """

    def __init__(self, revision: str = "words-1", dimension: int = DIMENSION) -> None:
        self.fingerprint = Fingerprint("words", revision, dimension)
        self.questions = 0
        self.passages = 0

    def encode_questions(self, texts: Sequence[str]) -> Vectors:
        """See ``Encoder``; ``questions`` counts what was encoded."""
        self.questions += len(texts)
        return self._encode(texts)

    def encode_passages(self, texts: Sequence[str], on_progress: Progress | None = None) -> Vectors:
        """See ``Encoder``; ``passages`` counts what was encoded."""
        self.passages += len(texts)
        if on_progress is not None:
            on_progress(len(texts), len(texts))
        return self._encode(texts)

    def _encode(self, texts: Sequence[str]) -> Vectors:
        rows = [np.sum([self._word(word) for word in _words(text)], axis=0) for text in texts]
        return unit(np.stack(rows)) if rows else np.zeros((0, self.fingerprint.dimension), dtype=np.float32)

    def _word(self, word: str) -> Vectors:
        vector = _word_vector(f"{self.fingerprint.revision}:{word}", self.fingerprint.dimension)
        return vector if len(word) > 3 else vector / np.float32(10)


def make_passages(texts: Sequence[str], title: str = "") -> list[Passage]:
    """One passage a text, each of a document of its own."""
    return [Passage.of(Document(text, title=title, whole=True), 0, len(text)) for text in texts]


def _words(text: str) -> list[str]:
    return re.findall(r"\w+", text.lower()) or [""]


@cache
def _word_vector(key: str, dimension: int) -> Vectors:
    return np.random.default_rng(zlib.crc32(key.encode())).standard_normal(dimension).astype(np.float32)
