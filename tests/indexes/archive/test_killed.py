"""kill -9 at one call of the file system after another leaves the old state or the new one, and a rerun finishes."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from app.settling import settle
from indexes.archive.reader import open_archive
from indexes.archive.slice_file import export_slice, import_slice
from indexes.store.open import opener
from tests.indexes.archive.conftest import make_slice, state_of

ROOT = Path(__file__).parents[3]
OLD = ("Swifts sleep in the air.", "Storks return in March.")
NEW = ("Medlars are eaten when they are soft.", "Figs are pollinated by wasps.", "Quinces are hard.")


class Export:
    """An older archive of another content is there already."""

    def prepare(self, folder: Path) -> None:
        make_slice(folder / "slices", "birds", opener(), OLD)
        export_slice(folder / "slices", "birds", folder / "file", opener())
        make_slice(folder / "slices", "fruit", opener(), NEW)

    def work(self, folder: Path) -> None:
        export_slice(folder / "slices", "fruit", folder / "file", opener())

    def check(self, folder: Path) -> None:
        assert open_archive(folder / "file", "slice").about["slice"] in {"birds", "fruit"}

    def finished(self, folder: Path) -> None:
        assert open_archive(folder / "file", "slice").about["slice"] == "fruit"
        assert sorted(path.name for path in folder.iterdir()) == ["file", "slices"]


class Import:
    """The slice takes the place of another of its name."""

    def prepare(self, folder: Path) -> None:
        make_slice(folder / "other", "birds", opener(), NEW)
        export_slice(folder / "other", "birds", folder / "file", opener())
        make_slice(folder / "slices", "birds", opener(), OLD)
        shutil.copytree(folder / "slices", folder / "old")

    def work(self, folder: Path) -> None:
        import_slice(folder / "file", folder / "slices", opener(), replacing=True)

    def check(self, folder: Path) -> None:
        settle(folder)
        state = state_of(folder / "slices" / "birds", opener())
        assert state in [state_of(folder / each / "birds", opener()) for each in ("old", "other")]

    def finished(self, folder: Path) -> None:
        assert state_of(folder / "slices" / "birds", opener()) == state_of(folder / "other" / "birds", opener())
        assert sorted(path.name for path in (folder / "slices").iterdir()) == [".incoming.lock", "birds"]


def killed(case: str, folder: Path, stride: int, module: str = __name__) -> int:
    """How often the work of a case was killed, its state found right each time."""
    command = [sys.executable, "-m", "tests.indexes.archive.killing", f"{module}:{case}", str(folder), str(stride)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=900, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    return int(done.stdout)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_an_export_killed_at_some_moments(tmp_path: Path) -> None:
    assert killed("Export", tmp_path, 7) >= 2


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
@pytest.mark.parametrize(("case", "least"), [("Export", 15), ("Import", 20)])
def test_killed_at_every_moment(tmp_path: Path, case: str, least: int) -> None:
    """At every fifth one of an import."""
    assert killed(case, tmp_path, 1 if case == "Export" else 5) >= least
