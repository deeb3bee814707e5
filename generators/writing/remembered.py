"""How far an answer differs from what the model says without the sources, where only the two texts can be compared.

This is the weaker signal for a conflict with memory: texts differ for other reasons too, and a model may say the same for
the wrong one. Where there are logits, their divergence (``generators.policies.divergences``) is measured instead.
"""

from __future__ import annotations

import re

from generators.conflicts.cluster import agree
from indexes.terms import terms

_KNOWS_NOTHING = re.compile(
    r"\b(?:i|we)\s+(?:(?:do|am|can|could)\s*(?:not|n['’]t)|cannot|can['’]t|don['’]t|have no|lack)\b"
    r"|\b(?:not (?:sure|certain|specified|known|available|clear)|unknown|no (?:information|context))\b",
    re.IGNORECASE,
)


def differs(question: str, answer: str, memory: str) -> float:
    """0 where the two answers to the question say the same, up to 1 where they have no word of their own in common.

    NaN where there is nothing to compare: one is empty, or memory says that it does not know.

    >>> differs("What is Peru's currency?", "Peru's currency is the sol.", "The currency of Peru is the sol.")
    0.0
    >>> differs("What is Peru's currency?", "Peru's currency is the sol.", "The currency of Peru is the inti.")
    1.0
    """
    if not answer.strip() or not memory.strip() or _KNOWS_NOTHING.search(memory):
        return float("nan")
    if agree(answer, memory, question):
        return 0.0
    asked = terms(question)
    one, other = terms(answer) - asked, terms(memory) - asked
    return 1.0 - len(one & other) / len(one | other) if one | other else 1.0
