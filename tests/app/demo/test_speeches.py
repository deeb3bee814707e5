from __future__ import annotations

from pathlib import Path

import pytest

from app.demo import speeches

HEADER = "fileid,year,date,president_full,is_sotu,source_url\n"


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "speeches").mkdir()
    rows = []
    for name, year, spoken in [("A", 1985, True), ("B", 1986, True), ("C", 2026, True), ("D", 2030, False)]:
        (tmp_path / "speeches" / f"{name}.txt").write_text(f"Speech {name}.", encoding="utf-8")
        rows.append(f"{name},{year},{year}-02-04,Name {name},{spoken},https://example.org/{name}\n")
    (tmp_path / "metadata.csv").write_text(HEADER + "".join(rows), encoding="utf-8")
    monkeypatch.setattr(speeches, "data_folder", lambda package, requirement: tmp_path)
    return tmp_path


def test_forty_years_are_counted_from_the_newest_address(package: Path) -> None:
    assert [document.key for document in speeches.documents()] == ["B", "C"]


def test_a_document_carries_year_speaker_date_and_source(package: Path) -> None:
    first = next(speeches.documents())
    assert first.title == "State of the Union Address 1986, Name B"
    assert (first.date, first.source, first.text) == ("1986-02-04", "https://example.org/B", "Speech B.")


@pytest.mark.parametrize(
    ("raw", "clean"),
    [
        ("If I were smart, I'd go home now. [Laughter]", "If I were smart, I'd go home now."),
        ("in the TelePrompter tonight—[laughter]—but I hope", "in the TelePrompter tonight—but I hope"),
        ("how they deserve -- [applause] -- and what", "how they deserve -- and what"),
        ("Well—[applause]. Mi casa", "Well. Mi casa"),
        ("The President. Your bedtime reading.", "Your bedtime reading."),
        ("as minority [majority; White House correction] leader", "as minority [majority] leader"),
        ("to fight [in]* Ukraine", "to fight [in] Ukraine"),
        ("Governor Gardner [Washington] and others", "Governor Gardner [Washington] and others"),
        ("First.\n\nAudience members. No!\n\nSecond.", "First.\n\nSecond."),
        ("First.\n\n[Applause]\n\nMembers of Congress, listen.", "First.\n\nMembers of Congress, listen."),
    ],
)
def test_only_what_the_president_said_is_kept(raw: str, clean: str) -> None:
    assert speeches.spoken_text(raw) == clean
