"""What an import or restore had decided when its process was killed is finished by whoever uses the home next."""

from __future__ import annotations

from pathlib import Path

DECIDED = Path(".incoming") / "commit.json"  # see indexes.archive.staging, which is imported only where there is one


def settle(home: Path) -> None:
    """Finish what was decided; one look at the disk for the home and one for its slices where nothing was.

    Raises
    ------
    StoreError
        Another process is at it, and does not come to its end.
    """
    for root in (home, home / "slices"):
        if (root / DECIDED).exists():
            from indexes.archive.staging import finish

            finish(root)
