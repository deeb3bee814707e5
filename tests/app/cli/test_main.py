from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from app.cli.main import ROOMS
from indexes.errors import StoreError

ROOT = Path(__file__).parents[3]
COMMANDS = (
    "ask",
    "chat",
    "serve",
    "retrieve",
    "add",
    "duplicates",
    "bulk",
    "export",
    "import",
    "backup",
    "restore",
    "migrate",
    "train",
    "calibrate",
    "reencode",
    "experts",
    "models",
    "keys",
    "conversations",
    "feedback",
    "evaluate",
    "evaluate-answers",
    "config",
    "doctor",
    "demo",
    "bench",
)
SUBCOMMANDS = (
    *("models list", "models fetch", "models verify"),
    *("experts list", "experts remove", "bench speed", "bench decoding", "bench conflicts", "bench citations"),
    *("bench abstention", "bench gate", "bench serve", "keys create", "keys list", "keys revoke"),
    *("conversations list", "conversations show", "conversations export", "conversations delete", "feedback export"),
    *("bench follow-ups", "bench add"),
    *("bench crash", "bench sizing"),
)
HEAVY = ("torch", "transformers", "sentence_transformers", "qdrant_client", "streamlit", "llama_index")


def modules_after(folder: Path, *arguments: str, env: dict[str, str] | None = None) -> tuple[int, float, set[str]]:
    """Exit code, processor seconds and loaded top-level modules of one run in a fresh interpreter."""
    code = (
        "import sys, time\n"
        "from app.cli import main\n"
        "code = main(sys.argv[1:])\n"
        "names = ' '.join(sorted({name.partition('.')[0] for name in sys.modules}))\n"
        "print(code, time.process_time(), names, file=sys.stderr)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments],
        cwd=folder,
        env={"PATH": "/usr/bin:/bin", "PYTHONPATH": str(ROOT), "HOME": str(folder), **(env or {})},
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )
    exit_code, seconds, *names = done.stderr.splitlines()[-1].split()
    return int(exit_code), float(seconds), set(names)


def test_help_is_quick_and_loads_nothing_heavy(tmp_path: Path) -> None:
    code, seconds, modules = modules_after(tmp_path, "--help")
    assert code == 0
    assert not modules & {*HEAVY, "pydantic", "numpy", "rich"}
    assert seconds < 0.5


def test_models_list_loads_no_torch(tmp_path: Path) -> None:
    code, _, modules = modules_after(tmp_path, "models", "list", "--json")
    assert code == 0
    assert not modules & set(HEAVY)


def test_scoring_a_stored_run_loads_no_torch(tmp_path: Path) -> None:
    folder = tmp_path / "tiny"
    (folder / "qrels").mkdir(parents=True)
    (folder / "corpus.jsonl").write_text('{"_id": "d1", "title": "", "text": "swifts"}\n')
    (folder / "queries.jsonl").write_text('{"_id": "q1", "text": "birds"}\n')
    (folder / "qrels" / "test.tsv").write_text("query-id\tcorpus-id\tscore\nq1\td1\t1\n")
    (tmp_path / "a.trec").write_text("q1 Q0 d1 1 2.0 a\n")
    code, _, modules = modules_after(tmp_path, "evaluate", str(folder), "--run", "a.trec", "--json")
    assert code == 0
    assert not modules & set(HEAVY)


def test_the_program_without_arguments_prints_its_help_and_ends_with_2(run: Any) -> None:
    ended = run()
    assert ended.code == 2
    assert "Usage: symposia" in ended.err


def test_help_lists_every_command_and_the_exit_codes(run: Any) -> None:
    ended = run("--help")
    assert ended.code == 0
    listed = ended.out.partition("Commands:")[2]
    assert not [name for name in COMMANDS if f"\n  {name} " not in listed]
    assert "Exit codes: 0 fine; 1" in ended.out
    assert "130 Ctrl-C" in ended.out


@pytest.mark.parametrize(
    "command",
    [*(c for c in COMMANDS if c not in {"models", "keys", "conversations", "feedback", "bench"}), *SUBCOMMANDS],
)
def test_every_command_takes_json(run: Any, command: str) -> None:
    assert "--json" in run(*command.split(), "--help").out


def test_version(run: Any) -> None:
    ended = run("--version")
    assert ended.code == 0
    assert ended.out.startswith("symposia")


@pytest.mark.parametrize("arguments", [("ask",), ("ask", "a", "b"), ("nonsense",), ("--nonsense",), ("add", "x")])
def test_wrong_usage_ends_with_2_and_says_why_on_stderr(run: Any, arguments: tuple[str, ...]) -> None:
    ended = run(*arguments)
    assert (ended.code, ended.out) == (2, "")
    assert "Usage: symposia" in ended.err
    assert "Error: " in ended.err


def test_wrong_usage_with_json_is_one_document(run: Any) -> None:
    ended = run("ask", "--json")
    assert ended.code == 2
    assert ended.document["error"]["kind"] == "UsageError"
    assert "QUESTION" in ended.document["error"]["problem"]


def test_a_symposia_error_prints_problem_then_fix_on_stderr(run: Any, symposium: Any) -> None:
    symposium.error = StoreError("The [store] is full.", "Free some space.")
    ended = run("ask", "What?")
    assert (ended.code, ended.out) == (1, "")
    assert ended.err.splitlines()[-2:] == ["The [store] is full.", "Free some space."]
    assert symposium.closed


def test_a_symposia_error_with_json_is_one_document(run: Any, symposium: Any) -> None:
    symposium.error = StoreError("The store is full.", "Free some space.")
    ended = run("ask", "What?", "--json")
    assert ended.code == 1
    expected = {"kind": "StoreError", "problem": "The store is full.", "fix": "Free some space."}
    assert ended.document == {"error": expected}


def test_an_unforeseen_error_says_where_to_report_and_shows_no_traceback(run: Any, symposium: Any) -> None:
    symposium.error = RuntimeError("boom")
    ended = run("ask", "What?")
    assert (ended.code, ended.out) == (1, "")
    assert "This is a defect in Symposia: RuntimeError: boom" in ended.err
    assert "--verbose" in ended.err
    assert "Traceback" not in ended.err


def test_an_unforeseen_error_shows_its_traceback_when_verbose(run: Any, symposium: Any) -> None:
    symposium.error = RuntimeError("boom")
    ended = run("--verbose", "ask", "What?", "--json")
    assert "Traceback (most recent call last)" in ended.err
    assert ended.document["error"]["kind"] == "Defect"


def test_ctrl_c_ends_with_130(run: Any, symposium: Any) -> None:
    symposium.error = KeyboardInterrupt()
    ended = run("ask", "What?")
    assert ended.code == 130
    assert "Interrupted." in ended.err
    assert symposium.closed


def test_ctrl_c_with_json_is_one_document(run: Any, symposium: Any) -> None:
    symposium.error = KeyboardInterrupt()
    ended = run("ask", "What?", "--json")
    assert ended.code == 130
    assert ended.document["error"]["kind"] == "Interrupted"


@pytest.mark.parametrize("form", ["--json", "--toml", ""])
def test_a_reader_that_left_is_no_error(tmp_path: Path, form: str) -> None:
    command = f"{sys.executable} -c 'import sys; from app.cli import main; sys.exit(main())' config {form}"
    env = {"PATH": "/usr/bin:/bin", "PYTHONPATH": str(ROOT), "HOME": str(tmp_path)}
    script = f"set -o pipefail; {command} | true"
    done = subprocess.run(["bash", "-c", script], cwd=tmp_path, env=env, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


def test_what_libraries_print_does_not_reach_stdout_with_json(run: Any, symposium: Any) -> None:
    symposium.noise = "Loading weights: 100%"
    ended = run("ask", "What?", "--json")
    assert ended.document["text"]
    assert "Loading weights" in ended.err


def test_global_options_reach_the_settings(run: Any, symposium: Any, tmp_path: Path) -> None:
    config = tmp_path / "other.toml"
    config.write_text("[generation]\nseed = 5\n")
    options = (
        "--config",
        config,
        "--home",
        "h",
        "--preset",
        "fast",
        "--set",
        "retrieval.depth=9",
        "--set",
        "split.size=80",
    )
    assert run(*options, "ask", "What?", "--json").code == 0
    settings = symposium.settings
    assert (settings.generation.seed, settings.retrieval.depth, settings.split.size) == (5, 9, 80)
    assert (settings.home, settings.preset) == (tmp_path / "h", "fast")


def test_an_assignment_without_a_value_is_explained(run: Any) -> None:
    ended = run("--set", "retrieval.depth", "config")
    assert ended.code == 1
    assert "--set retrieval.depth has no value" in ended.err


def test_an_assignment_may_hold_an_equals_sign_and_be_empty(run: Any) -> None:
    ended = run("--set", "store.url=http://h/?a=b", "--set", "models.cache=", "config", "--json")
    settings = ended.document["settings"]
    assert settings["store.url"]["value"] == "http://h/?a=b"
    assert settings["models.cache"] == {"value": "", "origin": "flag"}


def test_the_rooms_that_log_are_those_of_the_house() -> None:
    assert all((ROOT / room / "__init__.py").is_file() for room in ROOMS)
