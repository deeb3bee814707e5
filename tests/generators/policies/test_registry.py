from __future__ import annotations

from typing import get_args

import pytest

from app.settings.schema import Generation
from generators.policies.adacad import AdaCAD
from generators.policies.base import Policy
from generators.policies.cad import CAD
from generators.policies.coiecd import COIECD
from generators.policies.grd import GRD
from generators.policies.greedy import Greedy
from generators.policies.registry import POLICIES, policy
from indexes.errors import InputError


@pytest.mark.parametrize(
    ("name", "options", "expected"),
    [
        ("greedy", {}, Greedy()),
        ("cad", {}, CAD(1.0)),
        ("cad", {"alpha": 0.0}, CAD(0.0)),
        ("adacad", {}, AdaCAD(0.0)),
        ("adacad", {"floor": 0.3}, AdaCAD(0.3)),
        ("coiecd", {"ratio": 2.0}, COIECD(1.0, 2.0)),
        ("grd", {"depth": 0.0}, GRD(0.0)),
    ],
)
def test_the_registry_makes_each_policy(name: str, options: dict[str, float], expected: Policy) -> None:
    assert policy(name, **options) == expected


@pytest.mark.parametrize("name", POLICIES)
def test_a_policy_knows_the_name_that_it_is_listed_under(name: str) -> None:
    assert policy(name).name == name


@pytest.mark.parametrize(
    ("name", "options", "hint"),
    [
        ("adacat", {}, "'adacad'"),
        ("Greedy", {}, "'greedy'"),
        ("xyz", {}, "greedy, cad, adacad"),
        ("cad", {"alfa": 1.0}, "'alpha'"),
        ("greedy", {"alpha": 1.0}, "leave it out"),
        ("cad", {"alpha": -0.1}, "0 or more"),
    ],
)
def test_what_is_unknown_or_out_of_range_is_refused_with_the_remedy(
    name: str, options: dict[str, float], hint: str
) -> None:
    with pytest.raises(InputError) as refused:
        policy(name, **options)
    assert hint in refused.value.fix


def test_every_policy_can_be_named_in_the_settings() -> None:
    assert set(POLICIES) <= set(get_args(Generation.model_fields["policy"].annotation))
