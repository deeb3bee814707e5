"""Models that ``mteb`` evaluates as its own: one expert, or the whole panel with its router. Nothing is fetched.

>>> import mteb                                                  # doctest: +SKIP
>>> from app.mteb import ExpertModel                             # doctest: +SKIP
>>> with ExpertModel.open(settings) as model:                    # doctest: +SKIP
...     mteb.evaluate(model, mteb.get_task("SciFact"), cache=None)

mteb 2 takes any object with ``index``, ``search`` and ``mteb_model_meta`` (its ``SearchProtocol``). Only the last of
these imports mteb: ``pip install 'symposia[mteb]'``.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from app.library import Library
from app.wiring import make_panel
from evaluation.runs import falling
from indexes.errors import InputError
from indexes.passage import Document
from retrievers.fusion import Fusion
from retrievers.router import Wishes

if TYPE_CHECKING:
    from mteb.models import ModelMeta

    from app.settings import Settings
    from retrievers.panel import Panel

Row = Mapping[str, Any]
Ranking = list[tuple[str, float]]

DEEPEST = 1000  # mteb asks for as many documents


class SearchModel:
    """What both models share: the corpus of a task becomes slices, and rankings become what mteb takes.

    Slices stay in the panel's folder, so evaluating again embeds only what is new. Documents of another version of the
    corpus that are still in a slice are never returned.

    Parameters
    ----------
    panel
        Holds the experts.
    settings
        Say how documents are split; BEIR-style documents are one passage each.
    name
        What mteb calls the model, as ``organisation/name``.
    """

    def __init__(self, panel: Panel, settings: Settings, name: str) -> None:
        self.panel = panel
        self.library = Library(panel, settings)
        self.name = name
        self._corpus: frozenset[str] = frozenset()

    @classmethod
    def open(cls, settings: Settings, folder: Path | None = None, **options: Any) -> Self:  # noqa: ANN401 (of the class)
        """A model with a panel of its own, whose slices lie in ``folder``, by default ``home/evaluations/mteb``."""
        deep = settings.retrieval.model_copy(update={"depth": DEEPEST, "floor": 0.0})
        settings = settings.model_copy(update={"retrieval": deep})
        return cls(make_panel(settings, folder or settings.home / "evaluations" / "mteb"), settings, **options)

    @property
    def mteb_model_meta(self) -> ModelMeta:
        """What mteb writes beside the scores; the revision names the encoder's."""
        from mteb.models import ModelMeta

        fingerprint = self.panel.encoder.fingerprint
        revision = f"{fingerprint.model}@{fingerprint.revision}-{fingerprint.precision}"
        return ModelMeta.create_empty({"name": self.name, "revision": revision, "embed_dim": fingerprint.dimension})

    def index(self, corpus: Iterable[Row], *, task_metadata: Any, hf_split: str, hf_subset: str, **_: Any) -> None:  # noqa: ANN401 (mteb's)
        """Put the documents (``id``, ``title``, ``text``) into slices, where they are not there yet."""
        documents = [_document(row) for row in corpus]
        self._corpus = frozenset(document.key for document in documents)
        self._index(documents, _slug(f"{task_metadata.name}-{hf_subset}-{hf_split}"))

    def search(
        self,
        queries: Iterable[Row],
        *,
        top_k: int,
        top_ranked: Mapping[str, list[str]] | None = None,
        **_: Any,  # noqa: ANN401 (what else mteb gives)
    ) -> dict[str, dict[str, float]]:
        """Question id to document id to score, at most ``top_k`` for each question.

        Raises
        ------
        InputError
            For a reranking task, or a question that is not a string.
        """
        if top_ranked:
            raise InputError("This is a reranking task.", "Symposia's models search: choose a retrieval task.")
        questions = {str(row["id"]): _text(row) for row in queries}
        rankings = self._search(list(questions.values()), top_k)
        return {question: self._scores(hits, top_k) for question, hits in zip(questions, rankings, strict=True)}

    def close(self) -> None:
        """Release the slices."""
        self.panel.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _index(self, documents: Sequence[Document], slug: str) -> None:
        raise NotImplementedError

    def _search(self, questions: list[str], depth: int) -> list[Ranking]:
        raise NotImplementedError

    def _scores(self, hits: Ranking, top_k: int) -> dict[str, float]:
        """The best passage of each document, in order; equal scores are lowered, for mteb breaks ties by id."""
        best: dict[str, float] = {}
        for document, score in hits:
            if document in self._corpus and len(best) < top_k:
                best.setdefault(document, score)
        lowered = map(float, falling(list(best.items())))
        return dict(zip(best, lowered, strict=True))


class ExpertModel(SearchModel):
    """One expert as a model: the corpus is its slice.

    Parameters
    ----------
    expert
        An expert of the panel that holds the corpus already, such as one that was trained; by default the corpus is
        indexed into a new one.
    fusion
        How dense search and BM25 are combined: ``dense`` and ``bm25`` are one of the two alone.
    """

    def __init__(
        self,
        panel: Panel,
        settings: Settings,
        *,
        expert: str = "",
        fusion: Fusion = "dense",
        name: str = "symposia/expert",
    ) -> None:
        super().__init__(panel, settings, name)
        self.expert = expert
        self.fusion: Fusion = fusion
        self._own = not expert

    def _index(self, documents: Sequence[Document], slug: str) -> None:
        if self._own:
            self.expert = slug
            self.library.add_documents(documents, slug, f"The corpus of {slug}.")

    def _search(self, questions: list[str], depth: int) -> list[Ranking]:
        ranked = self.panel.search(self.expert, questions, self.fusion, depth)
        return [[(passage.key, score) for passage, score in hits] for hits in ranked]


class PanelModel(SearchModel):
    """The panel as a model: each question goes to the experts that the router chooses.

    Parameters
    ----------
    expert_of
        Which expert a document belongs to, by its id; each becomes a slice of the task's own. By default the panel's
        experts hold the corpus already, and all of them take part.
    """

    def __init__(
        self,
        panel: Panel,
        settings: Settings,
        *,
        expert_of: Callable[[str], str] | None = None,
        name: str = "symposia/panel",
    ) -> None:
        super().__init__(panel, settings, name)
        self.expert_of = expert_of
        self._seated: frozenset[str] = frozenset()

    def _index(self, documents: Sequence[Document], slug: str) -> None:
        self.panel.open()
        if self.expert_of is None:
            self._seated = frozenset(self.panel.experts)
            return
        shares: dict[str, list[Document]] = {}
        for document in documents:
            shares.setdefault(self.expert_of(document.key), []).append(document)
        for expert, share in shares.items():
            self.library.add_documents(share, f"{expert}.{slug}", f"The part {expert} of the corpus of {slug}.")
        self._seated = frozenset(f"{expert}.{slug}" for expert in shares)

    def _search(self, questions: list[str], depth: int) -> list[Ranking]:
        others = tuple(sorted(set(self.panel.experts) - self._seated))
        found = self.panel.retrieve_many(questions, Wishes(forbid=others, retrieval=True), depth)
        return [[(each.passage.key, each.probability) for each in evidence] for _, evidence in found]


def _document(row: Row) -> Document:
    text, title = str(row.get("text") or ""), str(row.get("title") or "")
    if not text.strip():
        text, title = title, ""
    return Document(text=text, title=title, key=str(row["id"]), whole=True)


def _text(row: Row) -> str:
    text = row["text"]
    if not isinstance(text, str):
        raise InputError(
            f"Question {row['id']} is {type(text).__name__}, not text.", "Choose a task of single questions."
        )
    return text


def _slug(words: str) -> str:
    """A name that a slice may have, different for different words."""
    plain = re.sub(r"[^A-Za-z0-9]+", "-", words).strip("-")
    return f"{plain[:30].rstrip('-')}-{zlib.crc32(words.encode()):08x}"
