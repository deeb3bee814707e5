"""Answers of every shape, for property tests."""

from __future__ import annotations

import math

from hypothesis import strategies as st

from generators.answer import Answer, Citation, Claim, Conflict, Side, Verdict
from indexes.passage import Passage
from retrievers.evidence import Evidence, Route, Share

TEXTS = st.text(max_size=12)
NAMES = st.sampled_from(("birds", "engines", "law", "Straße", "x/y"))
FINITE = st.floats(allow_nan=False, allow_infinity=False)
MEASURED = st.floats(allow_infinity=False) | st.just(math.nan)
PROBABILITIES = st.floats(0, 1)
OFFSETS = st.integers(0, 50)

PASSAGES = st.builds(
    Passage,
    id=TEXTS,
    document_id=TEXTS,
    text=TEXTS,
    title=TEXTS,
    source=TEXTS,
    key=TEXTS,
    start=OFFSETS,
    end=OFFSETS,
    place=TEXTS,
    date=TEXTS,
    metadata=st.dictionaries(TEXTS, TEXTS, max_size=2),
)
EVIDENCE = st.builds(
    Evidence,
    number=st.integers(1, 9),
    passage=PASSAGES,
    expert=NAMES,
    probability=PROBABILITIES,
    scores=st.dictionaries(TEXTS, FINITE, max_size=2),
    part=st.integers(1, 3),
)
CITATIONS = st.builds(
    Citation, number=st.integers(1, 9), start=OFFSETS, end=OFFSETS, contrast=MEASURED, support=PROBABILITIES
)
CITED = st.lists(CITATIONS, max_size=2).map(tuple)
CLAIMS = st.builds(
    Claim,
    text=TEXTS,
    start=OFFSETS,
    end=OFFSETS,
    status=st.sampled_from(("supported", "unsupported", "memory")),
    citations=CITED,
    divergence=MEASURED,
)
CONFLICTS = st.builds(
    Conflict,
    question=TEXTS,
    sides=st.lists(st.builds(Side, text=TEXTS, citations=CITED), max_size=3).map(tuple),
)
ROUTES = st.builds(
    Route,
    decision=st.sampled_from(("retrieve", "skip")),
    kind=st.sampled_from(("domain", "chitchat", "arithmetic", "about")),
    shares=st.lists(st.builds(Share, expert=NAMES, probability=PROBABILITIES, asked=st.booleans()), max_size=3).map(
        tuple
    ),
    null=PROBABILITIES,
    reason=TEXTS,
    failures=st.dictionaries(NAMES, TEXTS, max_size=2),
    unknown=st.lists(TEXTS, max_size=2).map(tuple),
)
ANSWERS = st.builds(
    Answer,
    question=TEXTS,
    text=TEXTS,
    verdict=st.sampled_from(Verdict),
    claims=st.lists(CLAIMS, max_size=3).map(tuple),
    evidence=st.lists(EVIDENCE, max_size=3).map(tuple),
    route=ROUTES,
    model=TEXTS,
    policy=TEXTS,
    signals=st.dictionaries(TEXTS, MEASURED, max_size=3),
    seconds=st.dictionaries(TEXTS, FINITE, max_size=3),
    conflict=st.none() | CONFLICTS,
    memory=TEXTS,
)
