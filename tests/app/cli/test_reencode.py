from __future__ import annotations

import tomllib
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from app.reencode import Reencoded
from retrievers.reencoding import Encoded, Outcome, Progress

SLICES = (Encoded("birds", 1200, 700, "linear"), Encoded("fish", 30, 30))


@pytest.fixture
def calls(symposium: Any) -> list[dict[str, Any]]:
    """What ``Symposium.reencode`` was asked for; it reports once, commits, and has encoded two slices."""
    seen: list[dict[str, Any]] = []

    def reencode(
        encoder: str,
        experts: Sequence[str],
        *,
        swap: bool,
        commit: Callable[[], None],
        keep_old: bool | None,
        on_progress: Callable[[Progress], None],
    ) -> Reencoded:
        seen.append({"encoder": encoder, "experts": list(experts), "swap": swap, "keep_old": keep_old})
        on_progress(Progress("birds", 600, 1230, 100, 2.0))
        waiting = ("fish",) if experts else ()
        if swap and not waiting:
            commit()
        outcome = Outcome(SLICES, swap and not waiting, waiting, {"frogs": "It is damaged."}, 2)
        return Reencoded(encoder, outcome, ("router", "verdict"), bool(keep_old), 75.0)

    symposium.reencode = reencode
    return seen


def test_the_settings_file_is_switched_and_all_that_follows_is_told(run: Any, calls: Any, tmp_path: Path) -> None:
    (tmp_path / "symposia.toml").write_text('# ours\n[models]\nencoder = "small"  # quick\n')
    ended = run("reencode", "--encoder", "large")
    assert ended.code == 0
    assert calls == [{"encoder": "large", "experts": [], "swap": True, "keep_old": None}]
    assert (tmp_path / "symposia.toml").read_text() == '# ours\n[models]\nencoder = "large"  # quick\n'
    assert "birds: 1,200 passages, 700 of them encoded now" in ended.out
    assert "All slices are asked with large now, in 1 min 15 s. Written to" in ended.out
    assert "symposia.toml" in ended.out
    assert "`symposia train` them again: birds." in ended.err
    assert "the router's and the verdict's calibration. `symposia calibrate` again." in ended.err
    assert "frogs: It is damaged." in ended.err
    assert "still there" not in ended.err
    assert "birds: 600 of 1,230 passages, 100 encoded, 50/s, at most 13 s left" in ended.err


@pytest.mark.parametrize("by", ["nothing", "variable", "flag"])
def test_where_no_file_decides_it_says_what_to_set_and_swaps_nothing(
    run: Any, calls: Any, by: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if by != "nothing":
        (tmp_path / "symposia.toml").write_text('[models]\nencoder = "small"\n')
    if by == "variable":
        monkeypatch.setenv("SYMPOSIA_MODELS_ENCODER", "middle")
    options = ("--set", "models.encoder=middle") if by == "flag" else ()
    ended = run(*options, "reencode", "--encoder", "large")
    assert calls[0]["swap"] is False
    assert 'Now set [models] encoder = "large": whatever is started from then on asks with it.' in ended.out
    assert "The old vectors are still there" in ended.err
    if by == "nothing":
        assert not (tmp_path / "symposia.toml").exists()
    else:
        assert tomllib.loads((tmp_path / "symposia.toml").read_text()) == {"models": {"encoder": "small"}}


def test_without_an_encoder_slices_follow_the_one_that_is_set(run: Any, calls: Any, tmp_path: Path) -> None:
    (tmp_path / "symposia.toml").write_text('[models]\nencoder = "large"\n')
    ended = run("reencode", "--keep-old")
    assert calls == [{"encoder": "large", "experts": [], "swap": True, "keep_old": True}]
    assert "Written" not in ended.out
    assert "The old vectors are still there" in ended.err


def test_some_experts_now_and_the_others_another_time(run: Any, calls: Any, tmp_path: Path) -> None:
    (tmp_path / "symposia.toml").write_text('[models]\nencoder = "small"\n')
    ended = run("reencode", "--encoder", "large", "--expert", "birds")
    assert calls[0]["experts"] == ["birds"]
    assert ended.out.splitlines()[-1] == "Still to be encoded before anything changes: fish."
    assert "calibrate" not in ended.err
    assert "small" in (tmp_path / "symposia.toml").read_text()


def test_a_folder_is_written_as_it_is_found_from_anywhere(run: Any, calls: Any, tmp_path: Path) -> None:
    (tmp_path / "symposia.toml").write_text('[models]\nencoder = "small"\n')
    run("reencode", "--encoder", "./mine")
    assert calls[0]["encoder"] == str(tmp_path / "mine")
    assert tomllib.loads((tmp_path / "symposia.toml").read_text())["models"]["encoder"] == str(tmp_path / "mine")


def test_a_folder_named_without_a_dot_is_written_as_it_is_found_from_anywhere(
    run: Any, calls: Any, tmp_path: Path
) -> None:
    (tmp_path / "symposia.toml").write_text('[models]\nencoder = "small"\n')
    (tmp_path / "models" / "enc").mkdir(parents=True)
    run("reencode", "--encoder", "models/enc")
    assert calls[0]["encoder"] == str(tmp_path / "models" / "enc")
    assert str(tmp_path / "models" / "enc") in (tmp_path / "symposia.toml").read_text()


def test_a_known_name_means_that_model_even_where_a_folder_is_called_the_same(
    run: Any, calls: Any, tmp_path: Path
) -> None:
    (tmp_path / "all-mpnet-base-v2").mkdir()
    run("reencode", "--encoder", "all-mpnet-base-v2")
    run("reencode", "--encoder", "org/name")
    assert [call["encoder"] for call in calls] == ["all-mpnet-base-v2", "org/name"]


def test_json_is_the_report_and_the_file_that_was_written(run: Any, calls: Any, tmp_path: Path) -> None:
    (tmp_path / "symposia.toml").write_text('[models]\nencoder = "small"\n')
    document = run("reencode", "--encoder", "large", "--json").document
    assert document["settings"] == str(tmp_path / "symposia.toml")
    assert document["experts"][0] == {
        "expert": "birds",
        "passages": 1200,
        "encoded": 700,
        "trained": "linear",
        "labelled": False,
    }
    assert (document["encoded"], document["swapped"], document["void"]) == (730, True, ["router", "verdict"])
    again = run("reencode", "--json").document
    assert again["settings"] is None


def test_where_all_slices_are_of_the_encoder_it_says_what_was_deleted(run: Any, symposium: Any, tmp_path: Path) -> None:
    symposium.reencode = lambda encoder, _experts, **_: Reencoded(encoder, Outcome(swapped=True, dropped=2))
    (tmp_path / "symposia.toml").write_text('[models]\nencoder = "large"\n')
    assert run("reencode").out == "All slices are of large. What 2 others had left was deleted.\n"
