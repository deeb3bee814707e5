"""A documented Python object, as the demo's two ways of finding documentation strings give it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Described:
    """One documented object.

    Parameters
    ----------
    name
        Qualified name, as one writes it in a program: ``json.dumps``, ``str.lower``.
    kind
        ``module``, ``class``, ``function``, ``method`` or ``attribute``.
    signature
        Its parameters in parentheses, or empty.
    doc
        Its own documentation string, dedented.
    source
        Where it was found: a path below the standard library, or a module's name.
    """

    name: str
    kind: str
    signature: str
    doc: str
    source: str
