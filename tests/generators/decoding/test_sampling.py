from __future__ import annotations

import pytest
import torch

from generators.decoding.sampling import Sampler, nucleus
from indexes.errors import InputError


def draws(sampler: Sampler, logits: torch.Tensor, count: int) -> list[int]:
    return [sampler.choose(logits) for _ in range(count)]


def test_without_temperature_the_most_probable_token_is_taken() -> None:
    assert Sampler().choose(torch.tensor([0.0, 3.0, 2.0])) == 1


@pytest.mark.parametrize("size", [5, 1000, 151_936])
def test_ties_go_to_the_lowest_id(size: int) -> None:
    logits = torch.zeros(size)
    logits[[2, size - 2, size - 1]] = 7.0
    assert Sampler().choose(logits) == 2


def test_a_seed_repeats_the_draws_and_another_changes_them() -> None:
    logits = torch.linspace(0, 1, 100)
    first, again, other = (draws(Sampler(1.0, seed=seed), logits, 30) for seed in (1, 1, 2))
    assert first == again
    assert first != other
    assert len(set(first)) > 1


def test_draws_leave_the_global_generator_alone() -> None:
    torch.manual_seed(3)
    expected = torch.rand(1)
    torch.manual_seed(3)
    Sampler(1.0, seed=9).choose(torch.zeros(10))
    assert torch.equal(torch.rand(1), expected)


def test_draws_follow_the_distribution_at_that_temperature() -> None:
    logits = torch.tensor([0.0, 1.0, 2.0])
    counts = torch.bincount(torch.tensor(draws(Sampler(2.0, seed=0), logits, 4000)), minlength=3) / 4000
    assert torch.allclose(counts, torch.softmax(logits / 2, dim=-1), atol=0.03)


def test_a_ruled_out_token_is_never_drawn() -> None:
    logits = torch.tensor([0.0, float("-inf"), 0.0])
    assert set(draws(Sampler(5.0), logits, 200)) == {0, 2}


def test_the_nucleus_is_the_smallest_set_that_reaches_the_mass() -> None:
    probabilities = torch.tensor([0.25, 0.5, 0.125, 0.125])
    assert nucleus(probabilities, 0.5)[1].tolist() == [1]
    assert nucleus(probabilities, 0.51)[1].tolist() == [1, 0]
    assert nucleus(probabilities, 0.8)[1].tolist() == [1, 0, 2]
    assert nucleus(probabilities, 1e-9)[1].tolist() == [1]


def test_draws_stay_in_the_nucleus() -> None:
    logits = torch.log(torch.tensor([0.25, 0.5, 0.125, 0.125]))
    assert set(draws(Sampler(1.0, top_p=0.7), logits, 300)) == {0, 1}


@pytest.mark.parametrize(("temperature", "top_p"), [(-1.0, 1.0), (float("nan"), 1.0), (1.0, 0.0), (1.0, 1.5)])
def test_numbers_out_of_range_are_refused(temperature: float, top_p: float) -> None:
    with pytest.raises(InputError):
        Sampler(temperature, top_p)
