from __future__ import annotations

from pathlib import Path

import pytest

from app.reproduction import Condition, Expected, choose, number_at, read_conditions
from indexes.errors import InputError

GOOD = """
conditions:
  - name: one
    command: [evaluate, "{data}/x", --limit, 5, --json]
    needs: "{data}/x"
    scores: "{out}/metrics.json"
    expect:
      rows.a.n: {value: 5, tolerance: 0}
  - {name: two, command: [config], expect: {ok: {value: 1, tolerance: 0.5}}}
"""


def read(tmp_path: Path, text: str) -> list[Condition]:
    (tmp_path / "c.yaml").write_text(text)
    return read_conditions(tmp_path / "c.yaml")


def test_conditions_are_read_with_all_their_parts(tmp_path: Path) -> None:
    one, two = read(tmp_path, GOOD)
    assert one == Condition(
        "one",
        ("evaluate", "{data}/x", "--limit", "5", "--json"),
        (Expected("rows.a.n", 5.0, 0.0),),
        ("{data}/x",),
        "{out}/metrics.json",
    )
    assert (two.name, two.needs, two.scores) == ("two", (), "")


def test_places_are_filled_in(tmp_path: Path) -> None:
    one = read(tmp_path, GOOD)[0].with_places({"data": "D", "out": "O"})
    assert (one.command[1], one.needs, one.scores) == ("D/x", ("D/x",), "O/metrics.json")


def test_the_conditions_of_symposia_are_sound_and_name_the_published_scores() -> None:
    conditions = read_conditions()
    dense = {c.name: e.value for c in conditions for e in c.expected if "rows.dense.values.nDCG@10" in e.path}
    assert dense["scifact, reference encoder"] == 0.6451
    assert dense["nfcorpus, int8 encoder"] == 0.3159
    assert all("--json" in c.command and c.needs for c in conditions)


@pytest.mark.parametrize(
    ("got", "status"),
    [
        (0.645, "OK"), (0.647, "OK"), (0.643, "OK"), (0.6471, "OKish"), (0.651, "OKish"), (0.6512, "FAIL"),
        (0.6388, "FAIL"), (float("nan"), "FAIL"), (float("inf"), "FAIL"),
    ],
)  # fmt: skip
def test_a_score_is_judged_by_its_tolerance(got: float, status: str) -> None:
    assert Expected("x", 0.645, 0.002).judge(got) == status


def test_without_tolerance_only_the_number_itself_will_do() -> None:
    assert [Expected("x", 300, 0).judge(got) for got in (300, 299)] == ["OK", "FAIL"]


@pytest.mark.parametrize(
    ("text", "problem", "fix"),
    [
        ("conditons: []", "no list of conditions", "`conditions`"),
        ("conditions: []", "has no conditions", "at least one"),
        (GOOD.replace("needs:", "need:"), r"condition 1: there is no key 'need'", "Did you mean 'needs'"),
        (GOOD.replace("tolerance: 0}", "tolerence: 0}"), r"there is no key 'tolerence'", "Did you mean 'tolerance'"),
        (GOOD.replace("tolerance: 0}", "tolerance: -1}"), "the tolerance of rows.a.n is -1", "0 or more"),
        (GOOD.replace("value: 5,", "value: five,"), "needs a value and a tolerance", "Add"),
        (GOOD.replace("name: two", "name: one"), "two conditions named 'one'", "name of its own"),
        (GOOD.replace("command: [config], ", ""), r"condition 2 has no 'command'", "name, command, expect"),
        (GOOD.replace("[config]", "config"), "the command must be a list", "data/reproduce.yaml"),
        (GOOD + "extra: 1\n", "there is no key 'extra'", "Known: conditions"),
        ("conditions: [", "is not YAML", "example"),
        ("conditions: [3]", "condition 1: this is no mapping", "name, command, expect"),
    ],
)
def test_a_file_that_does_not_follow_the_format_is_an_error_that_says_where(
    tmp_path: Path, text: str, problem: str, fix: str
) -> None:
    with pytest.raises(InputError, match=problem) as caught:
        read(tmp_path, text)
    assert fix in caught.value.fix


def test_a_file_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="Cannot read"):
        read_conditions(tmp_path / "absent.yaml")


def test_conditions_are_chosen_by_name_in_the_order_of_the_file(tmp_path: Path) -> None:
    conditions = read(tmp_path, GOOD)
    assert [c.name for c in choose(conditions, ["two", "one"])] == ["one", "two"]
    assert [c.name for c in choose(conditions, ["two"])] == ["two"]
    assert choose(conditions, []) == conditions
    with pytest.raises(InputError, match="no condition 'tow'") as caught:
        choose(conditions, ["tow"])
    assert "Did you mean 'two'" in caught.value.fix


DOCUMENT = {"rows": [{"name": "v1.5", "n": 3}, {"name": "b", "values": {"nDCG@10": {"value": 0}}}], "a.b": {"c": 0.5}}


@pytest.mark.parametrize(
    ("path", "number"), [("rows.b.values.nDCG@10.value", 0.0), ("rows.v1.5.n", 3.0), ("rows.0.n", 3.0), ("a.b.c", 0.5)]
)
def test_numbers_are_found_by_key_name_and_position(path: str, number: float) -> None:
    assert number_at(DOCUMENT, path) == number


def test_a_place_without_a_number_is_an_error_that_says_what_there_is() -> None:
    with pytest.raises(InputError, match=r"no number at 'rows\.c\.n'") as caught:
        number_at(DOCUMENT, "rows.c.n")
    assert "v1.5, b" in caught.value.fix
    with pytest.raises(InputError):
        number_at({"a": True}, "a")
