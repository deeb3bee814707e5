from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from evaluation.beir import BeirSet
from indexes.errors import InputError

MakeSet = Callable[..., Path]


def test_reading_gives_the_questions_and_judgements_of_the_split(make_set: MakeSet) -> None:
    beir_set = BeirSet.read(make_set())
    assert beir_set.name == "small"
    assert beir_set.queries == {"q1": "who", "q2": "where", "q3": "unjudged"}
    assert beir_set.qrels == {"q1": {"d1": 2, "d2": 1, "d3": 0}, "q2": {"d2": 1}}
    assert beir_set.questions == {"q1": "who", "q2": "where"}
    assert list(beir_set.corpus_ids()) == ["d1", "d2", "d3", "d4", "d5"]


def test_a_question_judged_only_with_zeros_counts(make_set: MakeSet) -> None:
    beir_set = BeirSet.read(make_set(qrels={"q1": {"d1": 0}, "q2": {"d2": -1}}))
    assert list(beir_set.questions) == ["q1", "q2"]


def test_windows_line_ends_a_byte_order_mark_and_blank_lines_are_read(make_set: MakeSet) -> None:
    folder = make_set()
    (folder / "qrels" / "test.tsv").write_bytes(
        b"\xef\xbb\xbfquery-id\tcorpus-id\tscore\r\nq1\td1\t1\r\n\r\nq2\td2\t2\r\n"
    )
    assert BeirSet.read(folder).qrels == {"q1": {"d1": 1}, "q2": {"d2": 2}}


def test_ids_with_spaces_and_numbers_as_ids_are_kept(make_set: MakeSet) -> None:
    folder = make_set(qrels={"7": {"a file.txt#0-9": 1}})
    (folder / "queries.jsonl").write_text('{"_id": 7, "text": "who"}\n', encoding="utf-8")
    assert BeirSet.read(folder).qrels == {"7": {"a file.txt#0-9": 1}}


@pytest.mark.parametrize("name", ["corpus.jsonl", "queries.jsonl"])
def test_a_missing_file_is_named(make_set: MakeSet, name: str) -> None:
    folder = make_set()
    (folder / name).unlink()
    with pytest.raises(InputError, match=f"has no {name}"):
        BeirSet.read(folder)


def test_a_missing_split_lists_those_that_exist(make_set: MakeSet) -> None:
    make_set(split="train")
    folder = make_set(split="dev")
    with pytest.raises(InputError) as caught:
        BeirSet.read(folder)
    assert "qrels/test.tsv" in caught.value.problem
    assert "dev, train" in caught.value.fix


def test_a_missing_folder_lists_the_sets_beside_it(make_set: MakeSet) -> None:
    folder = make_set()
    with pytest.raises(InputError) as caught:
        BeirSet.read(folder.parent / "smal")
    assert "small" in caught.value.fix


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ("{", "not JSON"),
        ("[1]", "a JSON list"),
        ('{"text": "no id"}', "no _id"),
        ('{"_id": "", "text": "empty id"}', "no _id"),
        ('{"_id": true, "text": "odd id"}', "no _id"),
        ('{"_id": "q9"}', "has no text"),
        ('{"_id": "q9", "text": null}', "has no text"),
        ('{"_id": "q1", "text": "again"}', "stands twice"),
    ],
)
def test_a_malformed_question_is_reported_with_its_line(make_set: MakeSet, line: str, problem: str) -> None:
    folder = make_set()
    with (folder / "queries.jsonl").open("a", encoding="utf-8") as stream:
        stream.write(f"{line}\n")
    with pytest.raises(InputError, match=problem) as caught:
        BeirSet.read(folder)
    assert "queries.jsonl:4" in caught.value.problem


def test_a_malformed_document_is_reported_with_its_line(make_set: MakeSet) -> None:
    folder = make_set()
    with (folder / "corpus.jsonl").open("ab") as stream:
        stream.write(b'{"_id": "d6", "text": "caf\xe9"}\n')
    beir_set = BeirSet.read(folder)
    with pytest.raises(InputError, match=r"corpus\.jsonl:6: not UTF-8 at byte"):
        list(beir_set.corpus_ids())


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ("q1 d1 1", "1 tab-separated columns"),
        ("q1\t0\td1\t1", "4 tab-separated columns"),
        ("q1\td1\tyes", "'yes' is not a whole number"),
        ("\td1\t1", "an empty id"),
    ],
)
def test_a_malformed_judgement_is_reported_with_its_line(make_set: MakeSet, line: str, problem: str) -> None:
    folder = make_set()
    with (folder / "qrels" / "test.tsv").open("a", encoding="utf-8") as stream:
        stream.write(f"{line}\n")
    with pytest.raises(InputError, match=problem) as caught:
        BeirSet.read(folder)
    assert "test.tsv:6" in caught.value.problem


@pytest.mark.parametrize("header", ["q1\td1\t1", "query\tdoc\tscore", "query-id corpus-id score"])
def test_a_wrong_header_is_reported(make_set: MakeSet, header: str) -> None:
    folder = make_set()
    (folder / "qrels" / "test.tsv").write_text(f"{header}\nq1\td1\t1\n", encoding="utf-8")
    with pytest.raises(InputError, match=r"test\.tsv:1: the header is"):
        BeirSet.read(folder)


def test_a_header_without_judgements_and_an_empty_file_are_errors(make_set: MakeSet) -> None:
    with pytest.raises(InputError, match="no judgements"):
        BeirSet.read(make_set(qrels={}))
    folder = make_set()
    (folder / "qrels" / "test.tsv").write_bytes(b"")
    with pytest.raises(InputError, match="the header is ''"):
        BeirSet.read(folder)


def test_judgements_without_their_question_point_to_other_question_files(make_set: MakeSet) -> None:
    folder = make_set(queries={"q1": "who"})
    (folder / "queries_more.jsonl").write_text(
        "".join(json.dumps({"_id": q, "text": "?"}) + "\n" for q in ("q1", "q2")), encoding="utf-8"
    )
    with pytest.raises(InputError, match=r"judges 1 of 2 questions.*'q2'") as caught:
        BeirSet.read(folder)
    assert "queries_more.jsonl" in caught.value.fix
    assert len(BeirSet.read(folder, queries_file="queries_more.jsonl").questions) == 2


def test_the_fingerprint_follows_judgements_and_texts_but_not_order(make_set: MakeSet) -> None:
    first = BeirSet.read(make_set(qrels={"q1": {"d1": 1}, "q2": {"d2": 1}})).fingerprint
    assert BeirSet.read(make_set(qrels={"q2": {"d2": 1}, "q1": {"d1": 1}})).fingerprint == first
    assert BeirSet.read(make_set(qrels={"q1": {"d1": 2}, "q2": {"d2": 1}})).fingerprint != first
    other = make_set(queries={"q1": "whom", "q2": "where"}, qrels={"q1": {"d1": 1}, "q2": {"d2": 1}})
    assert BeirSet.read(other).fingerprint != first


@pytest.mark.benchmark
@pytest.mark.parametrize(
    ("name", "split", "queries_file", "judged", "lines"),
    [
        ("scifact", "test", "queries.jsonl", 300, 339),
        ("scifact", "train", "queries.jsonl", 809, 919),
        ("nfcorpus", "test", "queries.jsonl", 323, 12334),
        ("fiqa-pooled", "dev", "queries.jsonl", 300, 507),
        ("legalbenchrag-contractnli", "test", "queries.jsonl", 977, 1658),
        ("mtrag-cloud", "un", "queries_un.jsonl", 86, 251),
    ],
)
def test_the_benchmark_sets_have_their_published_sizes(
    data_folder: Path, name: str, split: str, queries_file: str, judged: int, lines: int
) -> None:
    beir_set = BeirSet.read(data_folder / "beir" / name, split, queries_file=queries_file)
    assert (len(beir_set.questions), sum(map(len, beir_set.qrels.values()))) == (judged, lines)
