"""Conversations of benchmarks, as ours would have been: who said what, and how a follow-up is understood."""

from __future__ import annotations

from collections.abc import Sequence

from generators.writing.follow_up import Exchange, Say, understood


def exchanges(turns: Sequence[tuple[str, str]]) -> tuple[Exchange, ...]:
    """Pairs of speaker and text as questions with their answers."""
    found: list[Exchange] = []
    for speaker, text in turns:
        if speaker == "user":
            found.append(Exchange(text.strip()))
        elif found:
            found[-1] = Exchange(found[-1].question, f"{found[-1].answer} {text}".strip())
    return tuple(found)


def follow(question: str, said: Sequence[Exchange], say: Say | None = None) -> str:
    """The question as it is understood when the whole conversation was had with us."""
    before: list[Exchange] = []
    for past in said:
        before.append(Exchange(understood(past.question, before, say), past.answer))
    return understood(question, before, say)
