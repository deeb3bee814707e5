from __future__ import annotations

import pytest
import torch

from generators import precision
from indexes.errors import InputError


def test_named_precisions_are_taken_at_their_word() -> None:
    assert precision.torch_dtype("float32") is torch.float32
    assert precision.torch_dtype("bfloat16") is torch.bfloat16


@pytest.mark.parametrize(("seconds", "expected"), [((0.001, 0.004), torch.bfloat16), ((0.004, 0.001), torch.float32)])
def test_auto_takes_the_faster_one(
    seconds: tuple[float, float], expected: torch.dtype, monkeypatch: pytest.MonkeyPatch
) -> None:
    times = {torch.bfloat16: seconds[0], torch.float32: seconds[1]}
    monkeypatch.setattr(precision, "_least_seconds", times.__getitem__)
    precision.bfloat16_is_fast.cache_clear()
    try:
        assert precision.torch_dtype("auto") is expected
    finally:
        precision.bfloat16_is_fast.cache_clear()


def test_the_probe_agrees_with_itself_and_leaves_the_threads_as_they_were() -> None:
    before = torch.get_num_threads()
    answers = set()
    for _ in range(3):
        precision.bfloat16_is_fast.cache_clear()
        answers.add(precision.bfloat16_is_fast())
    assert len(answers) == 1
    assert torch.get_num_threads() == before


def test_the_probe_runs_once(monkeypatch: pytest.MonkeyPatch) -> None:
    precision.bfloat16_is_fast()
    monkeypatch.setattr(precision, "_least_seconds", lambda dtype: pytest.fail("probed again"))
    assert precision.bfloat16_is_fast() in {True, False}


def test_an_unknown_precision_is_refused_with_the_known_ones() -> None:
    with pytest.raises(InputError) as refused:
        precision.check_precision("int8")
    assert "auto, bfloat16, float32" in refused.value.fix
