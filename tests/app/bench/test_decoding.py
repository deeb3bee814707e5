from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from app.bench import decoding
from app.bench.decoding import ALONE, Plan
from app.settings import load_settings
from evaluation.decoding import Comparison, Said
from evaluation.slices import ContextQuestion, OpenQuestion
from generators.policies.adacad import AdaCAD
from generators.policies.symposia import Symposia
from tests.app.beir_folders import write_lines

pyarrow = pytest.importorskip("pyarrow", reason="comes with streamlit")

ITEM = ContextQuestion("swapped:0", "who was number 0", "It was New0.", ("New0",), ("Old0",), "swapped")
POLICIES = ("greedy", "adacad")


class Model:
    """Its tokens of a chat are what was asked; on its own it knows every answer but each third."""

    name = "tiny"

    def __init__(self, dtype: str = "float32", fingerprint: str = "weights") -> None:
        self.dtype = dtype
        self.fingerprint = fingerprint
        self.asked: list[str] = []

    def load(self) -> None:
        pass

    def chat_tokens(self, messages: Sequence[Mapping[str, str]]) -> str:
        return messages[-1]["content"]

    def drafts(self, rows: Sequence[str], **_: Any) -> list[Any]:
        """In a batch, whose rounding is another, it answers all rightly."""
        self.asked += rows
        numbers = [int(re.findall(r"number (\d+)", row)[0]) for row in rows]
        knows = [len(rows) > 1 or number % 3 != 0 for number in numbers]
        return [
            SimpleNamespace(text=f"Old{number}" if right else "Nobody")
            for number, right in zip(numbers, knows, strict=True)
        ]


@pytest.fixture(autouse=True)
def _no_language_model(monkeypatch: pytest.MonkeyPatch) -> None:
    def answers(model: Model, with_context: str, without: str, missing: Mapping[str, Any], **_: Any) -> dict[str, str]:
        model.asked += missing
        return {name: f"{model.dtype} {one!r}" for name, one in missing.items()}

    def decode(*_: Any, **__: Any) -> Iterator[Any]:
        yield from (SimpleNamespace(text=text) for text in ("something", " else"))

    monkeypatch.setattr(decoding, "answers", answers)
    monkeypatch.setattr(decoding, "decode", decode)
    monkeypatch.setattr(decoding, "drafts", lambda model, rows, **_: model.drafts(rows))


def said(out: Path, model: Model, item: ContextQuestion = ITEM, policies: Sequence[str] = POLICIES) -> dict[str, str]:
    """What each policy says, by name."""
    bench: Any = decoding._Bench(model, Plan(Path(), policies=tuple(policies)), out, lambda *_: None)  # type: ignore[arg-type]
    return {one.policy: one.text for one in bench.spoken({"conflict": [item]})}


def test_what_was_said_is_not_asked_for_again(tmp_path: Path) -> None:
    first, again = Model(), Model()
    assert said(tmp_path, first) == said(tmp_path, again)
    assert set(first.asked) == {*POLICIES, first.chat_tokens(decoding._messages(ITEM)[1])}
    assert again.asked == []


def test_what_other_weights_or_another_number_format_said_does_not_count(tmp_path: Path) -> None:
    said(tmp_path, Model())
    for other in (Model("int8"), Model(fingerprint="others")):
        found = said(tmp_path, other)
        assert all(found[name].startswith(other.dtype) for name in POLICIES)
        assert len(other.asked) == len(POLICIES) + 1


def test_what_a_policy_said_with_other_parameters_does_not_count(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: dict[str, Any] = {"adacad": AdaCAD(), "symposia": Symposia(spread=0.0)}
    monkeypatch.setattr(decoding, "policy", made.__getitem__)
    said(tmp_path, Model(), policies=tuple(made))
    made["symposia"] = Symposia(spread=2.0)
    model = Model()
    assert "spread=2.0" in said(tmp_path, model, policies=tuple(made))["symposia"]
    assert model.asked == ["symposia"]


def test_what_was_said_to_another_prompt_does_not_count(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    said(tmp_path, Model())
    changed = ContextQuestion(ITEM.id, ITEM.question, "It was Newer0.", ITEM.gold, ITEM.rival, ITEM.kind)
    model = Model()
    said(tmp_path, model, changed)
    assert model.asked == [*POLICIES]  # memory saw no context
    monkeypatch.setattr("generators.prompts.short_answer", lambda question, *_: [{"content": f"Say: {question}"}])
    model = Model()
    said(tmp_path, model)
    assert len(model.asked) == len(POLICIES) + 1


def test_a_record_without_a_fingerprint_is_measured_again_and_stays(tmp_path: Path) -> None:
    (tmp_path / "tiny").mkdir()
    file = tmp_path / "tiny" / "said.jsonl"
    old = json.dumps(Said(ITEM.id, "greedy", "stale", 0, 0.0).to_dict())
    file.write_text(f"{old}\n")
    assert said(tmp_path, Model())["greedy"] != "stale"
    assert file.read_text().splitlines()[0] == old


def test_what_other_weights_knew_closed_book_does_not_count(tmp_path: Path) -> None:
    questions = [OpenQuestion(f"q:{n}", f"who was number {n}", (f"Old{n}",)) for n in range(4)]

    def known(model: Any) -> list[bool]:
        bench = decoding._Bench(model, Plan(Path(), policies=POLICIES), tmp_path, lambda *_: None)
        return list(bench.knows(questions))

    assert known(Model()) == [False, True, True, False]
    again, other = Model(), Model(fingerprint="others")
    known(again), known(other)
    assert (len(again.asked), len(other.asked)) == (0, 8)


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """The folders that ``bench decoding`` reads, with 90 questions in NQ-Swap and none elsewhere but one."""
    from pyarrow import parquet

    qa, folder = tmp_path / "data" / "qa", tmp_path / "data" / "beir" / "hotpotqa-1000"
    for name in ("nq-swap", "nq-open", "triviaqa-1000", "popqa-1000"):
        (qa / name).mkdir(parents=True)
    rows = [
        {
            "question": f"who was number {n}",
            "org_context": f"It was Old{n}.",
            "org_answer": [f"Old{n}"],
            "sub_context": f"It was New{n}.",
            "sub_answer": [f"New{n}"],
        }
        for n in range(90)
    ]
    parquet.write_table(pyarrow.Table.from_pylist(rows), qa / "nq-swap" / "dev.parquet")
    for file in ("nq-open/NQ-open.dev.jsonl", "triviaqa-1000/test.jsonl", "popqa-1000/test.jsonl"):
        write_lines(qa / file, [{"question": "who was number 0", "answer": ["Old0"]}])
    folder.mkdir(parents=True)
    write_lines(folder / "corpus.jsonl", [{"_id": "1", "title": "Plums", "text": "Plums are blue."}])
    return tmp_path / "data"


def compared(monkeypatch: pytest.MonkeyPatch, data: Path, out: Path, model: Model, questions: int = 20) -> Comparison:
    monkeypatch.setattr(decoding, "resolve", lambda *_: Path("tiny"))
    monkeypatch.setattr(decoding, "LocalModel", lambda *_: model)
    settings = load_settings(flags={"home": str(out)}, env={}).settings
    plan = Plan(data, questions, 2, policies=POLICIES)
    return decoding.run(settings, plan, out, lambda *_: None)


def test_memory_answers_every_question_rightly_whose_context_is_wrong(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = compared(monkeypatch, data, tmp_path, Model())
    row = found.slices["context wrong"].row(ALONE)
    assert (row.n, row.values["contains"].value) == (20, 1.0)
    assert found.slices["conflict"].row(ALONE).values["contains"].value == 0.0


def test_a_smaller_draw_is_the_beginning_of_a_larger_one_and_candidates_may_run_out(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def drawn(questions: int) -> list[str]:
        model: Any = Model()
        bench = decoding._Bench(model, Plan(data, questions, policies=POLICIES), tmp_path, lambda *_: None)
        return [item.id for item in bench.slices()["context wrong"]]

    assert drawn(20) == drawn(30)[:20]
    numbers = [int(name.split(":")[1]) for name in drawn(60)]
    assert 30 < len(numbers) < 60
    assert all(number % 3 for number in numbers)


def test_what_confirmed_a_question_is_what_its_row_reports(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    compared(monkeypatch, data, tmp_path, Model())
    records = [json.loads(line) for line in (tmp_path / "tiny" / "said.jsonl").read_text().splitlines()]
    memory = [record["item"] for record in records if record["policy"] == ALONE]
    assert len(memory) == len(set(memory))
    again = Model()
    compared(monkeypatch, data, tmp_path, again)
    assert again.asked == []


def test_timing_an_answer_leaves_its_text(data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def answers(model: Model, with_context: str, without: str, missing: Mapping[str, Any], **_: Any) -> dict[str, str]:
        return dict.fromkeys(missing, re.findall(r"was (\w+)", with_context)[0])

    monkeypatch.setattr(decoding, "answers", answers)
    row = compared(monkeypatch, data, tmp_path, Model()).slices["conflict"].row("greedy")
    assert row.values["EM"].value == 1.0
    assert row.values["s/token"].value > 0
