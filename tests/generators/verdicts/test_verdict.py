from __future__ import annotations

from dataclasses import replace

import pytest

from generators.answer import Claim, Status, Verdict
from generators.verdicts.verdict import (
    Signals,
    Thresholds,
    decide,
    hopeless,
    refuses,
    supported_share,
    unknown_names,
)

FINE = Signals(retrieved=True, relevance=0.9, supported=1.0)
THRESHOLDS = Thresholds(relevance=0.2, support=0.5, confidence=0.3)


@pytest.mark.parametrize(
    ("change", "verdict"),
    [
        ({}, Verdict.ANSWERED),
        ({"supported": 0.5}, Verdict.ANSWERED),
        ({"supported": 0.0}, Verdict.NOT_IN_SOURCES),
        ({"relevance": 0.19}, Verdict.NOT_IN_SOURCES),
        ({"relevance": 0.2}, Verdict.ANSWERED),
        ({"refused": True}, Verdict.NOT_IN_SOURCES),
        ({"unknown_names": 1}, Verdict.NOT_IN_SOURCES),
        ({"confidence": 0.29}, Verdict.NOT_IN_SOURCES),
        ({"confidence": 0.3}, Verdict.ANSWERED),
        ({"conflict": True}, Verdict.CONFLICT),
        ({"conflict": True, "refused": True, "supported": 0.0}, Verdict.CONFLICT),
        ({"conflict": True, "confidence": 0.29}, Verdict.NOT_IN_SOURCES),
        ({"conflict": True, "relevance": 0.19}, Verdict.NOT_IN_SOURCES),
        ({"retrieved": False, "relevance": 0.0, "supported": 0.0}, Verdict.FROM_MEMORY),
        ({"retrieved": False, "confidence": 0.0, "conflict": True}, Verdict.FROM_MEMORY),
    ],
)
def test_the_verdict_follows_from_the_signals(change: dict[str, float], verdict: Verdict) -> None:
    assert decide(replace(FINE, **change), THRESHOLDS) is verdict


def test_what_is_hopeless_is_never_answered() -> None:
    for relevance in (0.0, 0.1, 0.2, 1.0):
        for names in (0, 1):
            signals = replace(FINE, relevance=relevance, unknown_names=names)
            assert not (hopeless(signals, THRESHOLDS) and decide(signals, THRESHOLDS) is Verdict.ANSWERED)


@pytest.mark.parametrize(
    ("text", "refused"),
    [
        ("The sources do not say.", True),
        ("Sources do not say.", True),
        ("The provided text does not mention the price.", True),
        ("The context doesn't contain that information.", True),
        ("He did not say why.", False),
        ("The sources of the Nile do not freeze.", False),
        ("It does not include tax.", False),
        ("According to the sources, employers do not provide lunch.", False),
        ("The sources state that landlords do not provide furniture.", False),
        ("The policy text says employees do not include lunch.", False),
        ("The text given in the sources above does not say.", True),
        ("Unfortunately, the sources that I have don’t mention it.", True),
        ("Although Peru is named, the passages [1] and [2] do not say when.", True),
        ("Peru's currency is the sol. The sources do not say who designed it.", False),
        ("The sources do not say who designed it. Peru's currency is the sol.", True),
        ("The passages do not contain information about Oz, but Peru's currency is the sol.", True),
        ("", False),
    ],
)
def test_refusals_are_told_from_answers(text: str, refused: bool) -> None:
    assert refuses(text) is refused


@pytest.mark.parametrize(
    ("first", "second", "share"), [("supported", "unsupported", 1.0), ("unsupported", "supported", 0.0)]
)
def test_a_sentence_on_what_the_sources_do_not_say_counts_neither_way(
    first: Status, second: Status, share: float
) -> None:
    claims = [Claim("It is the sol.", 0, 14, first), Claim("The text does not say why.", 15, 41, second)]
    assert supported_share(claims) == share
    assert supported_share(claims[1:]) == supported_share([]) == 0.0


@pytest.mark.parametrize(
    ("question", "unknown", "count"),
    [
        ("What is the currency of Wakanda?", ["Wakanda"], 1),
        ("What was said in 2031?", ["2031"], 1),
        ("What does chronosort.merge do?", ["chronosort.merge"], 1),
        ("Explain sourdough", ["Explain", "sourdough"], 0),
        ("Is the Élysée open?", ["Élysée"], 1),
    ],
)
def test_only_names_count_as_unknown_names(question: str, unknown: list[str], count: int) -> None:
    assert unknown_names(question, unknown) == count
