"""Attribution: which passages each sentence of an answer rests on, and whether they support it.

``generators.citations.measuring`` says how probable it is that a sentence rests on a passage. The most probable one is cited, and up
to two others that are probable enough and add something: words, names or numbers of sentence or question that the
ones before do not hold. Then they are checked together: their words, or an entailment model where there is one, must
support the sentence. What fails is not cited, and the sentence is marked.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np

from generators.answer import Citation, Claim, Status
from generators.citations.contrasts import Scores
from generators.citations.marks import bare
from generators.citations.measuring import Checks, Entails, Pairs, measure
from generators.citations.support import contradicts, joint_degree, supporting_span
from generators.decoding.detokenizer import TextStream
from generators.sentences import Span, sentences
from indexes.terms import terms
from retrievers.evidence import Evidence

MOST_CITATIONS = 3
KNOWN = 0.8
"""Degree from which passages may be cited although they raise nothing: the model knew the sentence already."""


@dataclass(slots=True)
class Drafted:
    """What was decoded: token ids, the text that each completed, and the branches' divergence at each."""

    tokens: list[int] = field(default_factory=list)
    pieces: list[str] = field(default_factory=list)
    divergences: list[float] = field(default_factory=list)

    @property
    def text(self) -> str:
        """The draft so far."""
        return "".join(self.pieces)

    def take(self, token: int, text: str, divergence: float) -> None:
        """Append one token."""
        self.tokens.append(token)
        self.pieces.append(text)
        self.divergences.append(divergence)


def attribute(
    model: Scores | None,
    question: str,
    evidence: Sequence[Evidence],
    draft: Drafted | str,
    least_support: float,
    checks: Checks = Checks(),  # noqa: B008 (a frozen value)
) -> tuple[Claim, ...]:
    """One claim per sentence: cited where passages support it, else marked as unsupported.

    Parameters
    ----------
    model
        A language model held locally; without one, words and cosines judge alone.
    draft
        What that model wrote; or text from elsewhere, as it is (then nothing is contrasted) or by ``as_drafted``.
    least_support
        Degree, 0 to 1, from which a sentence counts as supported.
    """
    drafted = draft if isinstance(draft, Drafted) else Drafted([], [draft], [])
    text = drafted.text
    spans = sentences(text)
    numbers = {item.number for item in evidence}
    claims = [bare(text[start:end], numbers) for start, end in spans]  # marks that the model wrote are not what it says
    rows = token_rows(drafted.pieces, spans)
    pairs: list[Pairs | None] = [None] * len(claims)
    if evidence and claims:
        pairs = list(measure(model, question, evidence, claims, drafted.tokens, rows, checks))
    found = []
    for (start, end), said, row, pair in zip(spans, claims, rows, pairs, strict=True):
        citations = () if pair is None else _cite(said, question, evidence, pair, least_support, checks.entailment)
        status: Status = "supported" if citations else "unsupported"
        divergence = largest([drafted.divergences[j] for j in row if j < len(drafted.divergences)])
        found.append(Claim(text[start:end], start, end, status, citations, divergence))
    return tuple(found)


def as_drafted(text: str, tokens: Sequence[int], decode: Callable[[Sequence[int]], str]) -> Drafted:
    """Text from elsewhere as if a local model had written it, so that its log-probabilities can be measured.

    Parameters
    ----------
    tokens, decode
        What the local model's tokenizer makes of the text, and its inverse. Where the two do not give the same text
        back, the draft has no tokens.
    """
    stream, drafted = TextStream(decode, ()), Drafted()
    for token in tokens:
        drafted.take(token, stream.push(token), float("nan"))
    if drafted.pieces:
        drafted.pieces[-1] += stream.close()
    return drafted if drafted.text == text else Drafted([], [text], [])


def largest(values: Sequence[float]) -> float:
    """The largest of the values that are not NaN; NaN where there is none."""
    return max((value for value in values if not np.isnan(value)), default=float("nan"))


def token_rows(pieces: Sequence[str], spans: Sequence[Span]) -> list[list[int]]:
    """For each sentence span, the positions of the tokens whose text pieces end inside it."""
    ends = np.cumsum([len(piece) for piece in pieces]) if pieces else np.zeros(0, dtype=int)
    return [[i for i, at in enumerate(ends) if start < at <= end and pieces[i]] for start, end in spans]


def _cite(
    claim: str, question: str, evidence: Sequence[Evidence], pairs: Pairs, least: float, entailment: Entails | None
) -> tuple[Citation, ...]:
    passages = [item.passage for item in evidence]
    where = [supporting_span(claim, question, passage) for passage in passages]
    allowed = [i for i, span in enumerate(where) if not contradicts(claim, question, passages[i], span)]
    chosen = _chosen(claim, question, evidence, pairs, allowed)
    degree = joint_degree(claim, question, [passages[i] for i in chosen])
    if entailment is not None and degree > 0:
        premise = "\n".join(passages[i].searchable for i in chosen)
        degree = float(entailment.probabilities([premise], [claim])[0])
    raised = [float(pairs.hold[i]) for i in chosen if not np.isnan(pairs.hold[i])]
    if not chosen or degree < (max(least, KNOWN) if raised and max(raised) <= 0 else least):
        return ()
    probabilities = pairs.probabilities
    return tuple(
        Citation(evidence[i].number, *where[i], float(pairs.hold[i]), float(probabilities[i])) for i in sorted(chosen)
    )


def _chosen(claim: str, question: str, evidence: Sequence[Evidence], pairs: Pairs, allowed: Sequence[int]) -> list[int]:
    """The most probable passage, and others that are probable enough and hold wanted words which those before do not."""
    probabilities, wanted = pairs.probabilities, terms(claim) | terms(question)
    chosen: list[int] = []
    covered: frozenset[int] = frozenset()
    for i in sorted(allowed, key=lambda i: (-probabilities[i], evidence[i].number)):
        adds = (wanted & terms(evidence[i].passage.searchable)) - covered
        if len(chosen) < MOST_CITATIONS and (not chosen or (probabilities[i] >= pairs.threshold and adds)):
            chosen.append(i)
            covered |= adds
    return chosen
