"""Conflict between sources on RAMDocs: both sides shown, beside one answer written from all documents at once."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from app.bench.identity import identity
from app.models.resolve import resolve
from evaluation.kept import OF, Kept, Record, fingerprint
from evaluation.source_conflicts import SourceDocument, SourceQuestion, compare_source_conflicts, load_ramdocs
from generators import prompts
from generators.conflicts.candidates import settled, worth_asking
from generators.conflicts.detect import conflict_of
from generators.conflicts.per_passage import MAX_TOKENS as ANSWER_TOKENS
from generators.conflicts.per_passage import Asked, PassageAnswer, answers_per_passage
from generators.conflicts.present import present
from generators.conflicts.thresholds import DEFAULT, ConflictThresholds
from generators.decoding.drafts import drafts
from generators.models.language_model import LocalModel
from indexes.passage import Document, Passage
from retrievers.evidence import Evidence

if TYPE_CHECKING:
    from app.settings import Settings
    from evaluation.report import Table
    from generators.answer import Conflict

MAX_TOKENS = 80
GREEDY, ALL_SIDES, WEIGHED = "greedy, all documents", "all sides", "minority unnamed"
EXPERT = "ramdocs"


class Sides:
    """The system under test: what each document answers alone, read once, and the conflict that follows.

    Whether a document is read, and what it answers, depends on nothing but itself and the question; so a question's twin,
    which has some of its documents, costs nothing.

    Parameters
    ----------
    model
        The language model.
    thresholds
        Of the conflict.
    """

    def __init__(self, model: Asked, thresholds: ConflictThresholds = DEFAULT) -> None:
        self.model = model
        self.thresholds = thresholds
        self._read: dict[tuple[str, SourceDocument], PassageAnswer] = {}
        self._written: dict[str, str] = {}

    def read(self, item: SourceQuestion) -> Record:
        """Ask every document of a question, and write the answer from all of them; as a record to be kept."""
        evidence = evidence_of(item)
        given = answers_per_passage(self.model, item.question, evidence)
        prompt = self.model.chat_tokens(prompts.with_sources(item.question, evidence))
        written = drafts(self.model, [prompt], max_tokens=MAX_TOKENS)[0].text.strip()
        return {"written": written, "given": [asdict(each) for each in given]}

    def take(self, item: SourceQuestion, record: Record) -> None:
        """Know what ``read`` found."""
        given = [PassageAnswer(**each) for each in record["given"]]
        self._read |= {(item.question, item.documents[each.number - 1]): each for each in given}
        self._written[item.id] = record["written"]

    def conflict(self, item: SourceQuestion) -> Conflict | None:
        """What ``find_conflict`` finds, from the answers read before."""
        asked = worth_asking(item.question, evidence_of(item), self.thresholds)
        if len(asked) < 2 or settled(item.question, asked):
            return None
        keys = [(each.number, (item.question, item.documents[each.number - 1])) for each in asked]
        given = [_numbered(self._read[key], number) for number, key in keys if key in self._read]
        return conflict_of(item.question, given, asked, self.thresholds)

    def greedy(self, item: SourceQuestion) -> str:
        """The answer from all documents."""
        return self._written[item.id]

    def shown(self, item: SourceQuestion, *, name_minority: bool) -> str:
        """All sides where there are several, else the answer from all documents."""
        conflict = self.conflict(item)
        if conflict is None:
            return self.greedy(item)
        return present(conflict, evidence_of(item), name_minority=name_minority)[0]


def run(
    settings: Settings, data: Path, out: Path, *, n: int = 100, seed: int = 0, on_progress: Callable[[str], None]
) -> Table:
    """Compare showing the sides with one answer from all documents.

    Parameters
    ----------
    data
        ``ramdocs.jsonl``.
    out
        Folder in which what the model said is kept; an interrupted run goes on from there.
    n
        Questions, at most, of the two thirds that nothing was tuned on.
    seed
        Of the draw. The thresholds were tuned on the first third that seed 0 draws; other seeds mix the two.
    """
    model = LocalModel(
        resolve(settings.models.generator, "generator", settings.models.folder),
        settings.models.dtype,
        settings.models.threads or None,
    )
    model.load()
    items = load_ramdocs(data, seed=seed)[1][:n]
    system, kept = Sides(model), Kept(out / f"{model.name}.jsonl", "id", OF)
    depends = identity(model)
    for done, item in enumerate(items, start=1):
        key = {"id": item.id, OF: fingerprint_of(item, depends)}
        system.take(item, kept.found(key, partial(system.read, item)))
        on_progress(f"{done} of {len(items)} questions")
    return table(system, items, f"RAMDocs, {model.name}, {len(items)} questions, seed {seed}", seed)


def table(system: Sides, items: Sequence[SourceQuestion], title: str, seed: int) -> Table:
    """The table for questions that were read."""
    answers = {
        GREEDY: system.greedy,
        ALL_SIDES: lambda item: system.shown(item, name_minority=True),
        WEIGHED: lambda item: system.shown(item, name_minority=False),
    }
    detectors = {ALL_SIDES: lambda item: system.conflict(item) is not None}
    return compare_source_conflicts(items, answers, detectors, baseline=GREEDY, title=title, seed=seed)


def fingerprint_of(item: SourceQuestion, model: Sequence[str]) -> str:
    """Of all that ``Sides.read`` finds depends on.

    Parameters
    ----------
    model
        The model's ``identity``.
    """
    evidence = evidence_of(item)
    alone = [prompts.from_one_passage(item.question, each) for each in evidence]
    return fingerprint(*model, MAX_TOKENS, ANSWER_TOKENS, prompts.with_sources(item.question, evidence), alone)


def evidence_of(item: SourceQuestion) -> list[Evidence]:
    """The documents as evidence, in their order. None has a heading, a date or a probability of relevance."""
    passages = (Passage.of(Document(each.text, whole=True), 0, len(each.text)) for each in item.documents)
    return [Evidence(number, passage, EXPERT, 1.0) for number, passage in enumerate(passages, start=1)]


def _numbered(answer: PassageAnswer, number: int) -> PassageAnswer:
    return replace(answer, number=number)
