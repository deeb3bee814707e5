from __future__ import annotations

from collections.abc import Iterator

import pytest
import torch

from generators.models import precision
from generators.models.precision import Format
from indexes.errors import InputError


@pytest.fixture
def unprobed() -> Iterator[None]:
    """The probe has not run, and what a test makes it find is forgotten."""
    precision.fastest.cache_clear()
    yield
    precision.fastest.cache_clear()


@pytest.mark.parametrize("name", ["float32", "bfloat16", "int8"])
def test_named_precisions_are_taken_at_their_word(name: str) -> None:
    assert precision.number_format(name) == name


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [
        ({"float32": 4, "bfloat16": 1, "int8": 0.5}, "bfloat16"),
        ({"float32": 4, "bfloat16": 40, "int8": 1}, "int8"),
        ({"float32": 4, "bfloat16": 40, "int8": 3.9}, "float32"),
    ],
)
def test_auto_takes_the_fastest_and_rounds_only_where_it_pays(
    seconds: dict[Format, float], expected: str, monkeypatch: pytest.MonkeyPatch, unprobed: None
) -> None:
    monkeypatch.setattr(precision, "_least_seconds", seconds.__getitem__)
    assert precision.number_format("auto") == expected


def test_the_probe_agrees_with_itself_and_leaves_the_threads_as_they_were(unprobed: None) -> None:
    before = torch.get_num_threads()
    answers = set()
    for _ in range(3):
        precision.fastest.cache_clear()
        answers.add(precision.fastest())
    assert len(answers) == 1
    assert torch.get_num_threads() == before


def test_the_probe_runs_once(monkeypatch: pytest.MonkeyPatch) -> None:
    precision.fastest()
    monkeypatch.setattr(precision, "_least_seconds", lambda kind: pytest.fail("probed again"))
    assert precision.fastest() in {"bfloat16", "float32", "int8"}


def test_an_unknown_precision_is_refused_with_the_known_ones() -> None:
    with pytest.raises(InputError) as refused:
        precision.check_precision("int4")
    assert "auto, bfloat16, float32, int8" in refused.value.fix
