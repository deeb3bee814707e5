from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

import pytest

from app.models.failure import SourceError
from app.models.pip import pip_download


@pytest.fixture
def shelf(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, make_zip: Any) -> Path:
    """The user's pip configuration: no index, and a folder with one wheel that has a dependency nobody offers."""
    folder = tmp_path / "shelf"
    folder.mkdir()
    info = "tiny_weights-1.0.dist-info"
    members = {
        "tiny_weights/part.bin": b"weights",
        f"{info}/METADATA": b"Metadata-Version: 2.1\nName: tiny-weights\nVersion: 1.0\n"
        b"Requires-Dist: offered-by-nobody\nRequires-Python: <3\n",
        f"{info}/WHEEL": b"Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        f"{info}/RECORD": b"",
    }
    (folder / "tiny_weights-1.0-py3-none-any.whl").write_bytes(make_zip(members))
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(folder))
    monkeypatch.delenv("PIP_INDEX_URL", raising=False)
    return folder


def test_pip_follows_the_users_configuration_and_ignores_dependencies(shelf: Path, tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    pip_download("tiny-weights==1.0", tmp_path / "in")
    assert [path.name for path in (tmp_path / "in").iterdir()] == ["tiny_weights-1.0-py3-none-any.whl"]


def test_what_pip_does_not_find_is_told_in_its_own_words(shelf: Path, tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    with pytest.raises(SourceError, match=r"could not download tiny-weights==9\.9: No matching distribution"):
        pip_download("tiny-weights==9.9", tmp_path / "in")


def test_a_full_disk_under_pip_is_an_error_of_the_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    failed = subprocess.CompletedProcess([], 1, "", "ERROR: Could not install: [Errno 28] No space left on device\n")
    monkeypatch.setattr(subprocess, "run", lambda *_args, **_options: failed)
    with pytest.raises(OSError, match="No space left"):
        pip_download("tiny-weights==1.0", tmp_path)


def test_without_pip_the_message_says_how_to_get_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda _name: None)
    monkeypatch.setattr("shutil.which", lambda _name: None)
    with pytest.raises(SourceError, match="python -m ensurepip"):
        pip_download("tiny-weights==1.0", tmp_path)
