from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from generators.remote.grammar import SHOWN, Chunk, Garbled, Thoughts, chunks, message_of, read_chunk, shortened

pieces = st.lists(st.text(max_size=12), max_size=8)


def said(thoughts: Thoughts, *texts: str) -> str:
    return "".join(map(thoughts.push, texts)) + thoughts.close()


@given(pieces)
def test_what_is_said_is_what_was_sent(texts: list[str]) -> None:
    lines = [f"data: {json.dumps({'choices': [{'delta': {'content': text}}]})}" for text in texts]
    end = "data: " + json.dumps({"choices": [{"delta": {}, "finish_reason": "stop"}]})
    assert [chunk.text for chunk in chunks([*lines, "", end, "data: [DONE]", "data: after"])] == [*texts, ""]


@given(st.text(max_size=30), st.text(max_size=30), st.integers(1, 7))
def test_thoughts_are_left_out_however_the_text_is_cut(thought: str, answer: str, size: int) -> None:
    thought = thought.replace("<", "")
    text = f"<think>{thought}</think>\n{answer}"
    cut = [text[i : i + size] for i in range(0, len(text), size)]
    assert said(Thoughts(), *cut) == answer.lstrip()


@given(pieces)
def test_text_without_thoughts_is_left_alone(texts: list[str]) -> None:
    whole = "".join(texts)
    if not whole.lstrip().startswith("<think>"):
        assert said(Thoughts(), *texts) == whole


def test_a_thought_without_an_end_is_no_answer() -> None:
    thoughts = Thoughts()
    assert said(thoughts, "<think>Hm") == ""
    assert thoughts.unfinished


@pytest.mark.parametrize(
    ("event", "chunk"),
    [
        ({"choices": [{"delta": {"role": "assistant", "content": None}}]}, Chunk()),
        ({"choices": [{"delta": {"content": "a"}, "finish_reason": None}]}, Chunk("a")),
        ({"choices": [{"delta": {}, "finish_reason": "length"}]}, Chunk(end="length")),
        ({"choices": [{"delta": {}, "finish_reason": "content_filter"}]}, Chunk(end="end")),
        ({"choices": [{"delta": None, "finish_reason": "stop"}]}, Chunk(end="end")),
        ({"choices": [{"delta": {"reasoning": "Hm"}}]}, Chunk(thought=True)),
        ({"choices": [], "usage": {"prompt_tokens": 3, "completion_tokens": None}}, Chunk(tokens=(3, 0))),
        ({"choices": []}, Chunk()),
    ],
)
def test_what_servers_send_is_understood(event: dict[str, object], chunk: Chunk) -> None:
    assert read_chunk(json.dumps(event)) == chunk


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ('{"error": {"message": "no such model", "code": 4}}', "no such model"),
        ('{"error": "model not found"}', "model not found"),
        ('{"detail": "Not Found"}', "Not Found"),
        ('{"object": "error", "message": "too long"}', "too long"),
        ('{"detail": [{"msg": "bad"}]}', '[{"msg": "bad"}]'),
        ("  Internal Server Error\n", "Internal Server Error"),
        ("", ""),
    ],
)
def test_an_errors_message_is_found_however_it_is_wrapped(body: str, message: str) -> None:
    assert message_of(body) == message


def test_an_error_in_the_stream_is_no_text() -> None:
    lines = ['data: {"choices": [{"delta": {"content": "a"}}]}', 'data: {"error": {"message": "out of memory"}}']
    stream = chunks(lines)
    assert next(stream).text == "a"
    with pytest.raises(Garbled, match="it reports: out of memory"):
        next(stream)


def test_long_messages_are_cut_to_one_line() -> None:
    assert shortened("a\n  b") == "a b"
    assert len(shortened("x" * 5000)) == SHOWN + 1
