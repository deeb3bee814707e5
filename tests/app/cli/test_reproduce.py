from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Write = Callable[..., None]

COMMAND = ["evaluate", "{data}/tiny", "--run", "half.trec", "--out", "{out}", "--json"]


@pytest.fixture
def write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Write:
    """Writes conditions.yaml: a name and the score expected of a stored run, whose nDCG@10 is 0.5."""
    folder = tmp_path / "data" / "tiny"
    (folder / "qrels").mkdir(parents=True)
    (folder / "corpus.jsonl").write_text('{"_id": "d0", "title": "", "text": "t"}\n')
    (folder / "queries.jsonl").write_text("".join(f'{{"_id": "q{i}", "text": "q"}}\n' for i in range(2)))
    (folder / "qrels" / "test.tsv").write_text("query-id\tcorpus-id\tscore\nq0\td0\t1\nq1\td1\t1\n")
    (tmp_path / "half.trec").write_text("q0 Q0 d0 1 2.0 x\n")
    monkeypatch.setenv("SYMPOSIA_DATA", str(tmp_path / "data"))

    def to_file(*conditions: dict[str, Any]) -> None:
        base = {"command": COMMAND, "needs": "{data}/tiny"}
        (tmp_path / "conditions.yaml").write_text(json.dumps({"conditions": [{**base, **each} for each in conditions]}))

    return to_file


def expecting(value: float, tolerance: float = 0.01) -> dict[str, Any]:
    return {"rows.half.values.nDCG@10.value": {"value": value, "tolerance": tolerance}}


def test_a_score_within_tolerance_is_ok_and_one_near_it_okish(run: Any, write: Write) -> None:
    write({"name": "near", "expect": expecting(0.475)}, {"name": "exact", "expect": expecting(0.5)})
    ended = run("reproduce", "conditions.yaml", "--json")
    assert ended.code == 0
    document = ended.document
    assert document["ok"] is True
    assert [(each["name"], each["status"]) for each in document["conditions"]] == [("near", "OKish"), ("exact", "OK")]
    assert document["conditions"][0]["scores"][0]["got"] == 0.5
    assert "[2 of 2] exact" in ended.err


def test_a_score_that_is_off_fails_and_says_by_how_far(run: Any, write: Write) -> None:
    write({"name": "off", "expect": expecting(0.4)})
    ended = run("reproduce", "conditions.yaml")
    assert ended.code == 1
    [line] = [line for line in ended.out.splitlines() if line.startswith("FAIL")]
    assert "0.4 ± 0.01" in line
    assert "+0.1000 (10.0 × tolerance)" in line
    assert "1 FAIL" in ended.out


def test_data_that_is_not_there_skips_the_condition_and_says_so(run: Any, write: Write) -> None:
    write({"name": "absent", "needs": ["{data}/tiny", "{data}/other"], "expect": expecting(0.5)})
    ended = run("reproduce", "conditions.yaml")
    assert ended.code == 0
    assert "SKIP" in ended.out
    assert "data/other is not there" in ended.out
    assert "1 SKIP" in ended.out


def test_a_command_that_fails_gives_its_own_words_and_the_others_still_run(run: Any, write: Write) -> None:
    broken = [*COMMAND[:2], "--run", "none.trec", "--json"]
    write({"name": "broken", "command": broken, "expect": expecting(0.5)}, {"name": "fine", "expect": expecting(0.5)})
    ended = run("reproduce", "conditions.yaml", "--json")
    assert ended.code == 1
    first, second = ended.document["conditions"]
    assert (first["status"], second["status"]) == ("FAIL", "OK")
    assert first["reason"].startswith("exit code 1: Cannot read none.trec")
    assert first["scores"][0]["got"] is None


def test_scores_may_stand_in_a_file(run: Any, write: Write) -> None:
    write({"name": "file", "scores": "{out}/metrics.json", "expect": expecting(0.5)})
    assert run("reproduce", "conditions.yaml").code == 0


def test_a_place_without_a_number_fails_and_names_what_there_is(run: Any, write: Write) -> None:
    write({"name": "typo", "expect": {"rows.full.n": {"value": 2, "tolerance": 0}}})
    ended = run("reproduce", "conditions.yaml")
    assert ended.code == 1
    assert "typo: There is no number at 'rows.full.n'. There is: half." in ended.out


def test_output_that_is_not_json_fails(run: Any, write: Write) -> None:
    write({"name": "plain", "command": COMMAND[:-1], "expect": expecting(0.5)})
    ended = run("reproduce", "conditions.yaml", "--json")
    assert ended.code == 1
    assert "Does it have --json?" in ended.document["conditions"][0]["reason"]


def test_only_what_is_named_is_run_and_a_list_runs_nothing(run: Any, write: Write) -> None:
    write({"name": "off", "expect": expecting(0.4)}, {"name": "exact", "expect": expecting(0.5)})
    ended = run("reproduce", "conditions.yaml", "--only", "exact", "--json")
    assert [each["name"] for each in ended.document["conditions"]] == ["exact"]
    listed = run("reproduce", "conditions.yaml", "--list")
    assert listed.code == 0
    assert "symposia evaluate" in listed.out
    assert listed.err == ""
    unknown = run("reproduce", "conditions.yaml", "--only", "exat")
    assert unknown.code == 1
    assert "Did you mean 'exact'?" in unknown.err


def test_the_settings_of_the_command_line_count_for_every_condition(run: Any, write: Write, tmp_path: Path) -> None:
    (tmp_path / "my.toml").write_text("[generation]\nseed = 3\n")

    def seen(key: str, value: float) -> dict[str, Any]:
        return {f"settings.{key}.value": {"value": value, "tolerance": 0}}

    expected = seen("generation.seed", 3) | seen("retrieval.depth", 9) | seen("retrieval.passages", 3)
    own = ["--set", "retrieval.depth=7", "config", "--json"]
    write(
        {"name": "given", "command": ["config", "--json"], "expect": expected},
        {"name": "its own", "command": own, "expect": seen("retrieval.depth", 7)},
    )
    options = ("--config", "my.toml", "--home", "h", "--preset", "fast", "--set", "retrieval.depth=9")
    ended = run(*options, "reproduce", "conditions.yaml", "--json")
    assert [each["status"] for each in ended.document["conditions"]] == ["OK", "OK"], ended.document


def test_the_home_of_the_command_line_is_that_of_every_condition(
    run: Any, write: Write, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    homes: list[str] = []

    def note(*_: Any, env: dict[str, str], **__: Any) -> subprocess.CompletedProcess[str]:
        homes.append(env["SYMPOSIA_HOME"])
        return subprocess.CompletedProcess([], 1, "")

    monkeypatch.setattr("app.reproduce.subprocess.run", note)
    write({"name": "exact", "expect": expecting(0.5)})
    run("--home", tmp_path / "h", "reproduce", "conditions.yaml")
    assert homes == [str(tmp_path / "h")]


def test_an_unknown_key_is_an_error(run: Any, write: Write) -> None:
    write({"name": "x", "expects": expecting(0.5)})
    ended = run("reproduce", "conditions.yaml")
    assert ended.code == 1
    assert "Did you mean 'expect'?" in ended.err
