"""Measures of short answers against a list of gold answers: exact match, containment and token F1.

Normalisation is that of SQuAD (Rajpurkar et al., EMNLP 2016): lower case, no punctuation, no articles, single spaces.
It is extended to all scripts: characters are brought to one form (NFKC), case is folded, and punctuation is whatever
Unicode says it is. For ASCII the result is SQuAD's, but for an answer of articles alone ("A"), which keeps them.
"""

from __future__ import annotations

import string
import unicodedata
from collections import Counter
from collections.abc import Iterable

from indexes.errors import InputError

ARTICLES = frozenset({"a", "an", "the"})


def normalise(text: str) -> str:
    """Lower case, without punctuation, articles and extra white space; ``normalise`` of the result is the result."""
    folded = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold()).casefold()
    bare = "".join(character for character in folded if not _is_punctuation(character))
    # Once more: a mark may have come to stand behind a letter that it combines with.
    words = unicodedata.normalize("NFKC", bare).split()
    kept = [word for word in words if word not in ARTICLES]
    return " ".join(kept or words)


def exact_match(answer: str, gold: Iterable[str]) -> float:
    """1.0 where the normalised answer equals a normalised gold answer, else 0.0."""
    said = normalise(answer)
    return float(any(said == wanted for wanted in _normalised(gold)))


def contains(answer: str, gold: Iterable[str]) -> float:
    """1.0 where the normalised answer contains a normalised gold answer as whole words, else 0.0.

    Gold answers in scripts without upper and lower case (Chinese, Japanese, Thai, Arabic, …) may stand inside a word,
    because such scripts write without spaces or attach articles.
    """
    said = normalise(answer)
    return float(any(_contains(said, wanted) for wanted in _normalised(gold)))


def token_f1(answer: str, gold: Iterable[str]) -> float:
    """Highest F1, 0 to 1, between the words of the answer and those of a gold answer, as multisets (SQuAD)."""
    said = Counter(normalise(answer).split())
    return max(_f1(said, Counter(wanted.split())) for wanted in _normalised(gold))


def _normalised(gold: Iterable[str]) -> list[str]:
    if isinstance(gold, str):
        raise TypeError("gold answers must be a list of strings, not one string")
    answers = [normalise(each) for each in gold]
    if not answers:
        raise InputError("A question has no gold answer.", "Give it at least one, or leave it out of the set.")
    return answers


def _contains(said: str, wanted: str) -> bool:
    if not wanted:
        return not said
    if any(unicodedata.category(character) == "Lo" for character in wanted):
        return wanted in said
    return f" {wanted} " in f" {said} "


def _f1(said: Counter[str], wanted: Counter[str]) -> float:
    if not said or not wanted:
        return float(said == wanted)
    common = (said & wanted).total()
    return 2 * common / (said.total() + wanted.total())


def _is_punctuation(character: str) -> bool:
    return character in string.punctuation or unicodedata.category(character).startswith("P")
