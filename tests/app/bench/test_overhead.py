from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from io import StringIO
from pathlib import Path

import numpy as np
import pytest

from app.bench import overhead, rivals
from app.bench.costs import COMPLETE, DENSE, ENCODING, OURS, OWN, PASSAGES, TARGET, Cost, Overhead
from app.bench.overhead import draw, find_slices, measure
from app.cli.output import Output
from app.settings import load_settings
from indexes.errors import InputError
from indexes.store.open import opener
from retrievers.calibration import background_questions
from retrievers.panel import Panel
from tests.fakes import QUESTIONS, TOPICS, WordEncoder
from tests.retrievers.conftest import fill

ASKED = tuple(QUESTIONS.values())


@pytest.fixture
def panel(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Panel]:
    """Three experts; whoever connects to anything fails."""

    def refuse(*_: object) -> None:
        raise AssertionError("Something went to the network.")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    panel = Panel(tmp_path / "slices", WordEncoder(), opener())
    for name in TOPICS:
        fill(panel, name)
    yield panel
    panel.close()


def nearest(panel: Panel, question: str, names: tuple[str, ...]) -> list[str]:
    """Ids of the passages with the largest cosines, from the definition."""
    vector = panel.encoder.encode_questions([question])[0]
    cosines = {
        i: float(row @ vector)
        for name in names
        for ids, rows in panel.experts[name].slice.store.scan()
        for i, row in zip(ids, rows, strict=True)
    }
    return sorted(cosines, key=lambda i: -cosines[i])[:PASSAGES]


def test_every_system_is_measured_on_every_question_and_nothing_is_embedded_anew(panel: Panel) -> None:
    embedded = panel.encoder.passages  # type: ignore[attr-defined]
    found = measure(panel, ASKED, 7, lambda _: None)
    assert [cost.name for cost in found.costs][:4] == [ENCODING, "Symposia: route", DENSE, COMPLETE]
    assert [(OWN in cost.name, OURS in cost.name) for cost in found.costs[4:]] == 2 * [(True, False)] + 2 * [
        (False, True)
    ]
    assert {cost.n for cost in found.costs} == {len(ASKED)}
    assert all(0 < cost.wall_p50 <= cost.wall_p95 and cost.cpu_low <= cost.cpu <= cost.cpu_high for cost in found.costs)
    ours = next(cost for cost in found.costs if cost.name == DENSE)
    assert ours.times == 1
    assert [cost.times for cost in found.costs] == pytest.approx([cost.cpu / ours.cpu for cost in found.costs])
    assert (found.experts, found.passages, found.seed) == (3, 24, 7)
    assert 1 <= found.asked <= 3
    assert found.selections == 1 + len(TOPICS)  # the question, and every description again
    assert panel.encoder.passages == embedded  # type: ignore[attr-defined]


@pytest.mark.parametrize("where", [OWN, OURS])
def test_their_retrievers_search_the_same_vectors(panel: Panel, where: str) -> None:
    names = tuple(TOPICS)
    descriptions = {name: panel.experts[name].profile.description for name in names}
    texts = rivals.distinct(ASKED, list(descriptions.values()))
    vectors = panel.encoder.encode_questions(texts)
    known = rivals.known_vectors(texts, vectors)
    systems = overhead.their_systems(panel, descriptions, known, lambda _: None)
    fused, routed = (systems[f"LlamaIndex: {kind}, {where}"] for kind in ("QueryFusionRetriever", "RouterRetriever"))
    for question, vector in zip(ASKED, vectors, strict=False):
        chosen = names[int(np.argmax([vectors[texts.index(descriptions[name])] @ vector for name in names]))]
        for system, searched in ((fused, names), (routed, (chosen,))):
            found = system(question, vector)
            assert [hit.node.node_id for hit in found] == nearest(panel, question, searched)  # type: ignore[attr-defined]
            assert found[0].node.text in {text for name in searched for text in TOPICS[name]}  # type: ignore[index]


def test_ours_finds_by_dense_search_what_is_nearest_in_the_experts_asked(panel: Panel) -> None:
    vector = panel.encoder.encode_questions(ASKED[:1])[0]
    dense, complete = (overhead.our_systems(panel)[name] for name in (DENSE, COMPLETE))
    found = dense(ASKED[0], vector)
    assert found[0][0] == nearest(panel, ASKED[0], tuple(TOPICS))[0]  # type: ignore[index]
    assert complete(ASKED[0], vector)[0].passage.id == found[0][0]  # type: ignore[index]


def test_a_text_without_a_known_vector_is_an_error() -> None:
    known = rivals.known_vectors(["one"], np.ones((1, 2), dtype=np.float32))
    assert known.get_text_embedding("one") == [1, 1]
    with pytest.raises(KeyError):
        known.get_query_embedding("two")
    assert known.asked == 2  # type: ignore[attr-defined]


def test_a_cost_is_told_by_percentiles_and_quartiles_in_milliseconds() -> None:
    cost = Cost.of("x", [0.001 * n for n in range(1, 102)], [0.002, 0.004, 0.006, 0.008, 0.010])
    assert (cost.wall_p50, cost.wall_p95) == pytest.approx((51, 96))
    assert (cost.cpu_low, cost.cpu, cost.cpu_high) == pytest.approx((4, 6, 8))


@pytest.mark.parametrize(("cpu", "met"), [(9.9, False), (10.0, True)])
def test_the_target_is_held_against_their_cheaper_retriever(cpu: float, met: bool) -> None:
    costs = tuple(
        Cost(name, 1, 1, 1, times, 1, 1, times)
        for name, times in ((f"a, {OWN}", cpu), (f"b, {OWN}", 50), (f"c, {OURS}", 1))
    )
    document = Overhead(costs, 1, 1, 1.0, 2.0, 0).to_dict()
    assert (document["ratio"], document["target"], document["met"]) == (cpu, TARGET, met)
    assert document["costs"][2]["times"] == 1


def test_slices_are_taken_from_the_benchmark_or_else_the_demo_or_the_folder_given(tmp_path: Path) -> None:
    settings = load_settings(flags={"home": str(tmp_path)}).settings
    with pytest.raises(InputError, match="no slices in") as caught:
        find_slices(settings, None)
    assert "symposia demo" in caught.value.fix
    demo, benchmark, own = (tmp_path / part for part in ("slices", "benchmarks/retrieval/slices", "own"))
    for place in (demo, benchmark, own):
        (place / "x").mkdir(parents=True)
        (place / "x" / "slice.json").write_text("{}")
        assert find_slices(settings, None) == (demo if place == demo else benchmark)
    assert find_slices(settings, own) == own
    with pytest.raises(InputError, match="nowhere"):
        find_slices(settings, tmp_path / "nowhere")


def test_questions_are_drawn_from_the_test_splits_given_or_else_from_the_background(tmp_path: Path) -> None:
    (tmp_path / "qrels").mkdir()
    (tmp_path / "corpus.jsonl").write_text("")
    lines = [json.dumps({"_id": f"q{n}", "text": f"Question {n}?"}) for n in range(9)]
    (tmp_path / "queries.jsonl").write_text("\n".join(lines))
    judged = "".join(f"q{n}\td\t1\n" for n in range(6))
    (tmp_path / "qrels" / "test.tsv").write_text("query-id\tcorpus-id\tscore\n" + judged)
    assert sorted(draw([tmp_path, tmp_path], 100, 0)) == [f"Question {n}?" for n in range(6)]
    assert draw([tmp_path], 4, 3) == draw([tmp_path], 4, 3) != draw([tmp_path], 4, 4)
    assert set(draw([], 20, 0)) < set(background_questions())


def test_a_panel_in_which_nobody_can_be_asked_says_why(tmp_path: Path) -> None:
    (tmp_path / "birds").mkdir()
    (tmp_path / "birds" / "slice.json").write_text("{")
    with pytest.raises(InputError, match=r"No expert in .* can be asked\.\nbirds: "):
        measure(Panel(tmp_path, WordEncoder(), opener()), ASKED, 0, lambda _: None)


def test_results_are_shown_as_a_table_with_the_options_of_both_sides(
    panel: Panel, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(overhead, "make_panel", lambda _settings, _folder: panel)
    stdout, settings = StringIO(), load_settings(flags={}).settings
    document = overhead.run(settings, Output(stdout, StringIO()), panel.folder, [], n=4, seed=2)
    assert panel.experts == {}  # closed
    lines = stdout.getvalue().splitlines()
    assert lines[0].startswith("24 passages, 3 experts, ")
    assert [line.split("  ")[0] for line in lines[2:10]] == [cost["name"] for cost in document["costs"]]
    assert f"{document['ratio']:.1f} ×; target ≥ 10 ×: {'met' if document['met'] else 'MISSED'}." in lines[10]
    assert "num_queries=1" in stdout.getvalue()
    assert json.loads(json.dumps(document))["seed"] == 2
