"""Where the lines are drawn between sources that disagree and sources that do not.

The lines between answers were tuned on a third of RAMDocs (``evaluation.source_conflicts``) with the default model.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ConflictThresholds:
    """Where the lines are drawn.

    Parameters
    ----------
    relevance
        Least probability of relevance of a passage that is asked.
    relative
        And least share of the best passage's.
    subject
        Least share of the question's names (of its content words where it has no name) that a passage with a heading
        holds; what a passage without a heading is about is not known, so its relevance decides.
    close
        And least share, relative to the closest passage's, of the question's words in one of its sentences.
    log_prob
        Least log-probability that every token of an answer must have, in nats, where its sentence has no word of the
        question.
    near
        By how much less will do where its sentence, with the heading, has all of them; in proportion between.
    same
        Least share of the question's words in an answer's sentence, with the one before and the heading, relative to the
        nearest answer's; for passages with a heading.
    support
        Least share of an answer's words that its passage holds.
    """

    relevance: float = 0.1
    relative: float = 0.5
    subject: float = 0.6
    close: float = 0.5
    log_prob: float = -0.9
    near: float = 1.5
    same: float = 0.7
    support: float = 0.75


DEFAULT = ConflictThresholds()
