"""To and from LlamaIndex: our passages as its nodes, our documents as its documents, our readers as its readers.

The conversions lose nothing, in either direction: ``from_node(to_node(passage)) == passage``. What any other LlamaIndex
reader loads becomes a document of ours by ``from_document``.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from indexes.errors import InputError
from indexes.passage import Document, Mark, Passage
from indexes.readers.files import READERS
from indexes.readers.problem import Problem, Reader

if TYPE_CHECKING:
    from llama_index.core.readers.base import BaseReader
    from llama_index.core.schema import Document as LlamaDocument
    from llama_index.core.schema import TextNode

_NAMES = ("title", "source", "key", "place", "date", "marks", "whole")
_ESCAPE = "metadata."
# Title, place and date help a model to read the text; the others are for programs.
_FOR_PROGRAMS = ["source", "key", "marks", "whole"]


def to_node(passage: Passage) -> TextNode:
    """``passage`` as a ``TextNode`` with the same id and offsets, its document as the source node."""
    from llama_index.core.schema import NodeRelationship, RelatedNodeInfo, TextNode

    own = {
        "title": passage.title,
        "source": passage.source,
        "key": passage.key,
        "place": passage.place,
        "date": passage.date,
    }
    return TextNode(
        id_=passage.id,
        text=passage.text,
        start_char_idx=passage.start,
        end_char_idx=passage.end,
        metadata=_flat(own, passage.metadata),
        excluded_embed_metadata_keys=_FOR_PROGRAMS,
        excluded_llm_metadata_keys=_FOR_PROGRAMS,
        relationships={NodeRelationship.SOURCE: RelatedNodeInfo(node_id=passage.document_id)},
    )


def from_node(node: TextNode) -> Passage:
    """Inverse of ``to_node``. A node of another program's making without offsets gets those of its own text."""
    own, metadata = _unflat(node.metadata)
    start = 0 if node.start_char_idx is None else node.start_char_idx
    return Passage(
        id=node.node_id,
        document_id=node.ref_doc_id or "",
        text=node.text,
        title=own.get("title", ""),
        source=own.get("source", ""),
        key=own.get("key", ""),
        start=start,
        end=start + len(node.text) if node.end_char_idx is None else node.end_char_idx,
        place=own.get("place", ""),
        date=own.get("date", ""),
        metadata=metadata,
    )


def to_document(document: Document) -> LlamaDocument:
    """``document`` as a LlamaIndex ``Document`` with the same id; marks travel as JSON in its metadata."""
    from llama_index.core.schema import Document as LlamaDocument
    from llama_index.core.schema import MediaResource

    own = {
        "title": document.title,
        "source": document.source,
        "key": document.key,
        "date": document.date,
        "marks": json.dumps([[mark.start, mark.label] for mark in document.marks]) if document.marks else "",
        "whole": "true" if document.whole else "",
    }
    return LlamaDocument(
        id_=document.id,
        text_resource=MediaResource(text=document.text),
        metadata=_flat(own, document.metadata),
        excluded_embed_metadata_keys=_FOR_PROGRAMS,
        excluded_llm_metadata_keys=_FOR_PROGRAMS,
    )


def from_document(document: LlamaDocument) -> Document:
    """Inverse of ``to_document``. Of another reader's document, ``file_name`` is the title and ``file_path`` the source."""
    own, metadata = _unflat(document.metadata)
    resource = document.text_resource
    return Document(
        text=(resource.text or "") if resource else "",
        title=own.get("title", metadata.get("file_name", "")),
        source=own.get("source", metadata.get("file_path", "")),
        key=own.get("key", ""),
        date=own.get("date", ""),
        marks=tuple(Mark(start, label) for start, label in json.loads(own.get("marks") or "[]")),
        whole=own.get("whole") == "true",
        metadata=metadata,
    )


def readers() -> dict[str, BaseReader]:
    """A LlamaIndex reader for each suffix: ``SimpleDirectoryReader(folder, file_extractor=readers())``."""
    kind = _reader_type()
    return {suffix: kind(reader) for suffix, reader in READERS.items()}


@cache
def _reader_type() -> type[Any]:
    from llama_index.core.readers.base import BaseReader

    class FileReader(BaseReader):
        """One of our readers. A file that cannot be read raises ``InputError``."""

        def __init__(self, reader: Reader) -> None:
            self.reader = reader

        def lazy_load_data(
            self, file: Path | str, extra_info: Mapping[str, Any] | None = None
        ) -> Iterator[LlamaDocument]:
            """The file's documents; ``extra_info`` is added to the metadata of each."""
            for document in self.reader(Path(file), _raise):
                loaded = to_document(document)
                loaded.metadata = {**(extra_info or {}), **loaded.metadata}
                yield loaded

    return FileReader


def _raise(problem: Problem) -> None:
    raise InputError(f"{problem.path} {problem.reason}.", problem.fix)


def _flat(own: Mapping[str, str], metadata: Mapping[str, str]) -> dict[str, str]:
    """One flat mapping, as vector stores want it. A name of theirs that we use ourselves is escaped."""
    escaped = {
        _ESCAPE + name if name in _NAMES or name.startswith(_ESCAPE) else name: metadata[name] for name in metadata
    }
    return {**escaped, **{name: value for name, value in own.items() if value}}


def _unflat(flat: Mapping[str, Any]) -> tuple[dict[str, str], dict[str, str]]:
    """Inverse of ``_flat``; values become text."""
    own = {name: str(flat[name]) for name in _NAMES if name in flat}
    metadata = {name.removeprefix(_ESCAPE): str(value) for name, value in flat.items() if name not in own}
    return own, metadata
