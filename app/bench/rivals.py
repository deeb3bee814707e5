"""LlamaIndex's retrievers over the experts of a panel: the same passages and vectors, and its defaults wherever it has any."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from itertools import chain
from typing import TYPE_CHECKING, Any

import numpy as np

from indexes.encoders.base import Vectors
from indexes.llama import to_node
from indexes.store.base import SparseVector
from retrievers.expert import Expert

if TYPE_CHECKING:
    from llama_index.core.base.base_retriever import BaseRetriever
    from llama_index.core.base.embeddings.base import BaseEmbedding

NO_TERMS = SparseVector((), ())

Retrievers = Mapping[str, "BaseRetriever"]


def own_index(expert: Expert, known: BaseEmbedding, passages: int) -> BaseRetriever:
    """A ``VectorStoreIndex`` in memory, LlamaIndex's default, of an expert's passages; no vector is computed anew."""
    from llama_index.core import VectorStoreIndex

    nodes: list[Any] = []
    for ids, vectors in expert.slice.base_vectors():
        for passage, vector in zip(expert.slice.passages(ids), vectors, strict=True):
            node = to_node(passage)
            node.embedding = vector.tolist()
            nodes.append(node)
    # Without transformations it would make a splitter, which nothing needs here.
    index = VectorStoreIndex(nodes, embed_model=known, transformations=[known])
    return index.as_retriever(similarity_top_k=passages)


def our_store(expert: Expert, passages: int) -> BaseRetriever:
    """A retriever of LlamaIndex's kind that searches the expert's own store: what remains is the framework's work."""
    retriever: BaseRetriever = _store_retriever()(expert, passages)
    return retriever


def query_fusion(retrievers: Retrievers, passages: int) -> BaseRetriever:
    """``QueryFusionRetriever`` over all experts; the one question as it is, since no language model is to write variants."""
    from llama_index.core.llms import MockLLM
    from llama_index.core.retrievers import QueryFusionRetriever

    return QueryFusionRetriever(
        list(retrievers.values()), llm=MockLLM(), similarity_top_k=passages, num_queries=1, use_async=False
    )


def router(retrievers: Retrievers, descriptions: Mapping[str, str], known: BaseEmbedding) -> BaseRetriever:
    """``RouterRetriever`` that chooses one expert by the embeddings of question and descriptions."""
    from llama_index.core.llms import MockLLM
    from llama_index.core.retrievers import RouterRetriever
    from llama_index.core.selectors import EmbeddingSingleSelector
    from llama_index.core.tools import RetrieverTool

    tools = [
        RetrieverTool.from_defaults(retriever, name=name, description=descriptions[name])
        for name, retriever in retrievers.items()
    ]
    return RouterRetriever(EmbeddingSingleSelector(known), tools, llm=MockLLM())


def retrieve(retriever: BaseRetriever, question: str, vector: Vectors) -> list[Any]:
    """What it finds for a question whose vector ``[dimension]`` is given, so that nothing has to be encoded."""
    from llama_index.core import QueryBundle

    return retriever.retrieve(QueryBundle(question, embedding=vector.tolist()))


def known_vectors(texts: Sequence[str], vectors: Vectors) -> BaseEmbedding:
    """An embedding model that knows the vectors ``[n, dimension]`` of its texts and no others, and takes no time.

    ``asked`` counts how often it was wanted.
    """
    kind = _known_type()
    known: BaseEmbedding = kind({text: row.tolist() for text, row in zip(texts, vectors, strict=True)})
    return known


@cache
def _known_type() -> type[Any]:
    from llama_index.core.base.embeddings.base import BaseEmbedding

    class Known(BaseEmbedding):
        """Vectors by text; an unknown text is a ``KeyError``."""

        known: dict[str, list[float]]
        asked: int = 0

        def __init__(self, known: dict[str, list[float]]) -> None:
            super().__init__(known=known)

        def _get_text_embedding(self, text: str) -> list[float]:
            self.asked += 1
            return self.known[text]

        def _get_query_embedding(self, query: str) -> list[float]:
            return self._get_text_embedding(query)

        async def _aget_query_embedding(self, query: str) -> list[float]:
            return self._get_text_embedding(query)

    return Known


@cache
def _store_retriever() -> type[Any]:
    from llama_index.core.base.base_retriever import BaseRetriever
    from llama_index.core.schema import NodeWithScore, QueryBundle

    class StoreRetriever(BaseRetriever):
        """Dense search in the store of one expert."""

        def __init__(self, expert: Expert, passages: int) -> None:
            self.expert = expert
            self.passages = passages
            super().__init__()

        def _retrieve(self, query_bundle: QueryBundle) -> list[NodeWithScore]:
            vector = np.array(query_bundle.embedding, dtype=np.float32)
            found = self.expert.slice.store.candidates(vector, NO_TERMS, self.passages)
            order = np.argsort(-found.dense, kind="stable")
            nodes = map(to_node, self.expert.slice.passages([found.ids[row] for row in order]))
            return [
                NodeWithScore(node=node, score=float(found.dense[row])) for node, row in zip(nodes, order, strict=True)
            ]

    return StoreRetriever


def distinct(*texts: Sequence[str]) -> list[str]:
    """All texts, each once, in order."""
    return list(dict.fromkeys(chain.from_iterable(texts)))
