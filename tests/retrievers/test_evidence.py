from __future__ import annotations

import json

from indexes.passage import Passage
from retrievers.evidence import Evidence, Route, Share

PASSAGE = Passage("p1", "d1", "Apples.", title="Fruit", place="Trees", date="2024")
ROUTE = Route(
    "retrieve",
    "domain",
    (Share("orchard", 0.6, True), Share("engines", 0.3, False), Share("planets", 0.05, True)),
    0.05,
    "Because.",
    {"moons": "locked"},
    ("zorblax",),
)


def test_the_experts_of_a_route_are_those_asked_in_its_order() -> None:
    assert ROUTE.experts == ("orchard", "planets")
    assert Route("skip", "chitchat", (), 1.0, "Hello.").experts == ()


def test_a_route_is_plain_json() -> None:
    values = json.loads(json.dumps(ROUTE.to_dict()))
    assert values["experts"] == ["orchard", "planets"]
    assert values["shares"][1] == {"expert": "engines", "probability": 0.3, "asked": False}
    assert (values["decision"], values["kind"], values["null"], values["reason"]) == (
        "retrieve",
        "domain",
        0.05,
        "Because.",
    )
    assert (values["failures"], values["unknown"]) == ({"moons": "locked"}, ["zorblax"])


def test_evidence_is_plain_json_and_holds_its_passage() -> None:
    values = json.loads(json.dumps(Evidence(2, PASSAGE, "orchard", 0.0, {"dense": 0.0}).to_dict()))
    assert Passage.from_dict(values.pop("passage")) == PASSAGE
    assert values == {"number": 2, "part": 1, "expert": "orchard", "probability": 0.0, "scores": {"dense": 0.0}}


def test_evidence_prints_as_it_is_cited() -> None:
    assert str(Evidence(2, PASSAGE, "orchard", 0.5)) == "[2] orchard: Fruit › Trees (2024)"
    assert str(Evidence(1, Passage("p", "d", "Text.", title="Fruit"), "orchard", 0.5)) == "[1] orchard: Fruit"
