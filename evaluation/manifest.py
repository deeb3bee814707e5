"""What produced a result: code revision, versions, machine, seeds and times. Imports none of the packages it names."""

from __future__ import annotations

import os
import platform
import shutil
import subprocess  # git is asked for the revision, with fixed arguments
from collections.abc import Mapping
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent

PACKAGES = (
    "symposia",
    "torch",
    "transformers",
    "sentence-transformers",
    "peft",
    "qdrant-client",
    "qdrant-edge-py",
    "llama-index-core",
    "ir-measures",
    "pytrec-eval-terrier",
    "numpy",
)


def manifest(
    *, seeds: Mapping[str, int] | None = None, started: datetime | None = None, **extra: object
) -> dict[str, Any]:
    """Describe this process for the record, in plain JSON types.

    Parameters
    ----------
    seeds
        What was seeded, with its seed.
    started
        When the work began, with a time zone. Without it only the present moment is given.
    extra
        What the caller adds: model fingerprints, settings, the data. Names given here win.

    Returns
    -------
    dict
        ``git`` is ``None`` outside a git checkout of this code; ``packages`` has those installed.
    """
    finished = datetime.now(UTC)
    times: dict[str, Any] = {"finished": finished.isoformat(timespec="seconds")}
    if started is not None:
        times["started"] = started.astimezone(UTC).isoformat(timespec="seconds")
        times["seconds"] = round((finished - started).total_seconds(), 3)
    return {
        **times,
        "git": git_revision(ROOT),
        "packages": package_versions(PACKAGES),
        "python": platform.python_version(),
        "platform": platform.platform(),
        "cpu": cpu_model(),
        "cores": os.cpu_count(),
        "seeds": dict(seeds or {}),
        **extra,
    }


def git_revision(root: Path) -> dict[str, Any] | None:
    """``{"revision": …, "changed": …}`` of the checkout whose top is ``root``; ``None`` without git or a commit.

    A folder inside some other checkout (an environment in a user's repository) is not taken for it.
    """
    top = _git(root, "rev-parse", "--show-toplevel")
    if not top or Path(top).resolve() != root.resolve():
        return None
    revision = _git(root, "rev-parse", "HEAD")
    if not revision:
        return None
    return {"revision": revision, "changed": bool(_git(root, "status", "--porcelain", "--untracked-files=no"))}


def package_versions(names: tuple[str, ...]) -> dict[str, str]:
    """Versions of those of the named distributions that are installed."""
    versions = {}
    for name in names:
        try:
            versions[name] = version(name)
        except PackageNotFoundError:
            continue
    return versions


def cpu_model() -> str:
    """The processor's name as the system gives it; its architecture where it gives none."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        lines = []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or platform.machine()


def _git(root: Path, *arguments: str) -> str:
    """What git prints, or an empty string where it is absent or fails."""
    program = shutil.which("git")
    if program is None:
        return ""
    try:
        result = subprocess.run(  # noqa: S603 (fixed arguments, no shell)
            [program, "-C", str(root), *arguments], capture_output=True, text=True, timeout=10, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return result.stdout.strip() if result.returncode == 0 else ""
