from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import pytest
from numpy.typing import NDArray

from generators.citations.attribution import Drafted, as_drafted, attribute, token_rows
from generators.citations.measuring import Checks
from generators.sentences import sentences
from indexes.passage import Document, Passage
from retrievers.evidence import Evidence
from tests.fakes import WordEncoder
from tests.generators.scripted import ScriptedModel

QUESTION = "Where was the author of The Red Lantern born?"
TEXTS = (
    ("Trieste Station", "The station serves many trains to Vienna."),
    ("The Red Lantern", "The Red Lantern is a novel by Ada Quill. It was printed in 1954."),
    ("Ada Quill", "Ada Quill is a novelist. She was born in Trieste."),
    ("Lanterns", "A lantern is a lamp with a handle."),
)


def evidence(*texts: tuple[str, str]) -> tuple[Evidence, ...]:
    found = []
    for number, (title, text) in enumerate(texts or TEXTS, start=1):
        found.append(Evidence(number, Passage.of(Document(text, title=title, whole=True), 0, len(text)), "e", 0.9))
    return tuple(found)


def drafted(text: str) -> Drafted:
    return as_drafted(text, [ord(c) for c in text], lambda tokens: "".join(map(chr, tokens)))


def cited(text: str, model: ScriptedModel | None = None, **checks: object) -> list[int]:
    draft = text if model is None else drafted(text)
    claims = attribute(model, QUESTION, evidence(), draft, 0.5, Checks(**checks))  # type: ignore[arg-type]
    return [citation.number for claim in claims for citation in claim.citations]


ANSWER = "Ada Quill, the author of The Red Lantern, was born in Trieste."


def test_a_sentence_that_needs_two_passages_cites_both() -> None:
    assert cited(ANSWER) == [2, 3]


def test_the_language_model_and_the_encoder_keep_them() -> None:
    assert cited(ANSWER, ScriptedModel("")) == [2, 3]
    assert cited(ANSWER, encode=WordEncoder().encode_passages) == [2, 3]


@pytest.mark.parametrize("mark", [" [1].", " [1, 4].", "[2][3].", ". [4]"])
def test_marks_that_the_model_wrote_are_not_what_it_says(mark: str) -> None:
    assert cited(f"{ANSWER[:-1]}{mark}") == [2, 3]
    claims = attribute(None, QUESTION, evidence(), f"{ANSWER[:-1]}{mark}", 0.5)
    assert "".join(claim.text for claim in claims).replace(" ", "") == f"{ANSWER[:-1]}{mark}".replace(" ", "")


def test_a_second_passage_that_adds_nothing_is_not_cited() -> None:
    twice = evidence(TEXTS[2], TEXTS[2])
    claims = attribute(None, "Where was Ada Quill born?", twice, "Ada Quill was born in Trieste.", 0.5)
    assert [citation.number for citation in claims[0].citations] == [1]


def test_text_without_tokens_has_no_contrast() -> None:
    claim = attribute(None, QUESTION, evidence(), ANSWER, 0.5)[0]
    assert claim.status == "supported"
    assert all(math.isnan(citation.contrast) for citation in claim.citations)
    assert math.isnan(claim.divergence)


def test_text_from_elsewhere_is_contrasted_by_a_local_model() -> None:
    model = ScriptedModel("")
    claim = attribute(model, QUESTION, evidence(), drafted(ANSWER), 0.5)[0]
    assert all(citation.contrast > 0 for citation in claim.citations)
    assert model.scored


@pytest.mark.parametrize("said", ["Ada Quill was born in Vienna in 1922.", "Bob Marsh was born in Trieste."])
def test_a_number_or_name_that_stands_nowhere_is_unsupported(said: str) -> None:
    claim = attribute(None, QUESTION, evidence(), said, 0.5)[0]
    assert claim.status == "unsupported"
    assert claim.citations == ()


def test_each_sentence_is_judged_for_itself_with_its_offsets() -> None:
    text = "Ada Quill was born in Trieste. The moon is made of Gouda."
    first, second = attribute(None, QUESTION, evidence(), text, 0.5)
    assert (first.status, second.status) == ("supported", "unsupported")
    assert text[second.start : second.end] == "The moon is made of Gouda."


def test_the_cited_span_is_the_sentence_that_says_it() -> None:
    claim = attribute(None, QUESTION, evidence(), "She was born in Trieste.", 0.5)[0]
    spans = [evidence()[c.number - 1].passage.text[c.start : c.end] for c in claim.citations]
    assert "She was born in Trieste." in spans


class Unmoved(ScriptedModel):
    """Finds the answer as likely with any passage as without."""

    def log_probs(self, prompts: Sequence[Sequence[int]], continuation: Sequence[int]) -> np.ndarray:
        return np.zeros((len(prompts), len(continuation)), dtype=np.float32)


def test_a_sentence_that_no_passage_raises_needs_more_support() -> None:
    partly = "Ada Quill wrote in rainy Trieste."
    assert attribute(ScriptedModel(""), QUESTION, evidence(), drafted(partly), 0.4)[0].status == "supported"
    assert attribute(Unmoved(""), QUESTION, evidence(), drafted(partly), 0.4)[0].status == "unsupported"


class Sceptic:
    """An entailment model that believes nothing, and remembers what it was asked."""

    def __init__(self) -> None:
        self.pairs: list[tuple[str, str]] = []

    def probabilities(self, premises: Sequence[str], hypotheses: Sequence[str]) -> NDArray[np.float32]:
        self.pairs += list(zip(premises, hypotheses, strict=True))
        return np.full(len(premises), 0.1, dtype=np.float32)


def test_an_entailment_model_decides_over_all_cited_passages_together() -> None:
    sceptic = Sceptic()
    claim = attribute(None, QUESTION, evidence(), ANSWER, 0.5, Checks(entailment=sceptic))[0]
    assert claim.status == "unsupported"
    premise, hypothesis = sceptic.pairs[0]
    assert hypothesis == ANSWER
    assert TEXTS[1][1] in premise
    assert TEXTS[2][1] in premise


def test_without_evidence_or_words_nothing_is_cited() -> None:
    assert attribute(None, QUESTION, (), ANSWER, 0.5)[0].status == "unsupported"
    assert attribute(None, QUESTION, evidence(), "", 0.5) == ()


def test_tokens_belong_to_the_sentence_in_which_their_text_ends() -> None:
    pieces = ["It", " is", " red.", " So", "", " it is."]
    text = "".join(pieces)
    assert token_rows(pieces, sentences(text)) == [[0, 1, 2], [3, 5]]


def test_a_text_that_its_tokens_do_not_give_back_stays_without_tokens() -> None:
    draft = as_drafted("It is red.", [1, 2], lambda tokens: "?" * len(tokens))
    assert draft.text == "It is red."
    assert draft.tokens == []
