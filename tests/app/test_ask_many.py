from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from app.settings import Settings
from app.symposium import Symposium
from generators.answerer import Answerer, Options
from generators.policies.registry import policy
from indexes.errors import InputError
from indexes.store.open import MEMORY, opener
from retrievers.panel import Panel
from tests.fakes import QUESTIONS, TOPICS, WordEncoder
from tests.generators.scripted import ScriptedModel
from tests.retrievers.conftest import facts, fill


@pytest.fixture
def symposium(tmp_path: Path) -> Iterator[Symposium]:
    panel = Panel(tmp_path, WordEncoder(), opener(MEMORY))
    for name in TOPICS:
        fill(panel, name)
    model = ScriptedModel("Apple trees blossom in April.")
    answerer = Answerer(model, policy("greedy"), Options(), list)
    with Symposium(Settings(), panel, lambda: answerer) as made:
        yield made


def test_many_questions_are_answered_as_one_by_one_is_and_encoded_together(symposium: Symposium) -> None:
    questions = list(QUESTIONS.values())
    alone = [symposium.ask(question) for question in questions]
    encoder = symposium.panel.encoder
    assert isinstance(encoder, WordEncoder)
    before = encoder.questions
    together = symposium.ask_many(questions)
    assert encoder.questions == before + len(questions)
    for one, other in zip(alone, together, strict=True):
        assert (one.text, one.verdict) == (other.text, other.verdict)
        assert facts((one.route, one.evidence)) == facts((other.route, other.evidence))
        assert other.seconds["retrieve"] > 0
    assert symposium.ask_many([]) == []


def test_evidence_for_many_is_that_for_each(symposium: Symposium) -> None:
    questions = list(QUESTIONS.values())
    many = symposium.retrieve_many(questions, passages=2)
    assert [facts(found) for found in many] == [facts(symposium.retrieve(q, passages=2)) for q in questions]


def test_one_bad_question_is_named_before_anything_is_asked(symposium: Symposium) -> None:
    with pytest.raises(InputError):
        symposium.ask_many(["When do apple trees blossom?", "   "])
