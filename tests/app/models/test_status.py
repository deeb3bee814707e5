from __future__ import annotations

from typing import Any

import pytest

from app.models.fetch import fetch
from app.models.status import status, verify
from indexes.errors import MissingModelError


def states(world: Any) -> dict[str, str]:
    return {row.name: row.state for row in status(world.cache, manifest=world.manifest)}


def get(world: Any, name: str) -> Any:
    return fetch(name, world.cache, manifest=world.manifest, tools=world.tools)


def test_in_an_empty_cache_everything_is_missing(world: Any) -> None:
    assert states(world) == {"small-encoder": "missing", "small-generator": "missing", "zipped-encoder": "missing"}
    assert not world.cache.exists()


def test_the_four_states_are_told_apart(world: Any) -> None:
    (get(world, "zipped-encoder") / "config.json").write_bytes(b"shorter")
    get(world, "small-encoder")
    world.index.fails["gen-part1==2.0"] = KeyboardInterrupt()
    with pytest.raises(KeyboardInterrupt):
        get(world, "small-generator")
    assert states(world) == {"small-encoder": "ready", "small-generator": "partial", "zipped-encoder": "damaged"}


def test_a_row_says_what_has_to_be_downloaded_and_what_the_disk_will_hold(world: Any) -> None:
    row = next(row for row in status(world.cache, manifest=world.manifest) if row.name == "small-generator")
    assert row.download == sum(len(world.index.wheels[f"gen-part{i}==2.0"]) for i in range(3))
    assert row.size == 13_000
    assert (row.role, row.licence, row.default) == ("generator", "MIT", True)
    assert row.to_dict()["folder"] == str(world.cache / "small-generator")


def test_verify_reads_contents_where_status_only_looks_at_sizes(world: Any) -> None:
    folder = get(world, "small-encoder")
    (folder / "config.json").write_bytes(b'{"hidden_size": 9}')
    assert states(world)["small-encoder"] == "ready"
    wrong = [check for check in verify("small-encoder", world.cache, manifest=world.manifest) if not check.ok]
    assert [check.file for check in wrong] == ["config.json"]
    assert wrong[0].expected == world.manifest["small-encoder"].files[0].sha256
    assert wrong[0].found not in {None, wrong[0].expected}


def test_verify_compares_delivered_files_with_the_manifest_and_not_with_the_record(world: Any) -> None:
    folder = get(world, "small-encoder")
    changed = b'{"hidden_size": 9}'
    record = (folder / "symposia.json").read_text()
    import hashlib

    pins = (world.manifest["small-encoder"].files[0].sha256, hashlib.sha256(changed).hexdigest())
    (folder / "config.json").write_bytes(changed)
    (folder / "symposia.json").write_text(record.replace(*pins))
    checks = verify("small-encoder", world.cache, manifest=world.manifest)
    assert [check.file for check in checks if not check.ok] == ["config.json"]


def test_verify_compares_converted_files_with_their_record(world: Any) -> None:
    folder = get(world, "small-generator")
    assert [check.ok for check in verify("small-generator", world.cache, manifest=world.manifest)] == [True, True]
    (folder / "model.safetensors").unlink()
    wrong = [check for check in verify("small-generator", world.cache, manifest=world.manifest) if not check.ok]
    assert [(check.file, check.found) for check in wrong] == [("model.safetensors", None)]


@pytest.mark.parametrize("content", [None, "", "[]", '{"files": [{"path": "x"}]}'])
def test_a_folder_without_a_readable_record_is_damaged(world: Any, content: str | None) -> None:
    record = get(world, "small-generator") / "symposia.json"
    record.unlink() if content is None else record.write_text(content)
    assert states(world)["small-generator"] == "damaged"
    checks = verify("small-generator", world.cache, manifest=world.manifest)
    assert [(check.file, check.ok) for check in checks] == [("symposia.json", False)]


def test_verify_of_a_model_that_is_not_there_names_the_command(world: Any) -> None:
    with pytest.raises(MissingModelError) as caught:
        verify("small-encoder", world.cache, manifest=world.manifest)
    assert caught.value.fix == "Fetch it with: symposia models fetch small-encoder"


def test_verify_of_a_misspelt_name_names_the_nearest(world: Any) -> None:
    with pytest.raises(MissingModelError, match="Did you mean 'small-generator'"):
        verify("small-generatr", world.cache, manifest=world.manifest)
