"""The sets of the benchmark: their experts, built and trained once, and their questions in terms of passage ids."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from app.bench.retrieval.indexing import index
from app.train import Request, train
from evaluation.beir import BeirSet
from indexes.errors import InputError
from retrievers.expert import LEARNED
from retrievers.panel import Panel

if TYPE_CHECKING:
    from app.settings import Settings
    from retrievers.training.kinds import Report

POOLED_SIX = (
    "scifact",
    "nfcorpus",
    "fiqa-pooled",
    "mtrag-cloud",
    "legalbenchrag-contractnli",
    "hotpotqa-1000",
)
DESCRIPTIONS: Mapping[str, str] = {
    "scifact": "Abstracts of biomedical research articles, to check scientific claims against.",
    "nfcorpus": "Abstracts of medical articles about nutrition, food and health.",
    "fiqa-pooled": "Posts of a forum about personal finance, investing and taxes.",
    "mtrag-cloud": "Documentation of IBM Cloud: how its services are set up and used.",
    "legalbenchrag-contractnli": "Clauses of non-disclosure agreements between companies.",
    "hotpotqa-1000": "Introductions of Wikipedia articles about people, places, works and events.",
}
"""What a language model that chooses is told of the experts."""

MOST_DEV = 300


@dataclass(frozen=True)
class Questions:
    """Judged questions of one set.

    Parameters
    ----------
    ids, texts
        In the order of the judgements.
    relevant
        For each, passage id to grade. A relevant document that no passage holds keeps its own id, and is never found.
    """

    expert: str
    ids: tuple[str, ...]
    texts: tuple[str, ...]
    relevant: tuple[Mapping[str, int], ...]

    @property
    def qrels(self) -> dict[str, Mapping[str, int]]:
        """Question id to passage id to grade."""
        return dict(zip(self.ids, self.relevant, strict=True))

    @property
    def queries(self) -> dict[str, str]:
        """Question id to text."""
        return dict(zip(self.ids, self.texts, strict=True))

    def rankings(self, rankings: Iterable[Sequence[tuple[str, float]]]) -> dict[str, list[tuple[str, float]]]:
        """Question id to its ranking, from one for each question."""
        return {i: list(ranking) for i, ranking in zip(self.ids, rankings, strict=True)}

    def head(self, limit: int) -> Questions:
        """The first ``limit``."""
        return Questions(self.expert, self.ids[:limit], self.texts[:limit], self.relevant[:limit])


@dataclass(frozen=True)
class Set:
    """One set: its folder, its test questions, and development questions where its judgements have any beside them.

    ``train`` are the questions that its expert learned from; they may choose among systems that did not.
    """

    name: str
    folder: Path
    test: Questions
    dev: Questions | None
    train: Questions | None


def splits(folder: Path) -> set[str]:
    """Names of the judgement files of a BEIR folder."""
    return {path.stem for path in (folder / "qrels").glob("*.tsv")}


def build(panel: Panel, settings: Settings, folders: Sequence[Path], report: Report) -> list[Set]:
    """Index each folder and train its expert, where that has not been done before; then read the questions."""
    names = require_sets(folders)
    for number, (name, folder) in enumerate(zip(names, folders, strict=True)):
        report("sets", number, len(folders))
        index(panel, settings, folder, report, DESCRIPTIONS.get(name, ""))
        available = splits(folder)
        # Written after every training, also one after which no adapter serves.
        learned = panel.experts[name].slice.home / LEARNED
        if "train" in available and not learned.is_file():
            dev = f"{folder}:dev" if "dev" in available else ""
            # The test split is named so that what nearly repeats it is not trained on.
            request = Request(name, (f"{folder}:train",), dev, f"{folder}:test", kinds=("linear", "nudge"))
            train(panel, request, report=report)
    return [_read(panel, folder) for folder in folders]


def require_sets(folders: Sequence[Path], split: str = "test") -> list[str]:
    """The folders' names, which are those of their experts.

    Raises
    ------
    InputError
        Where a folder is no BEIR folder judged by that split, or two have one name; before anything takes long.
    """
    for folder in folders:
        BeirSet.read(folder, split)
    names = [folder.resolve().name for folder in folders]
    if len(set(names)) < len(names):
        raise InputError(
            f"Two of the folders have the same name: {', '.join(names)}.", "Rename one: experts go by name."
        )
    return names


def _read(panel: Panel, folder: Path) -> Set:
    name = folder.resolve().name
    ids = passages_by_key(panel, name)
    found = {split: questions_of(folder, split, ids) for split in ("test", "dev", "train") if split in splits(folder)}
    return Set(name, folder, found["test"], found.get("dev"), found.get("train"))


def questions_of(folder: Path, split: str, ids: Mapping[str, Sequence[str]]) -> Questions:
    """The judged questions of a split, in terms of the passages that ``ids`` names for each document key."""
    beir = BeirSet.read(folder, split)
    judged = tuple(beir.qrels)
    relevant = tuple(
        {i: grade for key, grade in beir.qrels[question].items() for i in ids.get(key, (f"missing {key}",))}
        for question in judged
    )
    return Questions(folder.resolve().name, judged, tuple(beir.queries[question] for question in judged), relevant)


def passages_by_key(panel: Panel, name: str) -> Mapping[str, Sequence[str]]:
    """Passage ids of an expert by their document's own key."""
    slice_ = panel.experts[name].slice
    keys: defaultdict[str, list[str]] = defaultdict(list)
    for ids, _ in slice_.store.scan():
        for passage in slice_.passages(ids):
            keys[passage.key].append(passage.id)
    return keys
