"""Decoding policies beside one another on NQ-Swap: same model, same prompts, same questions, one run."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from app.models.resolve import resolve
from evaluation.decoding import ContextQuestion, TimedAnswer, compare_policies, load_nq_swap
from generators import prompts
from generators.decoding import decode
from generators.language_model import LocalModel
from generators.policies import Policy, policy

if TYPE_CHECKING:
    from app.settings import Settings
    from evaluation.report import Table

MAX_TOKENS = 16
POLICIES = ("greedy", "adacad")
_TAG = re.compile(r"</?[A-Za-z]+[^>]*>")


def run(settings: Settings, data: Path, *, n: int = 200, seed: int = 0, on_progress: Callable[[str], None]) -> Table:
    """Compare greedy decoding with AdaCAD where the context contradicts what the model learned.

    Parameters
    ----------
    data
        ``nq-swap/dev.parquet``.
    n, seed
        How many questions are drawn, and the seed of the draw.

    Returns
    -------
    Table
        Exact match, contains and F1 against the context's answer, with intervals; seconds a token beside greedy's.
    """
    items = load_nq_swap(data, n, seed=seed)
    model = LocalModel(
        resolve(settings.models.generator, "generator", settings.models.folder),
        settings.models.dtype,
        settings.models.threads or None,
    )
    model.load()
    done = 0

    def note(_: object) -> None:
        nonlocal done
        done += 1
        on_progress(f"{done} of {len(items) * len(POLICIES)} answers")

    functions = {name: _answerer(model, policy(name)) for name in POLICIES}
    title = f"NQ-Swap, {model.name}, {n} questions, seed {seed}"
    return compare_policies(items, functions, baseline="greedy", title=title, seed=seed, on_answer=note)


def _answerer(model: LocalModel, chosen: Policy) -> Callable[[ContextQuestion], TimedAnswer]:
    def answer(item: ContextQuestion) -> TimedAnswer:
        context = " ".join(_TAG.sub(" ", item.context).split())
        with_context = model.chat_tokens(prompts.short_answer(item.question, context))
        memory = model.chat_tokens(prompts.short_answer(item.question)) if chosen.needs_memory else None
        pieces, times = [], []
        for step in decode(model, with_context, memory, chosen, max_tokens=MAX_TOKENS, stop=("\n",)):
            pieces.append(step.text)
            times.append(time.perf_counter())
        # The first step holds the reading of the prompt, which is the same work for every policy.
        return TimedAnswer("".join(pieces).strip(), max(1, len(times) - 1), times[-1] - times[0])

    return answer
