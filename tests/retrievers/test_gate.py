from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import get_args

import numpy as np
import pytest

from indexes.encoders.open import open_encoder
from retrievers.calibration import background_questions
from retrievers.evidence import Kind
from retrievers.gate import CERTAIN, FAMILIAR, NEAR, NEEDLESS, RARE, NullExpert, examples, expression, strange
from retrievers.probe import Probe
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
        ("What is twelve plus thirty?", "12+30"),
        ("How much is one hundred and five minus forty-two?", "105-42"),
        ("What is twenty percent of fifty?", "20/100*50"),
        ("Can you please calculate 34 * 12 for me?", "34*12"),
        ("Please add 19 and 23", "19+23"),
        ("What is the sum of 12, 30 and 1,008?", "12+30+1008"),
        ("product of three and four", "3*4"),
        ("Subtract 15 from 100", "100-15"),
        ("Divide 144 by 9", "144/9"),
        ("multiply 6 by 7, please", "6*7"),
        ("What's the square root of 144?", "144**0.5"),
        ("What is -5 squared?", "(-5)**2"),
        ("What is the cube of 3?", "(3)**3"),
        ("What is half of 86?", "86/2"),
        ("What is two thirds of 90?", "2*90/3"),
        ("Double 48", "2*48"),
        ("17 mod 5", "17%5"),
        ("8 x 7", "8*7"),
        ("How much is $25 plus $17?", "25+17"),
        ("what does 100 - 58 equal?", "100-58"),
        ("What is 05 + 3?", "5+3"),
        ("007.50 * 1.005 - 00", "7.50*1.005-0"),
        ("What is the square root of -4?", "(-4)**0.5"),
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
        "What is 9/11?",
        "What does 24/7 mean?",
        "What is 7-eleven?",
        "What is a nine-to-five job?",
        "What is 1920x1080?",
        "What is the difference between 301 and 302?",
        "What is $10-$20?",
        "What is half of the population?",
        "Add 2 to the list",
        "Who is number ten?",
        "What is 50 + 10%?",
        "What is 50% + 10?",
        "What is 100 - 20%?",
        "7 // 2",
        "1,5 + 2",
        "2(3 + 4)",
        "... + 1 + 2",
        "(1 + 2",
        "٣ + ٤",
        "What is Catch twenty-two?",
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
        "0800-5555",
        "05/12",
        "12-05",
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


def test_the_examples_are_of_every_kind_and_none_stands_there_twice() -> None:
    assert {kind for _, kind in examples()} == set(get_args(Kind))
    texts = [text for text, _ in examples()]
    assert len(set(texts)) == len(texts) > 30
    assert not any(text.startswith(("#", "[")) for text in texts)
    assert not set(texts) & set(background_questions())


def test_the_examples_of_arithmetic_are_calculations_and_the_others_are_not() -> None:
    assert {kind for text, kind in examples() if expression(text) is not None} == {"arithmetic"}


def test_the_nearest_example_gives_the_kind(encoder: WordEncoder) -> None:
    null = NullExpert.of(encoder)
    for text, kind in (("Hello, thank you", "chitchat"), ("Which experts do you have?", "about")):
        assert null.nearest(encoder.encode_questions([text])[0]) == kind
    assert set(null.kinds) == {"chitchat", "about"}


def needless(probe: Probe, vectors: np.ndarray) -> NullExpert:
    return NullExpert(probe, vectors.astype(np.float32), ("chitchat",) * len(vectors))


def test_an_example_is_needless_and_a_question_about_something_is_not(encoder: WordEncoder) -> None:
    null = NullExpert.of(encoder)
    talk, about, question = (
        null.probability(text, encoder.encode_questions([text])[0])
        for text in ("Thank you very much", "What can you do?", "Which metal melts in the hand of a person?")
    )
    assert min(talk, about) > 0.8
    assert question < 0.8


def test_a_familiar_expert_and_strange_words_make_it_less_probable() -> None:
    null = needless(Probe(np.zeros(2, np.float32), 1.0 + RARE), np.zeros((1, 2)))
    vector = np.array([1.0, 0.0], np.float32)
    plain = null.probability("Thank you", vector)
    assert plain == pytest.approx(1 / (1 + np.exp(-1.0)))
    assert null.probability("Thank you", vector, CERTAIN) == plain
    assert null.probability("Thank you", vector, 8.0) == pytest.approx(1 / (1 + np.exp(-1.0 + 6 * FAMILIAR)))
    assert null.probability("Thank okra", vector) == plain
    assert null.probability("Thank okra taro", vector) < 0.01


def test_what_nearly_repeats_an_example_is_needless_whatever_the_probe_says() -> None:
    null = needless(Probe(np.zeros(2, np.float32), RARE - 1.0), np.eye(2))
    assert null.probability("Thank you", np.array([NEAR, np.sqrt(1 - NEAR**2)], np.float32)) > 0.98
    assert null.probability("Thank you", np.array([0.7, 0.7], np.float32)) < 0.3


@pytest.mark.slow
def test_the_default_encoder_tells_small_talk_from_questions_it_has_not_seen(
    model_folder: Callable[[str], Path], tmp_path: Path
) -> None:
    folder = model_folder("all-minilm-l6-v2")
    encoder = open_encoder(folder, folder.name, "int8", tmp_path, 1)
    null = NullExpert.of(encoder)

    def share(texts: list[str]) -> float:
        vectors = encoder.encode_questions(texts)
        return float(np.mean([null.probability(t, v) >= 0.8 for t, v in zip(texts, vectors, strict=True)]))

    assert share(["Heya", "Ta very much", "Ok, bye bye", "What sort of bot are you?", "Who programmed you?"]) >= 0.8
    assert share(list(background_questions())) == 0


def test_words_of_the_examples_are_not_strange() -> None:
    assert not any(strange(text) for text, kind in examples() if kind in NEEDLESS)
    assert not strange("")
    assert strange("EPIC Study")


def test_the_null_expert_is_encoded_once_and_kept(tmp_path: Path, encoder: WordEncoder) -> None:
    path = tmp_path / "slices" / "null.npz"
    made = NullExpert.kept(path, encoder)
    questions = encoder.questions
    again = NullExpert.kept(path, encoder)
    assert encoder.questions == questions
    assert again.kinds == made.kinds
    assert again.probe.bias == made.probe.bias
    np.testing.assert_array_equal(again.probe.weights, made.probe.weights)
    np.testing.assert_array_equal(again.vectors, made.vectors)
    assert [file.name for file in path.parent.iterdir()] == ["null.npz"]


def test_another_encoder_makes_another_null_expert(tmp_path: Path, encoder: WordEncoder) -> None:
    path, other = tmp_path / "null.npz", WordEncoder("words-2", dimension=32)
    NullExpert.kept(path, encoder)
    assert NullExpert.kept(path, other).vectors.shape[1] == 32
    assert other.questions > 0
