"""What was measured of one question: the texts, and the passages that each way of citing gives them."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from app.bench.citations.contexts import Cited
from evaluation.kept import OF, Kept, Record, fingerprint
from generators import prompts
from generators.answer import Claim
from generators.citations.attribution import as_drafted, attribute
from generators.citations.measuring import Checks, measure
from generators.citations.pairs import Encode
from generators.decoding.drafts import drafts
from generators.sentences import sentences

if TYPE_CHECKING:
    from generators.models.language_model import LocalModel

ANSWER_TOKENS = 56
WIDE = (0.15, 0.85)  # finalists with probabilities between these are left out one by one for the fit
NOT_MEASURED = -99.0  # JSON has no NaN
SUPPORT = 0.5  # the default of verdict.support
_MARK = re.compile(r"\[(\d+(?:\s*[,;]\s*\d+)*)\]")


def parse_marks(text: str, most: int) -> list[int]:
    """The distinct numbers from 1 to ``most`` that stand in square brackets, in order.

    >>> parse_marks("It is red [2][4], or [1, 4] [17].", 10)
    [2, 4, 1]
    """
    found = (int(number) for match in _MARK.finditer(text) for number in re.findall(r"\d+", match[1]))
    return list(dict.fromkeys(number for number in found if 1 <= number <= most))


def without_marks(text: str) -> str:
    """The text that is left when ``parse_marks``'s brackets, and the white space before them, are taken out.

    >>> without_marks("It is red [2][4], or [1, 4] green.")
    'It is red, or green.'
    """
    return re.sub(rf"\s*{_MARK.pattern}", "", text).strip()


def record_text(item: Cited, text: str, model: LocalModel | None, encode: Encode) -> Record:
    """Our citations of a text with and without the language model, seconds, and cosines for the embedding baseline."""
    started = time.perf_counter()
    lean = attribute(None, item.question, item.evidence, text, SUPPORT, Checks(encode))
    middle = time.perf_counter()
    record: Record = {"text": text, "lean": cited_numbers(lean), "lean seconds": middle - started}
    record["words"] = cited_numbers(attribute(None, item.question, item.evidence, text, SUPPORT))
    if model is not None:
        draft = as_drafted(text, model.encode(text), model.decode)
        started = time.perf_counter()
        full = attribute(model, item.question, item.evidence, draft, SUPPORT, Checks(encode))
        record |= {"full": cited_numbers(full), "full seconds": time.perf_counter() - started}
    record["cosines"] = _cosines(item, text, encode)
    return record


def record_contrasts(item: Cited, model: LocalModel, encode: Encode) -> Record:
    """What the models of contrasts are fitted on: their columns for each finalist, and whether it is gold."""
    text = f"The answer is {item.answers[0]}."
    tokens = model.encode(text)
    checks = Checks(encode, doubt=WIDE)
    pair = measure(model, item.question, item.evidence, [text], tokens, [list(range(len(tokens)))], checks)[0]
    columns = pair.contrasts[pair.finalists].astype(float)
    right = [item.evidence[i].number in item.gold for i in pair.finalists]
    return {"text": text, "contrasts": np.nan_to_num(columns, nan=NOT_MEASURED).tolist(), "right": right}


def record_answer(item: Cited, model: LocalModel, encode: Encode) -> Record:
    """The model's own answer; the one that it writes when asked for marks; and its marks for the statement.

    The second is another text than the first and is attributed, without its marks, on its own (by words and cosines, which
    cost little). The prompts begin alike, so that the passages are read once for all.
    """
    asking = [prompts.with_sources(item.question, item.evidence), prompts.with_marks(item.question, item.evidence)]
    if item.statement:
        asking.append(prompts.which_sources(item.question, item.evidence, item.statement))
    started, most = time.perf_counter(), len(item.evidence)
    said = drafts(model, [model.chat_tokens(messages) for messages in asking], max_tokens=ANSWER_TOKENS)
    seconds = time.perf_counter() - started
    record: Record = {"answer": record_text(item, said[0].text.strip(), model, encode), "write seconds": seconds}
    record["marked"] = record_marked(item, said[1].text, encode)
    if item.statement:
        asked = {"asked": parse_marks(said[2].text, most), "reply": said[2].text}
        record["statement"] = record_text(item, item.statement, model, encode) | asked
    return record


def record_marked(item: Cited, said: str, encode: Encode) -> Record:
    """Marks of a text, and our citations of what it says without them."""
    marks = {"marks": parse_marks(said, len(item.evidence)), "said": said}
    return record_text(item, without_marks(said), None, encode) | marks


def fingerprint_of(item: Cited, models: Sequence[str]) -> str:
    """Of all that the records of an item depend on.

    Parameters
    ----------
    models
        What identifies the language model, the encoder, and the fitted models of pairs.
    """
    question, evidence = item.question, item.evidence
    asked = [
        prompts.with_sources(question, evidence),
        prompts.with_marks(question, evidence),
        prompts.which_sources(question, evidence, item.statement),
        *(prompts.does_it_support(question, item.statement, each) for each in evidence),
    ]
    return fingerprint(*models, ANSWER_TOKENS, SUPPORT, WIDE, item.answers, sorted(item.gold), asked)


def resumed(
    items: Sequence[Cited],
    file: Path,
    measured: Callable[[Cited], Record],
    until: float,
    models: Sequence[str],
) -> Iterator[tuple[Cited, Record]]:
    """Each item with its record: from ``file`` where it stands there, else measured and appended, until the clock says so.

    Parameters
    ----------
    models
        As for ``fingerprint_of``: what other models found does not count.
    until
        ``time.monotonic()`` from which nothing more is measured.
    """
    kept = Kept(file, "id", OF)
    for item in items:
        of = fingerprint_of(item, models)
        if kept.get(item.id, of) is not None or time.monotonic() < until:
            yield item, kept.found({"id": item.id, OF: of}, partial(measured, item))


def cited_numbers(claims: Sequence[Claim]) -> list[int]:
    """The distinct passages that the claims cite, ascending."""
    return sorted({citation.number for claim in claims for citation in claim.citations})


def _cosines(item: Cited, text: str, encode: Encode) -> list[list[float]]:
    claims = [text[a:b] for a, b in sentences(text)]
    vectors = encode([*claims, *(evidence.passage.searchable for evidence in item.evidence)])
    products = vectors[: len(claims)] @ vectors[len(claims) :].T
    return [[round(float(value), 4) for value in row] for row in products]
