from __future__ import annotations

import pytest

from app.bench.dialogues import conversation, half


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("d5b1e735a040853ed361a3dfde1b8ef0", "tune"),
        ("18ef26058d321c5d96ca3ebf8117789e", "tune"),
        ("a", "report"),
        ("b", "report"),
    ],
)
def test_a_conversation_stays_in_its_half_with_all_its_turns(name: str, expected: str) -> None:
    tasks = [f"{name}<::>{turn}" for turn in range(1, 9)]
    assert {conversation(task) for task in tasks} == {name}
    assert {half(task) for task in tasks} == {expected}
