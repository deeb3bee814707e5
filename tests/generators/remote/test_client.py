from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from generators.remote.client import WAITS, Client, base_url, pause
from generators.remote.exchange import Lost
from generators.remote.refusals import Refused
from indexes.errors import ServerError, SettingsError
from tests.language_server import Reaction, Served, refuses, says

BODY = {"model": "tiny", "messages": []}


def texts(client: Client) -> str:
    return "".join(chunk.text for chunk in client.complete(BODY))


@pytest.mark.parametrize(
    ("url", "base"),
    [
        ("http://localhost:11434", "http://localhost:11434/v1"),
        ("http://localhost:11434/", "http://localhost:11434/v1"),
        (" https://models.example/api/v3/ ", "https://models.example/api/v3"),
        ("http://h/v1/chat/completions", "http://h/v1"),
        ("http://[::1]:8080/v1", "http://[::1]:8080/v1"),
    ],
)
def test_the_base_url_is_completed(url: str, base: str) -> None:
    assert base_url(url) == base


def test_a_connection_that_breaks_before_the_first_word_is_tried_again(served: Served) -> None:
    served.reactions = [Reaction(status=0), Reaction(status=0), says("sol")]
    client = Client(served.url)
    client._sleep = lambda _: None
    assert texts(client) == "sol"
    served.reactions = [Reaction(status=0)]
    with pytest.raises(ServerError, match="broke off"):
        texts(client)
    assert len(served.asked) == 3 + 1 + len(WAITS)


def test_requests_that_meet_the_same_unknown_option_together_all_leave_it_out(
    served: Served,
) -> None:
    together = threading.Barrier(4)

    def react(body: dict[str, Any]) -> Reaction:
        if "seed" not in body:
            return says("sol")
        together.wait(10)
        return refuses(400, "Unrecognized request argument supplied: seed")

    served.react = react
    client = Client(served.url)
    with ThreadPoolExecutor(4) as pool:
        said = pool.map(lambda _: "".join(chunk.text for chunk in client.complete(BODY | {"seed": 1})), range(4))
        assert list(said) == ["sol"] * 4
    assert len(served.asked) == 8


def test_an_option_that_was_not_sent_is_not_tried_again(served: Served) -> None:
    served.react = lambda _: refuses(400, "Unrecognized request argument supplied: seed")
    client = Client(served.url)
    with pytest.raises(ServerError, match="seed"):
        list(client.complete(BODY | {"seed": 1}))
    assert len(served.asked) == 2


def test_a_server_here_is_not_asked_through_a_proxy(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    monkeypatch.delenv("NO_PROXY", raising=False)
    monkeypatch.delenv("no_proxy", raising=False)
    served.reactions = [says("sol")]
    assert texts(Client(served.url)) == "sol"


def test_a_list_of_models_that_is_none_is_no_list(served: Served) -> None:
    client = Client(served.url)
    assert client.models() == ["tiny"]
    served.models = []
    assert client.models() == []
    served.models = None
    assert client.models() is None


def test_a_list_behind_a_key_or_elsewhere_is_an_error(served: Served) -> None:
    served.key = "right"
    with pytest.raises(SettingsError, match="refuses the key"):
        Client(served.url, "wrong").models()
    served.key, served.models, served.no_list = "", None, 302
    with pytest.raises(SettingsError, match="sends elsewhere"):
        Client(served.url).models()


@pytest.mark.parametrize(
    ("error", "failed", "seconds"),
    [
        (Refused(503, "", {}), 1, 0.5),
        (Refused(503, "", {}), 3, 2.0),
        (Refused(503, "", {}), 4, None),
        (Refused(429, "", {"retry-after": "7"}), 1, 7.0),
        (Refused(429, "", {"retry-after": "0"}), 1, 0.0),
        (Refused(429, "", {"retry-after": "9999"}), 1, 20.0),
        (Refused(429, "", {"retry-after": "Fri, 31 Dec 1999 23:59:59 GMT"}), 2, 1.0),
        (Refused(400, "", {}), 1, None),
        (Refused(404, "", {}), 1, None),
        (Lost("silent", ""), 1, 0.5),
        (Lost("silent", ""), 2, None),
        (Lost("broken", ""), 3, 2.0),
        (Lost("unreachable", ""), 1, None),
    ],
)
def test_how_long_to_wait_for_another_attempt(error: Lost | Refused, failed: int, seconds: float | None) -> None:
    assert pause(error, failed) == seconds
