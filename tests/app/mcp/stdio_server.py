"""``symposia mcp`` on fakes, as a process of its own: ``python -m tests.app.mcp.stdio_server HOME [ARGUMENT …]``."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from app.cli import main
from app.symposium import Symposium
from tests.app.mcp.building import build


def opened(_cls: type, settings: Any) -> Symposium:
    return build(settings.home, settings=settings)


if __name__ == "__main__":
    Symposium.open = classmethod(opened)  # type: ignore[assignment, method-assign]
    sys.exit(main(["--home", str(Path(sys.argv[1])), *sys.argv[2:]]))
