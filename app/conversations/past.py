"""What was asked before, as a follow-up is understood in its light: the last exchanges of a conversation."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, TypeVar

from generators.writing.follow_up import Exchange

if TYPE_CHECKING:
    from generators.answer import Answer

MOST = 20  # exchanges that are looked back on, on every surface

T = TypeVar("T")


def latest(exchanges: Sequence[T]) -> tuple[T, ...]:
    """The last ``MOST``."""
    return tuple(exchanges[-MOST:])


def exchanges_of(answers: Iterable[Answer]) -> tuple[Exchange, ...]:
    """The last answers with the questions as they were understood."""
    return latest([Exchange(answer.question, answer.text) for answer in answers])
