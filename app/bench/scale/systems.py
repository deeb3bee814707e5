"""What is compared: our embedded store, and three ways to hold the same vectors that others start with."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from app.bench.scale.synthetic import Batch
from indexes.lexical import Bm25, Bm25Settings
from indexes.store.base import DENSE, DOCUMENT, SPARSE, Point, SparseVector, Vectors
from indexes.store.edge import EdgeStore
from indexes.store.index import IndexSettings, Quantization

DEPTH = 50  # candidates by each search in a hybrid one, as by default
BM25 = Bm25(Bm25Settings(average_length=40.0))
NOTHING = SparseVector((), ())
OF = "document"  # LlamaIndex writes its own into ``document_id``


class System(Protocol):
    """One way to hold passages; a call that it cannot do is absent from ``calls``."""

    def build(self, batches: Iterable[Batch]) -> None:
        """Store everything in the folder, ready to be searched, and close."""

    def open(self) -> None:
        """Open what was built."""

    def calls(self) -> Mapping[str, Callable[[Vectors, str, str, int], Sequence[str]]]:
        """Name to a call with a question's vector and text, a document's id, and k; gives ids."""

    def close(self) -> None:
        """Let go of everything."""


class Ours:
    """``EdgeStore``, optimized after it was filled."""

    def __init__(self, folder: Path, dimension: int, quantization: Quantization = "none") -> None:
        self.folder = folder / "shard"
        self.dimension = dimension
        self.index = IndexSettings(quantization=quantization)
        self.store: EdgeStore | None = None

    def build(self, batches: Iterable[Batch]) -> None:
        """See ``System``."""
        store = EdgeStore(self.folder, self.dimension, self.index)
        for batch in batches:
            store.upsert(
                [
                    Point(i, vector, BM25.passage(text), {"text": text, DOCUMENT: document})
                    for i, vector, text, document in zip(
                        batch.ids, batch.vectors, batch.texts, batch.documents, strict=True
                    )
                ]
            )
        store.flush()
        store.optimize()
        store.close()

    def open(self) -> None:
        """See ``System``."""
        self.store = EdgeStore(self.folder, self.dimension, self.index)

    def calls(self) -> Mapping[str, Callable[[Vectors, str, str, int], Sequence[str]]]:
        """See ``System``."""
        store = self.store
        if store is None:
            return {}
        return {
            "dense": lambda vector, _text, _document, k: _ranked(store, vector, k),
            "sparse": lambda _vector, text, _document, k: [*store.lexical(BM25.question(text), k)],
            "hybrid": lambda vector, text, _document, _k: store.candidates(vector, BM25.question(text), DEPTH).ids,
            "document": lambda _vector, _text, document, _k: _passages(store, document),
        }

    def close(self) -> None:
        """See ``System``."""
        if self.store is not None:
            self.store.close()


class LocalMode:
    """``QdrantClient(path=…)``, the mode of qdrant-client without a server."""

    def __init__(self, folder: Path, dimension: int) -> None:
        self.folder = folder / "local"
        self.dimension = dimension
        self.client: Any = None

    def build(self, batches: Iterable[Batch]) -> None:
        """See ``System``."""
        from qdrant_client import models

        self.open()
        self.client.create_collection(
            "points",
            vectors_config={DENSE: models.VectorParams(size=self.dimension, distance=models.Distance.COSINE)},
            sparse_vectors_config={SPARSE: models.SparseVectorParams(modifier=models.Modifier.IDF)},
        )
        for batch in batches:
            terms = [BM25.passage(text) for text in batch.texts]
            vectors = [
                {
                    DENSE: vector.tolist(),
                    SPARSE: models.SparseVector(indices=list(each.indices), values=list(each.values)),
                }
                for vector, each in zip(batch.vectors, terms, strict=True)
            ]
            payloads = [{"text": t, DOCUMENT: d} for t, d in zip(batch.texts, batch.documents, strict=True)]
            points = zip(batch.ids, vectors, payloads, strict=True)
            self.client.upsert("points", [models.PointStruct(id=i, vector=v, payload=p) for i, v, p in points])
        self.close()

    def open(self) -> None:
        """See ``System``."""
        from qdrant_client import QdrantClient

        self.client = QdrantClient(path=str(self.folder))

    def calls(self) -> Mapping[str, Callable[[Vectors, str, str, int], Sequence[str]]]:
        """See ``System``. Its hybrid search fuses by rank, as its users would."""
        from qdrant_client import models

        def sparse(text: str) -> models.SparseVector:
            terms = BM25.question(text)
            return models.SparseVector(indices=list(terms.indices), values=list(terms.values))

        def query(k: int, **asked: Any) -> list[str]:  # noqa: ANN401 (the client's own keywords)
            return [point.id for point in self.client.query_points("points", limit=k, **asked).points]

        def hybrid(vector: Vectors, text: str, _document: str, _k: int) -> list[str]:
            both = [
                models.Prefetch(query=vector.tolist(), using=DENSE, limit=DEPTH),
                models.Prefetch(query=sparse(text), using=SPARSE, limit=DEPTH),
            ]
            return query(2 * DEPTH, prefetch=both, query=models.FusionQuery(fusion=models.Fusion.RRF))

        def document(_vector: Vectors, _text: str, name: str, _k: int) -> list[str]:
            only = models.Filter(must=[models.FieldCondition(key=DOCUMENT, match=models.MatchValue(value=name))])
            return [record.id for record in self.client.scroll("points", only, limit=1000)[0]]

        return {
            "dense": lambda vector, _text, _document, k: query(k, query=vector.tolist(), using=DENSE),
            "sparse": lambda _vector, text, _document, k: query(k, query=sparse(text), using=SPARSE),
            "hybrid": hybrid,
            "document": document,
        }

    def close(self) -> None:
        """See ``System``."""
        self.client.close()


class LlamaDefault:
    """LlamaIndex's ``SimpleVectorStore``, which ``VectorStoreIndex`` uses unless told otherwise. It has no sparse search."""

    def __init__(self, folder: Path, dimension: int) -> None:
        self.folder = folder
        self.dimension = dimension
        self.store: Any = None

    def build(self, batches: Iterable[Batch]) -> None:
        """See ``System``."""
        from llama_index.core.schema import TextNode
        from llama_index.core.vector_stores import SimpleVectorStore

        store = SimpleVectorStore()
        for batch in batches:
            rows = zip(batch.ids, batch.vectors, batch.texts, batch.documents, strict=True)
            store.add(
                [
                    TextNode(id_=i, text=text, embedding=vector.tolist(), metadata={OF: document})
                    for i, vector, text, document in rows
                ]
            )
        store.persist(str(self.folder / "simple.json"))

    def open(self) -> None:
        """See ``System``."""
        from llama_index.core.vector_stores import SimpleVectorStore

        self.store = SimpleVectorStore.from_persist_path(str(self.folder / "simple.json"))

    def calls(self) -> Mapping[str, Callable[[Vectors, str, str, int], Sequence[str]]]:
        """See ``System``."""
        from llama_index.core.vector_stores import ExactMatchFilter, MetadataFilters, VectorStoreQuery

        def query(vector: Vectors, k: int, filters: MetadataFilters | None = None) -> Sequence[str]:
            asked = VectorStoreQuery(query_embedding=vector.tolist(), similarity_top_k=k, filters=filters)
            ids: Sequence[str] = self.store.query(asked).ids
            return ids

        return {
            "dense": lambda vector, _text, _document, k: query(vector, k),
            "document": lambda vector, _text, document, _k: query(
                vector, 1000, MetadataFilters(filters=[ExactMatchFilter(key=OF, value=document)])
            ),
        }

    def close(self) -> None:
        """See ``System``."""


class FaissFlat:
    """FAISS ``IndexFlatIP``: every vector is looked at. It holds vectors alone: no words, no filters, no texts."""

    def __init__(self, folder: Path, dimension: int) -> None:
        self.folder = folder
        self.dimension = dimension
        self.index: Any = None
        self.ids: list[str] = []

    def build(self, batches: Iterable[Batch]) -> None:
        """See ``System``."""
        import faiss

        index = faiss.IndexFlatIP(self.dimension)
        ids: list[str] = []
        for batch in batches:
            index.add(np.ascontiguousarray(batch.vectors))
            ids += batch.ids
        faiss.write_index(index, str(self.folder / "flat.faiss"))
        (self.folder / "ids.json").write_text(json.dumps(ids), encoding="utf-8")

    def open(self) -> None:
        """See ``System``."""
        import faiss

        self.index = faiss.read_index(str(self.folder / "flat.faiss"))
        self.ids = json.loads((self.folder / "ids.json").read_text(encoding="utf-8"))

    def calls(self) -> Mapping[str, Callable[[Vectors, str, str, int], Sequence[str]]]:
        """See ``System``."""

        def dense(vector: Vectors, _text: str, _document: str, k: int) -> list[str]:
            _, rows = self.index.search(vector[None], k)
            return [self.ids[row] for row in rows[0] if row >= 0]

        return {"dense": dense}

    def close(self) -> None:
        """See ``System``."""


SYSTEMS: Mapping[str, Callable[[Path, int], System]] = {
    "Symposia": Ours,
    "Symposia, int8": lambda folder, dimension: Ours(folder, dimension, "int8"),
    "FAISS flat": FaissFlat,
    "qdrant-client local mode": LocalMode,
    "LlamaIndex default": LlamaDefault,
}
OURS = ("Symposia", "Symposia, int8")


def _ranked(store: EdgeStore, vector: Vectors, k: int) -> list[str]:
    found = store.candidates(vector, NOTHING, k)
    return [found.ids[row] for row in np.argsort(-found.dense, kind="stable")]


def _passages(store: EdgeStore, document: str) -> list[str]:
    return [i for ids, _ in store.payloads((), {DOCUMENT: [document]}) for i in ids]
