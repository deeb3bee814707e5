"""schemathesis reads the OpenAPI document, and sends what it allows and what it does not."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st
from schemathesis.checks import CHECKS, load_all_checks

from app.access.keys import Keys
from app.access.principal import Action
from indexes.passage import Document
from tests.app.server.conftest import System, here

EACH = 100  # requests to each address that takes anything
BOTH = (schemathesis.GenerationMode.POSITIVE, schemathesis.GenerationMode.NEGATIVE)
NOT_MEANT = {"positive_data_acceptance"}  # a question of blanks or of an unknown expert fits the schema, and gets 422


@pytest.mark.slow
def test_whatever_schemathesis_makes_up_gets_an_answer_that_the_document_foresees(system: System) -> None:
    keys = Keys(system.home / "keys.json")
    secret = {"Authorization": f"Bearer {keys.create('anna', actions=Action)}"}
    schema = schemathesis.openapi.from_asgi("/openapi.json", system.app(keys=keys))
    load_all_checks()
    checks = [CHECKS.get_one(name) for name in CHECKS.get_all_names() if name not in NOT_MEANT]
    statuses: Counter[int] = Counter()
    system.symposium.add_documents([Document("A first stone.")], "weights")  # it imports what splits texts

    def send(case: Any) -> None:
        response = case.call(headers=secret)
        statuses[response.status_code] += 1
        case.validate_response(response, checks=checks, headers=secret)

    for operation in (result.ok() for result in schema.get_all_operations()):
        cases = st.one_of(*(operation.as_strategy(generation_mode=mode) for mode in BOTH))
        run = settings(
            max_examples=EACH,
            deadline=None,
            database=None,
            suppress_health_check=list(HealthCheck),
            phases=[Phase.generate],
        )(seed(0)(given(case=cases)(send)))
        run()
    assert sum(statuses.values()) >= 1000, statuses
    assert not [status for status in statuses if status >= 500], statuses
    assert {200, 201, 404, 422} <= set(statuses), statuses


def test_every_route_tells_what_it_refuses_and_shows_an_example_of_what_it_takes(system: System) -> None:
    with here(system.app()) as client:
        document = client.get("/openapi.json").json()
    for path, operations in document["paths"].items():
        for operation in operations.values():
            assert operation["summary"], path
            if path.startswith("/v1/"):
                assert {"401", "403", "429"} <= set(operation["responses"]), path
            if "requestBody" in operation:
                assert {"400", "413", "422"} <= set(operation["responses"]), path
    bodies = ("AskRequest", "RetrieveRequest", "TextRequest", "FeedbackRequest", "CompletionRequest")
    assert all(document["components"]["schemas"][name]["examples"] for name in bodies)


def test_the_examples_of_the_document_are_valid(system: System) -> None:
    with here(system.app()) as client:
        schemas = client.get("/openapi.json").json()["components"]["schemas"]
        for path, name in (("/v1/retrieve", "RetrieveRequest"), ("/v1/documents", "TextRequest")):
            for example in schemas[name]["examples"]:
                assert client.post(path, json=example).is_success, (path, example)
        for example in schemas["AskRequest"]["examples"]:
            wrong = client.post("/v1/ask", json=example | {"experts": []})
            assert wrong.is_success, wrong.text


def test_a_key_is_part_of_the_document_only_where_one_is_asked_for(system: System) -> None:
    with here(system.app()) as client:
        assert "securitySchemes" not in client.get("/openapi.json").json()["components"]
    with here(system.app(keys=Keys(system.home / "keys.json"))) as client:
        document = client.get("/openapi.json").json()
    assert document["components"]["securitySchemes"] == {"key": {"type": "http", "scheme": "bearer"}}
    assert document["paths"]["/v1/ask"]["post"]["security"] == [{"key": []}]
    assert document["paths"]["/healthz"]["get"]["security"] == []


def test_no_page_is_served_that_loads_scripts_from_elsewhere(system: System) -> None:
    with here(system.app()) as client:
        assert [client.get(path).status_code for path in ("/docs", "/redoc")] == [404, 404]
