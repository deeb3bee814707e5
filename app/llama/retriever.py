"""The panel as LlamaIndex's retriever."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import TYPE_CHECKING, Any

from app.llama.events import report
from app.llama.nodes import to_source_node
from generators.events import Found, Routed

if TYPE_CHECKING:
    from llama_index.core.base.base_retriever import BaseRetriever
    from llama_index.core.schema import NodeWithScore, QueryBundle

    from app.symposium import Symposium
    from retrievers.evidence import Evidence, Route


def make_retriever(
    symposium: Symposium,
    *,
    experts: Sequence[str] = (),
    forbid: Sequence[str] = (),
    retrieval: bool | None = True,
    passages: int | None = None,
) -> BaseRetriever:
    """A ``BaseRetriever`` over the panel, synchronous and asynchronous. No language model is needed.

    Parameters
    ----------
    symposium
        Whom it asks; what ``symposium.seen_by(principal)`` gives restricts it to a principal's experts.
    experts, forbid, passages
        As for ``Symposium.retrieve``.
    retrieval
        By default passages are found for whatever is asked, as other retrievers do it; ``None`` lets the gate decide.
    """
    made: BaseRetriever = _type()(
        symposium,
        {"experts": tuple(experts), "forbid": tuple(forbid), "retrieval": retrieval, "passages": passages},
    )
    return made


@cache
def _type() -> type[Any]:
    from llama_index.core.base.base_retriever import BaseRetriever

    class PanelRetriever(BaseRetriever):
        """See ``make_retriever``."""

        def __init__(self, symposium: Symposium, wishes: dict[str, Any]) -> None:
            super().__init__()
            self.symposium = symposium
            self.wishes = wishes

        def _retrieve(self, query_bundle: QueryBundle) -> list[NodeWithScore]:
            return _nodes(*self.symposium.retrieve(query_bundle.query_str, **self.wishes))

        async def _aretrieve(self, query_bundle: QueryBundle) -> list[NodeWithScore]:
            return _nodes(*await self.symposium.aretrieve(query_bundle.query_str, **self.wishes))

    return PanelRetriever


def _nodes(route: Route, evidence: tuple[Evidence, ...]) -> list[NodeWithScore]:
    report(Routed(route))
    report(Found(evidence))
    return [to_source_node(item) for item in evidence]
