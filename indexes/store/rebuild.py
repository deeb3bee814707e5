"""Optimizing a shard beside itself: a copy is worked on by another process, and takes the shard's place when it is done.

The engine's optimizer holds Python's interpreter lock for as long as it runs, which would stop this process for minutes.
"""

from __future__ import annotations

import ctypes
import json
import os
import shutil
import signal
import subprocess
import sys
from dataclasses import asdict
from pathlib import Path
from uuid import uuid4

import qdrant_edge as edge

from indexes.errors import StoreError
from indexes.store.index import IndexSettings
from indexes.store.shard import BUILDING, BUILT, PARTS, configuration, index_documents, unquantized

ROOT = Path(__file__).parents[2]
NICE = 10  # searches go first
DIES_WITH_PARENT = 1  # PR_SET_PDEATHSIG


def copy(folder: Path) -> Path:
    """A copy of a flushed shard that nobody writes to, in a folder beside its parts; a ``StoreError`` without space."""
    size = sum(path.stat().st_size for path in (folder / "segments").rglob("*") if path.is_file())
    free = shutil.disk_usage(folder).free
    if free < 2 * size:
        raise StoreError(
            f"Optimizing the slice at {folder} needs {2 * size >> 20} MiB for a while, and its disk has {free >> 20} MiB.",
            "Free some space and run the same command again; until then searches are slower, and nothing is lost.",
        )
    target = folder / f"{BUILDING}{uuid4().hex[:8]}"
    target.mkdir()
    for name in PARTS:
        source = folder / name
        if source.is_dir():
            shutil.copytree(source, target / name)
        elif source.exists():
            shutil.copy2(source, target / name)
    return target


def start(copied: Path, dimension: int, settings: IndexSettings) -> subprocess.Popen[str]:
    """Begin to optimize a copy in another process, which ends with this one where the system can see to it."""
    if settings.quantization == "none":
        unquantized(copied)
    command = [sys.executable, "-m", __name__, str(copied), str(dimension), json.dumps(asdict(settings))]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")])}
    return subprocess.Popen(  # noqa: S603 (our own program)
        command, env=environment, text=True, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
    )


def publish(folder: Path, copied: Path) -> None:
    """Make an optimized copy the one that ``adopt`` puts in the shard's place: the moment from which it counts."""
    if hasattr(os, "sync"):
        os.sync()
    copied.replace(folder / BUILT)


def optimize(copied: Path, dimension: int, settings: IndexSettings) -> None:
    """Optimize in this process."""
    shard = edge.EdgeShard.load(str(copied), configuration(dimension, settings))
    index_documents(shard)
    shard.optimize()
    shard.flush()
    shard.close()


def _main(copied: str, dimension: str, settings: str) -> None:
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(DIES_WITH_PARENT, signal.SIGKILL)
    if hasattr(os, "nice"):
        os.nice(NICE)
    optimize(Path(copied), int(dimension), IndexSettings(**json.loads(settings)))


if __name__ == "__main__":
    _main(*sys.argv[1:])
