from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from evaluation.answers import contains, normalise
from evaluation.slices import ContextQuestion, OpenQuestion, load_misled, load_swapped, part_of
from indexes.errors import InputError

pyarrow = pytest.importorskip("pyarrow", reason="comes with streamlit")

QUESTIONS = [f"who was number {n}" for n in range(60)]
REPORT = [question for question in QUESTIONS if part_of(question) == "report"]
TUNE = [question for question in QUESTIONS if part_of(question) == "tune"]


def swap_row(question: str, version: int = 0, **changes: Any) -> dict[str, Any]:
    number = question.rsplit(maxsplit=1)[-1]
    return {
        "question": question,
        "org_context": f"It was Old{number} ({version}).",
        "org_answer": [f"Old{number}"],
        "sub_context": f"It was New{number} ({version}).",
        "sub_answer": [f"New{number}"],
        **changes,
    }


def write_swaps(folder: Path, rows: Sequence[dict[str, Any]]) -> Path:
    from pyarrow import parquet

    parquet.write_table(pyarrow.Table.from_pylist(list(rows)), folder / "dev.parquet")
    return folder / "dev.parquet"


def write_open(file: Path, records: Sequence[dict[str, Any]]) -> Path:
    file.parent.mkdir(exist_ok=True)
    file.write_text("".join(f"{json.dumps(record)}\n" for record in records), encoding="utf-8")
    return file


@pytest.fixture
def swaps(tmp_path: Path) -> Path:
    return write_swaps(tmp_path, [swap_row(question, version) for version in range(3) for question in QUESTIONS])


@pytest.fixture
def open_file(tmp_path: Path) -> Path:
    records = [{"question": f"Which is thing {n}?", "answer": [f"Thing{n}"]} for n in range(40)]
    return write_open(tmp_path / "open" / "questions.jsonl", records)


def all_known(questions: Sequence[OpenQuestion]) -> list[bool]:
    return [True] * len(questions)


def nothing_found(question: str) -> list[str]:
    return [f"Nothing about {question}"]


def test_the_parts_share_no_question_and_one_in_five_is_for_tuning() -> None:
    questions = [f"question {n}" for n in range(5000)]
    assert 0.17 < sum(part_of(question) == "tune" for question in questions) / len(questions) < 0.23
    assert part_of("Who was the first?") == part_of("who was first")


def test_a_draw_has_each_question_once_with_both_contexts(swaps: Path) -> None:
    conflict, agreement = load_swapped(swaps, len(REPORT), seed=3)
    assert sorted(item.question for item in conflict) == sorted(REPORT)
    for changed, original in zip(conflict, agreement, strict=True):
        number = changed.question.split()[-1]
        assert (changed.kind, changed.gold, changed.rival) == ("swapped", (f"New{number}",), (f"Old{number}",))
        assert (original.kind, original.gold, original.rival) == ("original", (f"Old{number}",), ())
        assert (changed.question, changed.id.split(":")[1]) == (original.question, original.id.split(":")[1])
        assert changed.context.replace("New", "Old") == original.context
    assert len({item.id for item in (*conflict, *agreement)}) == 2 * len(REPORT)


def test_a_draw_repeats_with_its_seed_and_a_smaller_one_begins_a_larger(swaps: Path) -> None:
    sample = load_swapped(swaps, 20, seed=3)
    assert sample == load_swapped(swaps.parent, 20, seed=3)
    assert sample != load_swapped(swaps, 20, seed=4)
    assert tuple(part[:7] for part in sample) == load_swapped(swaps, 7, seed=3)


def test_tuning_and_reporting_draw_different_questions(swaps: Path) -> None:
    assert {item.question for item in load_swapped(swaps, len(TUNE), part="tune")[0]} == set(TUNE)


def test_a_changed_context_that_still_holds_the_original_answer_is_left_out(tmp_path: Path) -> None:
    first, *others = REPORT
    name = f"Old{first.split()[-1]}"
    unclean = swap_row(first, 1, sub_context=f"It was not {name}.")
    path = write_swaps(tmp_path, [unclean, swap_row(first, 2), swap_row(others[0], 1, sub_context="Old1 Old2 Old3")])
    drawn = [load_swapped(path, 1, seed=seed)[0][0].id for seed in range(8)]
    assert "swapped:0" not in drawn
    assert "swapped:1" in drawn


@pytest.mark.parametrize("n", [0, 61])
def test_a_size_out_of_range_is_refused_with_the_range(swaps: Path, n: int) -> None:
    with pytest.raises(InputError) as refused:
        load_swapped(swaps, n)
    assert f"1 to {len(REPORT)}" in refused.value.fix


def test_missing_or_foreign_files_are_refused(tmp_path: Path, swaps: Path, open_file: Path) -> None:
    other = tmp_path / "other.parquet"
    other.write_text("no parquet", encoding="utf-8")
    for path in (tmp_path / "absent", other):
        with pytest.raises(InputError):
            load_swapped(path, 1)
        with pytest.raises(InputError):
            load_misled(path, [open_file], knows=all_known, search=nothing_found)
    with pytest.raises(InputError, match="absent"):
        load_misled(swaps, [tmp_path / "absent.jsonl"], knows=all_known, search=nothing_found)


@pytest.mark.parametrize(
    "record", [{"question": " ", "answer": ["a"]}, {"question": "q"}, {"question": "q", "answer": []}]
)
def test_a_bad_line_is_refused_with_its_place(tmp_path: Path, swaps: Path, record: dict[str, Any]) -> None:
    path = write_open(tmp_path / "bad.jsonl", [{"question": "fine", "golden_answers": ["yes"]}, record])
    with pytest.raises(InputError, match=r"bad\.jsonl:2"):
        load_misled(swaps, [path], knows=all_known, search=nothing_found)


def test_changed_passages_come_first_and_related_ones_fill_up(swaps: Path, open_file: Path) -> None:
    items = load_misled(swaps, [open_file], knows=all_known, search=nothing_found, seed=2)
    kinds = [item.kind for item in items]
    assert kinds == sorted(kinds, key=["misleading", "distractor"].index)
    misleading = [item for item in items if item.kind == "misleading"]
    assert sorted(item.question for item in misleading) == sorted(REPORT)
    for item in misleading:
        number = item.question.split()[-1]
        assert (item.gold, item.rival) == ((f"Old{number}",), (f"New{number}",))
        assert contains(item.context, item.rival) and not contains(item.context, item.gold)
    others = [item for item in items if item.kind == "distractor"]
    assert {item.question for item in others} == {
        question for n in range(40) if part_of(question := f"Which is thing {n}?") == "report"
    }
    assert all(item.rival == () and item.context == f"Nothing about {item.question}" for item in others)


def test_only_what_the_model_knows_is_taken_until_there_are_enough(swaps: Path, open_file: Path) -> None:
    asked: list[str] = []

    def knows(questions: Sequence[OpenQuestion]) -> list[bool]:
        asked.extend(question.question for question in questions)
        return [int(question.question.rstrip("?").split()[-1]) % 2 == 0 for question in questions]

    items = load_misled(swaps, [open_file], knows=knows, search=nothing_found, n=5, batch=4)
    assert [int(item.question.split()[-1]) % 2 for item in items] == [0] * 5
    assert len(asked) <= 24
    assert load_misled(swaps, [open_file], knows=knows, search=nothing_found, n=3, batch=7) == items[:3]


def test_a_passage_with_an_answer_is_passed_over(swaps: Path, open_file: Path) -> None:
    def search(question: str) -> list[str]:
        number = question.rstrip("?").split()[-1]
        return [f"This is Thing{number}.", "This one is not."] if int(number) % 2 else [f"This is thing{number}."]

    items = load_misled(swaps, [open_file], knows=all_known, search=search)
    others = [item for item in items if item.kind == "distractor"]
    assert others
    assert all(int(item.question.rstrip("?").split()[-1]) % 2 for item in others)
    assert {item.context for item in others} == {"This one is not."}


def test_open_answers_are_added_to_those_of_the_changed_passages(tmp_path: Path, swaps: Path) -> None:
    first, second, *_ = REPORT
    swapped = f"New{second.split()[-1]}"
    path = write_open(
        tmp_path / "o.jsonl",
        [{"question": f"{first}?", "answer": ["Alias"]}, {"question": second, "answer": [swapped]}],
    )
    items = {item.question: item for item in load_misled(swaps, [path], knows=all_known, search=lambda _: ["No."])}
    assert items[first].gold == (f"Old{first.split()[-1]}", "Alias")
    # the changed passage gives a right answer after all, so the question gets another one
    assert (items[second].kind, items[second].gold) == ("distractor", (swapped,))


def test_a_model_that_knows_little_gives_a_small_slice(swaps: Path) -> None:
    found = load_misled(
        swaps, [], knows=lambda q: [each.question == REPORT[0] for each in q], search=nothing_found, n=2
    )
    assert [item.question for item in found] == [REPORT[0]]


@pytest.mark.benchmark
def test_the_slices_of_the_real_sets_are_large_and_clean(data_folder: Path) -> None:
    qa = data_folder / "qa"
    files = [
        qa / "nq-open" / "NQ-open.dev.jsonl",
        qa / "triviaqa-1000" / "test.jsonl",
        qa / "popqa-1000" / "test.jsonl",
    ]
    seen: dict[str, set[str]] = {}
    for part, least in (("tune", 300), ("report", 1200)):
        conflict, agreement = load_swapped(qa / "nq-swap", least, part=part)
        misled = load_misled(qa / "nq-swap", files, knows=all_known, search=nothing_found, part=part)
        assert sum(item.kind == "misleading" for item in misled) >= 0.9 * least
        assert len(misled) > 3 * least
        assert all(contains(item.context, item.gold) for item in (*conflict, *agreement))
        assert not any(contains(item.context, item.rival) for item in conflict)
        assert not any(contains(item.context, item.gold) for item in misled if item.kind == "misleading")
        assert not any(set(item.gold) & set(item.rival) for item in (*conflict, *misled))
        items: list[ContextQuestion] = [*conflict, *agreement, *misled]
        assert len({item.id for item in items}) == len(items)
        seen[part] = {normalise(item.question) for item in items}
    assert not seen["tune"] & seen["report"]
