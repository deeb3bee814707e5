"""Do answers show that their sources disagree? Measured on questions whose documents are known to.

The set is RAMDocs (Wang et al., "Retrieval-Augmented Generation with Conflicting Evidence", arXiv 2504.13079): each question
comes with documents that are correct (for one of several entities that it may mean), misinformation, or noise. This
room runs no model: it is handed functions.

A question is a **conflict** where its correct and misinforming documents give two or more different answers, after
SQuAD's normalisation: by ambiguity, where the correct ones do; by misinformation, where a misinforming one gives an answer
that no correct one does; or by both. Most questions of the set are, so that saying "conflict" always looks good; so each
conflict also has a **twin**: the same question with the documents of its first correct answer and the noise alone.
Labels are of how a document was made; some that are labelled correct or noise misinform all the same, and lower the scores
of whoever notices.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal, get_args

import numpy as np

from evaluation.answers import contains, normalise
from evaluation.comparison import compare
from evaluation.files import json_lines, malformed
from evaluation.intervals import Interval, percentile_interval
from evaluation.report import Row, Table
from indexes.errors import InputError

DocumentKind = Literal["correct", "misinfo", "noise"]
ConflictKind = Literal["none", "ambiguity", "misinformation", "both"]
QUALITY = ("strict", "all gold", "any wrong")
DETECTION = ("precision", "recall", "F1", "twins F1")
RESAMPLES = 10_000


@dataclass(frozen=True, slots=True)
class SourceDocument:
    """A document, what it is to its question, and the answer that it gives (``unknown`` where it is noise)."""

    text: str
    kind: DocumentKind
    answer: str


@dataclass(frozen=True, slots=True)
class SourceQuestion:
    """A question with its documents.

    Parameters
    ----------
    id
        The line's number in its file.
    gold, wrong
        All answers that are right, one for each entity that the question may mean; answers that are wrong.
    """

    id: str
    question: str
    documents: tuple[SourceDocument, ...]
    gold: tuple[str, ...]
    wrong: tuple[str, ...]

    @property
    def kind(self) -> ConflictKind:
        """How its documents disagree; see the module."""
        right, misleading = self._answers("correct"), self._answers("misinfo")
        ambiguous = len(right) > 1
        misinformed = bool(misleading - right) and len(right | misleading) > 1
        if ambiguous and misinformed:
            return "both"
        return "ambiguity" if ambiguous else "misinformation" if misinformed else "none"

    @property
    def conflict(self) -> bool:
        """Whether its correct and misinforming documents give two or more different answers."""
        return self.kind != "none"

    @property
    def twin(self) -> SourceQuestion:
        """The same question without disagreement: the documents of its first correct answer, and the noise.

        Some of these were rewritten to misinform in spite of their label, so those whose text contains another gold
        answer or a wrong one are left out. Where no document is correct, the first answer that is given is taken.
        """
        given = [each for each in self.documents if each.kind != "noise"]
        first = next((each for each in given if each.kind == "correct"), given[0] if given else None)
        answer = normalise(first.answer) if first else ""
        others = [each for each in (*self.gold, *self.wrong) if normalise(each) != answer]
        kept = tuple(
            each
            for each in self.documents
            if (each.kind == "noise" or normalise(each.answer) == answer) and not names_any(each.text, others)
        )
        return replace(self, id=f"{self.id} twin", documents=kept)

    def _answers(self, kind: DocumentKind) -> frozenset[str]:
        return frozenset(normalise(each.answer) for each in self.documents if each.kind == kind)


Answers = Mapping[str, Callable[[SourceQuestion], str]]
"""System name to the text of its answer."""
Detectors = Mapping[str, Callable[[SourceQuestion], bool]]
"""System name to whether it says that the sources disagree."""


def load_ramdocs(path: str | Path, *, seed: int = 0) -> tuple[list[SourceQuestion], list[SourceQuestion]]:
    """The questions in a drawn order: a third to tune on, and the rest to report.

    Parameters
    ----------
    path
        ``ramdocs.jsonl``, or the folder that holds it.

    Raises
    ------
    InputError
        The file is missing or a line is not what it should be; the message has its number.
    """
    file = Path(path)
    file = file / "ramdocs.jsonl" if file.is_dir() else file
    items = [_item(file, number, record) for number, record in json_lines(file)]
    order = [items[i] for i in np.random.default_rng(seed).permutation(len(items))]
    third = len(order) // 3
    return order[:third], order[third:]


def compare_source_conflicts(
    items: Sequence[SourceQuestion],
    answers: Answers,
    detectors: Detectors,
    *,
    baseline: str = "",
    title: str = "Sources that disagree",
    seed: int = 0,
) -> Table:
    """Answers and detection of all systems in one table.

    ``all gold`` is the share of answers that contain every gold answer, ``any wrong`` of those that contain a wrong one, and
    ``strict`` of those that do the first and not the second (the paper's measure). A gold answer that no document gives
    counts all the same. ``precision``, ``recall`` and ``F1`` are of finding conflicts among ``items`` as they are;
    ``twins F1`` is over the conflicts and as many twins. A precision without a find is 0.

    Parameters
    ----------
    baseline
        Of ``answers``; by default the first.
    detectors
        Names that are also in ``answers`` share their row. "always" is added, for what the shares alone give.

    Raises
    ------
    InputError
        There is no question, no system, or no baseline of that name.
    """
    if not items:
        raise InputError("There are no questions to answer.", "Take a limit of at least one.")
    scores = {name: _quality(items, answer) for name, answer in answers.items()}
    table = compare(title, scores, baseline=baseline, seed=seed)
    found = {name: _detection(items, detect, seed) for name, detect in detectors.items()}
    found["always"] = _detection(items, lambda _: True, seed)
    rows = [replace(row, values={**row.values, **found.pop(row.name, {})}) for row in table.rows]
    rows += [Row(name, len(items), values) for name, values in found.items()]
    notes = (*table.notes, _composition(items), *_recalls(items, detectors))
    return replace(table, measures=(*QUALITY, *DETECTION), rows=tuple(rows), notes=notes)


def names_all(text: str, gold: Sequence[str]) -> bool:
    """Whether ``text`` contains every gold answer."""
    return all(contains(text, [answer]) > 0 for answer in gold)


def names_any(text: str, wrong: Sequence[str]) -> bool:
    """Whether ``text`` contains a wrong answer."""
    return any(contains(text, [answer]) > 0 for answer in wrong)


def detection(said: Sequence[bool], true: Sequence[bool], *, seed: int = 0) -> dict[str, Interval]:
    """Precision, recall and F1 of what was ``said``, each with the percentile bootstrap interval over questions."""
    pairs = list(zip(said, true, strict=True))
    counts = np.array([pairs.count(cell) for cell in ((True, True), (True, False), (False, True), (False, False))])
    draws = np.random.default_rng(seed).multinomial(len(pairs), counts / len(pairs), size=RESAMPLES)
    values, drawn = _ratios(counts[None, :]), _ratios(draws)
    hits, alarms, misses, _ = (int(count) for count in counts)
    sizes = {"precision": hits + alarms, "recall": hits + misses}
    return {
        name: percentile_interval(float(values[name][0]), drawn[name], n=sizes.get(name) or None) for name in values
    }


def _ratios(counts: np.ndarray) -> dict[str, np.ndarray]:
    """From counts of hits, false alarms, misses and the rest, shape ``(n, 4)``; 0 where nothing can be divided."""
    hits, alarms, misses = (counts[:, i].astype(np.float64) for i in range(3))
    return {
        "precision": hits / np.maximum(hits + alarms, 1),
        "recall": hits / np.maximum(hits + misses, 1),
        "F1": 2 * hits / np.maximum(2 * hits + alarms + misses, 1),
    }


def _quality(items: Sequence[SourceQuestion], answer: Callable[[SourceQuestion], str]) -> dict[str, list[float]]:
    texts = [answer(item) for item in items]
    right = [names_all(text, item.gold) for text, item in zip(texts, items, strict=True)]
    wrong = [names_any(text, item.wrong) for text, item in zip(texts, items, strict=True)]
    strict = [a and not b for a, b in zip(right, wrong, strict=True)]
    return {name: [float(v) for v in values] for name, values in zip(QUALITY, (strict, right, wrong), strict=True)}


def _detection(
    items: Sequence[SourceQuestion], detect: Callable[[SourceQuestion], bool], seed: int
) -> dict[str, Interval]:
    said = {item.id: detect(item) for item in items}
    found = detection(list(said.values()), [item.conflict for item in items], seed=seed)
    conflicts = [item for item in items if item.conflict]
    if conflicts:
        both = [said[item.id] for item in conflicts] + [detect(item.twin) for item in conflicts]
        truth = [True] * len(conflicts) + [False] * len(conflicts)
        found["twins F1"] = detection(both, truth, seed=seed)["F1"]
    return found


def _composition(items: Sequence[SourceQuestion]) -> str:
    counts = [f"{kind} {sum(item.kind == kind for item in items)}" for kind in get_args(ConflictKind)]
    return f"Disagreement of the {len(items)} questions: {', '.join(counts)}."


def _recalls(items: Sequence[SourceQuestion], detectors: Detectors) -> list[str]:
    lines = []
    for name, detect in detectors.items():
        shares = []
        for kind in get_args(ConflictKind):
            said = [detect(item) for item in items if item.kind == kind]
            shares.append(f"{kind} {sum(said)} of {len(said)}")
        twins = [detect(item.twin) for item in items if item.conflict]
        lines.append(f"{name} says conflict for: {', '.join(shares)}; twins {sum(twins)} of {len(twins)}.")
    return lines


def _item(file: Path, number: int, record: Mapping[str, Any]) -> SourceQuestion:
    try:
        documents = tuple(SourceDocument(d["text"], d["type"], d["answer"]) for d in record["documents"])
        item = SourceQuestion(
            str(number),
            record["question"],
            documents,
            tuple(record["gold_answers"]),
            tuple(dict.fromkeys(record["wrong_answers"])),
        )
    except (KeyError, TypeError) as error:
        fix = "It needs question, documents (text, type, answer), gold_answers and wrong_answers."
        raise malformed(file, number, f"not a question of RAMDocs ({error!r})", fix) from error
    strange = {each.kind for each in documents} - set(get_args(DocumentKind))
    if strange or not item.gold:
        problem = f"documents of type {', '.join(sorted(strange))}" if strange else "no gold answer"
        raise malformed(
            file, number, problem, f"Types are {', '.join(get_args(DocumentKind))}; gold answers are needed."
        )
    return item
