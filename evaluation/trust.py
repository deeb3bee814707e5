"""Two ways to trust a context wrongly, where what the model remembers is known.

Source: KnowPO (arXiv 2408.03297), which names *contextual ignorance* (the context is right, and the model
keeps to its memory) and *contextual overinclusion* (the context does not hold the answer, and the model takes something
from it all the same). Each is judged only where memory and context differ in what is right, for elsewhere the answer
does not show which of the two it came from, and only where the question file gives what memory says: a system tells its
memory only where that differs from its answer, so that by its own word it would never keep to it.
"""

from __future__ import annotations

from evaluation.answer_records import Record
from evaluation.answer_scores import right
from evaluation.answers import contains


def under_trust(record: Record) -> bool | None:
    """Contextual ignorance: the answer gives what memory says, where only the context is right.

    ``None`` where the context does not hold a gold answer, memory is unknown or right itself, or nobody has judged whether
    the answer says what memory says.
    """
    if not _judged(record) or record.says_memory is None or not record.gold_found or memory_right(record):
        return None
    return not right(record) and record.says_memory


def over_trust(record: Record) -> bool | None:
    """Contextual overinclusion: a wrong answer, where memory was right and the context does not hold the answer.

    A refusal is no such error. ``None`` where the context holds a gold answer, or memory is unknown or wrong.
    """
    if not _judged(record) or record.gold_found or not memory_right(record):
        return None
    return record.answered and not right(record)


def memory_right(record: Record) -> bool:
    """Whether one of the answers that the question file gives for memory holds a gold answer."""
    return any(contains(said, record.question.answers) == 1.0 for said in record.question.memory)


def _judged(record: Record) -> bool:
    question = record.question
    known = question.answerable and question.answers and question.memory
    return bool(known and record.found and record.retrieved)
