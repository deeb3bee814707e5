from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from app.bench import sizing_cell
from app.bench.sizing import KINDS, NODE, REPLICAS, USABLE, Line, Measured, Sizing, nodes, pace, rule
from app.bench.sizing_cell import LOG, PARTS, WORDS, Cell, part_of
from app.bench.sizing_tables import Shown, tables
from tests.fakes import WordEncoder

EACH = {"vectors": 1536, "graph": 40, "terms": 400, "term index": 240, "texts": 770, "ids": 140, "int8": 388, LOG: 0}


def measured(points: int, kind: str) -> Measured:
    """A slice whose parts grow by ``EACH``, with a log that does not."""
    disk = {part: each * points + 1000 for part, each in EACH.items()}
    disk[LOG] = 100_000_000
    if kind == "none":
        disk["int8"] = 0
    return Measured(points, 384, kind, disk, 40_000_000 + 700 * points, 150_000_000 + 1500 * points, points / 1000)  # type: ignore[arg-type]


@pytest.fixture
def found() -> Sizing:
    return Sizing(tuple(measured(n, kind) for kind in KINDS for n in (30_000, 10_000, 20_000)), "words", 50.0, 0)


def test_a_line_through_points_on_a_line_is_that_line() -> None:
    line = Line.through([10, 20, 40], [105, 205, 405])
    assert line.each == pytest.approx(10)
    assert line.fixed == pytest.approx(5)
    assert line.off == pytest.approx(0, abs=1e-12)


def test_a_line_says_how_far_off_it_is_at_worst() -> None:
    line = Line.through([1, 2, 3], [10, 26, 30])
    fitted = [line.fixed + line.each * n for n in (1, 2, 3)]
    assert line.off == pytest.approx(max(abs(f - v) / v for f, v in zip(fitted, (10, 26, 30), strict=True)))
    assert line.off > 0.1
    assert Line.through([1, 2, 3], [0, 0, 0]).off == 0


def test_a_passage_costs_the_slopes_of_its_parts_without_the_log(found: Sizing) -> None:
    assert found.disk_each(384, "int8") == pytest.approx(sum(EACH.values()))
    assert found.disk_each(384, "none") == pytest.approx(sum(EACH.values()) - EACH["int8"])
    assert found.heap(384).each == pytest.approx(700)


def test_the_small_vectors_are_to_be_in_memory_where_there_are_any(found: Sizing) -> None:
    rest = EACH["graph"] + EACH["term index"] + 700
    assert found.searched_each(384, "none") == pytest.approx(EACH["vectors"] + rest)
    assert found.searched_each(384, "int8") == pytest.approx(EACH["int8"] + rest)


def test_indexing_is_taken_from_the_largest_slice(found: Sizing) -> None:
    largest = replace(measured(40_000, "none"), cpu=80.0)
    assert Sizing((*found.slices, largest), "", 0.0, 0).index_cpu(384, "none") == pytest.approx(2.0)


def test_the_rule_of_thumb_is_that_of_qdrants_documentation() -> None:
    assert rule(1_000_000, 1024) == 6_144_000_000


@pytest.mark.parametrize(("searched", "count"), [(1, 2), (NODE * USABLE, 2), (NODE * USABLE * 1.01, 3), (NODE * 8, 20)])
def test_nodes_hold_every_copy_and_are_as_many_as_there_are_copies(searched: float, count: int) -> None:
    assert REPLICAS == 2
    assert nodes(searched) == count


def test_tables_have_as_many_cells_as_columns_and_name_what_is_arithmetic(found: Sizing) -> None:
    shown = list(tables(found))
    assert [table.title for table in shown] == [
        "Measured", "Each further passage", "A million passages", "Nodes", "Encoding"
    ]  # fmt: skip
    for table in shown:
        assert table.rows
        assert {len(row) for row in table.rows} == {len(table.columns)}
        assert table.markdown().splitlines()[3].startswith("| ---")
    assert all(any("Arithmetic" in note for note in table.notes) for table in shown[2:])


def test_numbers_in_the_tables_are_those_of_the_lines(found: Sizing) -> None:
    each, million, of_nodes, encoding = list(tables(found))[1:]
    rows = {row[0]: row[1:] for row in each.rows}
    assert rows["vectors"] == ("1,536 (0.0%)", "1,536 (0.0%)")
    assert rows["int8"] == ("0", "388 (0.0%)")
    assert rows["to be in memory"] == ("2,516", "1,368")
    assert [row[2] for row in million.rows] == ["2.52", "1.37"]
    last = {row[1]: row for row in of_nodes.rows if row[0] == "1,000 million"}
    assert last["384, none"][3:5] == ("5,032", "92")
    assert encoding.rows[0][1:3] == ("5.6 h", "42 min")


def test_without_an_encoder_no_pace_is_invented(found: Sizing) -> None:
    assert "Encoding" not in [table.title for table in tables(replace(found, pace=0.0, encoder=""))]


def test_a_table_is_written_as_markdown() -> None:
    shown = Shown("Title", ("a", "b"), (("x", "1"),), ("A note.",))
    assert shown.markdown() == "### Title\n\n| a | b |\n| --- | ---: |\n| x | 1 |\n\nA note.\n"


@pytest.mark.parametrize(
    ("path", "part"),
    [
        ("segments/a/vector_storage-dense/matrix.dat", "vectors"),
        ("segments/a/vector_storage-dense/quantized.data", "int8"),
        ("segments/a/vector_index-dense/links_compressed.bin", "graph"),
        ("segments/a/vector_index-bm25/inverted_index.dat", "term index"),
        ("segments/a/vector_storage-bm25/store/page_0.dat", "terms"),
        ("segments/a/payload_storage/page_0.dat", "texts"),
        ("segments/a/id_tracker.mappings", "ids"),
        ("wal/open-1", LOG),
        ("edge_config.json", "ids"),
    ],
)
def test_files_are_told_apart_by_what_they_hold(path: str, part: str) -> None:
    assert part_of(Path(path)) == part


def test_passages_are_as_long_as_is_said_and_differ() -> None:
    texts = sizing_cell.texts(50)
    assert len(texts) == len(set(texts)) == 50
    assert {len(text.split()) for text in texts} == {WORDS}


def test_the_pace_is_that_of_the_encoder() -> None:
    encoder = WordEncoder()
    assert pace(encoder) > 0
    assert encoder.passages > 500


@pytest.mark.slow
def test_a_slice_is_measured_by_part_and_in_memory(tmp_path: Path) -> None:
    (tmp_path / "texts.json").write_text(json.dumps(sizing_cell.texts(20)), encoding="utf-8")
    cell = Cell(tmp_path / "shard", tmp_path / "texts.json", 2000, 16, "int8", 3, 0)
    built = sizing_cell.build(cell)
    assert set(built.disk) == {*PARTS.values(), "int8", LOG}
    assert all(built.disk[part] > 0 for part in ("vectors", "int8", "graph", "term index", "terms", "texts", "ids"))
    assert built.disk["vectors"] == pytest.approx(2000 * 16 * 4, rel=0.2)
    assert built.cpu > 0
    opened = sizing_cell.ask(cell)
    assert opened.own + opened.mapped > 0
