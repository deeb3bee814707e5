"""Offline evaluation of answers: ask the product questions with gold, store what it says, and measure it.

The folder that is written holds ``answers.jsonl`` (every question with its gold and its whole answer),
``per_question.jsonl``, ``metrics.json`` and ``manifest.json``, which ``symposia compare`` reads. What is stored is not
asked again: an evaluation that was stopped goes on where it stopped.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any

from app.noticing import KEPT
from evaluation.answer_citations import citations_table
from evaluation.answer_confidence import confidence_tables
from evaluation.answer_conflicts import conflicts_table
from evaluation.answer_gate import gate_table
from evaluation.answer_records import FILE, Record, append_records, mend, read_records, read_system
from evaluation.answer_report import AnswerReport, per_question, quality, skipped, steps
from evaluation.files import write_json, write_lines
from evaluation.manifest import manifest, package_versions
from evaluation.questions import Question, QuestionSet, read_questions
from generators.conflicts.cluster import agree
from generators.events import Answered
from indexes.errors import InputError
from indexes.manifest import FILE as MANIFEST
from indexes.manifest import Manifest
from indexes.passage import Passage, content_id
from retrievers.evidence import Evidence, Route, Share

if TYPE_CHECKING:
    from app.settings import Settings
    from app.symposium import Symposium
    from evaluation.citations import Judge
    from generators.answer import Answer

TOGETHER = 8  # questions that are searched in one go, and whose answers are then stored
GIVEN = "given"
ENTAILED = 0.5  # probability from which a judge's verdict is yes
SECTIONS = ("models.", "split.", "retrieval.", "generation.", "verdict.")  # settings that an answer depends on

Report = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Asking:
    """How the questions are put.

    Parameters
    ----------
    experts
        Ask these instead of those that the router would choose.
    retrieval
        True to retrieve, False to answer from memory, ``None`` to let the gate decide.
    """

    experts: tuple[str, ...] = ()
    retrieval: bool | None = None


@dataclass(frozen=True, slots=True)
class NamedJudge:
    """Who decides whether a premise entails a sentence, for ALCE's definition."""

    name: str
    entails: Judge


def evaluate_answers(
    symposium: Symposium,
    paths: Sequence[Path],
    out: Path,
    *,
    asking: Asking = Asking(),
    limit: int | None = None,
    seed: int = 0,
    judge: str = "",
    references: tuple[Path, Path] | None = None,
    on_progress: Report = lambda _: None,
) -> AnswerReport:
    """Ask what has not been asked, store the answers, and measure them.

    Parameters
    ----------
    symposium
        Who is asked.
    paths
        Files of questions; see ``evaluation.questions``.
    out
        Folder for the answers and measures; its name is the run's name.
    limit
        At most so many questions of each slice, drawn with ``seed``.
    seed
        Of the draw and of the bootstrap.
    judge
        An entailment model, a folder or org/name, that judges citations too; empty for none.
    references
        Folders of the same questions answered without retrieval, and all with it: what the gate did is measured by them.
    on_progress
        Called with one line of text.

    Raises
    ------
    InputError
        Where no question can be used or asked, or the folder holds answers of another system.
    """
    started = datetime.now(UTC)
    questions = read_questions(paths).drawn(limit, seed)
    system = describe(symposium, questions, asking)
    stored = _stored(out, system)
    record: dict[str, Any] = {"data": questions.data(), "system": system}
    write_json(out / "manifest.json", {**manifest(seeds={"draw": seed}, started=started, **record), "complete": False})
    records = _complete(symposium, questions, asking, stored, out / FILE, on_progress)
    on_progress("measuring")
    judge_of = None if not judge else open_judge(symposium.settings, judge)
    pair = None if references is None else (read_records(references[0] / FILE), read_records(references[1] / FILE))
    report = measured(out.resolve().name, questions, records, seed, judge_of, pair)
    _settle(out / FILE, records)
    write_lines(out / "per_question.jsonl", per_question(report.name, records))
    cost = {"seconds": sum(each.seconds for each in records) / len(records)}
    write_json(out / "metrics.json", {**report.to_dict(), "rows": [{"name": report.name, "cost": cost}]})
    seeds = {"draw": seed, "statistics": seed}
    write_json(out / "manifest.json", {**manifest(seeds=seeds, started=started, **record), "complete": True})
    return report


def measured(
    name: str,
    questions: QuestionSet,
    records: Sequence[Record],
    seed: int,
    judge: NamedJudge | None = None,
    references: tuple[Sequence[Record], Sequence[Record]] | None = None,
) -> AnswerReport:
    """The report on stored answers; see ``evaluate_answers``."""
    notes = [f"Not used: {problem}" for problem in questions.problems]
    phi, named = (judge.entails, judge.name) if judge is not None else (None, "")
    optional = [citations_table(records, phi, named, seed=seed), conflicts_table(records, seed=seed)]
    tables = [quality(records, seed=seed), steps(records), *(table for table in optional if table is not None)]
    if references is not None:
        tables.append(gate_table(name, records, *references, seed=seed))
    return AnswerReport(name, (*tables, *confidence_tables(records, seed=seed)), (*notes, *skipped(records)))


def open_judge(settings: Settings, name: str) -> NamedJudge:
    """An entailment model as a judge; it loads with the first sentence."""
    from app.models.resolve import resolve
    from generators.citations.entailment import EntailmentModel

    model = EntailmentModel(resolve(name, "entailment", settings.models.folder))
    return NamedJudge(model.name, lambda premise, said: bool(model.probabilities([premise], [said])[0] >= ENTAILED))


def describe(symposium: Symposium, questions: QuestionSet, asking: Asking) -> dict[str, Any]:
    """Everything that an answer depends on, by name: answers of different descriptions do not mix.

    Of the code it has the version of the package; the revision of a checkout stands elsewhere in the manifest, for it
    changes with every commit, whatever that touches.
    """
    from app.settings.schema import flatten

    values = {key: value for key, value in flatten(symposium.settings).items() if key.startswith(SECTIONS)}
    for other in ("models.cache", "models.threads", "models.judge", "models.server_key"):
        values.pop(other, None)
    described: dict[str, Any] = {
        key: value if isinstance(value, int | float | str) else str(value) for key, value in values.items()
    }
    fitted = sorted((symposium.settings.home / "slices").glob("*.json"))  # what `symposia calibrate` wrote
    described |= {f"calibration {file.stem}": sha256(file.read_bytes()).hexdigest() for file in fitted}
    described |= {"experts": list(asking.experts), "retrieval": asking.retrieval, **package_versions(("symposia",))}
    if any(not question.context for question in questions.questions):
        cards = [card for card in symposium.experts() if not card.problem]
        folder = symposium.settings.home / "slices"
        described |= {f"slice {c.name}": f"{c.passages} passages, {_state(folder / c.name)}" for c in cards}
    return described


def _state(folder: Path) -> str:
    """12 hex characters that change with the slice's passages and with what it has learned.

    No passage is read: the manifest is stamped whenever they change.
    """
    home = Manifest.read(folder).store_folder(folder)
    files = [folder / MANIFEST, *(home / name for name in KEPT)]
    found = [(file.name, sha256(file.read_bytes()).hexdigest()) for file in files if file.is_file()]
    return sha256(repr(found).encode()).hexdigest()[:12]


def _stored(out: Path, system: dict[str, Any]) -> list[Record]:
    """The answers that are there already; an error where another system gave them."""
    if not (out / FILE).is_file():
        return []
    mend(out / FILE)
    known = read_system(out / "manifest.json")
    differing = sorted(
        key
        for key in known.keys() | system.keys()
        if known.get(key) != system.get(key)
        and not (key.startswith(SECTIONS) and key not in known.keys() & system.keys())
    )  # a setting that another version of Symposia has and this one has not says nothing
    if differing:
        key = differing[0]
        raise InputError(
            f"{out} holds answers of another system: {key} was {known.get(key)!r} and is {system.get(key)!r}.",
            "Name another folder with --out, or remove this one.",
        )
    return read_records(out / FILE)


def _complete(
    symposium: Symposium,
    questions: QuestionSet,
    asking: Asking,
    stored: Sequence[Record],
    file: Path,
    on_progress: Report,
) -> list[Record]:
    """A record for each question, in their order; new ones are added to the file as they come."""
    known = {record.question.asked + record.question.id: record for record in stored if record.answer is not None}
    found: dict[str, Record] = {}
    missing = []
    for question in questions.questions:
        old = known.get(question.asked + question.id)
        if old is None:
            missing.append(question)
        else:
            found[question.id] = replace(old, question=question)
    on_progress(f"{len(found)} of {len(questions.questions)} answers are stored already")
    for group in _together(missing):
        records = _ask(symposium, group, asking)
        if not found and all(record.answer is None for record in records):
            raise InputError(
                f"None of the first {len(records)} questions could be asked. {records[0].problem}",
                "Mend the questions, or what they are asked with.",
            )
        append_records(file, records)
        found |= {record.question.id: record for record in records}
        on_progress(f"{len(found)} of {len(questions.questions)} questions")
    return [_with_memory_judged(found[question.id]) for question in questions.questions]


def _with_memory_judged(record: Record) -> Record:
    """The record with whether its answer says what the question file gives as the model's memory."""
    question = record.question
    if not question.memory or record.answer is None:
        return replace(record, says_memory=None)
    said = any(agree(record.said, memory, question.question) for memory in question.memory)
    return replace(record, says_memory=said)


def _settle(file: Path, records: Sequence[Record]) -> None:
    """Write the answers once more, each once and with the gold as it now is; those of questions not drawn stay."""
    judged = {record.question.id for record in records}
    others = {record.question.id: record for record in read_records(file) if record.question.id not in judged}
    write_lines(file, [record.line() for record in (*records, *others.values())])


def _together(questions: Sequence[Question]) -> Iterator[list[Question]]:
    """Groups that are asked in one go: given contexts singly, the others several at a time."""
    searched = [question for question in questions if not question.context]
    for start in range(0, len(searched), TOGETHER):
        yield searched[start : start + TOGETHER]
    yield from ([question] for question in questions if question.context)


def _ask(symposium: Symposium, group: Sequence[Question], asking: Asking) -> list[Record]:
    """Where one question of several cannot be asked, each is asked by itself, so that the others are answered."""
    try:
        if group[0].context:
            answers = [_from_given(symposium, group[0])]
        else:
            texts = [question.question for question in group]
            answers = symposium.ask_many(texts, experts=asking.experts, retrieval=asking.retrieval)
    except InputError as error:
        if len(group) == 1:
            return [Record(group[0], None, error.problem)]
        return [record for question in group for record in _ask(symposium, [question], asking)]
    return [Record(question, answer.to_dict()) for question, answer in zip(group, answers, strict=True)]


def _from_given(symposium: Symposium, question: Question) -> Answer:
    """The answer from the passages that come with the question, all taken to be relevant."""
    evidence = tuple(
        Evidence(
            number,
            Passage(
                id=content_id(given.key, given.title, given.text),
                document_id=content_id(given.key, given.title),
                text=given.text,
                title=given.title,
                key=given.key,
                end=len(given.text),
                date=given.date,
            ),
            GIVEN,
            1.0,
        )
        for number, given in enumerate(question.context, start=1)
    )
    route = Route("retrieve", "domain", (Share(GIVEN, 1.0, True),), 0.0, "The passages came with the question.")
    for event in symposium.answerer.stream(question.question, route, evidence):
        if isinstance(event, Answered):
            return event.answer
    raise RuntimeError("A stream that nobody cancelled ended without an answer.")
