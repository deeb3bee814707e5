"""Whether the language model surely knows the answer to a question itself: a short draft, and a threshold for its uncertainty.

What is sure enough is measured on questions that need sources, so that few of them are skipped.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Protocol, get_args

from generators import prompts
from generators.decoding.drafts import Draft, Drafting, drafts
from generators.decoding.uncertainty import Measure, Threshold, uncertainties
from indexes import atomic

FILE = "knowing.json"
FORMAT = 1
DRAFT_TOKENS = 20  # of the draft (TARG, arXiv 2511.09803)
AT_ONCE = 64  # questions between two reports


class ClosedBook(Drafting, Protocol):
    """A language model held locally that is asked without sources."""

    def chat_tokens(self, messages: Sequence[dict[str, str]]) -> list[int]:
        """Tokens of a chat, ending where the assistant's answer begins."""


@dataclass(frozen=True, slots=True)
class Measured:
    """How unsure a model was of its own answers to questions that need sources.

    Parameters
    ----------
    model
        Its name; of another model they say nothing.
    values
        One uncertainty for each question, ascending.
    measure
        See ``generators.decoding.uncertainty.MEASURES``.
    experts
        Whose questions they were; none where that was not noted.
    """

    model: str
    values: tuple[float, ...]
    measure: Measure = "margin"
    experts: tuple[str, ...] = ()

    @classmethod
    def of(
        cls,
        model: ClosedBook,
        questions: Sequence[str],
        *,
        measure: Measure = "margin",
        report: Callable[[int], None] = lambda _done: None,
    ) -> Measured:
        """Draft an answer to each question; ``report`` is told how many were drafted so far."""
        found: list[Draft] = []
        for part in closed_book(model, questions):
            found += part
            report(len(found))
        return cls(model.name, tuple(sorted(uncertainties(found, measure).tolist())), measure)

    def threshold(self, budget: float) -> Threshold:
        """The threshold that skips at most ``budget`` of questions like these; see ``Threshold.of``."""
        return Threshold.of(self.values, budget, measure=self.measure)

    def write(self, folder: Path) -> None:
        """Keep it beside the slices."""
        atomic.write(folder / FILE, json.dumps({"format": FORMAT, **asdict(self)}).encode())

    @classmethod
    def read(cls, folder: Path) -> Measured | None:
        """Read it; ``None`` where there is none, or none that can be read: then nothing counts as known."""
        try:
            values: dict[str, Any] = json.loads((folder / FILE).read_text(encoding="utf-8"))
            usable = values.pop("format") == FORMAT and values["measure"] in get_args(Measure)
            values["values"] = tuple(map(float, values["values"]))
            values["experts"] = tuple(map(str, values.get("experts", ())))
            return cls(**values) if usable and values["values"] else None
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            return None


class Knowing:
    """Drafts an answer to a question, and says whether the model is sure of it: a router's ``knows``.

    Parameters
    ----------
    model
        Gives the language model, at the first question.
    measured
        See ``Measured``; where it was another model that was measured, nothing counts as known.
    budget
        Share of questions that need sources that may be skipped.
    """

    def __init__(self, model: Callable[[], ClosedBook], measured: Measured, budget: float) -> None:
        self.threshold = measured.threshold(budget)
        self._measured = measured
        self._model = model

    def __call__(self, question: str) -> bool:
        """Whether retrieval can be skipped."""
        model = self._model()
        if model.name != self._measured.model or self.threshold.value == -math.inf:
            return False
        return all(self.threshold.knows(draft) for part in closed_book(model, [question]) for draft in part)


def closed_book(model: ClosedBook, questions: Sequence[str]) -> Iterator[list[Draft]]:
    """The model's own short answers, some questions at a time, in order."""
    for start in range(0, len(questions), AT_ONCE):
        rows = [model.chat_tokens(prompts.short_answer(question)) for question in questions[start : start + AT_ONCE]]
        yield drafts(model, rows, max_tokens=DRAFT_TOKENS)
