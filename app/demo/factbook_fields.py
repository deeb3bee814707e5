"""Which facts of the CIA World Factbook the demo takes: those that people ask about, without tables and addresses."""

from __future__ import annotations

from collections.abc import Mapping

FieldChoice = Mapping[str, tuple[str, ...]]
"""Fields of a section, each with the parts that are wanted; an empty tuple takes the field's own text."""

SECTIONS: Mapping[str, FieldChoice] = {
    "Introduction": {"Background": ()},
    "Geography": {
        "Location": (),
        "Area": ("total",),
        "Area - comparative": (),
        "Land boundaries": ("total", "border countries"),
        "Coastline": (),
        "Climate": (),
        "Terrain": (),
        "Elevation": ("highest point", "lowest point"),
        "Natural resources": (),
        "Geography - note": (),
    },
    "People and Society": {
        "Population": ("total",),
        "Nationality": ("noun",),
        "Ethnic groups": (),
        "Languages": ("Languages",),
        "Religions": (),
        "Median age": ("total",),
        "Life expectancy at birth": ("total population",),
        "Infant mortality rate": ("total",),
        "Total fertility rate": (),
        "Literacy": ("total population",),
        "Urbanization": ("urban population",),
        "Major urban areas - population": (),
    },
    "Government": {
        "Country name": (
            "conventional long form", "local long form", "former", "abbreviation", "etymology",
        ),
        "Dependency status": (),
        "Government type": (),
        "Capital": ("name", "etymology"),
        "Administrative divisions": (),
        "Independence": (),
        "National holiday": (),
        "Suffrage": (),
        "Executive branch": ("chief of state", "head of government"),
        "Legislative branch": ("legislature name", "legislative structure", "number of seats"),
        "Legislative branch - lower chamber": ("chamber name", "number of seats"),
        "Legislative branch - upper chamber": ("chamber name", "number of seats"),
        "Flag": (),
        "National symbol(s)": (),
        "National anthem(s)": ("title", "lyrics/music"),
        "National heritage": ("total World Heritage Sites",),
    },
    "Economy": {
        "Economic overview": (),
        "Real GDP (purchasing power parity)": (),
        "Real GDP growth rate": (),
        "Real GDP per capita": (),
        "Inflation rate (consumer prices)": (),
        "GDP - composition, by sector of origin": ("agriculture", "industry", "services"),
        "Agricultural products": (),
        "Industries": (),
        "Unemployment rate": (),
        "Population below poverty line": (),
        "Public debt": (),
        "Exports": (),
        "Exports - partners": (),
        "Exports - commodities": (),
        "Imports": (),
        "Imports - partners": (),
        "Imports - commodities": (),
        "Exchange rates": ("Currency",),
    },
}  # fmt: skip
