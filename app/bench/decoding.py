"""Decoding policies beside one another: same model, same prompts, same questions, one run that may be interrupted.

What each policy says is found for all of them at once (see ``app.bench.lockstep``); how long each takes is measured on
some of the questions by decoding with each alone, in turns.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import zip_longest
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from app.bench.citations.contexts import Corpus
from app.bench.lockstep import answers
from app.models.resolve import resolve
from evaluation.answers import contains
from evaluation.decoding import AnswerFunction, Comparison, Said, TimedAnswer, ask, compare_slices
from evaluation.kept import Kept, Record
from evaluation.slices import ContextQuestion, OpenQuestion, Part, load_misled, load_swapped
from generators import prompts
from generators.decoding.decode import decode
from generators.decoding.drafts import drafts
from generators.models.language_model import LocalModel
from generators.policies.base import Policy
from generators.policies.registry import POLICIES, policy

if TYPE_CHECKING:
    from app.settings import Settings

MAX_TOKENS = 16
STOP = ("\n",)
BASELINE, REFERENCE = "adacad", "greedy"
ALONE = "memory"  # greedy without the context, which is no policy but a row of the table
RELATED = 10  # passages among which one without any right answer is looked for
_TAG = re.compile(r"</?[A-Za-z]+[^>]*>")


class Report(Protocol):
    """Told how far the work is."""

    def __call__(self, what: str, done: int, total: int) -> None:
        """``done`` of ``total`` steps of ``what``."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What is measured.

    Parameters
    ----------
    data
        Folder that holds ``qa`` and ``beir``.
    questions
        In each slice; the third has fewer where the model knows fewer.
    timed
        Questions with their changed context on which each policy is timed alone.
    part
        Of the questions; a policy is tuned on one part and reported on the other.
    """

    data: Path
    questions: int = 300
    timed: int = 30
    seed: int = 0
    part: Part = "report"
    policies: tuple[str, ...] = tuple(POLICIES)


def run(settings: Settings, plan: Plan, out: Path, report: Report) -> Comparison:
    """Compare decoding policies where the context is right against memory, right with it, and wrong.

    Parameters
    ----------
    out
        Folder of what was said; an interrupted run goes on from there.

    Returns
    -------
    Comparison
        Exact match and the errors of trust on every slice, with intervals and tests against AdaCAD, and wall time a
        token beside greedy's.
    """
    models = settings.models
    folder = resolve(models.generator, "generator", models.folder)
    model = LocalModel(folder, models.dtype, models.threads or None)
    model.load()
    bench = _Bench(model, plan, out, report)
    slices = bench.slices()
    said = [*bench.spoken(slices), *bench.timed(slices["conflict"][: plan.timed])]
    title = f"{model.name}, part '{plan.part}', seed {plan.seed}"
    return compare_slices(
        slices,
        said,
        policies=[ALONE, *plan.policies],
        baseline=BASELINE,
        reference=REFERENCE,
        title=title,
        seed=plan.seed,
    )


class _Bench:
    def __init__(self, model: LocalModel, plan: Plan, out: Path, report: Report) -> None:
        self.model = model
        self.plan = plan
        self.report = report
        self.policies = {name: policy(name) for name in plan.policies}
        self.folder = out / model.name
        self.folder.mkdir(parents=True, exist_ok=True)

    def slices(self) -> dict[str, list[ContextQuestion]]:
        """The three slices; of the third, those whose passage was changed also on their own."""
        plan, questions = self.plan, self.plan.data / "qa"
        swaps = questions / "nq-swap"
        conflict, agreeing = load_swapped(swaps, plan.questions, part=plan.part, seed=plan.seed)
        files = [
            questions / "nq-open" / "NQ-open.dev.jsonl",
            questions / "triviaqa-1000" / "test.jsonl",
            questions / "popqa-1000" / "test.jsonl",
        ]
        corpus = Corpus(plan.data / "beir" / "hotpotqa-1000" / "corpus.jsonl")
        known = self._known()
        misled: list[ContextQuestion] = load_misled(
            swaps,
            files,
            knows=known,
            search=lambda q: _related(corpus, q),
            n=plan.questions,
            part=plan.part,
            seed=plan.seed,
        )
        changed = [item for item in misled if item.kind == "misleading"]
        slices = {"conflict": conflict, "no conflict": agreeing, "context wrong": misled, "wrong, changed": changed}
        return {name: items for name, items in slices.items() if items}

    def spoken(self, slices: Mapping[str, Sequence[ContextQuestion]]) -> list[Said]:
        """What every policy says to every item, and what memory alone says."""
        turns = zip_longest(*slices.values())  # in turns, so that of a run cut short each slice has its share
        items = list({item.id: item for turn in turns for item in turn if item is not None}.values())
        kept = Kept(self.folder / "said.jsonl", "item", "policy")
        names = [ALONE, *self.plan.policies]
        for done, item in enumerate(items):
            self.report("questions", done, len(items))
            missing = {name: self.policies[name] for name in self.plan.policies if kept.get(item.id, name) is None}
            if not missing and kept.get(item.id, ALONE) is not None:
                continue
            with_context, without = self._prompts(item)
            texts = answers(self.model, with_context, without, missing, max_tokens=MAX_TOKENS, stop=STOP)
            if kept.get(item.id, ALONE) is None:
                texts[ALONE] = drafts(self.model, [without], max_tokens=MAX_TOKENS, stop=STOP)[0].text.strip()
            for name, text in texts.items():
                kept.add(Said(item.id, name, text, 0, 0.0).to_dict())
        wanted = {(item.id, name) for item in items for name in names}
        return [one for one in map(_said, kept) if (one.item, one.policy) in wanted]

    def timed(self, items: Sequence[ContextQuestion]) -> list[Said]:
        """Answers that each policy decoded alone, with tokens and seconds."""
        kept = Kept(self.folder / "timed.jsonl", "item", "policy")
        known = [_said(record) for record in kept]
        functions: dict[str, AnswerFunction] = {name: self._timed(one) for name, one in self.policies.items()}
        total = len(items) * len(functions)
        for done, one in enumerate(ask(items, functions, seed=self.plan.seed, known=known)):
            self.report("timed answers", done + len(known), total)
            kept.add(one.to_dict())
        wanted = {item.id for item in items}
        return [one for one in map(_said, kept) if one.item in wanted and one.policy in functions]

    def _timed(self, chosen: Policy) -> AnswerFunction:
        def answer(item: ContextQuestion) -> TimedAnswer:
            with_context, without = self._prompts(item)
            memory = without if chosen.needs_memory else None
            pieces, times = [], []
            for step in decode(self.model, with_context, memory, chosen, max_tokens=MAX_TOKENS, stop=STOP):
                pieces.append(step.text)
                times.append(time.perf_counter())
            # The first step holds the reading of the prompts.
            return TimedAnswer("".join(pieces).strip(), max(1, len(times) - 1), times[-1] - times[0])

        return answer

    def _prompts(self, item: ContextQuestion) -> tuple[list[int], list[int]]:
        context = " ".join(_TAG.sub(" ", item.context).split())
        with_context = self.model.chat_tokens(prompts.short_answer(item.question, context))
        return with_context, self.model.chat_tokens(prompts.short_answer(item.question))

    def _known(self) -> Callable[[Sequence[OpenQuestion]], list[bool]]:
        """Whether the model's own answer holds a right one; what it said is kept."""
        kept = Kept(self.folder / "closed-book.jsonl", "question")
        said: dict[str, str] = {record["question"]: record["text"] for record in kept}

        def known(questions: Sequence[OpenQuestion]) -> list[bool]:
            new = [each.question for each in questions if each.question not in said]
            rows = [self.model.chat_tokens(prompts.short_answer(question)) for question in new]
            found = [draft.text.strip() for draft in drafts(self.model, rows, max_tokens=MAX_TOKENS, stop=STOP)]
            for question, text in zip(new, found, strict=True):
                said[question] = text
                kept.add({"question": question, "text": text})
            self.report("closed-book answers", len(said), 0)
            return [contains(said[each.question], each.gold) == 1.0 for each in questions]

        return known


def _related(corpus: Corpus, question: str) -> list[str]:
    return [corpus.passages[row].text for row in corpus.nearest(question, RELATED)]


def _said(record: Record) -> Said:
    return Said(**record)
