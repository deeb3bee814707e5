from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from importlib.metadata import version
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from app.evaluate_answers import Asking, evaluate_answers
from app.library import ExpertCard
from app.settings import Settings
from evaluation.answer_records import FILE, read_records
from evaluation.stored import read_folder
from generators.answer import Answer, Citation, Claim, Verdict
from generators.events import Answered, Event, Token
from indexes.adapters.files import FILE as ADAPTER
from indexes.encoders.base import Fingerprint
from indexes.errors import InputError, MissingModelError
from indexes.lexical import Bm25Settings
from indexes.manifest import Manifest
from indexes.passage import Passage
from retrievers.evidence import Evidence, Route, Share
from retrievers.expert import LEARNED


def made(question: str, evidence: tuple[Evidence, ...], said: str) -> Answer:
    claim = Claim(said, 0, len(said), "supported", (Citation(1, 0, 3, 0.5, 0.9),), float("nan"))
    route = Route("retrieve", "domain", (Share("wine", 1.0, True),), 0.0, "")
    return Answer(
        question, said, Verdict.ANSWERED, (claim,), evidence, route, "m", "p", {"relevance": 0.9}, {"write": 0.5}
    )


@dataclass
class FakeSymposium:
    """Says 1974 to everything that is searched, and the first line of a given context; refuses to be asked "?"."""

    settings: Settings = field(default_factory=Settings)
    searched: list[str] = field(default_factory=list)
    given: list[tuple[Evidence, ...]] = field(default_factory=list)
    wishes: list[Any] = field(default_factory=list)
    broken: Exception | None = None
    breaks_at: int = -1
    says: str = ""

    def __post_init__(self) -> None:
        folder = self.settings.home / "slices" / "wine"
        if not folder.is_dir():
            Manifest("wine", "Wine.", Fingerprint("fake", "1", 4), Bm25Settings(100.0), passages=7).write(folder)

    @property
    def answerer(self) -> Any:
        return SimpleNamespace(stream=self._stream)

    def ask_many(self, questions: Sequence[str], **wishes: Any) -> list[Answer]:
        if "?" in questions:
            raise InputError("The question has no word.", "Ask in words.")
        if self.broken is not None and len(self.searched) >= self.breaks_at:
            raise self.broken
        self.searched += questions
        self.wishes.append(wishes)
        found = (Evidence(1, Passage("p1", "d1", "Founded in 1974.", key="k1"), "wine", 0.9),)
        return [made(question, found, "In 1974.") for question in questions]

    def experts(self) -> list[ExpertCard]:
        return [ExpertCard("wine", "Wine.", 7)]

    def _stream(self, question: str, _route: Route, evidence: tuple[Evidence, ...]) -> Iterator[Event]:
        self.given.append(evidence)
        yield Token("x", 0.1)
        yield Answered(made(question, evidence, self.says or evidence[0].passage.text.split("\n")[0]))


def written(path: Path, *records: dict[str, Any]) -> Path:
    path.write_text("".join(json.dumps(record) + "\n" for record in records))
    return path


def question(number: int, **more: Any) -> dict[str, Any]:
    return {"id": str(number), "question": f"When was number {number} founded?", "answers": ["1974"], **more}


@pytest.fixture(autouse=True)
def away(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)  # the fake's home is below


@pytest.fixture
def file(tmp_path: Path) -> Path:
    given = question(20, context=["Lyon is large.", {"text": "x", "date": "2011"}], slice="given", answers=["Lyon"])
    return written(tmp_path / "wine.jsonl", *(question(n) for n in range(10)), given, question(11, passages=["k1"]))


def test_questions_are_asked_stored_and_measured(file: Path, tmp_path: Path) -> None:
    symposium, said = FakeSymposium(), []
    report = evaluate_answers(symposium, [file], tmp_path / "out", on_progress=said.append)  # type: ignore[arg-type]
    assert len(symposium.searched) == 11
    [(first, second)] = symposium.given
    assert (first.passage.text, first.passage.key, second.passage.date) == ("Lyon is large.", "1", "2011")
    assert report.tables[0].row("wine").values["contains"].value == 1.0
    assert [table.title for table in report.tables] == ["Answers", "Step by step", "Citations"]
    assert said[-1] == "measuring" and "12 of 12 questions" in said
    stored = read_records(tmp_path / "out" / FILE)
    assert [record.question.id for record in stored] == [*map(str, range(10)), "20", "11"]


def test_the_folder_can_be_read_as_stored_runs(file: Path, tmp_path: Path) -> None:
    evaluate_answers(FakeSymposium(), [file], tmp_path / "out")  # type: ignore[arg-type]
    wine, given = read_folder(tmp_path / "out")
    assert (wine.name, wine.judged.name, len(wine.questions), given.judged.name) == ("out", "wine", 11, "given")
    assert wine.values["contains"].mean() == 1.0 and wine.cost == {"seconds": 0.5}
    manifest = json.loads((tmp_path / "out" / "manifest.json").read_text())
    assert manifest["complete"] and manifest["system"]["generation.policy"] == Settings().generation.policy
    assert manifest["system"]["symposia"] == version("symposia")
    assert re.fullmatch("7 passages, [0-9a-f]{12}", manifest["system"]["slice wine"])


def test_what_is_stored_is_not_asked_again(file: Path, tmp_path: Path) -> None:
    first = evaluate_answers(FakeSymposium(), [file], tmp_path / "out", limit=4)  # type: ignore[arg-type]
    symposium = FakeSymposium()
    second = evaluate_answers(symposium, [file], tmp_path / "out")  # type: ignore[arg-type]
    assert (first.tables[0].row("wine").n, second.tables[0].row("wine").n) == (4, 11)
    assert len(symposium.searched) == 7 and symposium.given == []
    evaluate_answers(symposium, [file], tmp_path / "out", limit=4)  # type: ignore[arg-type]
    assert len(read_records(tmp_path / "out" / FILE)) == 12 and len(symposium.searched) == 7


def test_an_evaluation_that_was_broken_off_goes_on_where_it_stopped(file: Path, tmp_path: Path) -> None:
    broken = FakeSymposium(broken=MissingModelError("Gone.", "Fetch it."), breaks_at=8)
    with pytest.raises(MissingModelError):
        evaluate_answers(broken, [file], tmp_path / "out")  # type: ignore[arg-type]
    stored = tmp_path / "out" / FILE
    stored.write_bytes(stored.read_bytes()[:-40])
    symposium = FakeSymposium()
    report = evaluate_answers(symposium, [file], tmp_path / "out")  # type: ignore[arg-type]
    assert len(symposium.searched) == 4 and report.tables[0].row("wine").n == 11


def test_changed_gold_is_judged_anew_without_asking_and_a_changed_question_is_asked(tmp_path: Path) -> None:
    evaluate_answers(FakeSymposium(), [written(tmp_path / "q.jsonl", question(1), question(2))], tmp_path / "out")  # type: ignore[arg-type]
    written(tmp_path / "q.jsonl", question(1, answers=["1999"]), question(2, question="Since when?"))
    symposium = FakeSymposium()
    report = evaluate_answers(symposium, [tmp_path / "q.jsonl"], tmp_path / "out")  # type: ignore[arg-type]
    assert symposium.searched == ["Since when?"]
    assert report.tables[0].row("q").values["contains"].value == 0.5
    stored = {record.question.id: record.question for record in read_records(tmp_path / "out" / FILE)}
    assert (stored["1"].answers, stored["2"].question) == (("1999",), "Since when?")


def test_answers_of_another_system_are_not_mixed(file: Path, tmp_path: Path) -> None:
    evaluate_answers(FakeSymposium(), [file], tmp_path / "out", limit=1)  # type: ignore[arg-type]
    settings = Settings()
    settings = settings.model_copy(update={"generation": settings.generation.model_copy(update={"policy": "greedy"})})
    with pytest.raises(InputError, match=r"another system: generation\.policy was .* and is 'greedy'"):
        evaluate_answers(FakeSymposium(settings), [file], tmp_path / "out")  # type: ignore[arg-type]
    with pytest.raises(InputError, match="another system: retrieval was None and is True"):
        evaluate_answers(FakeSymposium(), [file], tmp_path / "out", asking=Asking(retrieval=True))  # type: ignore[arg-type]


def test_a_setting_that_came_with_a_later_version_does_not_part_the_answers(file: Path, tmp_path: Path) -> None:
    evaluate_answers(FakeSymposium(), [file], tmp_path / "out", limit=1)  # type: ignore[arg-type]
    manifest = json.loads((tmp_path / "out" / "manifest.json").read_text())
    del manifest["system"]["retrieval.floor"]
    (tmp_path / "out" / "manifest.json").write_text(json.dumps(manifest))
    symposium = FakeSymposium()
    evaluate_answers(symposium, [file], tmp_path / "out", limit=1)  # type: ignore[arg-type]
    assert symposium.searched == []


def test_answers_from_before_a_calibration_are_not_mixed_with_those_after(file: Path, tmp_path: Path) -> None:
    settings = Settings(home=tmp_path / "home")
    evaluate_answers(FakeSymposium(settings), [file], tmp_path / "out", limit=1)  # type: ignore[arg-type]
    (tmp_path / "home" / "slices").mkdir(parents=True, exist_ok=True)
    (tmp_path / "home" / "slices" / "verdict.json").write_text("{}")
    with pytest.raises(InputError, match="another system: calibration verdict was None"):
        evaluate_answers(FakeSymposium(settings), [file], tmp_path / "out")  # type: ignore[arg-type]


@pytest.mark.parametrize("learned", [LEARNED, ADAPTER])
def test_answers_from_before_a_training_are_not_mixed_with_those_after(
    learned: str, file: Path, tmp_path: Path
) -> None:
    evaluate_answers(FakeSymposium(), [file], tmp_path / "out", limit=1)  # type: ignore[arg-type]
    (Settings().home / "slices" / "wine" / learned).write_bytes(b"trained")
    with pytest.raises(InputError, match=r"another system: slice wine was '7 passages, \w+' and is '7 passages, \w+'"):
        evaluate_answers(FakeSymposium(), [file], tmp_path / "out")  # type: ignore[arg-type]


def test_answers_from_before_a_document_was_edited_are_not_mixed_with_those_after(file: Path, tmp_path: Path) -> None:
    evaluate_answers(FakeSymposium(), [file], tmp_path / "out", limit=1)  # type: ignore[arg-type]
    folder = Settings().home / "slices" / "wine"
    Manifest.read(folder).write(folder)  # as whatever changes passages does; their number is the same
    with pytest.raises(InputError, match="another system: slice wine was '7 passages"):
        evaluate_answers(FakeSymposium(), [file], tmp_path / "out")  # type: ignore[arg-type]


def test_what_is_made_anew_from_a_slice_does_not_part_the_answers(file: Path, tmp_path: Path) -> None:
    evaluate_answers(FakeSymposium(), [file], tmp_path / "out")  # type: ignore[arg-type]
    (Settings().home / "slices" / "wine" / "expert.npz").write_bytes(b"measured at the first search")
    symposium = FakeSymposium()
    evaluate_answers(symposium, [file], tmp_path / "out")  # type: ignore[arg-type]
    assert symposium.searched == []


def test_answers_from_before_slices_were_told_apart_are_of_another_system(file: Path, tmp_path: Path) -> None:
    evaluate_answers(FakeSymposium(), [file], tmp_path / "out", limit=1)  # type: ignore[arg-type]
    manifest = json.loads((tmp_path / "out" / "manifest.json").read_text())
    del manifest["system"]["slice wine"]
    manifest["system"]["slices"] = {"wine": 7}
    (tmp_path / "out" / "manifest.json").write_text(json.dumps(manifest))
    with pytest.raises(InputError, match="another system: slice wine was None") as caught:
        evaluate_answers(FakeSymposium(), [file], tmp_path / "out")  # type: ignore[arg-type]
    assert "--out" in caught.value.fix


@pytest.mark.parametrize(
    ("said", "memory", "error"),
    [
        ("The capital is Sydney.", "Sydney.", True),
        ("Sydney is the capital of Australia.", "The capital of Australia is Sydney.", True),
        ("The capital is Sydney.", "I think that it is Sydney, a big city.", True),
        ("It is Melbourne.", "It is Sydney.", False),
        ("It is Canberra.", "It is Sydney.", False),
    ],
)
def test_keeping_to_memory_is_seen_in_other_words_too(tmp_path: Path, said: str, memory: str, error: bool) -> None:
    record = told(f"{said}\nCanberra is the capital.", memory=[memory])
    assert step("under-trust of context", tmp_path, record) == (1, float(error))


@pytest.mark.parametrize(("said", "error"), [("The capital is Canberra.", False), ("It is Perth.", True)])
def test_keeping_to_a_right_memory_counts_where_over_trust_is_judged(tmp_path: Path, said: str, error: bool) -> None:
    record = told("Perth is large.", memory=["It is Canberra."])
    assert step("over-trust of context", tmp_path, record, FakeSymposium(says=said)) == (1, float(error))


def test_trust_is_not_judged_by_what_an_answer_says_of_its_own_memory(tmp_path: Path) -> None:
    path = written(tmp_path / "q.jsonl", told("Sydney.\nCanberra is the capital."))
    report = evaluate_answers(FakeSymposium(), [path], tmp_path / "out")  # type: ignore[arg-type]
    assert any('Trust is judged only where the question file gives "memory"' in note for note in report.tables[1].notes)
    assert "under-trust of context" in report.tables[1].notes[-1]


def told(text: str, **gold: Any) -> dict[str, Any]:
    """A question with a context, whose first line the fake says."""
    asked = {"id": "1", "question": "What is the capital of Australia?", "answers": ["Canberra"]}
    return {**asked, "context": [text], **gold}


def step(name: str, folder: Path, record: dict[str, Any], symposium: FakeSymposium | None = None) -> tuple[int, float]:
    path = written(folder / "q.jsonl", record)
    report = evaluate_answers(symposium or FakeSymposium(), [path], folder / "out")  # type: ignore[arg-type]
    row = report.tables[1].row(name)
    return row.n, row.values["share"].value


def test_one_that_cannot_be_asked_scores_0_and_keeps_no_other_from_being_asked(tmp_path: Path) -> None:
    bad = {"id": "bad", "question": "?", "answers": ["1974"]}
    symposium = FakeSymposium()
    path = written(tmp_path / "q.jsonl", question(1), bad, question(2))
    path.write_text(path.read_text() + "{\n")
    report = evaluate_answers(symposium, [path], tmp_path / "out")  # type: ignore[arg-type]
    assert report.tables[0].row("q").values["contains"].value == pytest.approx(2 / 3)
    assert report.notes[0].startswith(f"Not used: {path}:4: not JSON")
    assert report.notes[1] == "1 of 3 questions could not be asked and score 0 (bad): The question has no word."


def test_nothing_that_can_be_asked_is_an_error(tmp_path: Path) -> None:
    path = written(tmp_path / "q.jsonl", {"id": "bad", "question": "?", "answers": ["x"]})
    with pytest.raises(InputError, match=r"None of the first 1 questions could be asked\. The question has no word"):
        evaluate_answers(FakeSymposium(), [path], tmp_path / "out")  # type: ignore[arg-type]
    assert not (tmp_path / "out" / FILE).exists()


def test_wishes_are_passed_on(tmp_path: Path) -> None:
    symposium = FakeSymposium()
    path = written(tmp_path / "q.jsonl", question(1))
    evaluate_answers(symposium, [path], tmp_path / "out", asking=Asking(("wine",), False))  # type: ignore[arg-type]
    assert symposium.wishes == [{"experts": ("wine",), "retrieval": False}]


def test_a_judge_is_named(file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Always:
        name = "always-yes"

        def __init__(self, _folder: Path) -> None:
            pass

        def probabilities(self, premises: Sequence[str], _hypotheses: Sequence[str]) -> list[float]:
            return [0.9] * len(premises)

    monkeypatch.setattr("generators.citations.entailment.EntailmentModel", Always)
    (tmp_path / "nli").mkdir()
    (tmp_path / "nli" / "config.json").write_text("{}")
    report = evaluate_answers(FakeSymposium(), [file], tmp_path / "out", judge=str(tmp_path / "nli"))  # type: ignore[arg-type]
    citations = report.tables[2]
    assert citations.row("wine, ALCE").values["F1"].value == 1.0
    assert "always-yes" in citations.notes[-1]


def test_another_judge_is_not_another_system(file: Path, tmp_path: Path) -> None:
    evaluate_answers(FakeSymposium(), [file], tmp_path / "out")  # type: ignore[arg-type]
    settings = Settings()
    other = settings.model_copy(update={"models": settings.models.model_copy(update={"judge": "x", "threads": 3})})
    symposium = FakeSymposium(other)
    evaluate_answers(replace(symposium), [file], tmp_path / "out")  # type: ignore[arg-type]
    assert symposium.searched == []
