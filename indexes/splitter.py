"""Documents to passages: whole sentences, up to a number of words, at exact offsets, in any script."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cache
from itertools import pairwise
from typing import TYPE_CHECKING

from indexes.errors import InputError
from indexes.passage import Document, Passage, content_id
from indexes.sentences import sentence_ends

if TYPE_CHECKING:
    from llama_index.core.node_parser import SentenceSplitter

Span = tuple[int, int]
LARGEST_BLOCK = 500_000  # characters of a section that are cut into passages at a time

# Scripts written without spaces: of Chinese and Japanese each character counts as a word, of Thai, Lao, Tibetan, Burmese
# and Khmer every four. Of the others, 24 characters without a space count as one, so that a key or a URL is bounded too.
_IDEOGRAPHS = "\u2e80-\u2fff\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
_UNSPACED = "\u0e00-\u0fff\u1000-\u109f\u1780-\u17ff"
_WORD = re.compile(f"[^\\s{_IDEOGRAPHS}{_UNSPACED}]{{1,24}}|[{_IDEOGRAPHS}]|[{_UNSPACED}]{{1,4}}")
_LETTER = re.compile(r"[^\W_]")

# Where a sentence is longer than a passage, it is cut at these, and in a run of 40 characters without any of them.
_PHRASE = (
    r"(?s:[^\s，、；：،؛]{40}(?=[^\s，、；：،؛])"
    r"|.+?(?:[,;:](?=\s)|[，、；：،؛]|\n|\Z|\s(?=[^\s，、；：،؛]{41})))"
)


@dataclass(frozen=True, slots=True)
class Splitter:
    """Cuts documents into passages with LlamaIndex's ``SentenceSplitter``.

    A passage never runs over a mark of its document: it lies within one section or page, and its place is true of all of it.

    Parameters
    ----------
    size
        Most words of a passage. An ideograph counts as a word, and so do 24 characters without a space.
    overlap
        Most words of whole sentences that a passage repeats from the one before it.

    Raises
    ------
    InputError
        Where ``size`` is not positive, or ``overlap`` is negative or takes more than half of ``size``.
    """

    size: int = 110
    overlap: int = 0

    def __post_init__(self) -> None:
        if self.size < 1:
            raise InputError(
                f"A passage of {self.size} words cannot be made.", "Choose a size of 1 or more, such as 110."
            )
        if not 0 <= self.overlap <= self.size // 2:
            raise InputError(
                f"An overlap of {self.overlap} words does not fit passages of {self.size} words.",
                f"Choose an overlap between 0 and {self.size // 2}.",
            )

    def split(self, document: Document) -> list[Passage]:
        """Passages in order; those without a letter or digit are dropped. A ``whole`` document gives one."""
        text = document.text
        spans = [_trimmed(text)] if document.whole else self._spans(document)
        spans = [(start, end) for start, end in spans if _LETTER.search(text, start, end)]
        if not spans:
            return []
        # The same as Passage.of for each, which would hash the whole text and walk through all marks every time.
        first = Passage.of(document, *spans[0])
        starts = [mark.start for mark in document.marks]
        labels = ["", *(mark.label for mark in document.marks)]
        return [
            replace(
                first,
                id=content_id(first.document_id, str(start), str(end)),
                text=text[start:end],
                start=start,
                end=end,
                place=labels[bisect_right(starts, start)],
            )
            for start, end in spans
        ]

    def _spans(self, document: Document) -> list[Span]:
        length = len(document.text)
        borders = sorted({0, length, *(mark.start for mark in document.marks if 0 < mark.start < length)})
        return [
            (start + left, start + right)
            for outer in pairwise(borders)
            for start, end in _blocks(document.text, *outer)
            for left, right in self._pieces(document.text[start:end])
        ]

    def _pieces(self, section: str) -> list[Span]:
        """Spans of one section's passages. LlamaIndex cuts without overlap, so that each piece has one possible place."""
        size = self.size - self.overlap
        spans: list[Span] = []
        position = 0
        for piece in _sentence_splitter(size).split_text(section):
            start = section.index(piece, position)
            position = start + len(piece)
            spans.append((start, position))
        if len(spans) > 1 and count_words(section[slice(*spans[-1])]) < size // 4:
            spans[-2:] = _evened(section, spans[-2], spans[-1], size)
        return _overlapping(section, spans, self.overlap) if spans and self.overlap else spans


def _blocks(text: str, start: int, end: int) -> Iterator[Span]:
    """A section whole, or if it is very long, in parts of whole sentences: LlamaIndex takes 70 bytes for each character."""
    while end - start > LARGEST_BLOCK:
        part = text[start : start + LARGEST_BLOCK]
        sentences = list(sentence_ends(part))[:-1]
        cut = sentences[-1] if sentences else part.rfind(" ") + 1 or LARGEST_BLOCK
        yield start, start + cut
        start += cut
    yield start, end


def count_words(text: str) -> int:
    """Words of ``text`` as ``Splitter`` counts them."""
    return len(_WORD.findall(text))


def _trimmed(text: str) -> Span:
    start = len(text) - len(text.lstrip())
    return start, max(start, len(text.rstrip()))


@cache
def _sentence_splitter(size: int) -> SentenceSplitter:
    """LlamaIndex's splitter, made at first use: its import takes 1.5 seconds of CPU time."""
    from llama_index.core.node_parser import SentenceSplitter

    return SentenceSplitter(
        chunk_size=size,
        chunk_overlap=0,
        tokenizer=_WORD.findall,
        paragraph_separator="\n\n",
        chunking_tokenizer_fn=_sentences,
        secondary_chunking_regex=_PHRASE,
    )


def _sentences(text: str) -> list[str]:
    return [text[start:end] for start, end in pairwise([0, *sentence_ends(text)])]


def _starts(section: str, span: Span) -> list[int]:
    """Where the sentences of ``section[start:end]`` begin."""
    start, end = span
    return [start, *(start + at for at in sentence_ends(section[start:end]))][:-1]


def _evened(section: str, before: Span, last: Span, size: int) -> list[Span]:
    """The two last passages with the border moved to the sentence nearest their middle.

    What is left over at the end is often a few words, and so short a passage is found for its shortness.
    """
    start, end = before[0], last[1]
    best, difference = last[0], size + 1
    for border in _starts(section, (start, end))[1:]:
        left, right = count_words(section[start:border]), count_words(section[border:end])
        if max(left, right) <= size and abs(left - right) < difference:
            best, difference = border, abs(left - right)
    return [(start, start + len(section[start:best].rstrip())), (best, end)]


def _overlapping(section: str, spans: list[Span], overlap: int) -> list[Span]:
    """Each span begun earlier by as many whole sentences of the one before as ``overlap`` words hold."""
    earlier = [spans[0][0]]
    for before, (start, _) in pairwise(spans):
        begins = [at for at in _starts(section, before) if count_words(section[at:start]) <= overlap]
        earlier.append(min(begins, default=start))
    return [(begin, end) for begin, (_, end) in zip(earlier, spans, strict=True)]
