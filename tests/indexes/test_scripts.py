"""Reading, splitting and searching in several scripts."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from indexes.encoders.base import Vectors, unit
from indexes.passage import Document, Passage
from indexes.readers.files import read
from indexes.sentences import sentence_ends
from indexes.slice import Slice
from indexes.splitter import Splitter, count_words
from indexes.store.open import MEMORY, opener
from tests.fakes import WordEncoder, _word_vector
from tests.indexes.scripts import SCRIPTS, Script

DIMENSION = 512
EMOJI = "👩‍👩‍👧‍👦🏴󠁧󠁢󠁳󠁣󠁴󠁿𠮷𝒜"


class CharacterEncoder(WordEncoder):
    """A text's vector is the sum of the vectors of its pairs of characters, so that no script needs spaces."""

    def _encode(self, texts: Vectors) -> Vectors:
        return unit(np.stack([np.sum([self._pair(pair) for pair in _pairs(text)], axis=0) for text in texts]))

    def _pair(self, pair: str) -> Vectors:
        return _word_vector(f"pairs:{pair}", self.fingerprint.dimension)


def _pairs(text: str) -> list[str]:
    letters = re.sub(r"[\W_]+", "", text.lower())
    return [letters[at : at + 2] for at in range(len(letters) - 1)] or [""]


@pytest.fixture(params=sorted(SCRIPTS))
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def script(name: str) -> Script:
    return SCRIPTS[name]


def test_sentences_end_at_their_own_full_stops(script: Script) -> None:
    found = [script.text[start:end].strip() for start, end in pairwise([0, *sentence_ends(script.text)])]
    assert found == list(script.sentences)


@pytest.mark.parametrize("size", [8, 20, 40, 110])
@pytest.mark.parametrize("form", ["NFC", "NFD"])
@pytest.mark.parametrize("times", [1, 30])
def test_passages_are_exact_bounded_and_cover_all_letters(script: Script, size: int, form: str, times: int) -> None:
    text = unicodedata.normalize(form, f"{EMOJI} ".join([script.text] * times))
    covered: set[int] = set()
    for passage in Splitter(size=size).split(Document(text)):
        assert text[passage.start : passage.end] == passage.text
        assert count_words(passage.text) <= size
        covered.update(range(passage.start, passage.end))
    assert {at for at, character in enumerate(text) if character.isalnum()} <= covered


def test_passages_are_whole_sentences_where_these_fit(script: Script) -> None:
    text = script.gap.join([script.text] * 20)
    passages = Splitter(size=60).split(Document(text))
    assert len(passages) > 5
    for passage in passages:
        starts = {sentence[:8] for sentence in script.sentences}
        ends = {sentence[-5:] for sentence in script.sentences}
        assert passage.text[:8] in starts
        assert passage.text[-5:] in ends


@pytest.mark.parametrize("suffix", [".txt", ".md", ".html", ".csv", ".jsonl"])
def test_every_reader_gives_the_text_as_written(tmp_path: Path, script: Script, suffix: str) -> None:
    texts = {
        ".html": f"<p>{script.text}</p>",
        ".csv": f'text\n"{script.text}"\n',
        ".jsonl": f'{{"text": "{script.text}"}}\n',
    }
    (tmp_path / f"a{suffix}").write_text(texts.get(suffix, script.text), encoding="utf-8")
    (document,) = read(tmp_path, on_problem=lambda problem: pytest.fail(str(problem)))
    assert document.text == " ".join(script.text.split()) if suffix == ".html" else script.text


@pytest.mark.parametrize("mark", ["\u200f", "\u202b", "\u2067"])
def test_marks_of_direction_shift_no_offset(script: Script, mark: str) -> None:
    text = script.gap.join(f"{mark}{sentence}" for sentence in script.sentences)
    passages = Splitter(size=30).split(Document(text))
    assert all(text[passage.start : passage.end] == passage.text for passage in passages)
    assert sum(passage.text.count(mark) for passage in passages) == len(script.sentences)


def _sentence_passages(script: Script) -> list[Passage]:
    document = Document(script.text)
    at = 0
    passages = []
    for sentence in script.sentences:
        start = script.text.index(sentence, at)
        at = start + len(sentence)
        passages.append(Passage.of(document, start, at))
    return passages


@pytest.fixture
def filled(tmp_path: Path) -> Iterator[Callable[[Script], Slice]]:
    """A slice of all scripts, of which each sentence is a passage."""
    made: list[Slice] = []

    def fill(script: Script) -> Slice:
        encoder = CharacterEncoder(dimension=DIMENSION)
        passages = [passage for each in SCRIPTS.values() for passage in _sentence_passages(each)]
        made.append(Slice.create(tmp_path / "scripts", "scripts", "", encoder, opener(MEMORY), passages))
        made[0].add(passages, encoder)
        return made[0]

    yield fill
    for slice_ in made:
        slice_.close()


def test_each_question_finds_its_passage_among_those_of_all_scripts(
    script: Script, filled: Callable[[Script], Slice]
) -> None:
    slice_, encoder = filled(script), CharacterEncoder(dimension=DIMENSION)
    for question, at in script.questions.items():
        found = slice_.search(question, encoder.encode_questions([question])[0], 10)
        best = found.ids[int(np.argmax(found.dense))]
        assert slice_.passages([best])[0].text == script.sentences[at], question


def test_bm25_finds_a_word_in_the_one_sentence_that_has_it(
    name: str, script: Script, filled: Callable[[Script], Slice]
) -> None:
    slice_ = filled(script)
    for word, at in script.words.items():
        found = slice_.search(word, np.zeros(DIMENSION, dtype=np.float32), 60)
        scores = dict(zip(found.ids, found.bm25.tolist(), strict=True))
        best = max(scores, key=lambda each: (scores[each], each))
        assert scores[best] > 0
        assert slice_.passages([best])[0].text == script.sentences[at], word
