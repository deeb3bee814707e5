from __future__ import annotations

import pytest

from app.access.principal import LOCAL, Action, Principal
from indexes.errors import InputError


def test_a_principal_sees_what_it_was_given() -> None:
    anna = Principal("anna", frozenset({"a"}))
    assert (anna.sees("a"), anna.sees("b"), anna.sees_all(["a"]), anna.sees_all(["a", "b"])) == (
        True,
        False,
        True,
        False,
    )
    assert LOCAL.sees_all(["a", "b"])
    assert anna.sees_all([])


def test_narrowing_takes_the_smaller_of_both_and_the_others_name() -> None:
    anna = Principal("anna", frozenset({"a", "b"}), frozenset({Action.ASK, Action.WRITE}))
    bert = Principal("bert", frozenset({"b", "c"}), frozenset({Action.WRITE, Action.ADMIN}))
    assert anna.narrowed(bert) == Principal("bert", frozenset({"b"}), frozenset({Action.WRITE}))
    assert LOCAL.narrowed(anna) == anna
    assert anna.narrowed(LOCAL) == Principal("local", anna.experts, anna.actions)


def test_an_action_that_it_may_not_do_is_refused_in_words() -> None:
    anna = Principal("anna", None, frozenset({Action.ASK}))
    anna.check(Action.ASK)
    with pytest.raises(InputError, match="'anna' may not write"):
        anna.check(Action.WRITE)
