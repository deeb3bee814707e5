from __future__ import annotations

import json

from app.server.responses import Json


def test_numbers_that_json_cannot_carry_become_null() -> None:
    made = Json({"a": float("nan"), "b": [float("inf"), 0.0]})
    assert json.loads(made.body) == {"a": None, "b": [None, 0.0]}
    assert made.headers["Content-Type"] == "application/json"


def test_half_a_character_becomes_a_question_mark_and_others_stay() -> None:
    assert Json({"text": "é\ud800"}).body == '{"text":"é?"}'.encode()
