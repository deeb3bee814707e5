from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from app.models.cache import default_cache
from app.models.fetch import fetch
from app.models.manifest import default_model
from app.models.resolve import languages_of, resolve
from app.models.status import verify
from indexes.errors import MissingModelError, SettingsError


@pytest.fixture(autouse=True)
def empty_hub_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    import huggingface_hub.constants

    folder = tmp_path / "hub"
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_CACHE", str(folder))
    return folder


def test_a_fetched_model_is_found_by_its_name(world: Any) -> None:
    folder = fetch("small-encoder", world.cache, manifest=world.manifest, tools=world.tools)
    assert resolve("small-encoder", "encoder", world.cache, manifest=world.manifest) == folder


def test_a_model_that_was_not_fetched_names_the_command_and_fetches_nothing(world: Any) -> None:
    with pytest.raises(MissingModelError) as caught:
        resolve("small-encoder", "encoder", world.cache, manifest=world.manifest)
    assert "not there yet" in caught.value.problem
    assert caught.value.fix == "Fetch it with: symposia models fetch small-encoder"
    assert not world.cache.exists()


def test_a_model_with_a_missing_file_is_not_handed_out(world: Any) -> None:
    folder = fetch("small-encoder", world.cache, manifest=world.manifest, tools=world.tools)
    (folder / "model.safetensors").unlink()
    with pytest.raises(MissingModelError, match="incomplete or damaged"):
        resolve("small-encoder", "encoder", world.cache, manifest=world.manifest)


def test_a_misspelt_name_names_the_nearest_of_the_same_role(world: Any) -> None:
    with pytest.raises(MissingModelError) as caught:
        resolve("small-encodr", "encoder", world.cache, manifest=world.manifest)
    assert caught.value.fix == "Did you mean 'small-encoder'? Fetch it with: symposia models fetch small-encoder"


def test_a_name_like_no_other_lists_what_is_known_for_the_role(world: Any) -> None:
    with pytest.raises(MissingModelError) as caught:
        resolve("zzz", "encoder", world.cache, manifest=world.manifest)
    assert caught.value.fix == "Known: small-encoder, zipped-encoder"


@pytest.mark.parametrize(
    ("role", "empty"), [("reranker", "models.reranker"), ("entailment", "models.entailment or models.judge")]
)
@pytest.mark.parametrize("name", ["zzz", "small-encoder"])
def test_a_role_without_known_models_says_what_to_name_or_leave_empty(
    world: Any, role: Any, empty: str, name: str
) -> None:
    with pytest.raises((MissingModelError, SettingsError)) as caught:
        resolve(name, role, world.cache, manifest=world.manifest)
    assert caught.value.fix == (
        f"Name a folder, or org/name of a hub, fetched with `symposia models fetch org/name`; or leave {empty} empty."
    )


def test_a_model_of_the_other_role_is_refused(world: Any) -> None:
    with pytest.raises(SettingsError, match="'small-generator' is no encoder but a generator"):
        resolve("small-generator", "encoder", world.cache, manifest=world.manifest)


def test_a_local_folder_with_a_model_is_used_as_it_is(world: Any, tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "config.json").write_text("{}")
    assert resolve(tmp_path / "mine", "encoder", world.cache, manifest=world.manifest) == tmp_path / "mine"


def test_a_local_folder_without_a_model_is_refused(world: Any, tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    with pytest.raises(MissingModelError, match="holds no encoder"):
        resolve(tmp_path / "mine", "encoder", world.cache, manifest=world.manifest)


def test_a_gguf_file_is_used_as_it_is_until_it_was_unpacked(world: Any, tmp_path: Path) -> None:
    path = tmp_path / "own.gguf"
    path.write_bytes(b"GGUF and more")
    assert resolve(path, "generator", world.cache, manifest=world.manifest) == path
    folder = fetch(str(path), world.cache, manifest=world.manifest, tools=world.tools)
    assert folder.parent == world.cache / ".gguf"
    assert (folder / "model.safetensors").read_bytes() == b"erom dna FUGG"
    assert resolve(path, "generator", world.cache, manifest=world.manifest) == folder
    with pytest.raises(SettingsError, match="can be no encoder"):
        resolve(path, "encoder", world.cache, manifest=world.manifest)


def test_a_gguf_file_is_unpacked_once_and_again_when_it_changes(world: Any, tmp_path: Path) -> None:
    path = tmp_path / "own.gguf"
    path.write_bytes(b"GGUF one")
    one = fetch(str(path), world.cache, manifest=world.manifest, tools=world.tools)
    assert fetch(str(path), world.cache, manifest=world.manifest, tools=world.tools) == one
    assert world.converted == ["own.gguf"]
    path.write_bytes(b"GGUF two")
    assert resolve(path, "generator", world.cache, manifest=world.manifest) == path
    assert fetch(str(path), world.cache, manifest=world.manifest, tools=world.tools) != one
    (one / "model.safetensors").unlink()
    path.write_bytes(b"GGUF one")
    assert resolve(path, "generator", world.cache, manifest=world.manifest) == path


def test_a_gguf_file_that_cannot_be_unpacked_points_to_a_server(world: Any, tmp_path: Path) -> None:
    def fails(gguf: Path, _: Path) -> dict[str, Any]:
        raise MissingModelError(f"{gguf.name} was downloaded but could not be converted: no such architecture.", "x")

    path = tmp_path / "own.gguf"
    path.write_bytes(b"GGUF one")
    with pytest.raises(MissingModelError, match=r"own\.gguf could not be converted: no such") as caught:
        fetch(str(path), world.cache, manifest=world.manifest, tools=replace(world.tools, convert=fails))
    assert "models.server" in caught.value.fix
    assert resolve(path, "generator", world.cache, manifest=world.manifest) == path


def test_a_gguf_file_that_is_absent_or_none_is_refused(world: Any, tmp_path: Path) -> None:
    for use in (
        lambda: resolve(tmp_path / "none.gguf", "generator", world.cache, manifest=world.manifest),
        lambda: fetch(str(tmp_path / "none.gguf"), world.cache, manifest=world.manifest, tools=world.tools),
    ):
        with pytest.raises(MissingModelError, match=r"There is no file .*none\.gguf"):
            use()
    (tmp_path / "page.gguf").write_text("<html>")
    with pytest.raises(MissingModelError, match="no GGUF file"):
        resolve(tmp_path / "page.gguf", "generator", world.cache, manifest=world.manifest)


def test_a_name_of_the_manifest_is_not_taken_by_a_folder_of_that_name(
    world: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "small-encoder").mkdir()
    (tmp_path / "small-encoder" / "config.json").write_text("{}")
    with pytest.raises(MissingModelError, match="not there yet"):
        resolve("small-encoder", "encoder", world.cache, manifest=world.manifest)
    assert resolve("./small-encoder", "encoder", world.cache, manifest=world.manifest) == Path("small-encoder")


def test_a_hub_model_that_was_downloaded_before_is_found(world: Any, empty_hub_cache: Path) -> None:
    snapshot = empty_hub_cache / "models--org--name" / "snapshots" / ("a" * 40)
    snapshot.mkdir(parents=True)
    (snapshot / "config.json").write_text("{}")
    (empty_hub_cache / "models--org--name" / "refs").mkdir()
    (empty_hub_cache / "models--org--name" / "refs" / "main").write_text("a" * 40)
    assert resolve("org/name", "encoder", world.cache, manifest=world.manifest) == snapshot


def test_a_hub_model_that_is_not_there_names_the_command_and_a_known_model_of_that_name(world: Any) -> None:
    with pytest.raises(MissingModelError) as caught:
        resolve("org/small-encoder", "encoder", world.cache, manifest=world.manifest)
    assert "symposia models fetch org/small-encoder" in caught.value.fix
    assert "'small-encoder'" in caught.value.fix


def test_languages_come_from_the_manifest_and_are_empty_elsewhere(world: Any) -> None:
    assert languages_of("zipped-encoder", world.manifest) == ("en",)
    assert languages_of("small-generator", world.manifest) == ()
    assert languages_of("/some/folder", world.manifest) == ()


def test_looking_at_models_imports_no_heavy_library(world: Any) -> None:
    program = (
        "import sys; from pathlib import Path\n"
        "from app.models import fetch, resolve, status\n"
        "status.status(Path(sys.argv[1]))\n"
        "heavy = {'torch', 'transformers', 'sentence_transformers', 'huggingface_hub', 'numpy'} & set(sys.modules)\n"
        "raise SystemExit(repr(heavy) if heavy else 0)\n"
    )
    done = subprocess.run([sys.executable, "-c", program, world.cache], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.slow
@pytest.mark.parametrize("role", ["encoder", "generator"])
def test_the_real_default_models_are_whole_and_give_sense(role: Any) -> None:
    name = default_model(role)
    try:
        folder = resolve(name, role)
    except MissingModelError as error:
        pytest.skip(error.fix)
    assert folder == default_cache() / name
    assert all(check.ok for check in verify(name))
    (encodes_meaning if role == "encoder" else knows_a_capital)(folder)


def encodes_meaning(folder: Path) -> None:
    from sentence_transformers import SentenceTransformer

    model = SentenceTransformer(str(folder), device="cpu", local_files_only=True)
    vectors = model.encode(["A cat sits on the mat.", "A kitten rests on a rug.", "Shares fell in Tokyo."])
    assert vectors.shape == (3, 384)
    near, far = vectors[0] @ vectors[1], vectors[0] @ vectors[2]
    assert near > 0.5
    assert far < 0.2


def knows_a_capital(folder: Path) -> None:
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    tokenizer: Any = AutoTokenizer.from_pretrained(folder, local_files_only=True)
    model: Any = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.bfloat16, local_files_only=True)
    assert model.get_input_embeddings().weight.data_ptr() == model.get_output_embeddings().weight.data_ptr()
    assert sum(parameter.numel() for parameter in model.parameters()) == 494_032_768
    message = [{"role": "user", "content": "What is the capital of France? One word."}]
    inputs = tokenizer.apply_chat_template(message, add_generation_prompt=True, return_tensors="pt", return_dict=True)
    out = model.generate(**inputs, max_new_tokens=4, do_sample=False)
    assert "Paris" in tokenizer.decode(out[0, inputs["input_ids"].shape[1] :])
