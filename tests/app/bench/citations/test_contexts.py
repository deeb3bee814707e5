from __future__ import annotations

import json
from pathlib import Path

import pytest

from app.bench.citations.contexts import PASSAGES, Corpus, contexts, gold_answers, sample
from evaluation.beir import BeirSet
from tests.app.beir_folders import judge, write_lines
from tests.fakes import TOPICS, WordEncoder

TEXTS = [text for texts in TOPICS.values() for text in texts]
MOONS = TEXTS.index("Mars has two small moons named Phobos and Deimos.")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """All topics' passages, a near copy of one of them, an empty one, and one question."""
    path = tmp_path / "set"
    (path / "qrels").mkdir(parents=True)
    documents = [{"_id": f"d{n}", "title": "", "text": text} for n, text in enumerate(TEXTS)]
    documents += [
        {"_id": "copy", "title": "", "text": TEXTS[MOONS] + " Mars!"},
        {"_id": "empty", "title": "", "text": ""},
    ]
    write_lines(path / "corpus.jsonl", documents)
    write_lines(path / "queries.jsonl", [{"_id": "q", "text": "Which moons circle Mars, Saturn and the Sun?"}])
    judge(path, "test", {"q": f"d{MOONS}"})
    return path


def read(folder: Path, encoder: WordEncoder, seed: int = 0) -> tuple[list[str], frozenset[int]]:
    questions, corpus = BeirSet.read(folder), Corpus(folder / "corpus.jsonl")
    found = contexts(questions, corpus, encoder.encode_passages, ["q"], seed=seed, file=folder / f"kept{seed}.jsonl")
    ((identifier, evidence, gold),) = found
    assert identifier == "q"
    assert [item.number for item in evidence] == list(range(1, len(evidence) + 1))
    return [item.passage.key for item in evidence], gold


def test_the_gold_passage_stands_among_the_nearest_others(folder: Path) -> None:
    keys, gold = read(folder, WordEncoder())
    assert len(set(keys)) == PASSAGES
    assert [keys[number - 1] for number in gold] == [f"d{MOONS}"]


def test_neither_a_copy_of_the_gold_passage_nor_an_empty_one_is_taken(folder: Path) -> None:
    keys, _ = read(folder, WordEncoder())
    assert not {"copy", "empty"} & set(keys)


def test_the_order_depends_on_the_seed_alone(folder: Path, tmp_path: Path) -> None:
    first, _ = read(folder, WordEncoder())
    (folder / "kept0.jsonl").unlink()
    assert read(folder, WordEncoder())[0] == first
    assert read(folder, WordEncoder(), seed=1)[0] != first


def test_the_choice_is_kept_so_that_nothing_is_encoded_again(folder: Path) -> None:
    first = read(folder, WordEncoder())
    idle = WordEncoder()
    assert read(folder, idle) == first
    assert idle.passages == 0


def test_the_nearest_by_words_come_first(folder: Path) -> None:
    corpus = Corpus(folder / "corpus.jsonl")
    best = corpus.passages[corpus.nearest("turbocharger exhaust gas", 1)[0]]
    assert "turbocharger" in best.text


def test_a_smaller_sample_begins_a_larger_one() -> None:
    names = [str(n) for n in range(20)]
    assert sample(names, 5, 3) == sample(names, 12, 3)[:5]
    assert sample(names, 5, 3) != sample(names, 5, 4)


def test_gold_answers_are_read_from_a_list_written_out(tmp_path: Path) -> None:
    file = tmp_path / "answers.jsonl"
    file.write_text(json.dumps({"_id": "a", "reference": "['Kap', \"it's\"]"}) + "\n", encoding="utf-8")
    assert gold_answers(file) == {"a": ("Kap", "it's")}
