from __future__ import annotations

from pathlib import Path

import numpy as np

from retrievers.training.state import State, key_of


def test_the_same_training_finds_what_it_has_kept(tmp_path: Path) -> None:
    state = State(tmp_path, "k")
    assert (state.resumed, state.discarded) == (False, False)
    state.part("a").keep({"x": np.arange(3)})
    again = State(tmp_path, "k")
    assert (again.resumed, again.discarded) == (True, False)
    kept = again.part("a").read()
    assert kept is not None
    assert kept["x"].tolist() == [0, 1, 2]
    assert again.part("b").read() is None


def test_another_training_discards_it(tmp_path: Path) -> None:
    State(tmp_path, "k").part("a").keep({"x": np.arange(3)})
    other = State(tmp_path, "l")
    assert (other.resumed, other.discarded) == (False, True)
    assert other.part("a").read() is None
    assert State(tmp_path, "l").resumed


def test_a_damaged_part_counts_as_absent(tmp_path: Path) -> None:
    part = State(tmp_path, "k").part("a")
    part.keep({"x": np.arange(3)})
    part.path.write_bytes(part.path.read_bytes()[:40])
    assert part.read() is None
    part.drop()
    part.drop()
    assert not part.path.exists()


def test_after_clearing_nothing_is_left(tmp_path: Path) -> None:
    state = State(tmp_path, "k")
    state.part("a").keep({"x": np.arange(3)})
    state.clear()
    assert list(tmp_path.iterdir()) == []
    assert not State(tmp_path, "k").resumed


def test_keys_depend_on_everything_named() -> None:
    assert key_of(a=1, b=[2]) == key_of(b=[2], a=1) != key_of(a=1, b=[3])
