from __future__ import annotations

import json
from pathlib import Path

import pytest

from app.bench import adding
from app.bench.adding import Found, Pace, Plan, Twice, peak_bytes, run
from app.bench.adding_show import show
from app.cli.output import Output
from app.settings import Settings
from evaluation.intervals import Interval
from indexes.errors import InputError
from tests.fakes import TOPICS, WordEncoder

SETTINGS = Settings()


@pytest.fixture
def folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Path, ...]:
    """Two corpora of a dozen documents; encoding is fake and files settle at once."""
    monkeypatch.setattr(adding, "encoder_of", lambda _: WordEncoder())
    monkeypatch.setattr(adding, "SETTLE", 0.0)
    found = []
    for topic in ("orchard", "engines"):
        folder = tmp_path / topic
        folder.mkdir()
        rows = [{"_id": f"{topic}{n}", "text": f"{TOPICS[topic][n % 8]}\u2028{n}\x85"} for n in range(12)]
        lines = (json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
        (folder / "corpus.jsonl").write_text("".join(lines), encoding="utf-8")
        found.append(folder)
    return tuple(found)


def test_adding_twice_embeds_nothing_and_changed_documents_alone(folders: tuple[Path, ...]) -> None:
    told: list[str] = []
    found = run(SETTINGS, Plan(folders, passages=20, timed=4, repetitions=2), told.append)
    twice = found.twice
    assert (twice.documents, twice.passages, twice.embedded) == (20, 20, (20, 0, 10))
    assert (twice.changed, twice.expected, found.peak) == (10, 10, None)
    assert min(twice.first, twice.second, twice.third) > 0
    assert found.pace is not None and (found.pace.passages, found.pace.repetitions) == (4, 2)
    assert 0 < found.pace.ratio.low <= found.pace.ratio.value <= found.pace.ratio.high
    assert "adding it again" in told


def test_a_folder_without_a_corpus_and_too_few_texts_are_errors(folders: tuple[Path, ...], tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no corpus"):
        run(SETTINGS, Plan((tmp_path,)), lambda _: None)
    with pytest.raises(InputError, match="24 different texts, not 60"):
        run(SETTINGS, Plan(folders, timed=30, repetitions=2), lambda _: None)


def test_every_target_counts(capsys: pytest.CaptureFixture[str]) -> None:
    import sys

    fine = Twice(100, 100, 10, 10, 100.0, 1.0, 5.0, (100, 0, 10))
    slow = Twice(100, 100, 10, 10, 100.0, 6.0, 5.0, (100, 0, 10))
    again = Twice(100, 100, 10, 10, 100.0, 1.0, 5.0, (100, 3, 10))
    one = Interval(0.95, 0.9, 1.0)
    pace, lame = Pace(10, 3, one, one, one, one), Pace(10, 3, one, one, Interval(0.8, 0.7, 0.9), one)
    assert Found(fine, pace, 10, 2**30).ok and Found(fine, None, 0, None).ok
    for missed in (Found(slow, None, 0, None), Found(again, None, 0, None), Found(fine, lame, 0, None)):
        assert not missed.ok
    assert not Found(fine, pace, 10, 2**31).ok
    show(Found(slow, lame, 50_000, 2**31), Output(sys.stdout, sys.stderr))
    printed = capsys.readouterr().out
    assert printed.count("MISSED") == 3 and "50,000 passages" in printed and "2.00 GiB" in printed


def test_the_peak_is_that_of_this_process() -> None:
    assert 2**24 < peak_bytes() < 2**36
