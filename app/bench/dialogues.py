"""Conversations of benchmarks, as ours would have been: who said what, how a follow-up is understood, and who was tuned on."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from typing import Literal

from generators.writing.follow_up import Exchange, Say, understood

Part = Literal["report", "tune"]


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


def conversation(task: str) -> str:
    """The conversation that a task of mtRAG belongs to; tasks are named ``conversation<::>turn``."""
    return task.partition("<")[0]


def half(task: str) -> Part:
    """Which half of mtRAG's conversations a task is in: the rules and prompts for follow-ups were made on ``tune``.

    It is a hash of the conversation, so that none is in both. There is no seed, since what was tuned on stays tuned on.
    """
    return "tune" if zlib.crc32(f"0:{conversation(task)}".encode()) % 2 == 0 else "report"
