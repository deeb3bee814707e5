from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from app.bench import conflicts
from app.bench.conflicts import ALL_SIDES, GREEDY, WEIGHED, Sides, evidence_of, table
from app.settings import load_settings
from evaluation.source_conflicts import SourceDocument, SourceQuestion
from tests.generators.conflicts.speaker import Speaker

DOCUMENTS = (
    SourceDocument("The mill was built in 1902 by its owner.", "correct", "1902"),
    SourceDocument("Built in 1902, the mill burned down.", "correct", "1902"),
    SourceDocument("The mill was erected in 1885.", "misinfo", "1885"),
    SourceDocument("The mill lies by the river.", "noise", "unknown"),
)
ITEM = SourceQuestion("1", "When was the mill built?", DOCUMENTS, ("1902",), ("1885",))
AGREED = SourceQuestion("2", "When was the mill built?", (*DOCUMENTS[:2], DOCUMENTS[3]), ("1902",), ())
SAYS = {"Sources:": "It was built in 1885.", "erected": "1885", "1902 by": "1902", "burned": "1902"}


def test_each_document_and_all_of_them_are_read_once() -> None:
    model = Speaker(SAYS)
    system = Sides(model)
    system.take(ITEM, system.read(ITEM))
    assert len(model.prompts) == len(DOCUMENTS) + 1
    conflict = system.conflict(ITEM)
    assert conflict is not None
    assert [side.text for side in conflict.sides] == ["1902", "1885"]
    assert system.conflict(ITEM.twin) is None
    assert len(model.prompts) == len(DOCUMENTS) + 1


def test_the_sides_are_shown_and_without_any_the_answer_from_all() -> None:
    system = Sides(Speaker(SAYS))
    system.take(ITEM, system.read(ITEM))
    system.take(AGREED, system.read(AGREED))
    assert "“1885”" in system.shown(ITEM, name_minority=True)
    assert "1885" not in system.shown(ITEM, name_minority=False)
    assert system.shown(AGREED, name_minority=True) == system.greedy(AGREED) == "It was built in 1885."


def test_the_table_has_the_three_systems_beside_one_another() -> None:
    system = Sides(Speaker(SAYS))
    for item in (ITEM, AGREED):
        system.take(item, system.read(item))
    made = table(system, [ITEM, AGREED], "title", 0)
    assert made.baseline == GREEDY
    assert [made.row(name).values["strict"].value for name in (GREEDY, ALL_SIDES, WEIGHED)] == [0, 0, 0.5]
    assert made.row(ALL_SIDES).values["F1"].value == 1


def test_documents_are_evidence_in_their_order() -> None:
    assert [(each.number, each.passage.text) for each in evidence_of(ITEM)] == [
        (number, each.text) for number, each in enumerate(DOCUMENTS, start=1)
    ]


def test_what_another_model_or_another_prompt_was_answered_does_not_count(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    speakers: list[Speaker] = []

    def model(*_: object) -> Any:
        speaker = Speaker(SAYS)
        speakers.append(speaker)
        return _identified(speaker, of["fingerprint"], of["dtype"])

    def asked() -> int:
        conflicts.run(settings, tmp_path / "ramdocs.jsonl", tmp_path / "out", n=1, on_progress=lambda _: None)
        return len(speakers[-1].prompts)

    of = {"fingerprint": "weights", "dtype": "float32"}
    settings = load_settings(flags={"home": str(tmp_path)}, env={}).settings
    monkeypatch.setattr(conflicts, "resolve", lambda *_: Path("speaker"))
    monkeypatch.setattr(conflicts, "LocalModel", model)
    monkeypatch.setattr(conflicts, "load_ramdocs", lambda *_, **__: ([], [ITEM]))
    everything = len(DOCUMENTS) + 1
    assert [asked(), asked()] == [everything, 0]
    of["dtype"] = "int8"
    assert [asked(), asked()] == [everything, 0]
    of["fingerprint"] = "others"
    assert [asked(), asked()] == [everything, 0]
    monkeypatch.setattr("generators.prompts.WITH_SOURCES", "Answer.")
    assert [asked(), asked()] == [everything, 0]


def _identified(speaker: Speaker, fingerprint: str, dtype: str) -> Any:
    """A speaker that is a local model as far as the benchmark can see."""
    parts = {name: getattr(speaker, name) for name in ("name", "window", "eos_ids")}
    acts = {name: getattr(speaker, name) for name in ("chat_tokens", "decode", "prefill", "advance")}
    return SimpleNamespace(**parts, **acts, fingerprint=fingerprint, dtype=dtype, load=lambda: None)
