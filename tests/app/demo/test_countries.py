from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from app.demo import countries
from indexes.passage import Mark

GABON: dict[str, Any] = {
    "Introduction": {"Background": {"text": "Fang and others.<br><br>A coup&nbsp;in 2023."}},
    "Geography": {
        "Area": {"total ": {"text": "267,667 sq km"}, "water": {"text": "10,000 sq km"}},
        "Land boundaries": {"total": {"text": "3,261 km"}, "border countries": {"text": "Cameroon 349 km"}},
        "Map references": {"text": "Africa"},
    },
    "Government": {
        "Country name": {"conventional short form": {"text": "Gabon"}, "etymology": {"text": "none"}},
        "Capital": {"name": {"text": "Libreville"}, "etymology": {"text": '"free town"'}},
        "Flag": {"text": "<strong>description:</strong> green<br><br><strong>meaning:</strong> forests", "note": "x"},
    },
    "Economy": {
        "Exports": {
            "Exports 2023": {"text": "$12 billion (2023 est.)"},
            "Exports 2024": {"text": "$13 billion (2024 est.)"},
            "note": "in dollars",
        },
        "Exchange rates": {
            "Currency": {"text": "francs (XAF) per US dollar -"},
            "Exchange rates 2024": {"text": "606"},
        },
    },
}


@pytest.fixture
def texts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    (tmp_path / "africa").mkdir()
    (tmp_path / "africa" / "gb.json").write_text(json.dumps(GABON), encoding="utf-8")
    monkeypatch.setattr(countries, "data_folder", lambda package, requirement: tmp_path)
    documents = list(countries.documents())
    assert {document.title for document in documents} == {"Gabon"}
    assert all(document.marks == (Mark(0, document.key.removeprefix("gb/")),) for document in documents)
    return {document.key: document.text for document in documents}


def test_a_section_without_a_chosen_field_gives_no_document(texts: dict[str, str]) -> None:
    assert set(texts) == {"gb/Introduction", "gb/Geography", "gb/Government", "gb/Economy"}


def test_the_background_keeps_its_paragraphs_and_no_label(texts: dict[str, str]) -> None:
    assert texts["gb/Introduction"] == "Fang and others.\n\nA coup in 2023."


def test_each_fact_is_a_line_of_its_own_under_a_telling_label(texts: dict[str, str]) -> None:
    assert texts["gb/Geography"].split("\n\n") == [
        "Area: 267,667 sq km",
        "Land boundaries: 3,261 km",
        "Border countries: Cameroon 349 km",
    ]
    assert texts["gb/Government"].split("\n\n") == [
        "Capital: Libreville",
        'Capital, etymology: "free town"',
        "Flag: description: green; meaning: forests",
    ]


def test_of_a_series_of_years_the_newest_is_taken_and_notes_are_left_out(texts: dict[str, str]) -> None:
    assert texts["gb/Economy"].split("\n\n") == ["Exports: $13 billion (2024 est.)", "Currency: francs (XAF)"]


def test_a_field_that_is_plain_text_instead_of_parts_is_taken_whole() -> None:
    assert list(countries.field_lines({"Population": {"text": "no people"}}, "Population", ("total",))) == [
        "Population: no people"
    ]


def test_a_comparison_sign_is_not_taken_for_a_tag() -> None:
    assert countries.plain("Jewish &lt;1%, other &lt;1%<br>none 7%") == "Jewish <1%, other <1%; none 7%"


def test_an_enormous_list_is_cut_between_two_items() -> None:
    value = "; ".join(f"item {number}" for number in range(200))
    cut = countries.shortened(value)
    assert cut.endswith("item 43 …")
    assert value.startswith(cut.removesuffix(" …"))
    assert countries.shortened("short; list") == "short; list"


@pytest.mark.parametrize(
    ("code", "short", "long", "name"),
    [
        ("iv", "C&ocirc;te d'Ivoire", "Republic of C&ocirc;te d'Ivoire", "Côte d'Ivoire"),
        ("ae", "none", "United Arab Emirates", "United Arab Emirates"),
        ("dr", "The Dominican", "Dominican Republic", "Dominican Republic"),
    ],
)
def test_a_country_goes_by_the_name_that_people_use(code: str, short: str, long: str, name: str) -> None:
    forms = {"conventional short form": {"text": short}, "conventional long form": {"text": long}}
    assert countries.country_name(code, {"Government": {"Country name": forms}}) == name
