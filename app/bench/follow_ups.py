"""Follow-ups: how well the last turn of a conversation is searched, as it was typed and as it was understood.

The conversations are mtRAG's (Katsis et al., arXiv 2501.03468): those with questions rewritten by people, of which only what the user
said is known, and those of mtRAG-UN with the answers between. Each question of a conversation is understood in the light of
those before it, as they were understood; then the panel searches it.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from app.bench.abstention.questions import LABELLED, SETS, require
from app.bench.dialogues import Part, conversation, exchanges, follow, half
from app.bench.retrieval.indexing import index
from app.models.writing import language_model
from app.wiring import make_panel
from evaluation.beir import BeirSet
from evaluation.comparison import compare
from evaluation.files import json_lines, malformed
from evaluation.metrics import score_run
from evaluation.runs import Run
from generators import prompts
from generators.writing.dependent import dependent
from generators.writing.follow_up import Exchange, Say, in_full
from retrievers.question import LONGEST
from retrievers.router import Wishes

if TYPE_CHECKING:
    from app.settings import Settings
    from evaluation.report import Table
    from retrievers.panel import Panel

MEASURES = ("nDCG@10", "R@5")
FEW = 30
"""Conversations below which the intervals are known to be too narrow; see ``evaluation.intervals.bootstrap_means``."""
DEPTH = 40
USER = "|user|:"
ALONE, WHOLE, RULES, MODEL, PEOPLE = (
    "last turn alone",
    "whole conversation",
    "rules and joining",
    "rules and language model",
    "rewritten by people",
)

HALVES: Mapping[Part, str] = {"report": "the half not tuned on", "tune": "the half tuned on"}
Report = Callable[[str, int, int], None]


@dataclass(frozen=True, slots=True)
class Turn:
    """The last question of a conversation.

    Parameters
    ----------
    said
        The questions and answers before it, oldest first, as they were typed; answers that are not known are empty.
    rewritten
        The question as people rewrote it; empty where they did not.
    relevant
        Key of the document to its grade.
    """

    id: str
    question: str
    said: tuple[Exchange, ...]
    rewritten: str
    relevant: Mapping[str, int]


def run(
    settings: Settings,
    data: Path,
    *,
    part: Part = "report",
    limit: int | None = None,
    model: bool = True,
    seed: int = 0,
    report: Report,
) -> tuple[Table, ...]:
    """Compare ways to understand follow-ups; the first turn of a conversation, which is none, is left out.

    Parameters
    ----------
    data
        Folder with ``beir`` and ``qa``.
    part
        Which half of the conversations; the rules and prompts were made on ``tune``.
    limit
        Turns of each set, at most; the first ones of a random order.
    model
        Whether the language model is asked too. What it said before is read from the home.
    seed
        Of that order and of the resampling; the halves are the same for all seeds.
    """
    home = settings.home / "benchmarks"
    folders = require(data, tuple(SETS.values()))
    sets = {
        "mtRAG, questions only": [turn for folder in folders for turn in read_user_turns(folder)],
        "mtRAG-UN, with answers": read_dialogues(data / LABELLED, folders),
    }
    say = _cached(settings, home / "follow-ups" / "said.jsonl") if model else None
    turns = {
        f"{title}, {HALVES[part]}": _drawn([turn for turn in found if half(turn.id) == part], limit, seed)
        for title, found in sets.items()
    }
    asked = {title: readings(found, say, partial(report, title)) for title, found in turns.items()}
    panel = make_panel(settings, home / "abstention" / "slices")
    try:
        for folder in folders:
            index(panel, settings, folder, report)
        return tuple(_table(panel, title, found, asked[title], seed) for title, found in turns.items())
    finally:
        panel.close()


def read_user_turns(folder: Path) -> list[Turn]:
    """The turns of mtRAG but the first of each conversation, in the user's words and as people rewrote them."""
    judged = BeirSet.read(folder)
    last = BeirSet.read(folder, queries_file="queries_lastturn.jsonl").queries
    whole = BeirSet.read(folder, queries_file="queries_allturns.jsonl").queries
    found = []
    for key, grades in judged.qrels.items():
        *said, _ = [text.strip() for text in whole[key].split(USER)[1:]]
        if said:
            exchanges = tuple(Exchange(text) for text in said)
            found.append(Turn(key, last[key].strip(), exchanges, judged.queries[key], grades))
    return found


def read_dialogues(path: Path, folders: Sequence[Path]) -> list[Turn]:
    """The judged tasks of mtRAG-UN that have turns before the last.

    Raises
    ------
    InputError
        The file cannot be read, or a line lacks a field.
    """
    judged: dict[str, Mapping[str, int]] = {}
    for folder in folders:
        judged |= BeirSet.read(folder, "un", queries_file="queries_un.jsonl").qrels
    found = []
    for number, record in json_lines(path):
        try:
            key, turns = str(record["task_id"]), [(str(t["speaker"]), str(t["text"])) for t in record["input"]]
        except (KeyError, TypeError) as error:
            raise malformed(path, number, f"{error!r}", "Each line must be a task of mtRAG-UN.") from error
        said = exchanges(turns[:-1])
        if key in judged and said:
            found.append(Turn(key, turns[-1][1].strip(), said, "", judged[key]))
    return found


def readings(turns: Sequence[Turn], say: Say | None, report: Callable[[int, int], None]) -> dict[str, list[str]]:
    """What is searched for each turn, by the way it is understood."""
    asked = {
        ALONE: [turn.question for turn in turns],
        WHOLE: ["\n".join([*(e.question for e in turn.said), turn.question])[-LONGEST:] for turn in turns],
        RULES: [follow(turn.question, turn.said) for turn in turns],
    }
    if say is not None:
        asked[MODEL] = []
        for number, turn in enumerate(turns):
            report(number, len(turns))
            asked[MODEL].append(follow(turn.question, turn.said, say))
    if all(turn.rewritten for turn in turns):
        asked[PEOPLE] = [turn.rewritten for turn in turns]
    return asked


def _table(panel: Panel, title: str, turns: Sequence[Turn], asked: Mapping[str, Sequence[str]], seed: int) -> Table:
    qrels = {turn.id: turn.relevant for turn in turns}
    runs = {name: _searched(panel, name, turns, texts) for name, texts in asked.items()}
    systems = {name: score_run(found, qrels, MEASURES).values for name, found in runs.items()}
    conversations = [conversation(turn.id) for turn in turns]
    few = len(set(conversations)) < FEW
    leaning = sum(dependent(turn.question) for turn in turns)
    notes = (
        f"{leaning} of the {len(turns)} questions lean on what was said, by the rules; the others are left as they are.",
        f"A cluster is a conversation{'; from so few the intervals are somewhat too narrow' if few else ''}.",
        *([] if MODEL not in asked else [_changed(asked[RULES], asked[MODEL], asked[ALONE])]),
    )
    return compare(title, systems, seed=seed, notes=notes, clusters=conversations)


def _searched(panel: Panel, name: str, turns: Sequence[Turn], texts: Sequence[str]) -> Run:
    """What the panel finds, routed as in the product, but without the gate."""
    found = panel.rank_many(list(texts), DEPTH, Wishes(retrieval=True))
    hits = [[(passage.key, score) for passage, score in ranked] for _, ranked in found]
    return Run(name, dict(zip((turn.id for turn in turns), hits, strict=True)))


def _changed(rules: Sequence[str], model: Sequence[str], alone: Sequence[str]) -> str:
    own = sum(m not in (r, a) for m, r, a in zip(model, rules, alone, strict=True))
    return f"The language model's rewriting was taken for {own} questions; for the others it failed its check or was not asked."


def _cached(settings: Settings, file: Path) -> Say:
    """The language model; what it said is kept, a line for each prompt."""
    model = language_model(settings.models)
    known = _read(file)

    def say(question: str, heard: Sequence[Exchange]) -> str:
        prompt = prompts.in_full(question, [(e.question, e.answer) for e in heard])
        key = hashlib.sha256(json.dumps([model.name, prompt]).encode()).hexdigest()
        if key not in known:
            known[key] = in_full(model, question, heard)
            with file.open("a", encoding="utf-8") as stream:
                stream.write(json.dumps({"key": key, "question": question, "said": known[key]}) + "\n")
        return known[key]

    return say


def _read(file: Path) -> dict[str, str]:
    """What is kept; a last line that was cut off is left out."""
    file.parent.mkdir(parents=True, exist_ok=True)
    known: dict[str, str] = {}
    for line in file.read_text(encoding="utf-8").splitlines() if file.is_file() else ():
        try:
            record: Any = json.loads(line)
        except ValueError:
            continue
        known[record["key"]] = record["said"]
    return known


def _drawn(turns: Sequence[Turn], limit: int | None, seed: int) -> list[Turn]:
    if limit is None or limit >= len(turns):
        return list(turns)
    return [turns[place] for place in np.random.default_rng(seed).permutation(len(turns))[:limit]]
