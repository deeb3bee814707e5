"""The stages in other rooms, measured as they run: what lies to the left of ``app`` knows nothing of telemetry."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from app.telemetry.trace import span
from indexes.encoders.base import Vectors
from retrievers.evidence import Route
from retrievers.panel import Found, Panel
from retrievers.profile import Profile
from retrievers.reranker import CrossEncoderReranker
from retrievers.router import ScoredRouter, Wishes
from retrievers.view import View


class MeasuredRouter(ScoredRouter):
    """A router whose work is the span ``route``."""

    def route(self, question: str, vector: Vectors, experts: Mapping[str, Profile], wishes: Wishes) -> Route:
        """See ``Router``."""
        with span("route") as measured:
            route = super().route(question, vector, experts, wishes)
            measured.set(decision=route.decision, kind=route.kind, experts=list(route.experts), null=route.null)
        return route


class MeasuredReranker(CrossEncoderReranker):
    """A reranker whose work is the span ``rerank``."""

    def scores(self, question: str, texts: Sequence[str]) -> NDArray[np.float32]:
        """See ``Reranker``."""
        with span("rerank", passages=len(texts)):
            return super().scores(question, texts)


class _Measured(Panel):
    def retrieve_many(
        self, questions: Sequence[str], wishes: Wishes | None = None, passages: int | None = None
    ) -> list[Found]:
        """See ``Panel``."""
        with span("retrieve", **{"gen_ai.operation.name": "retrieval"}) as measured:
            found = super().retrieve_many(questions, wishes, passages)
            measured.set(questions=len(questions), passages=sum(len(evidence) for _, evidence in found))
        return found


class MeasuredPanel(_Measured, Panel):
    """A panel whose work is the span ``retrieve``: encoding, routing, searching, merging."""


class MeasuredView(_Measured, View):
    """The same of a view."""
