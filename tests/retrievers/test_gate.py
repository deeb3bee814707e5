from __future__ import annotations

import time
from pathlib import Path
from typing import get_args

import numpy as np
import pytest

from retrievers.calibration import background_questions
from retrievers.evidence import Kind
from retrievers.gate import NullExpert, examples, expression
from tests.fakes import WordEncoder


@pytest.mark.parametrize(
    ("question", "expected"),
    [
        ("2+2", "2+2"),
        ("What is 17 * 23?", "17*23"),
        ("what's 7 plus 5 minus 2", "7+5-2"),
        ("And what is 3 times 4?", "3*4"),
        ("How much is 15 percent of 80?", "15/100*80"),
        ("How much is 15% of 80?", "15/100*80"),
        ("Calculate 12 / 4 =", "12/4"),
        ("compute (1 + 2) × 3!", "(1+2)*3"),
        ("12 ÷ 4", "12/4"),
        ("What is 10 divided by 4?", "10/4"),
        ("-5 + 3", "-5+3"),
        ("5 − 3", "5-3"),
        ("2^10", "2**10"),
        ("2**10", "2**10"),
        ("What is 2 to the power of 10?", "2**10"),
        ("1,000 * 3.5", "1000*3.5"),
        ("1,234,567 + 1", "1234567+1"),
        ("17 % 5", "17%5"),
        ("  2\n+\t2  ", "2+2"),
        ("2 * -3", "2*-3"),
        ("0 * 0", "0*0"),
    ],
)
def test_a_calculation_is_recognised_and_put_in_pythons_notation(question: str, expected: str) -> None:
    assert expression(question) == expected


@pytest.mark.parametrize(
    "question",
    [
        "What is the population of France?",
        "What is COVID-19?",
        "What is Python 3.11?",
        "3.11",
        "3.11.2",
        "2024",
        "50%",
        "1990",
        "(12)",
        "-7",
        "",
        "?",
        "and",
        "What is",
        "Who won the war of 1939-1945?",
        "What happened on 2024-03-07?",
        "10:30-11:00",
        "7.3.-9.3.2024",
        "Compare 2 + 2 and 3",
        "How many times did he win 3 medals?",
        "What does x + 1 mean?",
    ],
)
def test_other_questions_are_not_calculations(question: str) -> None:
    assert expression(question) is None


@pytest.mark.parametrize(
    "text",
    [
        "1990-1995",
        "2024-03-07",
        "07/03/2024",
        "555-1234",
        "+1 555-123-4567",
        "1-800-555-0199",
        "1.2.3-4",
        "192.168.0.1/24",
    ],
)
@pytest.mark.parametrize("asked", ["{}", "What is {}?"])
def test_years_dates_telephone_numbers_and_versions_are_not_calculations(text: str, asked: str) -> None:
    assert expression(asked.format(text)) is None


@pytest.mark.parametrize("filler", [" ", "? ", "= ", "1 ", "1-", "(", "what is "])
def test_a_long_question_takes_little_time(filler: str) -> None:
    started = time.process_time()
    assert expression("a" + (filler * 4000)[:4000] + "b") is None
    expression((filler * 4000)[:4000])
    assert time.process_time() - started < 2


def test_the_examples_have_kinds_and_none_is_a_question_for_experts() -> None:
    kinds = {kind for _, kind in examples()}
    assert kinds == set(get_args(Kind)) - {"domain"}
    texts = [text for text, _ in examples()]
    assert len(set(texts)) == len(texts) > 30
    assert not any(text.startswith(("#", "[")) for text in texts)
    assert not set(texts) & set(background_questions())


def test_the_examples_of_arithmetic_are_calculations_and_the_others_are_not() -> None:
    calculated = {kind for text, kind in examples() if expression(text) is not None}
    assert calculated <= {"arithmetic"}


def test_the_nearest_example_gives_the_kind(encoder: WordEncoder) -> None:
    null = NullExpert.of(encoder, encoder.encode_questions(background_questions()))
    for text, kind in examples():
        assert null.nearest(encoder.encode_questions([text])[0]) == kind


def test_small_talk_scores_above_a_question_about_something(encoder: WordEncoder) -> None:
    null = NullExpert.of(encoder, encoder.encode_questions(background_questions()))
    talk, question = encoder.encode_questions(["Thank you very much", "Which metal melts in the hand of a person?"])
    assert null.pilots.score(talk) > 3 > null.pilots.score(question)


def test_the_null_expert_is_encoded_once_and_kept(tmp_path: Path, encoder: WordEncoder) -> None:
    path = tmp_path / "slices" / "null.npz"
    made = NullExpert.kept(path, encoder)
    questions = encoder.questions
    again = NullExpert.kept(path, encoder)
    assert encoder.questions == questions
    assert again.kinds == made.kinds
    assert again.pilots.background == made.pilots.background
    np.testing.assert_array_equal(again.pilots.vectors, made.pilots.vectors)
    assert [file.name for file in path.parent.iterdir()] == ["null.npz"]


def test_another_encoder_makes_another_null_expert(tmp_path: Path, encoder: WordEncoder) -> None:
    path, other = tmp_path / "null.npz", WordEncoder("words-2", dimension=32)
    NullExpert.kept(path, encoder)
    assert NullExpert.kept(path, other).pilots.vectors.shape[1] == 32
    assert other.questions > 0
