from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from indexes.archive.staging import COMMIT, FOLDER, Staging, finish, held, staged
from indexes.errors import StoreError
from indexes.slice import OpenStore
from indexes.store.lock import lock


class Killed(BaseException):
    """Stands for a process that ends where it is."""


def tree(root: Path) -> dict[str, str]:
    """Every file below a folder with its text, what is only there for the moment apart."""
    return {
        path.relative_to(root).as_posix(): path.read_text()
        for path in sorted(root.rglob("*"))
        if path.is_file() and ".incoming" not in path.relative_to(root).as_posix()
    }


def fill(root: Path, staging: Staging) -> None:
    """Something old in the root, something new beside."""
    for path, text in {root / "a" / "x": "old a", root / "b": "old b", root / "kept": "kept"}.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    for path, text in {staging.new / "a" / "y": "new a", staging.new / "c": "new c"}.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


OLD = {"a/x": "old a", "b": "old b", "kept": "kept"}
NEW = {"a/y": "new a", "c": "new c", "kept": "kept"}


def count_down(moment: int, real: Callable[..., Path]) -> Callable[..., Path]:
    left = iter(range(moment, 0, -1))

    def call(self: Path, *given: Path, **options: bool) -> Path:
        if next(left, 0) == 1:
            raise Killed
        return real(self, *given, **options)

    return call


@pytest.fixture(params=["rename", "unlink", "replace"])
def step(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[int], None]]:
    """Makes one call of one kind, and all later ones, the end of the process."""
    name: str = request.param
    real = getattr(Path, name)
    yield lambda moment: monkeypatch.setattr(Path, name, count_down(moment, real))


@pytest.mark.parametrize("moment", range(1, 6))
def test_whenever_it_ends_the_next_one_finds_the_old_state_or_the_new(
    tmp_path: Path, step: Callable[[int], None], moment: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    staging = Staging(tmp_path)
    fill(tmp_path, staging)
    with monkeypatch.context():
        step(moment)
        try:
            staging.commit(["a", "c"], ["b"])
        except Killed:
            pass
        finally:
            monkeypatch.undo()
    decided = (tmp_path / FOLDER / COMMIT).exists()
    finish(tmp_path)
    found = tree(tmp_path)
    assert found in (OLD, NEW)
    assert found == NEW or not decided


def test_what_comes_to_stand_in_the_way_meanwhile_is_put_aside(tmp_path: Path) -> None:
    staging = Staging(tmp_path)
    fill(tmp_path, staging)
    staging.old.mkdir(parents=True)
    (staging.old / "c").write_text("was moved before the process was killed")
    (tmp_path / "c").write_text("made by somebody since")
    staging.commit(["a", "c"], ["b"])
    assert tree(tmp_path) == NEW
    assert (staging.old / "c.1").read_text() == "made by somebody since"


def test_nothing_is_left_when_all_went_well_or_failed(tmp_path: Path, memory: OpenStore) -> None:
    with staged(tmp_path, memory) as staging:
        fill(tmp_path, staging)
        staging.commit(["a", "c"], ["b"])
    assert tree(tmp_path) == NEW
    with pytest.raises(KeyError), staged(tmp_path, memory) as staging:
        fill(tmp_path, staging)
        raise KeyError
    assert not (tmp_path / FOLDER).exists()


def test_two_at_once_are_told(tmp_path: Path, memory: OpenStore) -> None:
    with staged(tmp_path, memory), pytest.raises(StoreError, match="Another process"), staged(tmp_path, memory):
        pass


def test_a_disk_that_refuses_is_an_error_for_people(tmp_path: Path, memory: OpenStore) -> None:
    with pytest.raises(StoreError, match="No space left"), staged(tmp_path, memory):
        raise OSError(28, "No space left on device")


def test_a_folder_that_refuses_to_be_moved_is_told_and_tried_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    staging = Staging(tmp_path)
    fill(tmp_path, staging)

    def refuse(*_: object) -> None:
        raise PermissionError(13, "Permission denied")

    with monkeypatch.context() as patched:
        patched.setattr(Path, "rename", refuse)
        with pytest.raises(StoreError, match=r"cannot be put in its place.*Permission denied"):
            staging.commit(["a", "c"], ["b"])
    finish(tmp_path)
    assert tree(tmp_path) == NEW


def test_a_shard_that_is_held_keeps_others_out_and_is_free_again(slices: Path) -> None:
    shard = slices / "birds" / "shard"
    with held([slices / "birds", slices / "absent"]), pytest.raises(StoreError, match="in use by process"):
        lock(shard)
    lock(shard).release()
