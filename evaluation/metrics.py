"""Measures of rankings, by ir-measures (trec_eval underneath), for each question and in the mean.

Every judged question counts: one that the run has no results for scores 0. Results for questions that are not judged
are ignored. A document counts once (``Run`` sees to that). Documents judged 0 or below are not relevant.

nDCG is trec_eval's: gain = grade, discount = log2(rank + 1), ideal ranking over all judged documents
(Järvelin and Kekäläinen, TOIS 2002). The order measured is that of the ``Run``: positions are handed to
ir-measures in place of scores, for its measures break ties among equal scores in different ways.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from evaluation.runs import Run
from indexes.errors import InputError

if TYPE_CHECKING:
    from ir_measures import Measure

DEFAULT_MEASURES = ("nDCG@10", "R@100", "MAP", "MRR")

_FAMILIES = {"nDCG": "nDCG", "R": "R", "P": "P", "Success": "Success", "MAP": "AP", "MRR": "RR"}
_NEEDS_CUTOFF = ("R", "P", "Success")


@dataclass(frozen=True, slots=True)
class Scores:
    """What one run scores for each judged question.

    Parameters
    ----------
    run
        The run's name.
    questions
        Ids of all judged questions, in the order of the qrels.
    values
        Measure name to an array with one number, 0 to 1, for each question.
    """

    run: str
    questions: tuple[str, ...]
    values: Mapping[str, NDArray[np.float64]]

    @property
    def means(self) -> dict[str, float]:
        """Measure name to the mean over all judged questions."""
        return {measure: float(values.mean()) for measure, values in self.values.items()}


def score_run(run: Run, qrels: Mapping[str, Mapping[str, int]], measures: Sequence[str] = DEFAULT_MEASURES) -> Scores:
    """Score ``run`` against ``qrels``.

    Parameters
    ----------
    qrels
        Question id to document id to grade. All its questions count.
    measures
        ``nDCG``, ``R``, ``P``, ``Success``, ``MAP`` and ``MRR``, with a cutoff: ``nDCG@10``, ``R@100``, ``MRR@10``.
        Without one, ``nDCG``, ``MAP`` and ``MRR`` go to the run's full depth.

    Raises
    ------
    InputError
        For an unknown measure, or qrels without a question.
    """
    import ir_measures

    if not qrels:
        raise InputError("There are no judged questions.", "Name a split whose qrels file has judgements.")
    parsed = {name: _parsed(name) for name in measures}
    questions = tuple(qrels)
    row = {question: position for position, question in enumerate(questions)}
    columns = {measure: np.zeros(len(questions)) for measure in parsed.values()}
    # Not relevant either way; and pytrec_eval can loop for ever over grades below 0.
    grades = {question: {doc: max(grade, 0) for doc, grade in docs.items()} for question, docs in qrels.items()}
    for value in ir_measures.iter_calc(list(columns), grades, _positions(run, row)):
        columns[value.measure][row[value.query_id]] = value.value
    return Scores(run.name, questions, {name: columns[measure] for name, measure in parsed.items()})


def _positions(run: Run, judged: Mapping[str, int]) -> dict[str, dict[str, float]]:
    return {
        question: {document: float(len(hits) - rank) for rank, (document, _) in enumerate(hits)}
        for question, hits in run.results.items()
        if question in judged and hits
    }


def _parsed(name: str) -> Measure:
    import ir_measures

    match = re.fullmatch(r"([A-Za-z]+)(?:@([1-9][0-9]*))?", name)
    family, cutoff = match.groups() if match else (name, None)
    if family not in _FAMILIES or (cutoff is None and family in _NEEDS_CUTOFF):
        known = [f"{each}@10" for each in _FAMILIES] + ["MAP", "MRR", "nDCG", "R@100"]
        by_lower = {each.lower(): each for each in known}
        near = difflib.get_close_matches(name.lower(), by_lower, n=1, cutoff=0.5)
        hint = f"Did you mean {by_lower[near[0]]}? " if near else ""
        raise InputError(f"There is no measure {name!r}.", f"{hint}Known: {', '.join(known)}, with any cutoff.")
    return ir_measures.parse_measure(_FAMILIES[family] + (f"@{cutoff}" if cutoff else ""))
