"""Small BEIR folders made from the topics of ``tests.fakes``."""

from __future__ import annotations

import json
import random
import re
from collections.abc import Mapping, Sequence
from itertools import combinations
from pathlib import Path

from tests.fakes import TOPICS

SPLITS: Mapping[str, Sequence[int]] = {"train": (0, 1), "dev": (2,), "test": (3,)}
"""Which of a passage's questions belong to each split."""


def question(topic: str, passage: int, number: int) -> str:
    """One of a passage's questions: two of its longer words, and two of a passage of another topic, to lead astray."""
    topics = list(TOPICS)
    other = topics[(topics.index(topic) + 1 + number % 2) % len(topics)]
    own, foreign = (_pairs(TOPICS[name][passage]) for name in (topic, other))
    return " ".join((*own[number], *foreign[-1 - number]))


def _pairs(text: str) -> list[tuple[str, str]]:
    found = list(combinations(sorted({word for word in re.findall(r"\w+", text.lower()) if len(word) > 3}), 2))
    random.Random(text).shuffle(found)
    return found


def write_set(folder: Path, topic: str, splits: Sequence[str] = ("train", "dev", "test")) -> Path:
    """A set whose documents are the topic's passages, with the questions of the splits named."""
    (folder / "qrels").mkdir(parents=True)
    documents = [{"_id": f"d{n}", "title": "", "text": text} for n, text in enumerate(TOPICS[topic])]
    write_lines(folder / "corpus.jsonl", documents)
    texts = {
        f"q{passage}-{number}": question(topic, passage, number)
        for passage in range(len(documents))
        for numbers in SPLITS.values()
        for number in numbers
    }
    write_lines(folder / "queries.jsonl", [{"_id": i, "text": text} for i, text in texts.items()])
    for split in splits:
        judge(folder, split, {f"q{p}-{n}": f"d{p}" for p in range(len(documents)) for n in SPLITS[split]})
    return folder


def judge(folder: Path, split: str, relevant: Mapping[str, str]) -> None:
    """Write a split's judgements, one relevant document a question."""
    lines = [f"{question}\t{document}\t1\n" for question, document in relevant.items()]
    (folder / "qrels" / f"{split}.tsv").write_text("query-id\tcorpus-id\tscore\n" + "".join(lines))


def write_lines(path: Path, records: Sequence[Mapping[str, object]]) -> None:
    """JSON Lines."""
    path.write_text("".join(json.dumps(record) + "\n" for record in records), encoding="utf-8")
