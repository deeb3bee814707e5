from __future__ import annotations

import json
from dataclasses import fields, is_dataclass
from typing import Any

import pytest
from hypothesis import given, settings

from generators.answer import Answer
from indexes.errors import InputError
from tests.generators.any_answer import ANSWERS


def plain(value: Any) -> Any:
    """The value in nested lists that compare equal where the values do, NaN included, with the type of each part."""
    if is_dataclass(value):
        return [type(value).__name__, *((f.name, plain(getattr(value, f.name))) for f in fields(value))]
    if isinstance(value, dict):
        return ["dict", *((key, plain(inner)) for key, inner in value.items())]
    if isinstance(value, tuple):
        return ["tuple", *map(plain, value)]
    return [type(value).__name__, "NaN" if value != value else value]  # noqa: PLR0124 (NaN)


@given(ANSWERS)
@settings(max_examples=200)
def test_an_answer_comes_back_whole_from_its_json(answer: Answer) -> None:
    stored = json.dumps(answer.to_dict(), allow_nan=False)
    back = Answer.from_dict(json.loads(stored))
    assert plain(back) == plain(answer)
    assert back.to_dict() == answer.to_dict()
    assert str(back) == str(answer)


@pytest.mark.parametrize(
    "change",
    [{"verdict": "perhaps"}, {"claims": [{"text": "a"}]}, {"route": None}, {"evidence": [{"passage": {}}]}],
)
def test_what_is_no_answer_is_refused(change: dict[str, Any]) -> None:
    values = Answer.from_dict(EMPTY).to_dict() | change
    with pytest.raises(InputError, match="not an answer"):
        Answer.from_dict(values)


def test_a_missing_field_is_named() -> None:
    with pytest.raises(InputError, match="memory"):
        Answer.from_dict({name: value for name, value in EMPTY.items() if name != "memory"})


EMPTY: dict[str, Any] = {
    "question": "?",
    "text": "",
    "verdict": "not in the sources",
    "claims": [],
    "evidence": [],
    "route": {
        "decision": "skip",
        "kind": "domain",
        "shares": [],
        "null": 0.0,
        "reason": "",
        "failures": {},
        "unknown": [],
    },
    "model": "",
    "policy": "",
    "signals": {},
    "seconds": {},
    "conflict": None,
    "memory": "",
}
