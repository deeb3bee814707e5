"""Scorers: how much each expert looks like the right one for a question. One interface, and the rivals on it.

All but ``Classifier`` and ``Oracle`` score from the experts' profiles, so experts come and go without retraining.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from indexes.encoders.base import Vectors
from indexes.terms import terms
from retrievers.heads import Head, heads
from retrievers.profile import Profile

Logits = NDArray[np.float64]
SURE = 50.0
KEPT = 8


class Scorer(Protocol):
    """Gives each expert a logit; their softmax is the probability that the expert is the right one."""

    def logits(self, question: str, vector: Vectors, experts: Mapping[str, Profile]) -> Logits:
        """One logit for each expert ``[experts]``, in the mapping's order; ``vector`` is the base embedding ``[d]``."""


@dataclass(frozen=True)
class Familiarity:
    """The default: whether the slice has the question's words, passages near it, and questions like it.

    ``words · log likelihood + passages · cosine + questions · (head - neutral)``: log likelihood of the question's terms
    under the slice's vocabulary, the best cosine with a pilot made from passages, and what the expert's head says of the
    question (see ``retrievers.heads``), which an expert without labelled questions is spared.

    Parameters
    ----------
    words, passages, questions
        Weights. The defaults are the maximum-likelihood fit (conditional logit, sets weighted equally) on the development
        questions of four BEIR sets; ``symposia bench defaults`` prints it again.
    neutral
        What a head says of a question that speaks neither for its expert nor against it.
    """

    words: float = 0.47
    passages: float = 2.35
    questions: float = 2.93
    neutral: float = 0.39
    _heads: dict[tuple[int, ...], tuple[Sequence[Profile], Mapping[str, Head]]] = field(
        default_factory=dict, init=False, repr=False, compare=False
    )

    @property
    def weights(self) -> dict[str, float]:
        """All four numbers by name."""
        return {
            "words": self.words,
            "passages": self.passages,
            "questions": self.questions,
            "neutral": self.neutral,
        }

    def logits(self, question: str, vector: Vectors, experts: Mapping[str, Profile]) -> Logits:
        """See ``Scorer``."""
        weights = np.array([self.words, self.passages, self.questions])
        logits: Logits = self.features(question, vector, experts) @ weights
        return logits

    def features(self, question: str, vector: Vectors, experts: Mapping[str, Profile]) -> Logits:
        """What the weights are applied to, ``[experts, 3]``."""
        asked, panel = terms(question), self._of(experts)
        rows = [
            (
                profile.vocabulary.log_likelihood(asked),
                float((profile.pilots.vectors @ vector).max()),
                panel[name].score(vector) - self.neutral if name in panel else 0.0,
            )
            for name, profile in experts.items()
        ]
        return np.array(rows, dtype=np.float64).reshape(len(rows), 3)

    def _of(self, experts: Mapping[str, Profile]) -> Mapping[str, Head]:
        """The heads of this very panel; those of the last few are kept, since some ask without certain experts."""
        key = tuple(map(id, experts.values()))
        kept = self._heads.get(key)
        if kept is None:
            kept = tuple(experts.values()), heads(experts)  # the profiles are held, so that no other takes their ids
            if len(self._heads) >= KEPT:
                self._heads.clear()
            self._heads[key] = kept
        return kept[1]


@dataclass(frozen=True, slots=True)
class NearestPilot:
    """Best cosine with a pilot made from passages, in standard deviations above what random questions attain."""

    def logits(self, _question: str, vector: Vectors, experts: Mapping[str, Profile]) -> Logits:
        """See ``Scorer``."""
        return np.array([profile.pilots.score(vector) for profile in experts.values()], dtype=np.float64)


@dataclass(frozen=True, slots=True)
class MeanPilot:
    """RouterRetriever's rule (arXiv 2409.02685, section 3.3): mean cosine with the pilots from labelled questions.

    An expert without labelled questions is stood for by the centre of its passages.
    """

    scale: float = SURE

    def logits(self, _question: str, vector: Vectors, experts: Mapping[str, Profile]) -> Logits:
        """See ``Scorer``."""
        pilots = [p.centre[None, :] if p.questions is None else p.questions for p in experts.values()]
        return self.scale * np.array([float((rows @ vector).mean()) for rows in pilots], dtype=np.float64)


@dataclass(frozen=True, slots=True)
class NearestCentroid:
    """Cosine with the centre of the expert's passages."""

    scale: float = SURE

    def logits(self, _question: str, vector: Vectors, experts: Mapping[str, Profile]) -> Logits:
        """See ``Scorer``."""
        return self.scale * np.array([float(profile.centre @ vector) for profile in experts.values()], dtype=np.float64)


@dataclass(frozen=True)
class NearestQuestion:
    """Cosine with the nearest of the expert's training questions: RouterRetriever's "DatasetRouter".

    Parameters
    ----------
    questions
        Base embeddings ``[n, d]`` of each expert's training questions; one that has none is stood for by its pilots.
    """

    questions: Mapping[str, Vectors]
    scale: float = SURE

    def logits(self, _question: str, vector: Vectors, experts: Mapping[str, Profile]) -> Logits:
        """See ``Scorer``."""
        known = [self.questions.get(name, profile.pilots.vectors) for name, profile in experts.items()]
        return self.scale * np.array([float((rows @ vector).max()) for rows in known], dtype=np.float64)


@dataclass(frozen=True)
class Classifier:
    """Multinomial logistic regression on the question's base embedding. A new expert means fitting it again.

    Parameters
    ----------
    names
        Experts that it knows; others get the lowest of their logits.
    weights, bias
        ``[names, d]`` and ``[names]``.
    """

    names: Sequence[str]
    weights: NDArray[np.float64]
    bias: NDArray[np.float64]

    @classmethod
    def fit(cls, questions: Mapping[str, Vectors], seed: int = 0) -> Classifier:
        """Fit on each expert's questions ``[n, d]``, experts weighted equally."""
        from sklearn.linear_model import LogisticRegression

        names = sorted(questions)
        rows = np.concatenate([questions[name] for name in names])
        labels = np.concatenate([np.full(len(questions[name]), i) for i, name in enumerate(names)])
        model = LogisticRegression(C=10.0, class_weight="balanced", max_iter=1000, random_state=seed).fit(rows, labels)
        if len(names) == 2:  # scikit-learn keeps one row for two classes
            return cls(
                names,
                np.vstack([-model.coef_, model.coef_]) / 2,
                np.concatenate([-model.intercept_, model.intercept_]) / 2,
            )
        return cls(names, model.coef_, model.intercept_)

    def logits(self, _question: str, vector: Vectors, experts: Mapping[str, Profile]) -> Logits:
        """See ``Scorer``."""
        found = dict(zip(self.names, (self.weights @ vector + self.bias).tolist(), strict=True))
        lowest = min(found.values(), default=0.0)
        return np.array([found.get(name, lowest) for name in experts], dtype=np.float64)


@dataclass(frozen=True)
class Choice:
    """A language model chooses by the experts' descriptions. Only known names count; where it names none, all are asked.

    Parameters
    ----------
    complete
        Takes a prompt and gives the model's text.
    """

    complete: Callable[[str], str]

    def logits(self, question: str, _vector: Vectors, experts: Mapping[str, Profile]) -> Logits:
        """See ``Scorer``."""
        listed = "\n".join(f"- {name}: {profile.description}" for name, profile in experts.items())
        text = self.complete(
            f"These experts can be asked:\n{listed}\n\nQuestion: {question}\n\n"
            "Reply with the name of the one expert who should answer, exactly as written above, and nothing else."
        ).lower()
        named = np.array([_names(text, name.lower()) for name in experts], dtype=bool)
        return np.where(named, SURE, 0.0) if named.any() else np.zeros(len(experts))


def _names(text: str, name: str) -> bool:
    """Whether the text has the name as a word of its own, and not within another: ``art`` is not in ``art-history``."""
    return re.search(rf"(?<![\w.-]){re.escape(name)}(?![\w-]|\.\w)", text) is not None


@dataclass(frozen=True)
class Everyone:
    """All experts are equally right. With a mass of 1 and no limit, all are asked."""

    def logits(self, _question: str, _vector: Vectors, experts: Mapping[str, Profile]) -> Logits:
        """See ``Scorer``."""
        return np.zeros(len(experts))


@dataclass(frozen=True)
class Oracle:
    """Knows the right expert of each question: the ceiling of any router, for evaluation alone.

    Parameters
    ----------
    right
        Question text to expert.
    """

    right: Mapping[str, str] = field(default_factory=dict)

    def logits(self, question: str, _vector: Vectors, experts: Mapping[str, Profile]) -> Logits:
        """See ``Scorer``; an unknown question is a ``KeyError``."""
        expert = self.right[question]
        return np.array([SURE if name == expert else 0.0 for name in experts])
