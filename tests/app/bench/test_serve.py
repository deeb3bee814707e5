from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from app.bench.serve import ask, run
from indexes.errors import InputError, ServerError
from tests.app.server.conftest import QUESTIONS, System, running, system

__all__ = ["system"]


@pytest.fixture
def url(system: System) -> Iterator[str]:
    """A real server on fakes."""
    with running(system.app()) as address:
        yield address


def test_every_question_is_timed_and_every_answer_is_its_own(url: str) -> None:
    seen: list[tuple[int, int]] = []
    load = run(url, list(QUESTIONS), clients=3, each=4, report=lambda *counts: seen.append(counts))
    assert (load.clients, load.n, load.wrong) == (3, 12, ())
    assert 0 < load.p50.value <= load.p95.value
    assert load.p95.low <= load.p95.value <= load.p95.high
    assert load.per_minute > 0
    assert seen == [(done, 12) for done in range(1, 13)]


@pytest.mark.parametrize("way", ["json", "events", "openai"])
def test_what_is_wrong_with_a_response_is_told(way: str) -> None:
    def of(status: int, text: str) -> str:
        transport = httpx.MockTransport(lambda _: httpx.Response(status, text=text))
        with httpx.Client(transport=transport, base_url="http://here") as client:
            return ask(client, "Which stone?", way)

    answer = '{"answer": {"question": "ASKED"}}'
    form = {
        "json": answer,
        "events": f"event: stage\ndata: {{}}\n\nevent: done\ndata: {answer}\n\n",
        "openai": '{"symposia": ' + answer + "}",
    }[way]
    assert of(200, form.replace("ASKED", "Which stone?")) == ""
    assert "the answer is to 'Another?'" in of(200, form.replace("ASKED", "Another?"))
    assert "the answer is to" in of(200, "not what it should be")
    assert "status 503: full" in of(503, "full")


def test_a_server_that_is_not_there_is_an_error() -> None:
    with pytest.raises(ServerError, match="no server"):
        run("http://127.0.0.1:9", ["What?"])


def test_without_questions_nothing_is_asked(url: str) -> None:
    with pytest.raises(InputError):
        run(url, [])


def test_the_command_prints_what_it_measured(url: str, tmp_path: Path, capsys: Any, monkeypatch: Any) -> None:
    import json

    from app.cli import main

    monkeypatch.chdir(tmp_path)
    file = tmp_path / "questions.txt"
    file.write_text("\n".join(QUESTIONS))
    arguments = ["bench", "serve", "--url", url, "--questions", str(file), "--clients", "2", "--each", "2"]
    assert main([*arguments, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["n"] == 4
    assert main(arguments) == 0
    assert "p95" in capsys.readouterr().out
