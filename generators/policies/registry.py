"""Decoding policies by name."""

from __future__ import annotations

import difflib
from dataclasses import fields
from typing import Any

from generators.policies.adacad import AdaCAD
from generators.policies.arr import ARR
from generators.policies.base import Policy
from generators.policies.cad import CAD
from generators.policies.cocoa import CoCoA
from generators.policies.coiecd import COIECD
from generators.policies.grd import GRD
from generators.policies.greedy import Greedy
from generators.policies.nwcad import NWCAD
from generators.policies.symposia import Symposia
from indexes.errors import InputError

# To add a policy: write its module, then name its class here and in the settings' [generation].
POLICIES: dict[str, type[Any]] = {
    kind.name: kind for kind in (Greedy, CAD, AdaCAD, COIECD, CoCoA, ARR, GRD, NWCAD, Symposia)
}


def policy(name: str, **options: float) -> Policy:
    """Policy by its name in the registry.

    Parameters
    ----------
    name
        A key of ``POLICIES``.
    **options
        The policy's own parameters, such as ``alpha`` for ``cad`` or ``floor`` for ``adacad``.

    Raises
    ------
    InputError
        No such policy, no such option, or a value out of range.
    """
    kind = POLICIES.get(name)
    if kind is None:
        raise InputError(f"There is no decoding policy '{name}'.", _nearest(name, list(POLICIES)))
    known = [field.name for field in fields(kind)]
    for option in options:
        if option not in known:
            raise InputError(f"The decoding policy '{name}' has no option '{option}'.", _nearest(option, known))
    made: Policy = kind(**options)
    return made


def _nearest(word: str, known: list[str]) -> str:
    close = difflib.get_close_matches(word.lower(), known, n=1, cutoff=0.5)
    if close:
        return f"Did you mean '{close[0]}'?"
    return f"Use one of: {', '.join(known)}." if known else "It takes none: leave it out."
