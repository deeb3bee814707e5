"""The closed family of errors that Symposia shows to people.

Every message says what happened, with the values, and what to do about it. Anything else that is raised is a defect.
"""

from __future__ import annotations

from collections.abc import Iterable


class SymposiaError(Exception):
    """Base of all errors meant for the person at the keyboard.

    Parameters
    ----------
    problem
        What happened, with the values that matter.
    fix
        What to do about it: a command, a setting, or an action.
    """

    def __init__(self, problem: str, fix: str) -> None:
        super().__init__(problem, fix)
        self.problem = problem
        self.fix = fix

    def __str__(self) -> str:
        return f"{self.problem}\n{self.fix}"


class InputError(SymposiaError):
    """A question, file or argument that cannot be used as given."""


class SettingsError(SymposiaError):
    """A settings file, environment variable or flag that does not fit the schema."""


class MissingModelError(SymposiaError):
    """A model that is not in the cache, or whose files are damaged."""


class SliceError(SymposiaError):
    """A slice that is absent, damaged, or built with another encoder."""


class StoreError(SymposiaError):
    """The vector store refused: locked by another process, unreachable, or out of space."""


class ServerError(SymposiaError):
    """A language model's server is out of reach, refused, or sent what cannot be read."""


def unknown_expert(name: str, known: Iterable[str]) -> InputError:
    """The error for a name that no expert has, which lists those there are."""
    names = ", ".join(sorted(known))
    fix = (
        f"The experts are: {names}."
        if names
        else "There are none yet: `symposia add PATH --expert NAME`, or name another home with --home FOLDER."
    )
    return InputError(f"There is no expert named {name!r}.", fix)
