from __future__ import annotations

import string
from pathlib import Path

import pytest

from app.models.manifest import (
    HubSource,
    WheelSource,
    default_model,
    is_safe_path,
    load_manifest,
    nearest,
)
from indexes.errors import SettingsError

NAMES = ["all-minilm-l6-v2", "all-mpnet-base-v2", "qwen2.5-coder-0.5b", "qwen2.5-coder-1.5b", "smollm2-135m"]
HEX = set(string.hexdigits.lower())


def test_the_shipped_manifest_lists_five_models_in_order() -> None:
    assert list(load_manifest()) == NAMES


def test_the_defaults_are_the_two_that_a_first_answer_needs() -> None:
    assert default_model("encoder") == "all-minilm-l6-v2"
    assert default_model("generator") == "qwen2.5-coder-0.5b"


@pytest.mark.parametrize("name", NAMES)
def test_everything_shipped_is_pinned_to_a_version_a_size_and_a_checksum(name: str) -> None:
    model = load_manifest()[name]
    pins = [(file.size, file.sha256) for file in model.files]
    for source in model.sources:
        if isinstance(source, WheelSource):
            assert all(wheel.requirement.count("==") == 1 for wheel in source.wheels)
            pins += [(wheel.size, wheel.sha256) for wheel in source.wheels]
            pins += [(source.archive.size, source.archive.sha256)] if source.archive else []
    assert all(size > 0 and len(digest) == 64 and set(digest) <= HEX for size, digest in pins)
    assert len({digest for _, digest in pins}) == len(pins)
    assert model.name == model.name.lower()
    assert model.licence


@pytest.mark.parametrize("name", NAMES)
def test_every_model_has_wheels_first_and_then_the_hub(name: str) -> None:
    kinds = [type(source) for source in load_manifest()[name].sources]
    assert kinds == [WheelSource, HubSource]


@pytest.mark.parametrize("name", NAMES)
def test_each_way_to_assemble_has_what_it_needs(name: str) -> None:
    model = load_manifest()[name]
    for source in model.sources:
        if not isinstance(source, WheelSource):
            continue
        if source.assemble == "extract":
            assert len(source.wheels) == 1
            assert source.wheels[0].member.endswith("/")
        elif source.assemble == "concatenate":
            assert len(model.files) == 1
        else:
            assert source.archive is not None
            assert source.prefix.endswith("/")


def test_only_what_is_converted_has_a_converted_size() -> None:
    for model in load_manifest().values():
        assert (model.converted_size > 0) == (model.format == "gguf")


@pytest.mark.parametrize("path", ["../x", "a/../../x", "/x", "C:x", "a\\b", "", "a\0b"])
def test_a_manifest_path_that_leaves_its_folder_is_refused(path: str, tmp_path: Path) -> None:
    assert not is_safe_path(path)
    written = path.replace("\\", "\\\\").replace("\0", "\\u0000")
    manifest = tmp_path / "models.toml"
    manifest.write_text(
        f'[[models]]\nname = "m"\nrole = "encoder"\ndescription = ""\nlicence = ""\nformat = "gguf"\nsources = []\n'
        f'files = [{{ path = "{written}", size = 1, sha256 = "" }}]\n'
    )
    with pytest.raises(SettingsError, match="leaves the folder"):
        load_manifest(manifest)


def test_the_nearest_name_ignores_case_and_is_none_for_nonsense() -> None:
    assert nearest("Qwen2.5-Coder-1.5", NAMES) == "qwen2.5-coder-1.5b"
    assert nearest("mini-lm-l6-v2", NAMES) == "all-minilm-l6-v2"
    assert nearest("zzzz", NAMES) is None
