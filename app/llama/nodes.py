"""Evidence as LlamaIndex's nodes with scores, and back: ``from_source_node(to_source_node(item)) == item``."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import TYPE_CHECKING

from indexes.llama import from_node, to_node
from retrievers.evidence import Evidence

if TYPE_CHECKING:
    from llama_index.core.schema import NodeWithScore

    from generators.answer import Answer, Citation

_NAMES = ("expert", "citation", "part", "scores", "supports")
_ESCAPE = "passage."
# Expert and number help a model to cite the text; the others are for programs.
_FOR_PROGRAMS = ["part", "scores", "supports"]


def to_source_node(item: Evidence, citations: Iterable[Citation] = ()) -> NodeWithScore:
    """A node with the passage's id, and the calibrated probability of relevance as its score.

    To the passage's metadata (title, place, date, …) come ``expert``, ``citation`` (the n of ``[n]``) and, as JSON,
    ``supports``: the spans of the text that these citations name, each with ``start``, ``end`` and ``text``. A name of these
    that the passage uses itself is escaped.
    """
    from llama_index.core.schema import NodeWithScore

    node = to_node(item.passage)
    flat = {_ESCAPE + name if _is_ours(name) else name: value for name, value in node.metadata.items()}
    own = {
        "expert": item.expert,
        "citation": str(item.number),
        "part": str(item.part),
        "scores": json.dumps(dict(item.scores)),
        "supports": json.dumps(_spans(item, citations), ensure_ascii=False),
    }
    node.metadata = {**flat, **own}
    node.excluded_embed_metadata_keys = [*node.excluded_embed_metadata_keys, *_NAMES]
    node.excluded_llm_metadata_keys = [*node.excluded_llm_metadata_keys, *_FOR_PROGRAMS]
    return NodeWithScore(node=node, score=item.probability)


def from_source_node(node: NodeWithScore) -> Evidence:
    """Inverse of ``to_source_node``; ``supports`` belongs to the answer, not to the evidence, and is left out."""
    inner = node.node.model_copy()
    own = {name: str(inner.metadata[name]) for name in _NAMES}
    inner.metadata = {
        name.removeprefix(_ESCAPE) if name.startswith(_ESCAPE) else name: value
        for name, value in inner.metadata.items()
        if name not in _NAMES
    }
    return Evidence(
        number=int(own["citation"]),
        passage=from_node(inner),  # type: ignore[arg-type]
        expert=own["expert"],
        probability=float(node.score or 0.0),
        scores=json.loads(own["scores"]),
        part=int(own["part"]),
    )


def source_nodes(answer: Answer) -> list[NodeWithScore]:
    """All evidence of an answer, each with the spans that the answer rests on."""
    return [to_source_node(item, answer.citations) for item in answer.evidence]


def _spans(item: Evidence, citations: Iterable[Citation]) -> list[dict[str, object]]:
    text = item.passage.text
    spans = sorted({(c.start, c.end) for c in citations if c.number == item.number})
    return [{"start": start, "end": end, "text": text[start:end]} for start, end in spans]


def _is_ours(name: str) -> bool:
    return name in _NAMES or name.startswith(_ESCAPE)
