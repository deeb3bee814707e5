"""Whatever is wrong is said in one message with what to do about it; the exit code is 1, and nothing is lost."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from types import SimpleNamespace

import pytest

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]
CLEAN = {name: value for name, value in os.environ.items() if not name.startswith("SYMPOSIA_")}


def symposia(*arguments: str) -> tuple[int, str]:
    command = [sys.executable, "-m", "app.cli", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, env=CLEAN, timeout=300, check=False)
    assert "Traceback" not in done.stderr
    return done.returncode, done.stderr


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory, model_folder: Callable[[str], Path]) -> Path:
    model_folder("all-minilm-l6-v2")
    folder = tmp_path_factory.mktemp("bad")
    (folder / "facts").mkdir()
    (folder / "facts" / "fact.txt").write_text("The hotel opens at seven. Breakfast costs nine euros.")
    (folder / "facts" / "broken.pdf").write_bytes(b"%PDF-1.7\nnothing of the kind")
    code, said = symposia("--home", str(folder / "home"), "add", str(folder / "facts"), "--expert", "hotel")
    assert code == 1
    assert "broken.pdf" in said
    return folder / "home"


@pytest.mark.parametrize(
    ("question", "said"),
    [
        ("", ["empty", "Type a question"]),
        ("   \n", ["empty", "Type a question"]),
        ("why " * 25_000, ["characters", "Shorten it"]),
        ("ホテルは何時に開きますか", ["script", "Ask in English"]),
        ("🎉🎉🎉", ["no word", "Ask in words"]),
        ("When does it\x07 open?", ["U+0007", "Remove it"]),
    ],
)
def test_a_question_that_cannot_be_asked(question: str, said: Sequence[str], home: Path) -> None:
    code, message = symposia("--home", str(home), "ask", question)
    assert code == 1
    assert all(part in message for part in said), message


def test_a_file_that_is_broken_does_not_keep_the_others_out(home: Path) -> None:
    code, message = symposia("--home", str(home), "retrieve", "When does the hotel open?")
    assert (code, message) == (0, "")


def test_a_slice_that_was_built_with_another_encoder_is_named_and_left_alone(home: Path) -> None:
    manifest = home / "slices" / "hotel" / "slice.json"
    before = manifest.read_text()
    values = json.loads(before)
    values["fingerprint"]["revision"] = "0" * 16
    manifest.write_text(json.dumps(values))
    try:
        code, message = symposia("--home", str(home), "ask", "When does the hotel open?")
        assert code == 1
        assert "was built with encoder" in message
        assert "symposia reencode" in message
    finally:
        manifest.write_text(before)
    assert symposia("--home", str(home), "retrieve", "When does the hotel open?")[0] == 0


def test_a_missing_slice_is_said_to_be_missing(tmp_path: Path, home: Path) -> None:
    code, message = symposia("--home", str(tmp_path / "none"), "ask", "When does the hotel open?")
    assert code == 1
    assert "There are no experts" in message
    assert "symposia add" in message


def test_a_locked_store_names_its_holder(home: Path) -> None:
    hold = "import sys\nfrom pathlib import Path\nfrom indexes.store.edge import EdgeStore\n"
    hold += "store = EdgeStore(Path(sys.argv[1]), 384)\nprint('held', flush=True)\nsys.stdin.read()\nstore.close()\n"
    shard = str(home / "slices" / "hotel" / "shard")
    command = [sys.executable, "-c", hold, shard]
    with subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        code, message = symposia("--home", str(home), "ask", "When does the hotel open?")
        holder.communicate("")
    assert code == 1
    assert f"process {holder.pid}" in message
    assert "[store] url" in message
    assert symposia("--home", str(home), "retrieve", "When does the hotel open?")[0] == 0


def test_missing_models_name_the_command_that_gets_them(tmp_path: Path, home: Path) -> None:
    code, message = symposia("--home", str(home), "--set", f"models.cache={tmp_path}", "ask", "When does it open?")
    assert code == 1
    assert "symposia models fetch" in message


def test_an_unknown_setting_names_the_nearest(tmp_path: Path) -> None:
    settings = tmp_path / "symposia.toml"
    settings.write_text("[retrieval]\npasages = 4\n")
    code, message = symposia("--config", str(settings), "ask", "When does it open?")
    assert code == 1
    assert "'pasages'" in message
    assert "passages" in message


def test_a_full_disk_is_said_to_be_full_before_a_fetch_begins(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from app.cli import main

    monkeypatch.setattr("shutil.disk_usage", lambda _: SimpleNamespace(total=1, used=1, free=0))
    code = main(["--set", f"models.cache={tmp_path}", "models", "fetch", "all-minilm-l6-v2"])
    assert code == 1
    assert not list(tmp_path.glob("all-minilm-l6-v2"))
