from __future__ import annotations

from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from tests.app.server.conftest import System, here

TEXT = "The stone named Zadok weighs 77 pounds on the market scale."
ASKED = "How much does the stone named Zadok weigh on the market scale?"


def test_a_text_is_added_found_listed_and_deleted(client: TestClient) -> None:
    body = {"expert": "weights", "text": TEXT, "title": "Zadok", "source": "ledger", "date": "2024-01-02"}
    added = client.post("/v1/documents", json=body)
    assert (added.status_code, added.json()["embedded"], added.json()["new"]) == (201, 1, 1)
    assert "77" in client.post("/v1/ask", json={"question": ASKED}).json()["answer"]["text"]
    assert client.post("/v1/documents", json=body).json()["unchanged"] == 1
    listed = client.get("/v1/documents", params={"expert": "weights", "like": "zadok"}).json()
    assert listed["total"] == 1
    [document] = listed["documents"]
    assert (document["title"], document["source"], document["date"]) == ("Zadok", "ledger", "2024-01-02")
    place = f"/v1/documents/{document['id']}?expert=weights"
    assert [client.delete(place).status_code for _ in range(2)] == [204, 404]
    assert client.get("/v1/documents?expert=weights").json()["total"] == 10


def test_a_text_takes_the_place_of_its_earlier_version_where_it_is_told_to(client: TestClient) -> None:
    body = {"expert": "weights", "text": TEXT, "title": "Zadok", "source": "ledger"}
    client.post("/v1/documents", json=body)
    changed = {**body, "text": TEXT.replace("77", "78")}
    for replace, total in ((False, 12), (True, 11)):
        client.post("/v1/documents", json={**changed, "replace": replace})
        assert client.get("/v1/documents?expert=weights").json()["total"] == total
    assert "78" in client.post("/v1/ask", json={"question": ASKED}).json()["answer"]["text"]


@pytest.mark.parametrize("text", [" ", "\n\n", "…"])
def test_a_text_without_words_is_refused_and_its_earlier_version_stays(client: TestClient, text: str) -> None:
    body = {"expert": "weights", "text": TEXT, "source": "ledger"}
    client.post("/v1/documents", json=body)
    refused = client.post("/v1/documents", json={**body, "text": text, "replace": True})
    assert (refused.status_code, "ledger: has no words" in refused.json()["error"]["problem"]) == (422, True)
    assert client.get("/v1/documents?expert=weights&like=ledger").json()["total"] == 1


def test_a_file_takes_the_place_of_its_earlier_version_where_it_is_told_to(client: TestClient) -> None:
    for text, replace in ((b"Quartz is a mineral.", "false"), (b"Quartz is a hard mineral.", "true")):
        data = {"expert": "minerals", "replace": replace}
        client.post("/v1/documents/upload", data=data, files=[("files", ("notes.txt", text))])
    assert client.get("/v1/documents?expert=minerals").json()["total"] == 1


def test_files_are_added_under_their_names_and_what_cannot_be_read_is_told(client: TestClient) -> None:
    files = [
        ("files", ("../../etc/notes.txt", b"Quartz is a mineral made of silicon and oxygen.")),
        ("files", ("notes.txt", b"Feldspar is another mineral of the crust.")),
        ("files", ("program.exe", b"MZ")),
        ("files", ("empty.txt", b"")),
    ]
    added = client.post("/v1/documents/upload", data={"expert": "minerals", "description": "Stones."}, files=files)
    report = added.json()
    assert (added.status_code, report["documents"], report["embedded"]) == (201, 2, 2)
    assert sorted(problem["path"] for problem in report["problems"]) == ["empty.txt", "program.exe"]
    documents = client.get("/v1/documents?expert=minerals").json()["documents"]
    assert sorted(document["source"] for document in documents) == ["2/notes.txt", "notes.txt"]
    assert {card["name"]: card["description"] for card in client.get("/v1/experts").json()["experts"]}[
        "minerals"
    ] == "Stones."


def test_a_row_with_half_a_character_is_told_and_the_rest_goes_on(client: TestClient) -> None:
    rows = b'{"text": "Half \\ud800 a character."}\n{"text": "The stone named Zadok weighs 77 pounds on the market scale."}\n'
    added = client.post("/v1/documents/upload", data={"expert": "weights"}, files={"files": ("rows.jsonl", rows)})
    assert (added.status_code, added.json()["embedded"]) == (201, 1)
    [problem] = added.json()["problems"]
    assert "line 1" in problem["reason"]


def test_nothing_of_an_upload_stays_behind(client: TestClient, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(folder))
    files = {"files": ("notes.txt", b"Quartz is a mineral made of silicon and oxygen.")}
    assert client.post("/v1/documents/upload", data={"expert": "minerals"}, files=files).status_code == 201
    assert list(folder.iterdir()) == []


@pytest.mark.parametrize("name", ["", "..", "a/b", "with space", "_x", "x" * 65])
def test_a_name_that_cannot_be_an_experts_is_refused(client: TestClient, name: str) -> None:
    files = {"files": ("notes.txt", b"Text enough to be read.")}
    assert client.post("/v1/documents", json={"expert": name, "text": "Text."}).status_code == 422
    assert client.post("/v1/documents/upload", data={"expert": name}, files=files).status_code == 422


def test_letters_of_any_alphabet_can_name_an_expert(client: TestClient) -> None:
    assert client.post("/v1/documents", json={"expert": "Übersicht", "text": "Ein Text."}).status_code == 201
    assert client.get("/v1/documents", params={"expert": "Übersicht"}).json()["total"] == 1


def test_an_upload_in_which_nothing_can_be_read_adds_no_expert(client: TestClient) -> None:
    files = {"files": ("program.exe", b"MZ")}
    refused = client.post("/v1/documents/upload", data={"expert": "fresh"}, files=files)
    assert refused.status_code == 422
    assert "program.exe" in refused.json()["error"]["problem"]
    assert client.get("/v1/documents?expert=fresh").status_code == 404


def test_pages_of_the_list(client: TestClient) -> None:
    pages = [client.get(f"/v1/documents?expert=weights&limit=4&offset={offset}").json() for offset in (0, 4, 8, 12)]
    assert [(page["total"], page["offset"], len(page["documents"])) for page in pages] == [
        (10, 0, 4),
        (10, 4, 4),
        (10, 8, 2),
        (10, 12, 0),
    ]
    assert len({document["id"] for page in pages for document in page["documents"]}) == 10


def test_a_body_beyond_the_limit_is_refused_by_its_header_and_by_what_arrives(system: System) -> None:
    with here(system.app(largest_body=1000, largest_upload=3000)) as client:
        told = client.post("/v1/ask", json={"question": "x" * 1000})
        assert (told.status_code, told.json()["error"]["type"]) == (413, "too_large")
        kind = {"Content-Type": "application/json"}
        arriving = client.post("/v1/ask", content=(b"x" * 100 for _ in range(20)), headers=kind)
        assert (arriving.status_code, arriving.json()["error"]["type"]) == (413, "too_large")
        small = {"files": ("notes.txt", b"A stone. " * 200)}
        large = {"files": ("notes.txt", b"A stone. " * 400)}
        statuses = [
            client.post("/v1/documents/upload", data={"expert": "fresh"}, files=files).status_code
            for files in (small, large)
        ]
        assert statuses == [201, 413]
