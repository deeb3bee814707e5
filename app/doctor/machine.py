"""What the machine offers: Python, packages, processor, folders and disk."""

from __future__ import annotations

import os
import platform
import shutil
import sys
import tempfile
import tomllib
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING

from app.doctor.check import Check

if TYPE_CHECKING:
    from packaging.requirements import Requirement

ROOT = Path(__file__).parent.parent.parent
OLDEST_PYTHON = (3, 11)
LITTLE, TOO_LITTLE = 3_000_000_000, 200_000_000  # bytes: a model being converted, and a small slice
BFLOAT16_FLAGS = ("amx_bf16", "avx512_bf16", "bf16")


def python() -> Check:
    """The version of Python."""
    wanted = ".".join(map(str, OLDEST_PYTHON))
    if sys.version_info[:2] < OLDEST_PYTHON:
        return Check(
            "python", "fail", f"{platform.python_version()}, below {wanted}", f"Install Python {wanted} or later."
        )
    return Check("python", "ok", platform.python_version())


def packages() -> list[Check]:
    """One finding for each required package that is absent or out of range, or one that all are there."""
    from packaging.requirements import Requirement

    needed = [Requirement(text) for text in _requirements()]
    needed = [requirement for requirement in needed if _applies(requirement)]
    problems = [check for requirement in needed if (check := _package(requirement)) is not None]
    return problems or [Check("packages", "ok", f"all {len(needed)} required packages are installed, in range")]


def folder(name: str, path: Path) -> Check:
    """Whether a folder, or the nearest one above it that exists, can be written to."""
    existing = _existing(path)
    try:
        with tempfile.TemporaryFile(dir=existing):
            pass
    except OSError as error:
        fix = "Make it writable, or name another folder with --home or `home` in symposia.toml."
        return Check(name, "fail", f"{existing} cannot be written: {error.strerror}", fix)
    return Check(name, "ok", str(path) if path.is_dir() else f"{path} (made when needed)")


def disk(name: str, path: Path) -> Check:
    """Free space where a folder lies."""
    free = shutil.disk_usage(_existing(path)).free
    detail = f"{free / 1e9:.1f} GB free at {path}"
    if free < LITTLE:
        fix = "Free some space: fetching the default models takes 3 GB for a while, a slice about 5 kB a passage."
        return Check(name, "fail" if free < TOO_LITTLE else "warn", detail, fix)
    return Check(name, "ok", detail)


def processor(threads: int) -> Check:
    """The processor, the cores this process may use, and whether it multiplies bfloat16 in hardware."""
    from evaluation.manifest import cpu_model

    cores, found = usable_cores(), [flag for flag in BFLOAT16_FLAGS if flag in _cpu_flags()]
    bfloat16 = f"bfloat16 in hardware ({', '.join(found)})" if found else "no bfloat16 in hardware"
    detail = f"{cpu_model()}, {cores} cores, {threads or cores} threads, {bfloat16}"
    if threads > cores:
        return Check(
            "processor",
            "warn",
            detail,
            f"Set models.threads to 0, or to {cores} at most: more threads than cores wait.",
        )
    return Check("processor", "ok", detail)


def usable_cores() -> int:
    """Cores that this process may run on."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _requirements() -> list[str]:
    """What the installed distribution requires; in a source folder that is not installed, what pyproject.toml says."""
    try:
        return list(metadata.requires("symposia") or [])
    except metadata.PackageNotFoundError:
        project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
        return list(project["dependencies"])


def _applies(requirement: Requirement) -> bool:
    return requirement.marker is None or requirement.marker.evaluate({"extra": ""})


def _package(requirement: Requirement) -> Check | None:
    install = f"Run: {sys.executable} -m pip install '{requirement.name}{requirement.specifier}'"
    try:
        version = metadata.version(requirement.name)
    except metadata.PackageNotFoundError:
        return Check(f"package {requirement.name}", "fail", "not installed", install)
    if requirement.specifier.contains(version, prereleases=True):
        return None
    detail = f"version {version}, but {requirement.specifier} was tested"
    return Check(f"package {requirement.name}", "warn", detail, install)


def _existing(path: Path) -> Path:
    return next(folder for folder in (path, *path.absolute().parents) if folder.exists())


def _cpu_flags() -> frozenset[str]:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return frozenset()
    named = (line.partition(":") for line in lines)
    return next(
        (frozenset(value.split()) for name, _, value in named if name.strip() in {"flags", "Features"}), frozenset()
    )
