"""The null expert: questions that need no retrieval. Unsure means retrieve.

Small talk and questions about the system are told from questions for the experts by a linear probe over the base encoder's
vectors, fitted to the examples in ``smalltalk.txt``; familiar experts and words that no example holds count against it. Arithmetic is recognised by its form alone.
"""

from __future__ import annotations

import ast
import math
import re
from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import cast

import numpy as np

from indexes.encoders.base import Encoder, Vectors
from indexes.generations import key_of
from retrievers.arrays import read_arrays, write_arrays
from retrievers.calibration import BACKGROUND, background_questions, sigmoid
from retrievers.evidence import Kind
from retrievers.number_words import digits
from retrievers.probe import Probe

EXAMPLES = Path(__file__).with_name("smalltalk.txt")
NEEDLESS: tuple[Kind, ...] = ("chitchat", "about")
FORMAT = 3

RARE = math.log(2)
"""Taken off the probe's log-odds, in which needless questions are as frequent as others: one in three is assumed to be."""
FAMILIAR = 0.45
"""What each standard deviation of familiarity above ``CERTAIN`` takes off the log-odds that retrieval is needless: logistic
regression on the examples left out one at a time, and on training and development questions of four BEIR sets."""
ECHO, NEAR = 6.0, 0.85
"""Added to them where the cosine with an example of small talk or about the system is at least ``NEAR``."""
STRANGE = 6.0
"""Taken off where fewer than half of a question's words stand in the examples ("okra", "Who directed Goodbye?")."""
CERTAIN = 2.0
"""Standard deviations above what random questions attain, from which an expert counts as familiar with a question."""

HALF = 0.5
_WORD = re.compile(r"[^\W_]+")

LONGEST_SUM = 200  # characters
_NUMBER = r"(-?\d+(?:,\d{3})*(?:\.\d+)?)"
_LIST = rf"({_NUMBER}(?:(?:,? and |, ?| to ){_NUMBER})+)"
_PLEASE = r"(?:please,? )?"
_ASKING = re.compile(
    rf"^(?:and )?{_PLEASE}(?:(?:can|could|would) you )?{_PLEASE}(?:(?:what(?:'s| is| are| does| do you get (?:if|when) you)?"
    r"|how much (?:is|are)|calculate|compute|solve|evaluate|work out|tell me) )?(?:the )?(?P<body>.*?)"
    r"(?: equals?)?(?: for me)?(?:,? please)?\s*(?:=\s*)?[?.!]*$",
    re.IGNORECASE,
)
_EXPRESSION = re.compile(r"^[\d\s.,+\-−*/×÷·^()%]+$")
_COMPUTED = (
    *(ast.Expression, ast.Constant, ast.UnaryOp, ast.UAdd, ast.USub),
    *(ast.BinOp, ast.Add, ast.Sub, ast.Mult, ast.Div, ast.Mod, ast.Pow),
)
_PERCENT = re.compile(r"%[+-]")  # "50% + 10": to Python a remainder
_LEADING_ZEROS = re.compile(r"(?<![\d.])0+(?=\d)")
_OPERATION = re.compile(r"\d\s*\)*\s*(?:\*\*|[+\-−*/×÷·^%])\s*\(*\s*[-+]?\s*\(*\d")
_NO_SUM = re.compile(  # ranges of years, dates, telephone numbers, versions, addresses, and what goes by such a name
    r"(?:1[5-9]|20)\d\d-(?:1[5-9]|20)\d\d|\d{1,4}([-/])\d{1,2}\1\d{1,4}"
    r"|(?:\+?\d{1,3}[ -])?(?:\d{3}-){1,2}\d{4}|(?:\d+[-/])*0\d+(?:[-/]\d+)+|(?:\d+[-/])+0\d+"
    r"|.*\d\.\d+\.\d.*|9/11|24/7|50/50|20/20|80/20|60/40|7-11"
)
# "the difference between 301 and 302" is not here: numbers name things, too (status codes, forms, models)
_PHRASES = tuple(
    (re.compile(pattern, re.IGNORECASE), wanted)
    for pattern, wanted in (
        (rf"(?:sum of|add) {_LIST}", "+"),
        (rf"product of {_LIST}", "*"),
        (rf"multiply {_NUMBER} (?:by|with|and) {_NUMBER}", r"\1*\2"),
        (rf"divide {_NUMBER} by {_NUMBER}", r"\1/\2"),
        (rf"(?:subtract|take) {_NUMBER} from {_NUMBER}", r"\2-\1"),
        (r"square root of (-[\d.,]*\d)", r"(\1)**0.5"),
        (rf"square root of {_NUMBER}", r"\1**0.5"),
        (rf"square of {_NUMBER}|{_NUMBER} squared", r"(\1\2)**2"),
        (rf"cube of {_NUMBER}|{_NUMBER} cubed", r"(\1\2)**3"),
        (rf"(?:double|twice) {_NUMBER}", r"2*\1"),
        (rf"(?:(?:a |1 )?half(?: of)?) {_NUMBER}", r"\1/2"),
        (rf"(?:a |1 )?third of {_NUMBER}", r"\1/3"),
        (rf"(?:a |1 )?(?:quarter|fourth) of {_NUMBER}", r"\1/4"),
        (rf"{_NUMBER} thirds of {_NUMBER}", r"\1*\2/3"),
        (rf"{_NUMBER} (?:quarters|fourths) of {_NUMBER}", r"\1*\2/4"),
    )
)
_WORDS = (
    (re.compile(r"\bmultiplied\s+by\b|\btimes\b|(?<=\d) x (?=\d)", re.IGNORECASE), "*"),
    (re.compile(r"\bdivided\s+by\b|\bover\b", re.IGNORECASE), "/"),
    (re.compile(r"\bplus\b", re.IGNORECASE), "+"),
    (re.compile(r"\bminus\b", re.IGNORECASE), "-"),
    (re.compile(r"\bmod(?:ulo)?\b", re.IGNORECASE), "%"),
    (re.compile(r"\b(?:raised\s+)?to\s+the\s+power\s+of\b", re.IGNORECASE), "**"),
    (re.compile(r"(?:per\s?cent|%)\s+of\b", re.IGNORECASE), "/100*"),
    (re.compile(r"(?<![-–])[$€£](?=\d)"), ""),
)


@dataclass(frozen=True, slots=True)
class NullExpert:
    """What tells questions that need no retrieval, and of which kind they are.

    Parameters
    ----------
    probe
        Log-odds that a question is one of them, rather than one for the experts.
    vectors, kinds
        The examples of small talk and of questions about the system: unit vectors ``[n, dimension]``, and their kinds.
    encoder
        Key of the encoder that it was made with; see ``indexes.generations.key_of``.
    """

    probe: Probe
    vectors: Vectors
    kinds: tuple[Kind, ...]
    encoder: str = ""

    @classmethod
    def of(cls, encoder: Encoder) -> NullExpert:
        """Encode the examples and the background questions, and fit the probe."""
        others: list[tuple[str, Kind]] = [(text, "domain") for text in background_questions()]
        pairs = (*examples(), *others)
        vectors = encoder.encode_questions([text for text, _ in pairs])
        needless = np.array([kind in NEEDLESS for _, kind in pairs])
        kinds = tuple(kind for _, kind in pairs if kind in NEEDLESS)
        return cls(Probe.fit(vectors, needless), vectors[needless], kinds, key_of(encoder.fingerprint))

    @classmethod
    def kept(cls, path: Path, encoder: Encoder) -> NullExpert:
        """Read from ``path``, or make and write there, since encoding the examples takes some seconds."""
        examples_hash = sha256(EXAMPLES.read_bytes() + BACKGROUND.read_bytes()).hexdigest()[:16]
        key = f"{FORMAT}-{encoder.fingerprint.revision}-{encoder.fingerprint.precision}-{examples_hash}"
        arrays = read_arrays(path)
        if arrays is not None and str(arrays.get("key")) == key:
            probe = Probe(arrays["weights"], float(arrays["bias"]))
            return cls(probe, arrays["vectors"], tuple(arrays["kinds"].tolist()), key_of(encoder.fingerprint))
        null = cls.of(encoder)
        write_arrays(
            path,
            {
                "weights": null.probe.weights,
                "bias": np.array(null.probe.bias),
                "vectors": null.vectors,
                "kinds": np.array(null.kinds),
                "key": np.array(key),
            },
        )
        return null

    def probability(self, question: str, vector: Vectors, familiarity: float = 0.0) -> float:
        """Probability that a question needs no retrieval.

        Parameters
        ----------
        question, vector
            In words, and as the base encoder sees it ``[dimension]``.
        familiarity
            Highest score of any expert's pilots, in standard deviations above what random questions attain.
        """
        logit = self.probe.score(vector) - RARE - FAMILIAR * max(0.0, familiarity - CERTAIN)
        logit += ECHO * bool((self.vectors @ vector).max() >= NEAR) - STRANGE * strange(question)
        return float(sigmoid(np.array(logit)))

    def nearest(self, question: Vectors) -> Kind:
        """Kind of the example nearest to the question."""
        return self.kinds[int(np.argmax(self.vectors @ question))]


@cache
def examples() -> tuple[tuple[str, Kind], ...]:
    """The examples of ``smalltalk.txt`` with their kinds; those of kind ``domain`` resemble the others, but need retrieval."""
    kind, pairs = "", []
    for line in EXAMPLES.read_text(encoding="utf-8").splitlines():
        if line.startswith("["):
            kind = line.strip("[] ")
        elif line and not line.startswith("#"):
            pairs.append((line, cast("Kind", kind)))
    return tuple(pairs)


def strange(question: str) -> bool:
    """Whether fewer than half of the words of a question stand in the examples of small talk and about the system."""
    words = _WORD.findall(question.casefold())
    return sum(word in _known_words() for word in words) < HALF * len(words)


@cache
def _known_words() -> frozenset[str]:
    return frozenset(word for text, kind in examples() if kind in NEEDLESS for word in _WORD.findall(text.casefold()))


def expression(question: str) -> str | None:
    """The arithmetic expression that a question consists of, in Python's notation, or ``None``.

    What a calculator cannot read ("50 + 10%", "7 // 2", "1,5 + 2") is left to whoever understands it.

    >>> expression("What is 17 * 23?")
    '17*23'
    >>> expression("How much is fifteen percent of 80?")
    '15/100*80'
    >>> expression("What is the square root of 81?")
    '81**0.5'
    >>> expression("What is the population of France?") is None
    True
    """
    text = " ".join(question.split())
    match = _ASKING.match(text) if len(text) <= LONGEST_SUM else None
    if match is None or _NO_SUM.fullmatch(match["body"].strip()):
        return None
    body = _in_signs(digits(match["body"]))
    if not _EXPRESSION.match(body) or not _OPERATION.search(body):
        return None
    body = body.replace("×", "*").replace("·", "*").replace("÷", "/").replace("^", "**").replace("−", "-")
    body = _LEADING_ZEROS.sub("", re.sub(r"(?<=\d),(?=\d{3}\b)|\s+", "", body))
    return body if _computable(body) else None


def _computable(body: str) -> bool:
    """Whether it consists of numbers, brackets and the signs of a calculator, and they fit together."""
    try:
        nodes = list(ast.walk(ast.parse(body, mode="eval")))
    except SyntaxError:
        return False
    known = all(isinstance(node, _COMPUTED) and getattr(node, "value", 0) is not Ellipsis for node in nodes)
    return known and not _PERCENT.search(body)


def _in_signs(body: str) -> str:
    """The body of a calculation with signs for words."""
    for phrase, wanted in _PHRASES:
        match = phrase.fullmatch(body)
        if match is not None and wanted in ("+", "*"):
            return wanted.join(re.findall(_NUMBER, match[1].replace(", ", " ")))
        if match is not None:
            return match.expand(wanted)
    for word, sign in _WORDS:
        body = word.sub(sign, body)
    return body
