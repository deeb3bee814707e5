"""How much memory reading takes, in a process of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

PROGRAM = """
import sys
from pathlib import Path
from indexes.readers.files import read

def highest():  # of this process; what getrusage says includes whoever started it
    return next(int(row.split()[1]) for row in Path("/proc/self/status").read_text().splitlines() if "VmHWM" in row)

documents = read(sys.argv[1], on_problem=print)
next(documents)
before = highest()
count = sum(1 for _ in documents)
print(count, highest() - before)
"""


def grown(path: Path) -> tuple[int, int]:
    """How many documents follow the first one, and by how many KiB the process has grown over them."""
    output = subprocess.run(
        [sys.executable, "-c", PROGRAM, str(path)],
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[3])},
        capture_output=True,
        text=True,
        check=True,
    )
    count, more = map(int, output.stdout.split())
    return count, more
