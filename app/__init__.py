"""The product. In: settings. Out: ``Symposium`` (the Python API), the command line, and the chat.

Only this room may import all others, and only ``app.wiring`` puts them together.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from app.symposium import Symposium

__all__ = ["Symposium"]


def __getattr__(name: str) -> Any:  # noqa: ANN401 (PEP 562: so that the command line's --help does not import numpy)
    if name == "Symposium":
        from app.symposium import Symposium

        return Symposium
    raise AttributeError(f"module 'app' has no attribute {name!r}")
