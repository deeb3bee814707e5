"""Stored answers made by hand."""

from __future__ import annotations

from typing import Any

from evaluation.answer_records import REFUSED, Record
from evaluation.questions import question_of


def record(
    said: str = "Paris is the capital.",
    *,
    found: tuple[str, ...] = ("Paris is the capital of France.",),
    cited: tuple[int, ...] = (1,),
    verdict: str = "answered",
    decision: str = "retrieve",
    memory: str = "",
    says_memory: bool | None = None,
    sides: tuple[tuple[str, tuple[int, ...]], ...] = (),
    signals: dict[str, float | None] | None = None,
    **gold: Any,
) -> Record:
    """A question about a capital, and an answer whose only sentence cites ``cited``; the passages are keyed k1, k2, ….

    ``memory`` is what the question file gives, and the answer's own word on it is always the same.
    """
    known = {"memory": [memory]} if memory else {}
    question = question_of({"id": "1", "question": "The capital?", "slice": "s", "answers": ["Paris"], **known, **gold})
    claims = [{"text": said, "status": "supported", "divergence": None, "citations": [{"number": n} for n in cited]}]
    conflict = {"question": "?", "sides": [{"text": t, "citations": [{"number": n} for n in ns]} for t, ns in sides]}
    evidence = [
        {"number": n, "passage": {"key": f"k{n}", "id": f"i{n}", "document_id": f"d{n}", "title": "T", "text": text}}
        for n, text in enumerate(found, start=1)
    ]
    answer = {
        "text": said,
        "verdict": verdict,
        "claims": [] if verdict == REFUSED else claims,
        "evidence": evidence,
        "route": {"decision": decision},
        "signals": signals or {},
        "seconds": {"write": 1.5, "check": 0.5},
        "conflict": conflict if sides else None,
        "memory": "It is Nantes.",
    }
    return Record(question, answer, says_memory=says_memory)


def refusal(**more: Any) -> Record:
    """An answer that the sources do not say, whose text names the right answer by chance."""
    return record("The sources do not say. The nearest is [1] Paris.", verdict=REFUSED, **more)


def unasked(**gold: Any) -> Record:
    """A question that could not be asked."""
    return Record(record(**gold).question, None, "The question is empty.")
