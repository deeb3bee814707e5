from __future__ import annotations

from pathlib import Path

import pytest

from app.demo.packaged import data_folder
from indexes.errors import InputError


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "archive_of_texts"
    folder.mkdir()
    (folder / "__init__.py").write_text("raise RuntimeError('the package ran')")
    monkeypatch.syspath_prepend(str(tmp_path))
    return folder


def test_the_data_folder_is_found_without_running_the_package(package: Path) -> None:
    (package / "data").mkdir()
    assert data_folder("archive_of_texts", "archive==1") == package / "data"


def test_a_missing_package_names_the_command_that_installs_it() -> None:
    with pytest.raises(InputError) as caught:
        data_folder("no_such_package_of_texts", "archive==1")
    assert "archive==1" in caught.value.problem
    assert "pip install 'symposia[demo]'" in caught.value.fix


def test_a_package_without_data_names_the_version_that_has_it(package: Path) -> None:
    with pytest.raises(InputError, match="archive==1") as caught:
        data_folder("archive_of_texts", "archive==1")
    assert "pip install 'symposia[demo]'" in caught.value.fix
