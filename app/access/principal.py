"""Who asks, and what they may see and do."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from indexes.errors import InputError


class Action(StrEnum):
    """What somebody may be allowed to do."""

    ASK = "ask"  # ask and retrieve; conversations and feedback of one's own
    WRITE = "write"  # add and delete documents of the experts that one sees
    TRAIN = "train"  # train the experts that one sees
    ADMIN = "admin"  # settings, measures, keys, and what was logged


@dataclass(frozen=True, slots=True)
class Principal:
    """A person or program.

    Parameters
    ----------
    name
        Owner of its conversations; stands in the audit log.
    experts
        Names of the experts that it sees; ``None`` for all, those added later included.
    actions
        What it may do.
    """

    name: str
    experts: frozenset[str] | None = None
    actions: frozenset[Action] = frozenset(Action)

    def sees(self, expert: str) -> bool:
        """Whether the expert exists for it."""
        return self.experts is None or expert in self.experts

    def sees_all(self, experts: Iterable[str]) -> bool:
        """Whether all of these exist for it."""
        return all(map(self.sees, experts))

    def narrowed(self, other: Principal) -> Principal:
        """The other, who sees and may do no more than this one."""
        if self.experts is None or other.experts is None:
            experts = self.experts if other.experts is None else other.experts
        else:
            experts = self.experts & other.experts
        return Principal(other.name, experts, self.actions & other.actions)

    def check(self, action: Action) -> None:
        """Raise an ``InputError`` where it may not do this."""
        if action not in self.actions:
            raise InputError(
                f"{self.name!r} may not {action.value}.", f"Ask for a key with the action '{action.value}'."
            )


NOBODY = Principal("nobody", frozenset(), frozenset())
"""Somebody of whom nothing can be found out."""

LOCAL = Principal("local")
"""Whoever sits at this machine: the command line, the Python API, and the chat without login."""
