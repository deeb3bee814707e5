from __future__ import annotations

import pytest
from fastapi.testclient import TestClient

from app.access.keys import Keys
from app.server.hosts import host_of
from tests.app.server.conftest import System, here


@pytest.mark.parametrize("host", ["127.0.0.1:8000", "localhost", "LOCALHOST:1", "[::1]:8000"])
def test_a_server_without_keys_answers_under_the_names_of_this_machine(client: TestClient, host: str) -> None:
    assert client.get("/v1/experts", headers={"Host": host}).status_code == 200


@pytest.mark.parametrize("host", ["evil.example", "evil.example:8000", "127.0.0.1.evil.example", "localhost.evil", ""])
def test_a_name_that_was_made_to_point_here_is_refused(client: TestClient, host: str) -> None:
    refused = client.get("/v1/experts", headers={"Host": host})
    assert refused.status_code == 421
    assert refused.json()["error"]["type"] == "misdirected"


@pytest.mark.parametrize("origin", ["https://evil.example", "null", "http://127.0.0.1.evil.example", "http://["])
def test_a_page_elsewhere_may_not_send_anything(client: TestClient, origin: str) -> None:
    files = {"files": ("a.txt", b"Poison.")}
    refused = client.post("/v1/documents/upload", data={"expert": "weights"}, files=files, headers={"Origin": origin})
    assert refused.status_code == 403
    assert client.get("/v1/documents?expert=weights").json()["total"] == 10


def test_a_page_of_this_machine_may(client: TestClient) -> None:
    assert client.get("/v1/experts", headers={"Origin": "http://localhost:3000"}).status_code == 200


def test_no_other_site_is_told_that_it_may_read(client: TestClient) -> None:
    answered = client.get("/v1/experts", headers={"Origin": "http://localhost:3000"})
    assert not [name for name in answered.headers if name.startswith("access-control")]
    asked = {"Origin": "http://localhost:3000", "Access-Control-Request-Method": "POST"}
    assert client.options("/v1/ask", headers=asked).status_code == 405


def test_with_keys_any_name_will_do_and_without_those_that_were_named(system: System) -> None:
    keys = Keys(system.home / "keys.json")
    secret = {"Authorization": f"Bearer {keys.create('anna')}"}
    with here(system.app(keys=keys)) as client:
        assert client.get("/v1/experts", headers={"Host": "symposia.example", **secret}).status_code == 200
    for hosts, status in (("", 421), ("other.example symposia.example", 200), ("*", 200)):
        with here(system.app(without_keys=True, hosts=hosts)) as client:
            assert client.get("/v1/experts", headers={"Host": "symposia.example"}).status_code == status


@pytest.mark.parametrize(
    ("url", "host"),
    [("//A.b:1", "a.b"), ("http://[::1]:80", "::1"), ("null", ""), ("", ""), ("http://[", ""), ("//u@h", "h")],
)
def test_the_host_of_an_address(url: str, host: str) -> None:
    assert host_of(url) == host
