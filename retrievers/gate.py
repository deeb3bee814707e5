"""The null expert: questions that need no retrieval compete with the experts in one ranking.

Its pilots are the examples in ``smalltalk.txt``. Arithmetic is recognised by its form alone. Unsure means retrieve.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import cast

import numpy as np

from indexes.encoders.base import Encoder, Vectors
from retrievers.arrays import read_arrays, write_arrays
from retrievers.calibration import BACKGROUND, Background, background_questions
from retrievers.evidence import Kind
from retrievers.pilots import Pilots

EXAMPLES = Path(__file__).with_name("smalltalk.txt")

_ASKING = re.compile(
    r"^\s*(?:(?:and\s+)?(?:what(?:'s|\s+is|\s+are)?|how\s+much\s+is|calculate|compute|solve|evaluate)\s+)?(?P<body>.*?)\s*(?:=\s*)?[?.!]*\s*$",
    re.IGNORECASE | re.DOTALL,
)
_EXPRESSION = re.compile(r"^[\d\s.,+\-−*/×÷·^()%]+$")
_NO_SUM = re.compile(  # ranges of years, dates, telephone numbers, versions and addresses
    r"(?:1[5-9]|20)\d\d-(?:1[5-9]|20)\d\d|\d{1,4}([-/])\d{1,2}\1\d{1,4}"
    r"|(?:\+?\d{1,3}[ -])?(?:\d{3}-){1,2}\d{4}|.*\d\.\d+\.\d.*"
)
_WORDS = (
    (re.compile(r"\bmultiplied\s+by\b|\btimes\b", re.IGNORECASE), "*"),
    (re.compile(r"\bdivided\s+by\b|\bover\b", re.IGNORECASE), "/"),
    (re.compile(r"\bplus\b", re.IGNORECASE), "+"),
    (re.compile(r"\bminus\b", re.IGNORECASE), "-"),
    (re.compile(r"\bto\s+the\s+power\s+of\b", re.IGNORECASE), "**"),
    (re.compile(r"(?:percent|%)\s+of\b", re.IGNORECASE), "/100*"),
)


@dataclass(frozen=True, slots=True)
class NullExpert:
    """Pilots for "no retrieval needed", and the kind that each stands for."""

    pilots: Pilots
    kinds: tuple[Kind, ...]

    @classmethod
    def of(cls, encoder: Encoder, background_vectors: Vectors) -> NullExpert:
        """Encode the examples."""
        pairs = examples()
        vectors = encoder.encode_questions([text for text, _ in pairs])
        return cls(Pilots.of(vectors, background_vectors), tuple(kind for _, kind in pairs))

    @classmethod
    def kept(cls, path: Path, encoder: Encoder) -> NullExpert:
        """Read from ``path``, or make and write there, since encoding the examples takes about two seconds."""
        examples_hash = sha256(EXAMPLES.read_bytes() + BACKGROUND.read_bytes()).hexdigest()[:16]
        key = f"{encoder.fingerprint.revision}-{encoder.fingerprint.precision}-{examples_hash}"
        arrays = read_arrays(path)
        if arrays is not None and str(arrays.get("key")) == key:
            centre, spread = map(float, arrays["background"])
            return cls(Pilots(arrays["pilots"], Background(centre, spread)), tuple(arrays["kinds"].tolist()))
        null = cls.of(encoder, encoder.encode_questions(background_questions()))
        background = np.array([null.pilots.background.centre, null.pilots.background.spread])
        write_arrays(
            path,
            {
                "pilots": null.pilots.vectors,
                "background": background,
                "kinds": np.array(null.kinds),
                "key": np.array(key),
            },
        )
        return null

    def nearest(self, question: Vectors) -> Kind:
        """Kind of the example nearest to the question."""
        return self.kinds[int(np.argmax(self.pilots.vectors @ question))]


@cache
def examples() -> tuple[tuple[str, Kind], ...]:
    """The examples of ``smalltalk.txt`` with their kinds."""
    kind, pairs = "", []
    for line in EXAMPLES.read_text(encoding="utf-8").splitlines():
        if line.startswith("["):
            kind = line.strip("[] ")
        elif line and not line.startswith("#"):
            pairs.append((line, cast("Kind", kind)))
    return tuple(pairs)


def expression(question: str) -> str | None:
    """The arithmetic expression that a question consists of, in Python's notation, or ``None``.

    >>> expression("What is 17 * 23?")
    '17*23'
    >>> expression("How much is 15 percent of 80?")
    '15/100*80'
    >>> expression("What is the population of France?") is None
    True
    """
    match = _ASKING.match(" ".join(question.split()))  # runs of white space would take cubic time
    body = match["body"] if match else question
    if _NO_SUM.fullmatch(body.strip()):
        return None
    for word, sign in _WORDS:
        body = word.sub(sign, body)
    if not _EXPRESSION.match(body) or not re.search(r"\d\s*\)*\s*(?:\*\*|[+\-−*/×÷·^%])\s*\(*\s*[-+]?\s*\(*\d", body):
        return None
    body = body.replace("×", "*").replace("·", "*").replace("÷", "/").replace("^", "**").replace("−", "-")
    return re.sub(r"(?<=\d),(?=\d{3}\b)|\s+", "", body)
