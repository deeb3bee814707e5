"""An answer to keep."""

from __future__ import annotations

from generators.answer import Answer, Citation, Claim, Verdict
from indexes.passage import Passage
from retrievers.evidence import Evidence, Route, Share

TEXT = "Swifts sleep on the wing. They snore."
PASSAGE = "The common swift lands only to breed. It sleeps on the wing, and drinks from the air."


def make_answer(
    question: str = "How do swifts sleep?",
    *,
    experts: tuple[str, ...] = ("birds",),
    evidence: str = "birds",
    failures: tuple[str, ...] = (),
    passage: str = "p1",
    text: str = TEXT,
) -> Answer:
    """One sentence that cites, one that is unsupported; ``experts`` are those of the route, the first is asked."""
    start = PASSAGE.index("It sleeps")
    found = Evidence(
        1,
        Passage(passage, "d1", PASSAGE, "Swifts", source="birds/swifts.md", place="Sleep", date="2024-03-07"),
        evidence,
        0.9,
    )
    end = text.index(".") + 1
    claims = (
        Claim(text[:end], 0, end, "supported", (Citation(1, start, len(PASSAGE), 0.7, 0.93),), 0.1),
        Claim(text[end + 1 :], end + 1, len(text), "unsupported", divergence=0.2),
    )
    shares = tuple(Share(name, 0.5, place == 0) for place, name in enumerate(experts))
    route = Route("retrieve", "domain", shares, 0.0, "a reason", dict.fromkeys(failures, "it broke"))
    return Answer(question, text, Verdict.ANSWERED, claims, (found,), route, "a-model", "greedy")
