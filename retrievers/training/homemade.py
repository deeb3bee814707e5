"""Pairs made from a slice itself, where nobody has labelled questions: its titles, headings and sentences ask for its passages."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence

import numpy as np

from indexes.passage import Passage
from indexes.sentences import sentence_ends
from retrievers.training.pairs import Labelled

LIMIT = 2000
WORDS = 4
SHARED = 5
"""A title or heading that stands over more passages than this tells them apart too little to be a question."""

Pair = tuple[str, Mapping[str, float]]


def from_slice(passages: Iterable[Passage], seed: int = 0, limit: int = LIMIT) -> Labelled:
    """At most ``limit`` pairs, drawn by chance in equal parts from three kinds.

    title→body: a document's title asks for its passages; heading→section: so does a heading, together with the title;
    sentence→passage: a sentence asks for the passage that it stands in (the inverse cloze task without its removal; Lee,
    Chang and Toutanova, ACL 2019). They are easier than people's questions, for the passage holds the words that it is
    asked by: what they teach has to prove itself on dev like everything else.
    """
    known = sorted(passages, key=lambda passage: passage.id)
    generator = np.random.default_rng(seed)
    kinds = [list(_titles(known)), list(_headings(known)), list(_sentences(known, generator))]
    return Labelled.of(_drawn([kind for kind in kinds if kind], limit, generator))


def _titles(passages: Sequence[Passage]) -> Iterator[Pair]:
    return _asked_by({passage.id: passage.title for passage in passages})


def _headings(passages: Sequence[Passage]) -> Iterator[Pair]:
    return _asked_by({passage.id: passage.heading for passage in passages if passage.place})


def _asked_by(texts: Mapping[str, str]) -> Iterator[Pair]:
    together: dict[str, dict[str, float]] = defaultdict(dict)
    for passage, text in texts.items():
        together[text][passage] = 1.0
    for text, grades in together.items():
        if len(text.split()) >= WORDS and len(grades) <= SHARED:
            yield text, grades


def _sentences(passages: Sequence[Passage], generator: np.random.Generator) -> Iterator[Pair]:
    for passage in passages:
        ends = list(sentence_ends(passage.text))
        sentences = [passage.text[a:b].strip() for a, b in zip([0, *ends], ends, strict=False)]
        long = [sentence for sentence in sentences if len(sentence.split()) >= WORDS]
        if len(sentences) > 1 and long:  # a passage that is one sentence would ask for itself
            yield long[int(generator.integers(len(long)))], {passage.id: 1.0}


def _drawn(kinds: Sequence[Sequence[Pair]], limit: int, generator: np.random.Generator) -> Iterator[Pair]:
    """Equal parts of each kind; what one lacks, the others give."""
    room = limit
    for left, pairs in zip(range(len(kinds), 0, -1), sorted(kinds, key=len), strict=True):
        count = min(len(pairs), room // left)
        room -= count
        for position in np.sort(generator.choice(len(pairs), count, replace=False)):
            yield pairs[position]
