from __future__ import annotations

import json
import subprocess
from datetime import UTC, datetime, timedelta
from importlib.metadata import version
from pathlib import Path

import pytest

from evaluation.manifest import cpu_model, git_revision, manifest, package_versions


def commit(folder: Path) -> str:
    identity = ["-c", "user.name=Test", "-c", "user.email=test@example.org"]
    for arguments in (["init", "-q"], ["add", "."], [*identity, "commit", "-q", "-m", "first"]):
        subprocess.run(["git", "-C", str(folder), *arguments], check=True)
    found = subprocess.run(["git", "-C", str(folder), "rev-parse", "HEAD"], check=True, capture_output=True, text=True)
    return found.stdout.strip()


def test_the_manifest_is_plain_json_with_what_the_caller_adds() -> None:
    started = datetime.now(UTC) - timedelta(seconds=5)
    record = json.loads(json.dumps(manifest(seeds={"sample": 7}, started=started, models={"encoder": "53aa"})))
    assert record["seeds"] == {"sample": 7}
    assert record["models"] == {"encoder": "53aa"}
    assert 5 <= record["seconds"] < 60
    assert record["packages"]["numpy"] == version("numpy")
    assert record["cpu"] == cpu_model() != ""


def test_packages_that_are_not_installed_are_left_out() -> None:
    assert set(package_versions(("numpy", "no-such-package-of-ours"))) == {"numpy"}


def test_the_revision_is_that_of_the_checkout(tmp_path: Path) -> None:
    (tmp_path / "code.py").write_text("x = 1\n", encoding="utf-8")
    revision = commit(tmp_path)
    assert git_revision(tmp_path) == {"revision": revision, "changed": False}
    (tmp_path / "code.py").write_text("x = 2\n", encoding="utf-8")
    assert git_revision(tmp_path) == {"revision": revision, "changed": True}


def test_a_folder_inside_another_checkout_has_no_revision(tmp_path: Path) -> None:
    inner = tmp_path / "environment"
    inner.mkdir()
    (inner / "code.py").write_text("x = 1\n", encoding="utf-8")
    commit(tmp_path)
    assert git_revision(inner) is None


def test_no_commit_no_checkout_and_no_git_give_no_revision(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert git_revision(tmp_path) is None
    subprocess.run(["git", "-C", str(tmp_path), "init", "-q"], check=True)
    assert git_revision(tmp_path) is None
    monkeypatch.setattr("evaluation.manifest.shutil.which", lambda _: None)
    assert git_revision(tmp_path) is None
    assert manifest()["git"] is None
