from __future__ import annotations

import pytest

from indexes.readers import limits
from indexes.readers.keys import Keys


def test_a_key_is_new_once() -> None:
    keys = Keys()
    assert all(keys.add(str(number)) for number in range(20_000))
    assert not any(keys.add(str(number)) for number in range(20_000))
    assert keys.add("another")


def test_where_too_many_came_no_more_are_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "MOST_KEYS", 3)
    keys = Keys()
    assert [keys.add(key) for key in "abcde"] == [True] * 5
    assert [keys.add(key) for key in "abcde"] == [False, False, False, True, True]
