from __future__ import annotations

import os
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from indexes import splitter
from indexes.errors import InputError
from indexes.passage import Document, Mark, Passage
from indexes.readers.files import read
from indexes.splitter import Splitter, count_words

SENTENCES = {
    "english": "The notice period is three months, as Dr. Smith wrote in the U.S. edition of 2.5 pages.",
    "russian": "Срок уведомления составляет три месяца, если договором не установлено иное.",
    "chinese": "通知期限为三个月，除非合同另有约定。",
    "japanese": "通知期間は三か月です、契約に別段の定めがない限り。",
    "arabic": "هل مدة الإشعار ثلاثة أشهر ما لم ينص العقد على خلاف ذلك؟",
    "urdu": "نوٹس کی مدت تین ماہ ہے جب تک معاہدے میں کچھ اور نہ ہو۔",
    "hindi": "नोटिस की अवधि तीन महीने है जब तक अनुबंध में कुछ और न हो।",
    "thai": "ระยะเวลาแจ้งล่วงหน้าคือสามเดือนเว้นแต่สัญญาจะกำหนดไว้เป็นอย่างอื่น",
    "korean": "통지 기간은 계약에 달리 정하지 않는 한 삼 개월입니다.",
}
UNSPACED = {"chinese", "japanese", "thai"}
ALPHABET = st.sampled_from(
    [*"aB1_.,;?! \n\t\u3000", "\n\n", ". ", "Dr. ", *"Жщ。！，天气のب؟۔अ।กข", "\u0301", "😀", "x" * 60]
)
TEXTS = st.lists(ALPHABET, max_size=120).map("".join)


@st.composite
def documents(draw: st.DrawFn) -> Document:
    text = draw(TEXTS)
    starts = draw(st.lists(st.integers(0, len(text) + 3), max_size=4, unique=True))
    return Document(text=text, title="T", marks=tuple(Mark(start, f"§ {start}") for start in sorted(starts)))


@st.composite
def splitters(draw: st.DrawFn) -> Splitter:
    size = draw(st.integers(1, 40))
    return Splitter(size=size, overlap=draw(st.integers(0, size // 2)))


@given(documents(), splitters())
@settings(max_examples=200, deadline=None)
def test_passages_are_exact_bounded_and_cover_every_letter(document: Document, splitter: Splitter) -> None:
    passages = splitter.split(document)
    covered: set[int] = set()
    for passage in passages:
        assert document.text[passage.start : passage.end] == passage.text
        assert passage.text == passage.text.strip()
        assert count_words(passage.text) <= splitter.size
        assert any(character.isalnum() for character in passage.text)
        assert not any(passage.start < mark.start < passage.end for mark in document.marks)
        covered.update(range(passage.start, passage.end))
    letters = {at for at, character in enumerate(document.text) if character.isalnum()}
    assert letters <= covered


@given(documents(), splitters())
@settings(max_examples=60, deadline=None)
def test_passages_are_those_of_the_contract_and_the_same_every_time(document: Document, splitter: Splitter) -> None:
    passages = splitter.split(document)
    assert passages == [Passage.of(document, passage.start, passage.end) for passage in passages]
    assert passages == splitter.split(document)


@given(documents(), st.integers(1, 40))
@settings(max_examples=60, deadline=None)
def test_without_overlap_passages_follow_each_other(document: Document, size: int) -> None:
    passages = Splitter(size=size).split(document)
    assert all(left.end <= right.start for left, right in pairwise(passages))


@pytest.mark.parametrize("language", sorted(SENTENCES))
def test_every_script_is_cut_into_passages_of_bounded_size(language: str) -> None:
    text = ("" if language in UNSPACED else " ").join([SENTENCES[language]] * 200)
    sizes = [count_words(passage.text) for passage in Splitter().split(Document(text=text))]
    assert len(sizes) > 10
    assert all(80 <= size <= 110 for size in sizes[:-2])
    assert all(25 <= size <= 110 for size in sizes[-2:])


@pytest.mark.parametrize("language", sorted(set(SENTENCES) - {"thai"}))
def test_every_script_is_cut_between_sentences(language: str) -> None:
    text = ("" if language in UNSPACED else " ").join([SENTENCES[language]] * 60)
    for passage in Splitter().split(Document(text=text)):
        assert passage.text.endswith(SENTENCES[language])
        assert passage.text.startswith(SENTENCES[language])


def test_a_very_long_section_is_cut_in_parts_of_whole_sentences(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(splitter, "LARGEST_BLOCK", 1000)
    text = " ".join([SENTENCES["english"]] * 60)
    passages = Splitter().split(Document(text=text))
    assert all(passage.text.startswith("The notice") and passage.text.endswith("2.5 pages.") for passage in passages)
    assert " ".join(passage.text for passage in passages) == text
    unbroken = "word " * 500 + "x" * 3000
    assert "".join(passage.text.replace(" ", "") for passage in Splitter().split(Document(text=unbroken))) == (
        "word" * 500 + "x" * 3000
    )


def test_closing_quotation_marks_stay_with_their_sentence() -> None:
    text = "他说：“今天天气很好。”我们去公园散步！！她说：「はい。」" * 10
    assert not any(passage.text[0] in "”」。！" for passage in Splitter(size=20).split(Document(text=text)))


def test_a_sentence_longer_than_a_passage_is_cut_between_its_phrases() -> None:
    text = ", ".join(["the party of the first part shall give notice"] * 40) + "."
    passages = Splitter(size=50).split(Document(text=text))
    assert all(passage.text.startswith("the party") and passage.text[-1] in ",." for passage in passages)


def test_a_word_longer_than_a_passage_is_cut() -> None:
    passages = Splitter(size=10).split(Document(text="begin " + "QUJD" * 2000 + " end"))
    assert "".join(passage.text for passage in passages).replace(" ", "") == "begin" + "QUJD" * 2000 + "end"
    assert all(len(passage.text) <= 10 * 24 for passage in passages)


def test_repeated_text_is_found_at_each_of_its_places() -> None:
    document = Document(text="Again. " * 400)
    passages = Splitter(size=10).split(document)
    assert [passage.start for passage in passages] == [7 * 10 * n for n in range(40)]
    assert len({passage.id for passage in passages}) == 40


def test_a_passage_lies_within_one_section_and_carries_its_place() -> None:
    text = "# A\n\nOf a.\n\n## B\n\nOf b.\n"
    document = Document(text=text, title="T", marks=(Mark(0, "A"), Mark(text.index("## B"), "A › B")))
    passages = Splitter().split(document)
    assert [(passage.text, passage.place) for passage in passages] == [
        ("# A\n\nOf a.", "A"),
        ("## B\n\nOf b.", "A › B"),
    ]
    assert passages[1].heading == "T › A › B"


def test_a_few_words_left_over_do_not_make_a_passage_of_their_own() -> None:
    text = " ".join(f"Sentence number {n} has exactly seven words." for n in range(16))
    sizes = [count_words(passage.text) for passage in Splitter(size=110).split(Document(text=text))]
    assert sizes == [56, 56]


def test_overlap_repeats_whole_sentences() -> None:
    text = " ".join(f"Sentence number {n} has exactly seven words." for n in range(60))
    passages = Splitter(size=50, overlap=15).split(Document(text=text))
    for left, right in pairwise(passages):
        shared = text[right.start : left.end]
        assert count_words(shared) == 14
        assert shared.startswith("Sentence number")


def test_a_whole_document_gives_one_passage_however_long() -> None:
    document = Document(
        text=" \n" + "A record of one sentence. " * 500 + "\n", whole=True, key="7", marks=(Mark(9, "x"),)
    )
    (passage,) = Splitter(size=10).split(document)
    assert passage.text == document.text.strip()
    assert (passage.start, passage.key) == (2, "7")


@pytest.mark.parametrize("whole", [True, False])
@pytest.mark.parametrize("text", ["", " \n\t", "---\n\n***", "___", "😀 😀", "。！？", "\u0301"])
def test_text_without_a_letter_or_digit_gives_no_passage(text: str, *, whole: bool) -> None:
    assert Splitter().split(Document(text=text, whole=whole)) == []


def test_passages_without_a_letter_are_dropped_from_among_the_others() -> None:
    text = "One.\n---\n* * *\n---\nTwo."
    document = Document(text=text, marks=(Mark(5, "rule"), Mark(text.index("Two"), "two")))
    assert [passage.text for passage in Splitter().split(document)] == ["One.", "Two."]


def test_a_paragraph_is_kept_together_where_it_fits() -> None:
    paragraph = "Some words of it. " * 10
    passages = Splitter(size=60).split(Document(text=f"{paragraph}\n\n{paragraph}\n\n{paragraph}"))
    assert [count_words(passage.text) for passage in passages] == [40, 40, 40]


def test_nltk_with_its_time_limit_takes_no_part(monkeypatch: pytest.MonkeyPatch) -> None:
    from llama_index.core.utils import globals_helper

    monkeypatch.setattr(type(globals_helper), "punkt_tokenizer", property(lambda _: pytest.fail("Punkt was asked")))
    document = Document(text="Is it so?! It is. " * 2_000)
    passages = Splitter().split(document)
    assert sum(count_words(passage.text) for passage in passages) == 5 * 2_000


@pytest.mark.parametrize("values", [{"size": 0}, {"size": -3}, {"overlap": -1}, {"size": 10, "overlap": 6}])
def test_sizes_that_cannot_be_are_input_errors_with_the_values(values: dict[str, int]) -> None:
    with pytest.raises(InputError) as caught:
        Splitter(**values)
    assert str(next(iter(values.values()))) in caught.value.problem


def test_a_splitter_is_a_value() -> None:
    assert Splitter(size=80) == Splitter(size=80, overlap=0)
    assert repr(Splitter()) == "Splitter(size=110, overlap=0)"


@pytest.mark.slow
@pytest.mark.benchmark
def test_every_passage_of_scifact_is_exact_and_every_letter_is_covered() -> None:
    data = Path(os.environ.get("SYMPOSIA_DATA", Path(__file__).parents[3] / "shared" / "data"))
    corpus = data / "beir" / "scifact"
    if not corpus.is_dir():
        pytest.skip(f"no SciFact at {corpus}")
    count = 0
    for record in read(corpus, on_problem=lambda problem: pytest.fail(str(problem))):
        document = replace(record, whole=False)
        at = 0
        for passage in Splitter().split(document):
            assert document.text[passage.start : passage.end] == passage.text
            assert not document.text[at : passage.start].strip()
            at = passage.end
            count += 1
        assert not document.text[at:].strip()
    assert count > 12_000
