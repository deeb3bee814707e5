"""Retrieve or not: what the gate saves and what it must not skip, with and without the language model's own draft."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from app.bench.gate import questions as sets
from app.bench.gate.questions import TRICKY, TRIVIA, Put
from app.bench.overhead import find_slices
from app.models.resolve import resolve
from app.wiring import make_panel
from evaluation.abstention import auroc
from evaluation.answers import contains, exact_match
from evaluation.gate import Gated, Skips, area, by_kind, decisions, share, utility
from evaluation.report import Row, Table
from generators import prompts
from generators.decoding.drafts import Draft, drafts
from generators.decoding.knowing import DRAFT_TOKENS
from generators.decoding.uncertainty import MEASURES, Threshold, uncertainties
from generators.models.language_model import LocalModel
from indexes.errors import InputError
from retrievers.parts import parts
from retrievers.router import Knows, ScoredRouter, Wishes, combine

if TYPE_CHECKING:
    from app.settings import Settings
    from retrievers.evidence import Evidence
    from retrievers.panel import Panel

QUESTION_ONLY = "question alone"
KNOWN, HELD, UNKNOWN = "trivia the model knows", "trivia it knows, with a source", "trivia it does not know"
BUDGETS = (0.02, 0.1)
AREAS = {measure: f"AUROC {measure}" for measure in MEASURES}
AT_ONCE = 32

Messages = list[dict[str, str]]
Drafter = Callable[[Sequence[Messages]], list[Draft]]
Report = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Sizes:
    """How many questions are drawn: of each domain, of each set of trivia, to fit the thresholds, to answer both ways."""

    domain: int = 200
    trivia: int = 300
    fit: int = 200
    answers: int = 60
    seed: int = 0


def run(
    settings: Settings,
    slices: Path | None,
    beir: Sequence[Path],
    qa: Path,
    sizes: Sizes,
    *,
    report: Report,
    drafter: Drafter | None = None,
) -> list[Table]:
    """Measure the gate on a panel.

    Parameters
    ----------
    slices
        Folder of slices; by default those of the retrieval benchmark, or else the demo's.
    beir
        BEIR folders; those whose slice is on the panel give the domain questions.
    qa
        Folder with the sets of trivia.
    drafter
        Gives closed-book and open-book drafts; by default the language model of the settings.
    """
    panel = make_panel(settings, find_slices(settings, slices))
    try:
        panel.open()
        folders = [folder for folder in beir if folder.resolve().name in panel.experts]
        if not folders:
            problems = "".join(f"\n{name}: {problem}" for name, problem in panel.problems.items())
            raise InputError(
                f"None of the folders has a slice on the panel.{problems}", "Run `symposia bench retrieval` first."
            )
        return _Bench(panel, drafter or _drafter(settings, report), sizes, report).tables(folders, qa)
    finally:
        panel.close()


class _Bench:
    """One run over one panel."""

    def __init__(self, panel: Panel, drafter: Drafter, sizes: Sizes, report: Report) -> None:
        self.panel = panel
        self.drafter = drafter
        self.sizes = sizes
        self.report = report

    def tables(self, folders: Sequence[Path], qa: Path) -> list[Table]:
        """What the model knows; what is skipped by kind, in all, and without trivia; and what that does to answers."""
        sizes = self.sizes
        trivia = sets.trivia(qa, sizes.trivia, sizes.seed)
        closed = self._closed([put.text for put in trivia])
        right = [contains(draft.text, put.gold) for put, draft in zip(trivia, closed, strict=True)]
        domain = sets.domain(folders, sizes.domain, sizes.seed)
        asked = [*sets.written(), *trivia, *domain]
        gated = [*self._written(), *self._sorted(trivia, right), *(Gated(put.kind, needless=False) for put in domain)]
        skips = self._skips([put.text for put in asked], folders)
        answered = self._answered(asked, gated)
        names = f"{len(self.panel.experts)} experts, seed {sizes.seed}"
        plain = [i for i, question in enumerate(gated) if question.kind not in (KNOWN, HELD, UNKNOWN)]
        without_trivia = {name: [skipped[i] for i in plain] for name, skipped in skips.items()}
        return [
            _self_knowledge(trivia, closed, right),
            by_kind(f"Retrieval skipped by kind, {names}", gated, skips),
            _decisions(f"The gate, {names}", gated, skips, sizes.seed),
            _decisions(f"The gate without trivia, {names}", [gated[i] for i in plain], without_trivia, sizes.seed),
            utility(f"Answers with the gate, {names}", answered, skips, seed=sizes.seed),
        ]

    def _written(self) -> list[Gated]:
        return [Gated(put.kind, put.kind != TRICKY) for put in sets.written()]

    def _sorted(self, trivia: Sequence[Put], right: Sequence[float]) -> list[Gated]:
        """Retrieval of what the model knows is needless unless a slice holds the answer: then a source can be shown."""
        self.report("evidence for trivia")
        found = self.panel.retrieve_many([put.text for put in trivia], Wishes(retrieval=True))
        kinds = []
        for put, known, (_, evidence) in zip(trivia, right, found, strict=True):
            held = any(contains(item.passage.searchable, put.gold) for item in evidence)
            kinds.append(UNKNOWN if not known else HELD if held else KNOWN)
        return [Gated(kind, kind == KNOWN) for kind in kinds]

    def _skips(self, texts: Sequence[str], folders: Sequence[Path]) -> dict[str, list[bool]]:
        """Decisions of the router as it is, and with a draft of what it would retrieve at several budgets."""
        fitted = self._closed(sets.to_fit(folders, self.sizes.fit, self.sizes.seed))
        pieces = [parts(text) for text in texts]
        flat = [piece for each in pieces for piece in each]
        vectors = dict(zip(flat, self.panel.encoder.encode_questions(flat), strict=True))
        wanted: dict[str, None] = {}

        def want(question: str) -> bool:
            wanted[question] = None
            return False

        plain = self._routes(pieces, vectors, want)
        drafted = dict(zip(wanted, self._closed(list(wanted)), strict=True))
        skips = {QUESTION_ONLY: plain}
        for budget in BUDGETS:
            threshold = Threshold.of(uncertainties(fitted, "margin"), budget)
            name = f"and the model sure, {budget:.0%}"
            skips[name] = self._routes(pieces, vectors, lambda q, t=threshold: t.knows(drafted[q]))  # type: ignore[misc]
        return skips

    def _routes(self, pieces: Sequence[Sequence[str]], vectors: dict[str, Any], knows: Knows) -> list[bool]:
        router = self.panel.router
        if not isinstance(router, ScoredRouter):
            raise InputError("This router has no gate.", "Use the panel's own.")
        profiles = {name: expert.profile for name, expert in self.panel.experts.items()}
        sure = replace(router, knows=knows)
        routes = [combine([sure.route(p, vectors[p], profiles, Wishes()) for p in each]) for each in pieces]
        return [route.decision == "skip" for route in routes]

    def _answered(self, asked: Sequence[Put], gated: Sequence[Gated]) -> list[Gated]:
        """The same questions, a draw of those with gold answers answered without retrieval and with it."""
        with_gold = [i for i, put in enumerate(asked) if put.gold]
        drawn: list[int] = []
        for kind in sorted({asked[i].kind for i in with_gold}):
            own = [i for i in with_gold if asked[i].kind == kind]
            drawn += np.random.default_rng(self.sizes.seed).permutation(own)[: self.sizes.answers].tolist()
        texts = [asked[i].text for i in drawn]
        without = self._closed(texts)
        found = self.panel.retrieve_many(texts, Wishes(retrieval=True))
        contexts = [_context(evidence) for _, evidence in found]
        open_book = self.drafter([prompts.short_answer(t, c) for t, c in zip(texts, contexts, strict=True)])
        result = list(gated)
        for i, closed, opened in zip(drawn, without, open_book, strict=True):
            gold = asked[i].gold
            result[i] = replace(gated[i], without=contains(closed.text, gold), with_=contains(opened.text, gold))
        return result

    def _closed(self, texts: Sequence[str]) -> list[Draft]:
        return self.drafter([prompts.short_answer(text) for text in texts])


def _context(evidence: Sequence[Evidence]) -> str:
    return "\n\n".join(item.passage.searchable for item in evidence)


def _decisions(title: str, questions: Sequence[Gated], skips: Skips, seed: int) -> Table:
    """``decisions``, with a note on what the questions are that need retrieval."""
    kinds = [question.kind for question in questions if not question.needless]
    written, trivia = kinds.count(TRICKY), sum(kind in (HELD, UNKNOWN) for kind in kinds)
    sorts = [f"{len(kinds) - written - trivia} test questions of the slices", f"{written} written {TRICKY}"]
    if trivia:
        sorts.append(f"{trivia} of trivia that the model does not know or a slice holds")
    table = decisions(title, questions, skips, seed=seed)
    return replace(table, notes=(*table.notes, f"The others are {', '.join(sorts)}."))


def _self_knowledge(trivia: Sequence[Put], closed: Sequence[Draft], right: Sequence[float]) -> Table:
    """What the model knows by itself, and how well its uncertainty tells when."""
    rows = []
    for name in TRIVIA:
        own = [i for i, put in enumerate(trivia) if put.kind == name]
        correct = np.array([right[i] for i in own]) > 0
        values = {
            "contains": share(correct),
            "exact": share([exact_match(closed[i].text, trivia[i].gold) > 0 for i in own]),
        }
        if correct.any() and not correct.all():
            counts = int(correct.sum()), int((~correct).sum())
            for measure, column in AREAS.items():
                sure = -uncertainties([closed[i] for i in own], measure)
                values[column] = area(auroc(sure, correct), *counts)
        rows.append(Row(name, len(own), values))
    notes = (
        (
            "Answers that hold a gold answer, and that equal one; the area under the ROC curve by which low uncertainty tells "
            "the former from the rest. 95 % intervals: Wilson's, and Hanley and McNeil's."
        ),
    )
    return Table("Trivia from memory", ("contains", "exact", *AREAS.values()), tuple(rows), notes=notes)


def _drafter(settings: Settings, report: Report) -> Drafter:
    models = settings.models
    model = LocalModel(resolve(models.generator, "generator", models.folder), models.dtype, models.threads or None)

    def draft(messages: Sequence[Messages]) -> list[Draft]:
        found: list[Draft] = []
        for start in range(0, len(messages), AT_ONCE):
            report(f"drafts: {start} of {len(messages)}")
            rows = [model.chat_tokens(each) for each in messages[start : start + AT_ONCE]]
            found += drafts(model, rows, max_tokens=DRAFT_TOKENS)
        return found

    return draft
