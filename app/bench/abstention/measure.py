"""What is measured of each question: evidence, the model's draft, and its word on whether the sources answer."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from app.bench.abstention.questions import Labelled
from app.bench.identity import identity
from evaluation.kept import Kept, fingerprint
from generators import prompts
from generators.citations.support import support
from generators.verdicts.confidence import evidence_signals
from generators.verdicts.sufficiency import prompt, yes_over_no
from generators.verdicts.verdict import refuses, unknown_names
from retrievers.evidence import Evidence, Route
from retrievers.router import Wishes

if TYPE_CHECKING:
    from generators.models.language_model import LocalModel
    from retrievers.panel import Panel

TOKENS = 14
WIDE = 40  # hits among which enough are left when the relevant ones are taken out

Report = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class Measured:
    """One question with its signals, by name.

    Parameters
    ----------
    found
        Whether a relevant passage is among the evidence.
    """

    question: Labelled
    found: bool
    signals: dict[str, float]


Searched = tuple[Labelled, Route, tuple[Evidence, ...]]


def search(panel: Panel, questions: Sequence[Labelled]) -> list[Searched]:
    """The evidence of each question, as the product gathers it from what may be searched."""
    return [(question, *_evidence(panel, question)) for question in questions]


def measure(model: LocalModel | None, searched: Sequence[Searched], kept: Path, report: Report) -> list[Measured]:
    """Signals of each question; with a model, also those of a short draft. What was measured before is read from ``kept``.

    Parameters
    ----------
    kept
        A JSONL file of what the model said; it grows by a line as soon as a question is done.
    """
    known = Kept(kept, "key")
    done = []
    for number, (question, route, evidence) in enumerate(searched):
        report(number, len(searched))
        signals = _retrieval(question, route, evidence)
        if model is not None and evidence:
            key = _key(model, question.question, evidence)
            if known.get(key) is None:
                known.add({"key": key, "signals": _model(model, question.question, evidence)})
            signals |= (known.get(key) or {})["signals"]
        found = any(item.passage.key in question.relevant for item in evidence)
        done.append(Measured(question, found, signals))
    return done


def _evidence(panel: Panel, question: Labelled) -> tuple[Route, tuple[Evidence, ...]]:
    if question.sources == "without the slice":
        return panel.retrieve(question.question, Wishes(retrieval=True, forbid=(question.slice,)))
    if question.sources == "all":
        return panel.retrieve(question.question, Wishes(retrieval=True))
    route, evidence = panel.retrieve(question.question, Wishes(retrieval=True), WIDE)
    return route, tuple(e for e in evidence if e.passage.key not in question.relevant)[: panel.retrieval.passages]


def _retrieval(question: Labelled, route: Route, evidence: Sequence[Evidence]) -> dict[str, float]:
    return {
        **evidence_signals(evidence),
        "bm25": max((item.scores.get("bm25", 0.0) for item in evidence), default=0.0),
        "unknown names": float(unknown_names(question.question, route.unknown)),
    }


def _model(model: LocalModel, question: str, evidence: Sequence[Evidence]) -> dict[str, float]:
    """The model's word, its draft and how sure it was of it; the sources are read once."""
    state = model.prefill(
        [model.chat_tokens(prompts.with_sources(question, evidence)), prompt(model, question, evidence)]
    )
    signals = {"sufficient": yes_over_no(model, state.logits[1])}
    state.select([0])
    tokens, sure = _draft(model, state)
    text = model.decode(tokens)
    memory = (
        model.log_probs([model.chat_tokens(prompts.without_sources(question))], tokens)[0] if tokens else np.zeros(0)
    )
    degrees = [support(text, question, item.passage).degree for item in evidence]
    return signals | {
        "refused": float(refuses(text)),
        "sure": float(np.mean(sure)) if tokens else math.nan,
        "least sure": float(np.min(sure)) if tokens else math.nan,
        "contrast": float(np.mean(sure - memory)) if tokens else math.nan,
        "support": max(degrees),
    }


def _draft(model: LocalModel, state: Any) -> tuple[list[int], np.ndarray]:  # noqa: ANN401 (each model keeps its own kind of state)
    """The greedy draft's tokens, and the log-probability of each."""
    import torch

    tokens: list[int] = []
    sure: list[float] = []
    logits = state.logits
    while len(tokens) < TOKENS:
        token = int(torch.argmax(logits[0]))
        if token in model.eos_ids:
            break
        tokens.append(token)
        sure.append(float(logits[0, token] - torch.logsumexp(logits[0], dim=0)))
        if "\n" in model.decode([token]):
            break
        logits = model.advance(state, [token])
    return tokens, np.array(sure, dtype=np.float64)


def _key(model: LocalModel, question: str, evidence: Sequence[Evidence]) -> str:
    asked = (prompts.with_sources(question, evidence), prompts.sufficiency(question, evidence))
    return fingerprint(*identity(model), TOKENS, *asked, prompts.without_sources(question))
