from __future__ import annotations

import json
import subprocess
import sys
import threading
import time
from typing import Any

import pytest

from generators.remote.model import RemoteModel
from indexes.errors import InputError, MissingModelError, ServerError, SettingsError
from tests.language_server import DONE, Reaction, Served, event, refuses, says, usage

QUESTION = [{"role": "user", "content": "Who?"}]


@pytest.fixture
def model(served: Served) -> RemoteModel:
    made = RemoteModel(served.url, "tiny", timeout=5)
    made.client._sleep = lambda _: None
    return made


def text_of(model: RemoteModel, **options: Any) -> str:
    return "".join(model.stream(QUESTION, **({"max_tokens": 9} | options)))


def test_importing_it_imports_neither_httpx_nor_torch() -> None:
    code = "import sys; import generators.remote.model; sys.exit(bool({'torch', 'httpx'} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_making_one_asks_nothing_of_the_server() -> None:
    assert RemoteModel("http://127.0.0.1:9", "tiny").name == "tiny"


def test_pieces_come_as_they_are_said_with_reason_and_usage(model: RemoteModel, served: Served) -> None:
    served.reactions = [says("The ", "s", "ol.")]
    reply = model.stream(QUESTION, max_tokens=9)
    assert list(reply) == ["The ", "s", "ol."]
    assert reply.reason == "end"
    assert (reply.usage.prompt, reply.usage.answer) == (12, 3)
    assert 0 < reply.usage.first <= reply.usage.seconds


def test_what_is_asked_is_sent(model: RemoteModel, served: Served) -> None:
    served.reactions = [says("x")]
    text_of(model, max_tokens=7, temperature=0.5, seed=3, stop=["\n", ""])
    assert served.asked == [
        {
            "model": "tiny",
            "messages": QUESTION,
            "max_tokens": 7,
            "temperature": 0.5,
            "seed": 3,
            "stop": ["\n"],
            "stream": True,
            "stream_options": {"include_usage": True},
        }
    ]


def test_by_default_the_answer_is_greedy_and_has_no_stop(model: RemoteModel, served: Served) -> None:
    served.reactions = [says("x")]
    text_of(model)
    assert (served.asked[0]["temperature"], served.asked[0]["seed"]) == (0.0, 0)
    assert "stop" not in served.asked[0]


def test_a_stop_string_ends_the_answer_even_where_the_server_ignores_it(model: RemoteModel, served: Served) -> None:
    served.reactions = [Reaction(parts=[event("The sol.E"), event("ND and more"), event(" again")] * 50, pause=0.01)]
    reply = model.stream(QUESTION, max_tokens=9, stop=["END"])
    assert "".join(reply) == "The sol."
    assert reply.reason == "stop"
    assert served.left.wait(10)


def test_the_limit_is_a_reason_of_its_own(model: RemoteModel, served: Served) -> None:
    served.reactions = [says("The sol", end="length")]
    reply = model.stream(QUESTION, max_tokens=2)
    list(reply)
    assert reply.reason == "length"


def test_a_server_that_cannot_stream_is_read_in_one_piece(model: RemoteModel, served: Served) -> None:
    whole = {"choices": [{"message": {"content": "The sol."}, "finish_reason": "stop"}], "usage": {"prompt_tokens": 5}}
    served.reactions = [Reaction(parts=[json.dumps(whole, indent=1).encode()])]
    assert text_of(model) == "The sol."


def test_text_may_hold_any_character_and_be_cut_anywhere(model: RemoteModel, served: Served) -> None:
    sent = b"".join(
        [event("Où 🙂 "), 'data: {"choices": [{"delta": {"content": "a\u2028b"}}]}\n'.encode(), event(end="stop"), DONE]
    )
    served.reactions = [Reaction(parts=[sent[i : i + 3] for i in range(0, len(sent), 3)])]
    assert text_of(model) == "Où 🙂 a\u2028b"


def test_comments_and_carriage_returns_are_passed_over(model: RemoteModel, served: Served) -> None:
    parts = [b": still working\r\n\r\n", event("sol").replace(b"\n", b"\r\n"), event(end="stop"), DONE]
    served.reactions = [Reaction(parts=parts)]
    assert text_of(model) == "sol"


def test_what_is_thought_aloud_is_left_out(model: RemoteModel, served: Served) -> None:
    served.reactions = [says("<thi", "nk>Hm, Peru", "…</think>", "\n\nThe sol.")]
    assert text_of(model) == "The sol."


@pytest.mark.parametrize(
    "parts", [[event("<think>Hm"), event(end="length")], [event(reasoning=1), event(end="length")]]
)
def test_thinking_to_the_limit_is_an_error_that_names_the_setting(
    model: RemoteModel, served: Served, parts: list[bytes]
) -> None:
    aloud = [json.dumps({"choices": [{"delta": {"reasoning_content": "Hm"}}]}).encode()]
    served.reactions = [Reaction(parts=[*(b"data: " + line + b"\n\n" for line in aloud), *parts, DONE])]
    with pytest.raises(InputError, match="thought for 9 tokens") as caught:
        text_of(model)
    assert "generation.max_tokens" in caught.value.fix


@pytest.mark.parametrize("status", [429, 500, 503])
def test_a_passing_trouble_is_tried_again(model: RemoteModel, served: Served, status: int) -> None:
    served.reactions = [refuses(status, "busy"), refuses(status, "busy"), says("sol")]
    assert text_of(model) == "sol"
    assert len(served.asked) == 3


def test_waits_grow_unless_the_server_says_how_long(model: RemoteModel, served: Served) -> None:
    waited: list[float] = []
    model.client._sleep = waited.append
    served.reactions = [refuses(503), refuses(503), refuses(429, retry_after="4"), says("sol")]
    text_of(model)
    assert sum(waited) == pytest.approx(0.5 + 1.0 + 4.0)


def test_a_trouble_that_stays_is_an_error_with_what_the_server_said(model: RemoteModel, served: Served) -> None:
    served.reactions = [refuses(503, "no memory left")]
    with pytest.raises(ServerError, match=r"HTTP 503\): no memory left") as caught:
        text_of(model)
    assert served.url in caught.value.problem
    assert len(served.asked) == 4


def test_a_wrong_question_is_not_asked_again(model: RemoteModel, served: Served) -> None:
    served.reactions = [refuses(400, "messages must not be empty")]
    with pytest.raises(ServerError, match="messages must not be empty"):
        text_of(model)
    assert len(served.asked) == 1


def test_an_answer_that_broke_off_is_an_error_and_is_not_begun_again(model: RemoteModel, served: Served) -> None:
    served.reactions = [Reaction(parts=[event("The s")])]
    reply = model.stream(QUESTION, max_tokens=9)
    assert next(reply) == "The s"
    with pytest.raises(ServerError, match="broke off in the middle"):
        next(reply)
    assert len(served.asked) == 1


@pytest.mark.parametrize(
    ("sent", "reason"),
    [
        (b"data: {\n\n", "not JSON"),
        (b"data: {}\n\n", "no chat completion"),
        (b"data: []\n\n", "no chat completion"),
        (b'data: {"choices": [{"delta": {"content": 3}}]}\n\n', "no text"),
        (b'data: {"choices": [3]}\n\n', "no chat completion"),
        (b'data: {"error": {"message": "out of memory"}}\n\n', "out of memory"),
        (b"data: \xff\n\n", "not UTF-8"),
        (b"<html>\n<body>", "not JSON: <html> <body>"),
        (b"", "it sent nothing"),
        (b'{"hello": 1}', "no chat completion"),
    ],
)
def test_a_malformed_stream_says_what_is_wrong_with_it(
    model: RemoteModel, served: Served, sent: bytes, reason: str
) -> None:
    served.reactions = [Reaction(parts=[sent])]
    with pytest.raises(ServerError, match=reason) as caught:
        text_of(model)
    assert served.url in caught.value.problem


def test_nobody_there_names_the_address_and_what_to_check() -> None:
    with pytest.raises(ServerError) as caught:
        text_of(RemoteModel("http://127.0.0.1:9", "tiny"))
    assert "http://127.0.0.1:9/v1 cannot be reached" in caught.value.problem
    assert "models.server" in caught.value.fix


def test_a_silent_server_is_asked_twice_and_given_up(served: Served) -> None:
    served.reactions = [Reaction(silence=20)]
    model = RemoteModel(served.url, "tiny", timeout=0.6)
    model.client._sleep = lambda _: None
    with pytest.raises(ServerError, match=r"nothing came for 0\.6 s") as caught:
        text_of(model)
    assert "models.server_timeout" in caught.value.fix
    assert len(served.asked) == 2


def test_a_wrong_key_is_refused_and_shown_nowhere(served: Served) -> None:
    served.key = "right"
    model = RemoteModel(served.url, "tiny", "secret-key")
    with pytest.raises(SettingsError, match="refuses the key") as caught:
        text_of(model)
    assert served.keys == ["Bearer secret-key"]
    assert "bad key" in caught.value.problem
    assert "secret-key" not in str(caught.value) + repr(model) + repr(model.client)
    assert "models.server_key" in caught.value.fix
    assert RemoteModel(served.url, "tiny", "right").models() == ["tiny"]


def test_a_key_that_no_header_can_carry_is_refused_without_being_shown() -> None:
    with pytest.raises(SettingsError, match=r"models\.server_key") as caught:
        RemoteModel("http://h", key="se\ncret")
    assert "cret" not in str(caught.value).replace("secret", "")


@pytest.mark.parametrize("status", [404, 400])
def test_an_unknown_model_lists_those_that_the_server_has(model: RemoteModel, served: Served, status: int) -> None:
    served.reactions = [refuses(status, "model 'tiny' not found, try pulling it first")]
    served.models = ["llama3.2:1b", "qwen2.5:7b"]
    with pytest.raises(MissingModelError, match="no model 'tiny'") as caught:
        text_of(model)
    assert "models.server_model to one of: llama3.2:1b, qwen2.5:7b" in caught.value.fix


def test_a_page_that_is_not_there_is_a_wrong_address(served: Served) -> None:
    model = RemoteModel(served.url + "/api", "tiny")
    with pytest.raises(SettingsError, match="no OpenAI-compatible server") as caught:
        text_of(model)
    assert "/v1" in caught.value.fix


def test_a_prompt_that_is_too_long_names_the_setting(model: RemoteModel, served: Served) -> None:
    served.reactions = [refuses(400, "This model's maximum context length is 2048 tokens. You asked for 3000.")]
    with pytest.raises(InputError, match="2048") as caught:
        text_of(model)
    assert "models.server_window" in caught.value.fix


def test_redirects_are_named_and_not_followed(model: RemoteModel, served: Served) -> None:
    served.reactions = [refuses(308, location="http://elsewhere/v1")]
    with pytest.raises(SettingsError) as caught:
        text_of(model)
    assert "http://elsewhere/v1" in caught.value.fix


def test_an_option_that_the_server_does_not_know_is_left_out_from_then_on(model: RemoteModel, served: Served) -> None:
    def strict(body: dict[str, Any]) -> Reaction:
        if "max_tokens" in body:
            return refuses(400, "Unsupported parameter: 'max_tokens'. Use 'max_completion_tokens' instead.")
        return refuses(422, "Extra inputs are not permitted: seed") if "seed" in body else says("sol")

    served.react = strict
    assert [text_of(model), text_of(model)] == ["sol", "sol"]
    assert len(served.asked) == 4
    assert served.asked[3]["max_completion_tokens"] == 9
    assert not {"max_tokens", "seed"} & set(served.asked[3])


def test_the_only_model_of_a_server_need_not_be_named(served: Served) -> None:
    served.reactions = [says("sol")]
    model = RemoteModel(served.url)
    assert model.name == f"{served.url}/v1"
    assert text_of(model) == "sol"
    assert (model.name, served.asked[0]["model"]) == ("tiny", "tiny")


@pytest.mark.parametrize(
    ("offered", "said"), [(["a", "b"], "one of: a, b"), ([], "to the name"), (None, "to the name")]
)
def test_where_there_are_several_or_none_one_must_be_named(
    served: Served, offered: list[str] | None, said: str
) -> None:
    served.models = offered
    with pytest.raises(SettingsError, match=r"models\.server_model is empty") as caught:
        RemoteModel(served.url).load()
    assert said in caught.value.fix


def test_loading_checks_that_the_model_is_there(served: Served) -> None:
    served.models = ["tiny", "llama3.2:latest"]
    RemoteModel(served.url, "tiny").load()
    RemoteModel(served.url, "llama3.2").load()
    with pytest.raises(MissingModelError, match="no model 'small'"):
        RemoteModel(served.url, "small").load()


@pytest.mark.parametrize("status", [404, 500])
def test_a_server_that_shows_no_list_is_taken_at_its_word(served: Served, status: int) -> None:
    served.models, served.no_list = None, status
    assert RemoteModel(served.url, "small").load() is None


@pytest.mark.parametrize("when", ["before the first piece", "between pieces"])
def test_a_cancelled_answer_ends_and_closes_the_connection(model: RemoteModel, served: Served, when: str) -> None:
    early = when == "before the first piece"
    served.reactions = [Reaction(parts=[event("sol ")] * 500, silence=30 if early else 0, pause=0.01)]
    gone = threading.Event()
    threading.Timer(0.2, gone.set).start()
    started = time.perf_counter()
    reply = model.stream(QUESTION, max_tokens=9, cancelled=gone.is_set)
    text = "".join(reply)
    assert time.perf_counter() - started < 10
    assert (text == "") == early
    assert reply.reason == ""
    assert served.left.wait(10)


def test_leaving_a_stream_closes_the_connection(model: RemoteModel, served: Served) -> None:
    served.reactions = [Reaction(parts=[event("sol ")] * 500, pause=0.01)]
    reply = model.stream(QUESTION, max_tokens=9)
    next(reply)
    reply.close()
    assert served.left.wait(10)
    assert [thread.name for thread in threading.enumerate() if thread.name == "symposia-server"] == []


def test_cancelling_ends_the_wait_for_another_attempt(served: Served) -> None:
    served.reactions = [refuses(429, "busy", retry_after="20")]
    gone = threading.Event()
    threading.Timer(0.2, gone.set).start()
    started = time.perf_counter()
    assert "".join(RemoteModel(served.url, "tiny").stream(QUESTION, max_tokens=9, cancelled=gone.is_set)) == ""
    assert time.perf_counter() - started < 10


def test_several_answers_at_once_do_not_mix(model: RemoteModel, served: Served) -> None:
    def echo(body: dict[str, Any]) -> Reaction:
        said = body["messages"][0]["content"]
        return Reaction(parts=[*map(event, said), event(end="stop"), DONE], pause=0.001)

    served.react = echo
    texts = {f"number {i}": "" for i in range(6)}

    def ask(text: str) -> None:
        texts[text] = "".join(model.stream([{"role": "user", "content": text}], max_tokens=9))

    threads = [threading.Thread(target=ask, args=(text,)) for text in texts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert all(asked == said for asked, said in texts.items())


def test_tokens_are_estimated_from_bytes() -> None:
    model = RemoteModel("http://h", "m")
    assert model.tokens([{"role": "user", "content": "a" * 300}]) == 108
    assert model.tokens([{"role": "user", "content": "é" * 300}]) == 208


@pytest.mark.parametrize(
    "url", ["localhost:11434", "ftp://h", "http://", "http://h:port", "http://h/v1?x=1", "http://a b", "http://u:pw@h"]
)
def test_what_is_no_servers_address_is_refused(url: str) -> None:
    with pytest.raises(SettingsError, match=r"models\.server") as caught:
        RemoteModel(url, "tiny")
    assert "pw" not in str(caught.value)


def test_usage_alone_is_no_error(model: RemoteModel, served: Served) -> None:
    served.reactions = [Reaction(parts=[event("a"), event(end="stop"), usage(1, 1), DONE])]
    assert text_of(model) == "a"
