"""Decoding policies beside one another: same model, same prompts, same questions, one run that may be interrupted.

What each policy says is found for all of them at once (see ``app.bench.lockstep``); how long each takes is measured on
some of the questions by decoding with each alone, in turns. All that was said is kept with a fingerprint of the model, the
policy and the prompts, and is found again only by the same.
"""

from __future__ import annotations

import re
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import zip_longest
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from app.bench.citations.contexts import Corpus
from app.bench.identity import identity
from app.bench.lockstep import answers
from app.models.resolve import resolve
from evaluation.answers import contains
from evaluation.decoding import AnswerFunction, Comparison, Said, TimedAnswer, ask, compare_slices
from evaluation.kept import OF, Kept, Record, fingerprint
from evaluation.slices import ContextQuestion, OpenQuestion, Part, load_misled, load_swapped
from generators import prompts
from generators.decoding.decode import decode
from generators.decoding.drafts import drafts
from generators.models.language_model import LocalModel
from generators.policies.base import Policy
from generators.policies.greedy import Greedy
from generators.policies.registry import POLICIES, policy

if TYPE_CHECKING:
    from app.settings import Settings

MAX_TOKENS = 16
STOP = ("\n",)
BASELINE, REFERENCE = "adacad", "greedy"
ALONE = "memory"  # greedy without the context, which is no policy but a row of the table
MEMORY = Greedy()
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
    said = with_times(bench.spoken(slices), bench.timed(slices["conflict"][: plan.timed]))
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


def with_times(spoken: Iterable[Said], timed: Iterable[Said]) -> list[Said]:
    """``spoken`` with the tokens and seconds of those that are in ``timed`` too; each keeps its text."""
    costs = {(one.item, one.policy): (one.tokens, one.seconds) for one in timed}
    found = []
    for one in spoken:
        tokens, seconds = costs.get((one.item, one.policy), (one.tokens, one.seconds))
        found.append(replace(one, tokens=tokens, seconds=seconds))
    return found


class _Bench:
    def __init__(self, model: LocalModel, plan: Plan, out: Path, report: Report) -> None:
        self.model = model
        self.plan = plan
        self.report = report
        self.policies = {name: policy(name) for name in plan.policies}
        self.identity = identity(model)
        folder = out / model.name
        self.said = Kept(folder / "said.jsonl", "item", "policy", OF)
        self.clocked = Kept(folder / "timed.jsonl", "item", "policy", OF)
        self.drafted = Kept(folder / "closed-book.jsonl", "question", OF)

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
        misled: list[ContextQuestion] = load_misled(
            swaps,
            files,
            knows=self.knows,
            search=lambda q: _related(corpus, q),
            n=plan.questions,
            part=plan.part,
            seed=plan.seed,
        )
        changed = [item for item in misled if item.kind == "misleading"]
        slices = {"conflict": conflict, "no conflict": agreeing, "context wrong": misled, "wrong, changed": changed}
        return {name: items for name, items in slices.items() if items}

    def knows(self, questions: Sequence[OpenQuestion]) -> list[bool]:
        """Whether memory alone holds a right answer: first by a batch of drafts, then by the answer that its row reports.

        The two are not always the same, because a batch is rounded otherwise than a prompt on its own.
        """
        found = []
        for each, text in zip(questions, self._drafts([each.question for each in questions]), strict=True):
            likely = contains(text, each.gold) == 1.0
            found.append(likely and contains(self._memory(each.id, each.question).text, each.gold) == 1.0)
        return found

    def spoken(self, slices: Mapping[str, Sequence[ContextQuestion]]) -> list[Said]:
        """What every policy says to every item, and what memory alone says."""
        turns = zip_longest(*slices.values())  # in turns, so that of a run cut short each slice has its share
        items = list({item.id: item for turn in turns for item in turn if item is not None}.values())
        found = []
        for done, item in enumerate(items):
            self.report("questions", done, len(items))
            found += [self._memory(item.id, item.question), *self._answers(item)]
        return found

    def timed(self, items: Sequence[ContextQuestion]) -> list[Said]:
        """Answers that each policy decoded alone, with tokens and seconds."""
        of = {(item.id, name): self._of(one, *_messages(item)) for item in items for name, one in self.policies.items()}
        kept = (self.clocked.get(*pair, digest) for pair, digest in of.items())
        known = [_said(record) for record in kept if record is not None]
        functions: dict[str, AnswerFunction] = {name: self._timed(one) for name, one in self.policies.items()}
        found = list(known)
        for one in ask(items, functions, seed=self.plan.seed, known=known):
            self.report("timed answers", len(found), len(of))
            self.clocked.add({**one.to_dict(), OF: of[one.item, one.policy]})
            found.append(one)
        return found

    def _answers(self, item: ContextQuestion) -> list[Said]:
        """What each policy answers; those that are not kept are decoded together."""
        of = {name: self._of(one, *_messages(item)) for name, one in self.policies.items()}
        missing = {name: self.policies[name] for name in of if self.said.get(item.id, name, of[name]) is None}
        if missing:
            texts = answers(self.model, *self._prompts(item), missing, max_tokens=MAX_TOKENS, stop=STOP)
            for name, text in texts.items():
                self.said.add({**Said(item.id, name, text, 0, 0.0).to_dict(), OF: of[name]})
        records = (self.said.get(item.id, name, digest) for name, digest in of.items())
        return [_said(record) for record in records if record is not None]

    def _memory(self, item: str, question: str) -> Said:
        """What memory alone answers to the question of an item."""
        messages = prompts.short_answer(question)
        of = self._of(MEMORY, messages)
        record = self.said.get(item, ALONE, of)
        if record is None:
            row = self.model.chat_tokens(messages)
            text = drafts(self.model, [row], max_tokens=MAX_TOKENS, stop=STOP)[0].text.strip()
            record = {**Said(item, ALONE, text, 0, 0.0).to_dict(), OF: of}
            self.said.add(record)
        return _said(record)

    def _drafts(self, questions: Sequence[str]) -> list[str]:
        """Closed-book answers, those that are not kept found in batches."""
        asked = {question: prompts.short_answer(question) for question in questions}
        of = {question: self._of(MEMORY, messages) for question, messages in asked.items()}
        new = [question for question in asked if self.drafted.get(question, of[question]) is None]
        rows = [self.model.chat_tokens(asked[question]) for question in new]
        found = drafts(self.model, rows, max_tokens=MAX_TOKENS, stop=STOP)
        for question, draft in zip(new, found, strict=True):
            self.drafted.add({"question": question, "text": draft.text.strip(), OF: of[question]})
        self.report("closed-book answers", len(self.drafted), 0)
        records = (self.drafted.get(question, of[question]) for question in questions)
        return [record["text"] for record in records if record is not None]

    def _of(self, chosen: Policy, *asked: prompts.Messages) -> str:
        """What an answer depends on besides its item."""
        return fingerprint(repr(chosen), *self.identity, MAX_TOKENS, STOP, asked)

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
        with_context, without = _messages(item)
        return self.model.chat_tokens(with_context), self.model.chat_tokens(without)


def _messages(item: ContextQuestion) -> tuple[prompts.Messages, prompts.Messages]:
    """The prompts with the item's context, without its markup, and without it."""
    context = " ".join(_TAG.sub(" ", item.context).split())
    return prompts.short_answer(item.question, context), prompts.short_answer(item.question)


def _related(corpus: Corpus, question: str) -> list[str]:
    return [corpus.passages[row].text for row in corpus.nearest(question, RELATED)]


def _said(record: Record) -> Said:
    return Said(**{name: value for name, value in record.items() if name != OF})
