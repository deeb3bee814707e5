"""Attribution with the default language model: what fakes cannot show."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from generators import prompts
from generators.citations.attribution import as_drafted, attribute
from generators.citations.measuring import Checks
from generators.decoding.drafts import drafts
from generators.models.language_model import LocalModel
from indexes.passage import Document, Passage
from retrievers.evidence import Evidence

QUESTION = "Where was the author of The Red Lantern born?"
TEXTS = (
    ("Trieste Station", "The station serves many trains to Vienna. It was opened in 1857."),
    ("The Red Lantern", "The Red Lantern is a novel by Ada Quill. It was printed in 1954."),
    ("Lanterns", "A lantern is a lamp with a handle. Red lanterns are hung at doors."),
    ("Ada Quill", "Ada Quill was a novelist. She was born in Maribor and lived in Trieste."),
)
EVIDENCE = tuple(
    Evidence(number, Passage.of(Document(text, title=title, whole=True), 0, len(text)), "e", 0.9)
    for number, (title, text) in enumerate(TEXTS, start=1)
)

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def model(real_folder: Path) -> LocalModel:
    return LocalModel(real_folder)


@pytest.mark.parametrize("doubt", [(1.0, 0.0), (0.0, 1.0)], ids=["hold", "hold and drop"])
def test_both_passages_of_a_two_step_answer_raise_it_and_are_cited(
    model: LocalModel, doubt: tuple[float, float]
) -> None:
    text = "The author of The Red Lantern, Ada Quill, was born in Maribor."
    draft = as_drafted(text, model.encode(text), model.decode)
    assert draft.tokens
    (claim,) = attribute(model, QUESTION, EVIDENCE, draft, 0.5, Checks(doubt=doubt))
    assert [citation.number for citation in claim.citations] == [2, 4]
    assert all(citation.contrast > 0.1 for citation in claim.citations)


def test_a_wrong_name_stays_unsupported(model: LocalModel) -> None:
    text = "Ada Quill was born in Ljubljana."
    draft = as_drafted(text, model.encode(text), model.decode)
    assert attribute(model, QUESTION, EVIDENCE, draft, 0.5)[0].status == "unsupported"


def test_checking_takes_about_as_long_as_writing(model: LocalModel) -> None:
    row = model.chat_tokens(prompts.with_sources(QUESTION, EVIDENCE))
    started = time.process_time()
    (said,) = drafts(model, [row], max_tokens=48)
    writing, started = time.process_time() - started, time.process_time()
    draft = as_drafted(said.text, model.encode(said.text), model.decode)
    attribute(model, QUESTION, EVIDENCE, draft, 0.5)
    assert time.process_time() - started <= 1.5 * writing
