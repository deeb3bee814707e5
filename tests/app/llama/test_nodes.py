from __future__ import annotations

import json
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from llama_index.core.schema import MetadataMode, NodeWithScore, TextNode

from app.llama.nodes import from_source_node, source_nodes, to_source_node
from generators.answer import Answer, Citation, Claim, Conflict, Side, Verdict
from indexes.passage import Document, Passage
from retrievers.evidence import Evidence, Route

WORDS = st.text(st.characters(codec="utf-8"), max_size=20)
NAMES = st.one_of(
    st.sampled_from(
        ["expert", "citation", "part", "scores", "supports", "passage.", "passage.expert", "title", "metadata.title"]
    ),
    WORDS,
)
TEXT = "Apple trees blossom in April."


@st.composite
def items(draw: st.DrawFn) -> Evidence:
    text = draw(WORDS)
    document = Document(text, **{name: draw(WORDS) for name in ("title", "source", "key", "date")})
    metadata = draw(st.dictionaries(NAMES, WORDS, max_size=4))
    passage = Passage.of(Document(**{**_fields(document), "metadata": metadata}), 0, len(text))
    numbers = st.floats(allow_nan=False, allow_infinity=False)
    return Evidence(
        draw(st.integers(1, 99)),
        passage,
        draw(WORDS),
        draw(st.floats(0, 1)),
        draw(st.dictionaries(WORDS, numbers, max_size=3)),
        draw(st.integers(1, 5)),
    )


def _fields(document: Document) -> dict[str, Any]:
    return {name: getattr(document, name) for name in ("text", "title", "source", "key", "date")}


@given(items())
@settings(deadline=None)
def test_evidence_comes_back_as_it_went_also_as_json(item: Evidence) -> None:
    node = to_source_node(item, [Citation(item.number, 0, 1, 0.0, 1.0)])
    assert from_source_node(node) == item
    stored = TextNode.from_json(node.node.to_json())
    assert from_source_node(NodeWithScore(node=stored, score=node.score)) == item
    assert (node.node_id, node.score) == (item.passage.id, item.probability)


def evidence(number: int) -> Evidence:
    passage = Passage("p1", "d1", TEXT, title="Trees", place="p. 3", date="2024-03-07", end=len(TEXT))
    return Evidence(number, passage, "orchard", 0.9, {"dense": 0.5})


def test_a_node_says_who_found_it_where_it_stands_and_what_it_supports() -> None:
    node = to_source_node(evidence(2), [Citation(2, 0, 5, 0.0, 1.0), Citation(1, 6, 9, 0.0, 1.0)])
    metadata = node.metadata
    assert (metadata["expert"], metadata["citation"], metadata["title"]) == ("orchard", "2", "Trees")
    assert (metadata["place"], metadata["date"]) == ("p. 3", "2024-03-07")
    assert json.loads(metadata["supports"]) == [{"start": 0, "end": 5, "text": "Apple"}]
    for_model = node.node.get_content(metadata_mode=MetadataMode.LLM)
    assert "citation: 2" in for_model
    assert "scores" not in for_model
    assert "citation" not in node.node.get_content(metadata_mode=MetadataMode.EMBED)


def test_the_sides_of_a_conflict_are_supports_too() -> None:
    claim = Claim("x", 0, 1, "supported", (Citation(1, 0, 5, 0.0, 1.0),))
    conflict = Conflict("?", (Side("April", (Citation(2, 23, 28, 0.0, 1.0),)),))
    route = Route("retrieve", "domain", (), 0.0, "")
    given_ = (evidence(1), evidence(2), evidence(3))
    answer = Answer("?", "x", Verdict.CONFLICT, (claim,), given_, route, "m", "p", conflict=conflict)
    texts = [[span["text"] for span in json.loads(node.metadata["supports"])] for node in source_nodes(answer)]
    assert texts == [["Apple"], ["April"], []]
