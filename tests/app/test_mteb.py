from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from app.mteb import ExpertModel, PanelModel
from app.settings import Settings
from indexes.errors import InputError
from indexes.store.open import opener
from retrievers.gathering import Retrieval
from retrievers.panel import Panel
from tests.fakes import QUESTIONS, TOPICS, WordEncoder

MakePanel = Callable[[], Panel]

CORPUS = [
    {"id": f"{topic}-{place}", "title": topic.title(), "text": text}
    for topic, texts in TOPICS.items()
    for place, text in enumerate(texts)
]
QUERIES = [{"id": f"q-{topic}", "text": text} for topic, text in QUESTIONS.items()]
RELEVANT = {"orchard": "orchard-0", "engines": "engines-4", "planets": "planets-4"}
TASK = {"task_metadata": SimpleNamespace(name="Tiny task"), "hf_split": "test", "hf_subset": "default"}
SEARCH = {**TASK, "top_k": 5, "encode_kwargs": {}, "num_proc": None}


@pytest.fixture
def make_panel(tmp_path: Path) -> Iterator[MakePanel]:
    panels: list[Panel] = []

    def make() -> Panel:
        panels.append(Panel(tmp_path, WordEncoder(), opener(), retrieval=Retrieval(depth=100, floor=0.0)))
        return panels[-1]

    yield make
    for panel in panels:
        panel.close()


def topic_of(document: str) -> str:
    return document.partition("-")[0]


def first(results: dict[str, dict[str, float]]) -> dict[str, str]:
    return {question: max(scores, key=scores.__getitem__) for question, scores in results.items()}


def index(model: ExpertModel | PanelModel, corpus: list[dict[str, str]] | None = None) -> None:
    model.index(CORPUS if corpus is None else corpus, **TASK, encode_kwargs={}, num_proc=None)


def test_an_expert_ranks_the_corpus_of_a_task(make_panel: MakePanel) -> None:
    model = ExpertModel(make_panel(), Settings())
    index(model)
    results = model.search(QUERIES, **SEARCH)
    assert first(results) == {f"q-{topic}": document for topic, document in RELEVANT.items()}
    assert {len(scores) for scores in results.values()} == {5}


def test_the_panel_asks_the_experts_that_the_router_chooses(make_panel: MakePanel) -> None:
    panel = make_panel()
    model = PanelModel(panel, Settings(), expert_of=topic_of)
    index(model)
    assert len(panel.experts) == 3
    results = model.search(QUERIES, **SEARCH)
    assert first(results) == {f"q-{topic}": document for topic, document in RELEVANT.items()}


def test_experts_that_hold_the_corpus_already_are_used_as_they_are(make_panel: MakePanel) -> None:
    panel = make_panel()
    index(PanelModel(panel, Settings(), expert_of=topic_of))
    encoded = panel.encoder.passages  # type: ignore[attr-defined]
    model = PanelModel(panel, Settings())
    index(model)
    assert panel.encoder.passages == encoded  # type: ignore[attr-defined]
    assert first(model.search(QUERIES, **SEARCH))["q-planets"] == "planets-4"
    [orchard] = [name for name in panel.experts if name.startswith("orchard")]
    one = ExpertModel(panel, Settings(), expert=orchard)
    index(one)
    assert {topic_of(document) for scores in one.search(QUERIES, **SEARCH).values() for document in scores} == {
        "orchard"
    }


def test_experts_of_another_task_take_no_part(make_panel: MakePanel) -> None:
    panel = make_panel()
    index(PanelModel(panel, Settings(), expert_of=topic_of))
    other = PanelModel(panel, Settings(), expert_of=topic_of)
    rows = [row for row in CORPUS if row["id"].startswith("engines")]
    other.index(rows, task_metadata=SimpleNamespace(name="Other"), hf_split="test", hf_subset="default")
    found = other.search(QUERIES, **SEARCH)
    assert {document for scores in found.values() for document in scores} <= {row["id"] for row in rows}


def test_indexing_again_embeds_nothing_and_documents_that_are_gone_are_not_found(make_panel: MakePanel) -> None:
    panel = make_panel()
    model = ExpertModel(panel, Settings())
    index(model)
    encoded = panel.encoder.passages  # type: ignore[attr-defined]
    index(model, [row for row in CORPUS if row["id"] != "planets-4"])
    assert panel.encoder.passages == encoded  # type: ignore[attr-defined]
    assert "planets-4" not in model.search(QUERIES, **SEARCH)["q-planets"]


def test_equal_scores_fall_so_that_their_order_is_kept(make_panel: MakePanel) -> None:
    model = ExpertModel(make_panel(), Settings())
    index(model, [{"id": name, "title": "", "text": "The very same words."} for name in ("c", "a", "b")])
    scores = model.search([{"id": "q", "text": "same words"}], **SEARCH)["q"]
    assert len(set(scores.values())) == 3
    assert list(scores) == sorted(scores, key=lambda name: -scores[name])


def test_a_document_without_text_is_its_title(make_panel: MakePanel) -> None:
    model = ExpertModel(make_panel(), Settings())
    index(model, [{"id": "a", "title": "Rings of Saturn", "text": ""}, *CORPUS[:4]])
    assert first(model.search(QUERIES, **SEARCH))["q-planets"] == "a"


def test_what_cannot_be_searched_is_refused(make_panel: MakePanel) -> None:
    model = ExpertModel(make_panel(), Settings())
    index(model)
    with pytest.raises(InputError, match="reranking"):
        model.search(QUERIES, **SEARCH, top_ranked={"q-planets": ["planets-4"]})
    with pytest.raises(InputError, match="is list, not text"):
        model.search([{"id": "q", "text": ["a", "b"]}], **SEARCH)


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["expert", "panel"])
def test_mteb_scores_the_models_on_a_task_of_its_own_offline(make_panel: MakePanel, kind: str) -> None:
    mteb = pytest.importorskip("mteb", reason="mteb is not installed: pip install 'symposia[mteb]'")
    panel = make_panel()
    model: Any = (
        ExpertModel(panel, Settings()) if kind == "expert" else PanelModel(panel, Settings(), expert_of=topic_of)
    )
    found = mteb.evaluate(model, _task(), cache=None, co2_tracker=False, show_progress_bar=False)
    [result] = found.task_results
    assert result.get_score() == pytest.approx(1.0)
    assert result.scores["test"][0]["recall_at_5"] == pytest.approx(1.0)
    assert found.model_name == f"symposia/{kind}"
    assert found.model_revision == "words@words-1"


def _task() -> Any:
    """A retrieval task that lies in memory."""
    from datasets import Dataset
    from mteb.abstasks.retrieval import AbsTaskRetrieval
    from mteb.abstasks.task_metadata import TaskMetadata

    class Tiny(AbsTaskRetrieval):
        metadata = TaskMetadata(
            name="TinySymposia",
            description="Three topics.",
            reference=None,
            dataset={"path": "none/none", "revision": "1"},
            type="Retrieval",
            category="t2t",
            modalities=["text"],
            eval_splits=["test"],
            eval_langs=["eng-Latn"],
            main_score="ndcg_at_10",
        )

        def load_data(self, *_: Any, **__: Any) -> None:
            judged = {f"q-{topic}": {document: 1} for topic, document in RELEVANT.items()}
            split = {
                "corpus": Dataset.from_list(CORPUS),
                "queries": Dataset.from_list(QUERIES),
                "relevant_docs": judged,
                "top_ranked": None,
            }
            self.dataset = {"default": {"test": split}}
            self.data_loaded = True

    return Tiny()
