from __future__ import annotations

from pathlib import Path

import pytest

from app.bench.lockstep import answers
from generators.decoding.decode import decode
from generators.models.language_model import LocalModel
from generators.policies.registry import POLICIES, policy

WITH = "The river Sava is 990 kilometres long. How long is the Sava?"
WITHOUT = "How long is the Sava?"


@pytest.fixture(scope="module")
def model(tiny_generator: Path) -> LocalModel:
    return LocalModel(tiny_generator, dtype="float32")


def alone(model: LocalModel, name: str, stop: tuple[str, ...]) -> str:
    rows = model.encode(WITH), model.encode(WITHOUT)
    return "".join(step.text for step in decode(model, *rows, policy(name), max_tokens=12, stop=stop)).strip()


@pytest.mark.parametrize("stop", [(), ("a",), ("\n",)])
def test_every_policy_says_in_lock_step_what_it_says_alone(model: LocalModel, stop: tuple[str, ...]) -> None:
    policies = {name: policy(name) for name in POLICIES}
    found = answers(model, model.encode(WITH), model.encode(WITHOUT), policies, max_tokens=12, stop=stop)
    assert found == {name: alone(model, name, stop) for name in POLICIES}
    assert len(set(found.values())) > 1, "a case in which all policies agree shows nothing"


def test_no_policy_gives_no_answer(model: LocalModel) -> None:
    assert answers(model, model.encode(WITH), model.encode(WITHOUT), {}, max_tokens=3) == {}
