"""Stored vectors that an adapter moves, and that come back."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from indexes import slice as slices
from indexes.adapters.base import Adapter, Identity
from indexes.adapters.files import FILE as ADAPTER
from indexes.adapters.files import read_adapter, read_card, remove_adapter, write_adapter
from indexes.adapters.linear import Linear
from indexes.adapters.nudge import Nudged
from indexes.base_vectors import FILE as BASE
from indexes.base_vectors import BaseVectors
from indexes.encoders.base import Vectors
from indexes.errors import SliceError
from indexes.manifest import Manifest
from indexes.slice import Added, OpenStore, Slice
from indexes.store.edge import EdgeStore
from indexes.store.open import MEMORY, opener
from tests.fakes import TOPICS, WordEncoder, make_passages
from tests.indexes.adapters.conftest import residual, rows
from tests.indexes.fake_qdrant import FakeQdrant

PASSAGES = make_passages([text for texts in TOPICS.values() for text in texts])
NEW = make_passages(["Medlars are eaten when they are soft.", "Figs are pollinated by wasps."])
IDS = [passage.id for passage in PASSAGES]
ONE = Linear(residual(1), 1.0, residual(2))
OTHER = Linear(residual(3), 0.5, residual(4))
NUDGE = Nudged(tuple(IDS[:5]), rows(5), Linear(residual(5)))
QUESTIONS_ONLY = Linear(residual(1))
ROOT = Path(__file__).parents[2]
KILLED = """
import os, signal, sys
from pathlib import Path
from indexes import slice as slices
from indexes.store.edge import EdgeStore
from indexes.store.open import opener
from tests.fakes import WordEncoder
from tests.indexes.test_projection import ONE, OTHER, PASSAGES

folder, before_call, step = Path(sys.argv[1]), int(sys.argv[2]), sys.argv[3]
slices.BATCH = 5
slice_ = slices.Slice.open(folder, WordEncoder(), opener())
calls = 0
inner = getattr(EdgeStore, step)

def kill_at_last(self, *given):
    global calls
    calls += 1
    if calls == before_call:
        os.kill(os.getpid(), signal.SIGKILL)
    return inner(self, *given)

setattr(EdgeStore, step, kill_at_last)
slice_.adapt(OTHER if slice_.manifest.adapter else ONE, {})
"""


@pytest.fixture(scope="module")
def server() -> Iterator[FakeQdrant]:
    fake = FakeQdrant()
    yield fake
    fake.close()


@pytest.fixture(params=["edge", "memory", "rest"])
def open_store(request: pytest.FixtureRequest, server: FakeQdrant) -> OpenStore:
    """One opener a test, so that what lies in memory is found again."""
    url = {"edge": "", "memory": MEMORY, "rest": server.url}[request.param]
    return opener(url, prefix=f"{request.node.name}-")


@pytest.fixture
def made(tmp_path: Path, open_store: OpenStore, monkeypatch: pytest.MonkeyPatch) -> Iterator[Slice]:
    monkeypatch.setattr(slices, "BATCH", 5)
    slice_ = Slice.create(tmp_path / "s", "s", "All.", WordEncoder(), open_store, PASSAGES)
    slice_.add(PASSAGES, WordEncoder())
    yield slice_
    slice_.close()


def again(slice_: Slice, open_store: OpenStore) -> Slice:
    slice_.close()
    return Slice.open(slice_.folder, WordEncoder(), open_store)


def stored(slice_: Slice) -> dict[str, Vectors]:
    return collect(slice_.store.scan())


def collect(batches: Iterator[tuple[tuple[str, ...], Vectors]]) -> dict[str, Vectors]:
    return {i: vector for ids, vectors in batches for i, vector in zip(ids, vectors, strict=True)}


def same(one: dict[str, Vectors], other: dict[str, Vectors], slice_: Slice) -> None:
    """Bit for bit; the client's in-memory mode scales vectors anew whenever it likes."""
    assert list(one) == list(other)
    tolerance = 0 if isinstance(slice_.store, EdgeStore) else 3e-7
    np.testing.assert_allclose(np.stack([*one.values()]), np.stack([*other.values()]), rtol=0, atol=tolerance)


def moved_by(adapter: Adapter, base: dict[str, Vectors]) -> dict[str, Vectors]:
    return dict(zip(base, adapter.passages(list(base), np.stack([*base.values()])), strict=True))


def interrupt(patch: pytest.MonkeyPatch, owner: type, name: str, after: int) -> None:
    """Let ``owner.name`` raise at its call number ``after + 1``."""
    inner: Callable[..., object] = getattr(owner, name)
    calls = 0

    def interrupted(*given: object) -> object:
        nonlocal calls
        calls += 1
        if calls > after:
            raise KeyboardInterrupt
        return inner(*given)

    patch.setattr(owner, name, interrupted)


def test_moving_passages_encodes_nothing_and_going_back_restores_them(made: Slice) -> None:
    base, encoder = stored(made), WordEncoder()
    for adapter in (ONE, OTHER, NUDGE, ONE):
        made.project(adapter)
        now = stored(made)
        np.testing.assert_allclose(
            np.stack([*now.values()]), np.stack([*moved_by(adapter, base).values()]), rtol=0, atol=1e-6
        )
        same(collect(made.base_vectors(7)), base, made)
        assert (made.manifest.adapter, made.manifest.pending) == (adapter.key, False)
        assert Manifest.read(made.folder) == made.manifest
    made.project(Identity())
    same(stored(made), base, made)
    same(collect(made.base_vectors(7)), base, made)
    assert (made.manifest.adapter, made.manifest.pending) == ("", False)
    assert not (made.folder / BASE).exists()
    assert encoder.passages == 0


def test_an_adapter_of_questions_alone_touches_nothing(made: Slice, monkeypatch: pytest.MonkeyPatch) -> None:
    manifest = made.manifest
    monkeypatch.setattr(type(made.store), "update_vectors", None)
    made.adapt(QUESTIONS_ONLY, {})
    assert (made.manifest, (made.folder / BASE).exists()) == (manifest, False)
    made.adapt(Identity(), {})
    assert made.manifest == manifest


def test_an_adapter_of_questions_alone_takes_back_what_another_moved(made: Slice) -> None:
    base = stored(made)
    made.adapt(ONE, {})
    made.adapt(QUESTIONS_ONLY, {})
    same(stored(made), base, made)
    assert (made.manifest.adapter, (made.folder / BASE).exists()) == ("", False)


def test_a_moved_slice_opens_as_it_was_left(made: Slice, open_store: OpenStore) -> None:
    made.adapt(ONE, {"pairs": 3})
    left = stored(made)
    opened = again(made, open_store)
    same(stored(opened), left, opened)
    assert opened.manifest == made.manifest
    assert read_card(opened.folder) == {"pairs": 3, "key": ONE.key}
    opened.close()


def test_the_same_adapter_twice_is_moved_once(made: Slice, monkeypatch: pytest.MonkeyPatch) -> None:
    made.project(ONE)
    manifest = made.manifest
    monkeypatch.setattr(type(made.store), "update_vectors", None)
    made.project(Linear.from_arrays(ONE.arrays(), WordEncoder()))
    assert made.manifest == manifest


def test_passages_added_to_a_moved_slice_are_moved_too_and_restored_with_the_others(
    made: Slice, open_store: OpenStore
) -> None:
    plain = stored(made)
    made.adapt(ONE, {})
    opened = again(made, open_store)
    assert opened.add([*NEW, PASSAGES[0]], WordEncoder()) == Added(3, 2)
    own = dict(zip([p.id for p in NEW], WordEncoder().encode_passages([p.searchable for p in NEW]), strict=True))
    for i, vector in moved_by(ONE, own).items():
        np.testing.assert_allclose(stored(opened)[i], vector, atol=1e-6)
    assert len(collect(opened.base_vectors())) == len(PASSAGES) + 2
    opened.adapt(OTHER, {})
    for i, vector in moved_by(OTHER, own).items():
        np.testing.assert_allclose(stored(opened)[i], vector, atol=1e-6)
    opened.adapt(Identity(), {})
    same({i: vector for i, vector in stored(opened).items() if i in plain}, plain, opened)
    same({i: stored(opened)[i] for i in own}, own, opened)
    opened.close()


def test_passages_that_were_deleted_do_not_come_back_and_can_be_added_again(made: Slice) -> None:
    base = stored(made)
    made.adapt(ONE, {})
    made.store.delete(IDS[:3])
    assert len(collect(made.base_vectors())) == len(PASSAGES) - 3
    made.adapt(OTHER, {})
    assert made.store.count() == len(PASSAGES) - 3
    assert made.add(PASSAGES[:2], WordEncoder()) == Added(2, 2)
    made.adapt(Identity(), {})
    same(stored(made), {i: vector for i, vector in base.items() if i != IDS[2]}, made)


def test_an_interrupted_addition_to_a_moved_slice_loses_nothing(made: Slice, monkeypatch: pytest.MonkeyPatch) -> None:
    base = stored(made)
    made.adapt(ONE, {})
    with monkeypatch.context() as patch:
        interrupt(patch, type(made.store), "upsert", 0)
        with pytest.raises(KeyboardInterrupt):
            made.add(NEW, WordEncoder())
    same(collect(made.base_vectors()), base, made)
    assert made.add(NEW, WordEncoder()) == Added(2, 2)
    made.adapt(Identity(), {})
    same({i: vector for i, vector in stored(made).items() if i in base}, base, made)
    assert made.store.count() == len(base) + 2


@pytest.mark.parametrize("target", [ONE, Identity()], ids=["there", "back"])
@pytest.mark.parametrize("after", [0, 1, 4])
def test_an_interrupted_move_is_finished_when_the_slice_is_opened(
    made: Slice, open_store: OpenStore, monkeypatch: pytest.MonkeyPatch, target: Adapter, after: int
) -> None:
    base = stored(made)
    if target is not ONE:
        made.adapt(OTHER, {})
    with monkeypatch.context() as patch:
        interrupt(patch, type(made.store), "update_vectors", after)
        with pytest.raises(KeyboardInterrupt):
            made.adapt(target, {})
    assert Manifest.read(made.folder).pending
    same(collect(made.base_vectors()), base, made)
    opened = again(made, open_store)
    assert (opened.manifest.adapter, opened.manifest.pending) == (target.key, False)
    wanted = moved_by(target, base)
    np.testing.assert_allclose(np.stack([*stored(opened).values()]), np.stack([*wanted.values()]), rtol=0, atol=1e-6)
    opened.adapt(Identity(), {})
    same(stored(opened), base, opened)
    opened.close()


def test_adding_finishes_an_interrupted_move_first(made: Slice, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        interrupt(patch, type(made.store), "update_vectors", 2)
        with pytest.raises(KeyboardInterrupt):
            made.adapt(ONE, {})
    made.add(NEW, WordEncoder())
    assert (made.manifest.adapter, made.manifest.pending) == (ONE.key, False)
    wanted = moved_by(ONE, collect(made.base_vectors()))
    np.testing.assert_allclose(np.stack([*stored(made).values()]), np.stack([*wanted.values()]), rtol=0, atol=1e-6)


def test_an_interruption_while_base_vectors_are_kept_changes_nothing(
    made: Slice, open_store: OpenStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    base = stored(made)
    with monkeypatch.context() as patch:
        patch.setattr(type(made.store), "scan", lambda self: iter([(tuple(base)[:3], np.stack([*base.values()])[:3])]))
        interrupt(patch, Manifest, "write", 0)
        with pytest.raises(KeyboardInterrupt):
            made.project(ONE)
    assert (made.folder / BASE).exists()
    same(stored(made), base, made)
    same(collect(made.base_vectors()), base, made)
    opened = again(made, open_store)
    assert opened.manifest.adapter == ""
    opened.adapt(ONE, {})
    opened.adapt(Identity(), {})
    same(stored(opened), base, opened)
    opened.close()


@pytest.mark.parametrize(
    "act", [lambda s: write_adapter(s.folder, ONE, {}), lambda s: s.project(ONE)], ids=["write", "project"]
)
def test_the_adapter_in_the_folder_is_what_counts_at_the_next_opening(
    made: Slice, open_store: OpenStore, act: Callable[[Slice], None]
) -> None:
    act(made)
    opened = again(made, open_store)
    assert opened.manifest.adapter == (ONE.key if (made.folder / ADAPTER).exists() else "")
    wanted = moved_by(read_adapter(made.folder, WordEncoder()), collect(opened.base_vectors()))
    np.testing.assert_allclose(np.stack([*stored(opened).values()]), np.stack([*wanted.values()]), rtol=0, atol=1e-6)
    opened.close()


def test_removing_the_adapter_takes_back_what_it_moved(made: Slice, open_store: OpenStore) -> None:
    base = stored(made)
    made.adapt(ONE, {})
    remove_adapter(made.folder)
    opened = again(made, open_store)
    same(stored(opened), base, opened)
    assert opened.manifest.adapter == ""
    opened.close()


def test_a_slice_that_cannot_be_finished_says_why_and_is_not_held(made: Slice, open_store: OpenStore) -> None:
    made.adapt(ONE, {})
    content = (made.folder / ADAPTER).read_bytes()
    (made.folder / ADAPTER).write_bytes(content[:100])
    made.close()
    for _ in range(2):  # a store that was left open would be locked the second time
        with pytest.raises(SliceError, match=r"adapter at .* is damaged"):
            Slice.open(made.folder, WordEncoder(), open_store)
    (made.folder / ADAPTER).write_bytes(content)
    Slice.open(made.folder, WordEncoder(), open_store).close()


def test_lost_base_vectors_are_told_before_anything_is_touched(made: Slice) -> None:
    made.adapt(ONE, {})
    kept, left = BaseVectors(made.folder, 64), stored(made)
    kept.path.write_bytes(kept.path.read_bytes()[: -2 * (16 + 4 * 64)])
    with pytest.raises(SliceError, match="lacks the encoder's vectors of 2 of its 24 passages") as caught:
        made.project(OTHER)
    assert "symposia experts remove s" in caught.value.fix
    same(stored(made), left, made)
    assert (made.manifest.adapter, made.manifest.pending) == (ONE.key, False)


def test_an_adapter_that_was_changed_under_an_open_slice_moves_no_new_passage(
    made: Slice, open_store: OpenStore
) -> None:
    made.adapt(ONE, {})
    opened = again(made, open_store)
    write_adapter(opened.folder, OTHER, {})
    with pytest.raises(SliceError, match="another than the one that moved"):
        opened.add(NEW, WordEncoder())
    assert opened.store.count() == len(PASSAGES)
    opened = again(opened, open_store)
    assert opened.manifest.adapter == OTHER.key
    opened.add(NEW, WordEncoder())
    opened.close()


@pytest.mark.parametrize(("step", "call"), [("scan", 1), ("update_vectors", 3), ("flush", 1)])
def test_a_killed_process_loses_nothing(tmp_path: Path, step: str, call: int) -> None:
    made = Slice.create(tmp_path / "s", "s", "All.", WordEncoder(), opener(), PASSAGES)
    made.add(PASSAGES, WordEncoder())
    base = stored(made)
    made.close()
    assert kill_during(made.folder, step, call) == -signal.SIGKILL
    opened = Slice.open(made.folder, WordEncoder(), opener())
    assert opened.manifest.adapter == ONE.key
    wanted = moved_by(ONE, base)
    np.testing.assert_allclose(np.stack([*stored(opened).values()]), np.stack([*wanted.values()]), rtol=0, atol=1e-6)
    opened.adapt(Identity(), {})
    same(stored(opened), base, opened)
    opened.close()


def kill_during(folder: Path, step: str, call: int) -> int:
    command = [sys.executable, "-c", KILLED, str(folder), str(call), step]
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    return subprocess.run(command, cwd=ROOT, env=environment, timeout=120, check=False).returncode


@pytest.mark.parametrize("adapter", [Identity(), QUESTIONS_ONLY, ONE, NUDGE], ids=lambda a: a.kind)
def test_base_cosines_are_those_of_the_encoder_whatever_moved_the_passages(made: Slice, adapter: Adapter) -> None:
    base = stored(made)
    made.adapt(adapter, {})
    question = WordEncoder().encode_questions(["When do apple trees blossom?"])[0]
    asked = [IDS[4], IDS[0], IDS[23], IDS[4]]
    found = made.base_cosines(asked, question)
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, [base[i] @ question for i in asked], atol=1e-6)
    assert made.base_cosines([], question).shape == (0,)
    with pytest.raises(KeyError):
        made.base_cosines([NEW[0].id], question)
