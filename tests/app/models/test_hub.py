from __future__ import annotations

import errno
from pathlib import Path
from typing import Any

import huggingface_hub
import pytest
from huggingface_hub import errors

from app.models.failure import SourceError
from app.models.fetch import fetch
from app.models.hub import hub_snapshot, is_hub_id
from indexes.errors import MissingModelError


@pytest.mark.parametrize("name", ["org/name", "sentence-transformers/all-MiniLM-L6-v2", "Qwen/Qwen2.5_Coder"])
def test_org_slash_name_is_a_hub_id(name: str) -> None:
    assert is_hub_id(name)


@pytest.mark.parametrize("name", ["name", "./name", "../a", "/a/b", "a/b/c", "a/", "~/b", "C:\\a/b", "a b/c"])
def test_paths_and_bare_names_are_no_hub_ids(name: str) -> None:
    assert not is_hub_id(name)


@pytest.mark.parametrize(
    "error",
    [
        errors.OfflineModeIsEnabled("offline mode"),
        errors.LocalEntryNotFoundError("out of reach"),
        errors.HTTPError("proxy refused"),  # type: ignore[attr-defined]
        errors.HFValidationError("bad name"),
    ],
)
def test_every_kind_of_hub_failure_is_one_reason(
    error: Exception, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(huggingface_hub, "snapshot_download", raising(error))
    with pytest.raises(SourceError, match=f"the hub did not deliver o/n: {error}"):
        hub_snapshot("o/n", "main", ["a"], tmp_path)


def test_a_full_disk_is_not_blamed_on_the_hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(huggingface_hub, "snapshot_download", raising(OSError(errno.ENOSPC, "No space left")))
    with pytest.raises(OSError, match="No space left"):
        hub_snapshot("o/n", "main", ["a"], tmp_path)


def test_a_hub_model_outside_the_manifest_is_fetched_without_pickles(
    world: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: dict[str, Any] = {}

    def snapshot(repo: str, **options: Any) -> str:
        asked.update(options, repo=repo)
        (tmp_path / "model.safetensors").write_bytes(b"weights")
        return str(tmp_path)

    monkeypatch.setattr(huggingface_hub, "snapshot_download", snapshot)
    assert fetch("org/name", world.cache, manifest=world.manifest) == tmp_path
    assert asked["repo"] == "org/name"
    assert "*.bin" in asked["ignore_patterns"]


def test_a_hub_model_without_safetensors_is_refused(
    world: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(huggingface_hub, "snapshot_download", lambda _repo, **_options: str(tmp_path))
    with pytest.raises(MissingModelError, match="no safetensors weights"):
        fetch("org/name", world.cache, manifest=world.manifest)


def raising(error: Exception) -> Any:
    def fail(*_args: Any, **_options: Any) -> str:
        raise error

    return fail
