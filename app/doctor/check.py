"""One finding of the doctor."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Literal

Status = Literal["ok", "warn", "fail"]


@dataclass(frozen=True, slots=True)
class Check:
    """What was looked at, and what was found.

    Parameters
    ----------
    status
        ``warn``: it works, but not as it could. ``fail``: questions cannot be answered like this.
    detail
        What was found, with values.
    fix
        What to do; empty where all is well.
    """

    name: str
    status: Status
    detail: str
    fix: str = ""

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON types."""
        return asdict(self)
