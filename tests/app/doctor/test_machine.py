from __future__ import annotations

import shutil
from importlib import metadata
from pathlib import Path
from types import SimpleNamespace

import pytest

from app.doctor import machine


def test_this_python_is_fine(monkeypatch: pytest.MonkeyPatch) -> None:
    assert machine.python().status == "ok"
    monkeypatch.setattr(machine, "OLDEST_PYTHON", (99, 0))
    check = machine.python()
    assert check.status == "fail"
    assert "99.0" in check.fix


def test_the_packages_of_this_environment_are_in_range() -> None:
    [check] = machine.packages()
    assert (check.name, check.status) == ("packages", "ok")


@pytest.mark.parametrize(
    ("requirement", "status", "detail"),
    [
        ("no-such-package>=1", "fail", "not installed"),
        ("numpy>=999", "warn", f"version {metadata.version('numpy')}, but >=999 was tested"),
    ],
)
def test_a_package_that_is_absent_or_out_of_range_is_named(
    monkeypatch: pytest.MonkeyPatch, requirement: str, status: str, detail: str
) -> None:
    others = ['skipped-extra; extra == "dev"', 'skipped-system; sys_platform == "nowhere"', "rich"]
    monkeypatch.setattr(metadata, "requires", lambda _: [requirement, *others])
    [check] = machine.packages()
    assert (check.status, check.detail) == (status, detail)
    assert f"pip install '{requirement}'" in check.fix


def test_without_an_installation_pyproject_is_read(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def not_installed(_: str) -> None:
        raise metadata.PackageNotFoundError

    (tmp_path / "pyproject.toml").write_text('[project]\ndependencies = ["no-such-package"]\n')
    monkeypatch.setattr(metadata, "requires", not_installed)
    monkeypatch.setattr(machine, "ROOT", tmp_path)
    assert [check.name for check in machine.packages()] == ["package no-such-package"]


def test_a_folder_that_is_not_there_yet_is_judged_by_the_one_above(tmp_path: Path) -> None:
    check = machine.folder("home folder", tmp_path / "a" / "b")
    assert check.status == "ok"
    assert check.detail.endswith("(made when needed)")
    assert not (tmp_path / "a").exists()


def test_a_folder_that_cannot_be_written_fails(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_text("")
    check = machine.folder("home folder", file)
    assert check.status == "fail"
    assert "cannot be written" in check.detail


@pytest.mark.parametrize(("free", "status"), [(10**11, "ok"), (10**9, "warn"), (10**8, "fail")])
def test_free_space(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, free: int, status: str) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=free))
    check = machine.disk("disk", tmp_path / "not" / "there")
    assert check.status == status
    assert f"{free / 1e9:.1f} GB free" in check.detail


def test_more_threads_than_cores_is_a_warning() -> None:
    cores = machine.usable_cores()
    assert machine.processor(0).status == "ok"
    assert f"{cores} cores, {cores} threads" in machine.processor(0).detail
    check = machine.processor(cores + 1)
    assert check.status == "warn"
    assert str(cores) in check.fix


def test_bfloat16_is_told_from_the_processors_flags(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machine, "_cpu_flags", lambda: frozenset({"amx_bf16", "sse"}))
    assert "bfloat16 in hardware (amx_bf16)" in machine.processor(0).detail
    monkeypatch.setattr(machine, "_cpu_flags", lambda: frozenset({"sse"}))
    assert "no bfloat16 in hardware" in machine.processor(0).detail
