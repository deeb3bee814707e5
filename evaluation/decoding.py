"""Compare ways of decoding on questions with a context that is right or wrong.

The questions come from ``evaluation.slices``. This room runs no model: it is handed one function for each policy, lets
them answer (``ask``), and compares what they said slice by slice (``compare_slices``), so that a long run may stop and go on.

Two errors show which side a policy trusted wrongly. Source: KnowPO (arXiv 2408.03297), which names them contextual
ignorance and contextual overinclusion:

``under-trust``
    The context is right, and the answer is memory's: it holds an original answer, and no right one.
``over-trust``
    The context is wrong, and the answer follows it: it holds an answer of the context, or stands in the context word for
    word, and holds no right one. An answer of function words alone ("It", "not") stands in any passage and follows none.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from evaluation.answers import contains, exact_match, normalise, token_f1
from evaluation.comparison import compare
from evaluation.pace import Costs, with_pace
from evaluation.report import Row, Table
from evaluation.slices import ContextQuestion
from indexes.errors import InputError

UNDER_TRUST, OVER_TRUST = "under-trust", "over-trust"
ERRORS = {"swapped": UNDER_TRUST, "misleading": OVER_TRUST, "distractor": OVER_TRUST}
"""The error that a kind of context can show."""

_NAMELESS = """
i me my we our you your he him his she her it its they them their who whom whose which what this that these those
be am is are was were been being have has had having do does did doing can could might must shall should would
and or but if than as of at by for with about against between into through during before after above below to from up down
in out on off over under again further then once here there when where why how all any both each few more most other
some such no nor not only own same so too very just now because until while yes
"""
FUNCTION_WORDS = frozenset(_NAMELESS.split())
"""English words that name nothing (but not "may", "us" and "will", which are names too); articles fall to ``normalise``."""


@dataclass(frozen=True, slots=True)
class TimedAnswer:
    """An answer with the number of tokens decoded for it and the seconds that they took."""

    text: str
    tokens: int
    seconds: float


@dataclass(frozen=True, slots=True)
class Said:
    """What a policy answered to an item, by the item's id; ``Said(**said.to_dict())`` is the same again."""

    item: str
    policy: str
    text: str
    tokens: int
    seconds: float

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON types."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Comparison:
    """Policies beside one another.

    Parameters
    ----------
    summary
        A row for each policy, with exact match on every slice, the two errors, and the time.
    slices
        Slice name to its table with all measures.
    """

    summary: Table
    slices: Mapping[str, Table]

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON types."""
        return {
            "summary": self.summary.to_dict(),
            "slices": {name: table.to_dict() for name, table in self.slices.items()},
        }


AnswerFunction = Callable[[ContextQuestion], TimedAnswer]


def ask(
    items: Iterable[ContextQuestion],
    policies: Mapping[str, AnswerFunction],
    *,
    seed: int = 0,
    known: Iterable[Said] = (),
) -> Iterator[Said]:
    """Let every policy answer every item that it has not answered yet.

    The policies take turns on each item, in an order drawn for it, so that a machine that grows slower or a cache
    that grows warm favours none.

    Parameters
    ----------
    known
        Answers of an earlier run, which are neither asked for nor given again.

    Raises
    ------
    InputError
        Where two items have one id but differ.
    """
    done = {(said.item, said.policy) for said in known}
    names, generator = list(policies), np.random.default_rng(seed)
    for item in _different(items).values():
        for index in generator.permutation(len(names)):
            if (item.id, names[index]) not in done:
                answer = policies[names[index]](item)
                yield Said(item.id, names[index], answer.text, answer.tokens, answer.seconds)


def compare_slices(
    slices: Mapping[str, Sequence[ContextQuestion]],
    said: Iterable[Said],
    *,
    policies: Sequence[str] = (),
    baseline: str = "adacad",
    reference: str = "greedy",
    title: str = "Decoding policies",
    seed: int = 0,
    resamples: int = 10_000,
) -> Comparison:
    """Compare what policies said, slice by slice.

    Parameters
    ----------
    slices
        Slice name to its items. They may overlap; an answer counts in every slice that holds its item.
    said
        One answer of each policy to each item; others are ignored, and of two for the same the later counts.
    policies
        Which to compare, in the order of the rows; by default all that answered, in the order in which they first did.
    baseline
        The policy that the others' quality is tested against: paired randomisation, Holm's correction over the policies
        within a slice and measure.
    reference
        The policy that the others' time is divided by.

    Returns
    -------
    Comparison
        ``EM``, ``contains`` and ``F1`` against the item's gold, the error that the slice can show, and where answers come
        with tokens and seconds, ``s/token``, ``x <reference>`` and ``total x <reference>``.

    Raises
    ------
    InputError
        For no slices or items, a policy that is not there, or one that did not answer all items.
    """
    if not slices or not all(slices.values()):
        raise InputError("A slice has no questions to compare on.", "Draw a sample of at least one for each.")
    items = _different(item for group in slices.values() for item in group)
    found = _by_policy(items, said)
    chosen = dict.fromkeys(policies or found)
    for name in (baseline, reference, *chosen):
        if name not in found or name not in chosen:
            raise InputError(
                f"The policy '{name}' is not compared or did not answer.", f"There are: {', '.join(found)}."
            )
    answers = {name: _complete(name, items, found[name]) for name in chosen}
    tables = {
        name: _slice_table(f"{title}: {name}", group, answers, baseline, reference, seed, resamples)
        for name, group in slices.items()
    }
    summary = _summary(title, tables, list(answers), len(items), baseline)
    costs = _costs(items.values(), answers)
    return Comparison(with_pace(summary, costs, reference, seed=seed, resamples=resamples), tables)


def measured(text: str, item: ContextQuestion) -> dict[str, float]:
    """``EM``, ``contains`` and ``F1`` of one answer, and the error that the item can show, each 0 to 1."""
    right = contains(text, item.gold)
    found = {"EM": exact_match(text, item.gold), "contains": right, "F1": token_f1(text, item.gold)}
    if item.kind in ERRORS:
        found[ERRORS[item.kind]] = float(right == 0.0 and _follows_rival(text, item))
    return found


def _follows_rival(text: str, item: ContextQuestion) -> bool:
    if item.rival and contains(text, item.rival):
        return True
    names_something = any(word not in FUNCTION_WORDS for word in normalise(text).split())
    return item.kind != "swapped" and names_something and contains(item.context, [text]) == 1.0


def _different(items: Iterable[ContextQuestion]) -> dict[str, ContextQuestion]:
    found: dict[str, ContextQuestion] = {}
    for item in items:
        if found.setdefault(item.id, item) != item:
            raise InputError(f"Two different questions have the id '{item.id}'.", "Give each its own.")
    return found


def _by_policy(items: Mapping[str, ContextQuestion], said: Iterable[Said]) -> dict[str, dict[str, Said]]:
    answers: dict[str, dict[str, Said]] = {}
    for one in said:
        if one.item in items:
            answers.setdefault(one.policy, {})[one.item] = one
    return answers


def _complete(policy: str, items: Mapping[str, ContextQuestion], found: dict[str, Said]) -> dict[str, Said]:
    if missing := [name for name in items if name not in found]:
        raise InputError(
            f"The policy '{policy}' did not answer {len(missing)} of {len(items)} questions, such as '{missing[0]}'.",
            "Let it answer them, or leave the policy out.",
        )
    return found


def _slice_table(
    title: str,
    items: Sequence[ContextQuestion],
    answers: Mapping[str, Mapping[str, Said]],
    baseline: str,
    reference: str,
    seed: int,
    resamples: int,
) -> Table:
    scores: dict[str, dict[str, list[float]]] = {}
    for policy, found in answers.items():
        each = [measured(found[item.id].text, item) for item in items]
        if len({tuple(one) for one in each}) != 1:
            raise InputError(f"{title}: it mixes contexts that are right with wrong ones.", "Make them two slices.")
        scores[policy] = {measure: [one[measure] for one in each] for measure in each[0]}
    table = compare(title, scores, baseline=baseline, seed=seed, resamples=resamples)
    return with_pace(table, _costs(items, answers), reference, seed=seed, resamples=resamples)


def _costs(items: Iterable[ContextQuestion], answers: Mapping[str, Mapping[str, Said]]) -> dict[str, Costs]:
    """Tokens and seconds of each policy's answers, shape [n, 2]."""
    items = list(items)
    return {
        policy: np.array([(said[item.id].tokens, said[item.id].seconds) for item in items], dtype=np.float64)
        for policy, said in answers.items()
    }


def _summary(title: str, tables: Mapping[str, Table], policies: Sequence[str], n: int, baseline: str) -> Table:
    """One row a policy: exact match and the error of each slice, with their tests."""
    cells = [
        (name, measure, f"{name} {measure}")
        for measure in ("EM", UNDER_TRUST, OVER_TRUST)
        for name, table in tables.items()
        if measure in table.measures
    ]
    rows = []
    for policy in policies:
        parts = {name: table.row(policy) for name, table in tables.items()}
        rows.append(
            Row(
                policy,
                n,
                {label: parts[name].values[measure] for name, measure, label in cells},
                {label: parts[name].p[measure] for name, measure, label in cells if policy != baseline},
                {label: parts[name].difference[measure] for name, measure, label in cells if policy != baseline},
            )
        )
    sizes = "; ".join(f"{name} n = {table.rows[0].n}" for name, table in tables.items())
    notes = (f"Slices: {sizes}.", *next(iter(tables.values())).notes[:2])
    return Table(title, tuple(label for *_, label in cells), tuple(rows), baseline if len(rows) > 1 else "", notes)
