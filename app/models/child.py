"""Running the converter in a process of its own, without a network."""

from __future__ import annotations

import errno
import json
import os
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from indexes.errors import MissingModelError

Convert = Callable[[Path, Path], Mapping[str, Any]]
"""Turns a GGUF file into a model folder, and says how."""

OFFLINE = {"HF_HUB_OFFLINE": "1", "TRANSFORMERS_OFFLINE": "1", "OMP_WAIT_POLICY": "PASSIVE"}


def convert_in_child(gguf: Path, folder: Path) -> Mapping[str, Any]:
    """Run ``app.models.convert`` on one file.

    Raises
    ------
    MissingModelError
        It failed: too little memory, or a file that transformers cannot read.
    OSError
        The disk is full.
    """
    here = str(Path(__file__).parents[2])
    search = os.pathsep.join([here, *filter(None, [os.environ.get("PYTHONPATH")])])
    done = subprocess.run(  # noqa: S603 - this interpreter, our own module
        [sys.executable, "-m", "app.models.convert", str(gguf), str(folder)],
        env={**os.environ, **OFFLINE, "PYTHONPATH": search},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode == 0:
        facts: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
        return facts
    if os.strerror(errno.ENOSPC) in done.stderr:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(folder))
    raise _failure(gguf, done.returncode, done.stderr)


def _failure(gguf: Path, status: int, stderr: str) -> MissingModelError:
    if status < 0:
        reason = f"the converter was stopped by signal {-status}, most likely for lack of memory"
        advice = "Close other programs"
    else:
        lines = [line.strip() for line in stderr.splitlines() if line.strip()]
        reason = lines[-1].rstrip(".") if lines else f"the converter ended with status {status}"
        advice = "Install the versions of torch, transformers and gguf that Symposia asks for"
    return MissingModelError(
        f"{gguf.name} was downloaded but could not be converted: {reason}.",
        f"{advice}, then fetch it again: the download is kept, only the conversion is repeated.",
    )
