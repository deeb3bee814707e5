from __future__ import annotations

import sqlite3
import tarfile
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from app.access.keys import Keys
from app.backup import SETTINGS, back_up, restore, verify
from app.settling import settle
from indexes.archive.writer import new_archive
from indexes.errors import InputError, StoreError
from indexes.manifest import Manifest
from indexes.slice import OpenStore, Slice
from indexes.store.open import opener
from tests.fakes import WordEncoder
from tests.indexes.archive.conftest import make_slice, nudge, state_of

OLD = ("Swifts sleep in the air.", "Storks return in March.")
NEW = ("Medlars are eaten when they are soft.", "Figs are pollinated by wasps.")


def fill(home: Path, open_store: OpenStore, *texts: str, word: str = "") -> str:
    """A home with all that one may hold; gives the secret of its key."""
    make_slice(home / "slices", "birds", open_store, texts)
    make_slice(home / "slices", "früchte", open_store, texts[:1])
    (home / "slices" / "router.json").write_text(f'{{"format": 1, "word": "{word}"}}')
    (home / "slices" / "null.npz").write_bytes(word.encode() * 100)
    (home / "people.toml").write_text(f"# {word}")
    (home / "audit.jsonl").write_text(f'{{"word": "{word}"}}\n')
    with closing(sqlite3.connect(home / "conversations.db")) as database:
        database.execute("PRAGMA journal_mode = WAL")
        database.execute("CREATE TABLE said (word TEXT)")
        database.execute("INSERT INTO said VALUES (?)", [word])
        database.commit()
    (home / "conversations.db").chmod(0o600)
    return Keys(home / "keys.json").create("anna")


def said(home: Path) -> list[str]:
    with closing(sqlite3.connect(home / "conversations.db")) as database:
        return [word for (word,) in database.execute("SELECT word FROM said")]


def content(home: Path, open_store: OpenStore) -> dict[str, Any]:
    """All that a home is."""
    names = sorted(path.parent.name for path in (home / "slices").glob("[!.]*/slice.json"))
    texts = {
        path: (home / path).read_bytes()
        for path in ("keys.json", "people.toml", "audit.jsonl", "slices/router.json", "slices/null.npz")
    }
    return {name: state_of(home / "slices" / name, open_store) for name in names} | texts | {"said": said(home)}


@pytest.fixture
def embedded() -> OpenStore:
    return opener()


@pytest.fixture
def home(tmp_path: Path, embedded: OpenStore) -> Path:
    fill(tmp_path / "home", embedded, *OLD, word="old")
    return tmp_path / "home"


def test_everything_in_a_home_comes_back(home: Path, tmp_path: Path, embedded: OpenStore) -> None:
    nudge(home / "slices" / "birds", embedded)
    settings = tmp_path / "symposia.toml"
    settings.write_text('[models]\nserver_key = "secret"\n')
    before = content(home, embedded)
    done = back_up(home, tmp_path / "b.symposia", embedded, settings)
    assert done.slices == {"birds": 2, "früchte": 1}
    assert set(done.files) == {
        *("keys.json", "people.toml", "audit.jsonl", "conversations.db", "slices/router.json", "slices/null.npz")
    }
    restored = restore(tmp_path / "b.symposia", tmp_path / "new", embedded)
    assert restored.slices == done.slices
    assert content(tmp_path / "new", embedded) == before == content(home, embedded)
    assert (tmp_path / "new" / SETTINGS).read_text() == settings.read_text()
    assert sorted(path.name for path in (tmp_path / "new").iterdir() if path.name.startswith(".")) == [".incoming.lock"]


def test_a_key_works_in_the_restored_home(tmp_path: Path, embedded: OpenStore) -> None:
    secret = fill(tmp_path / "home", embedded, *OLD)
    back_up(tmp_path / "home", tmp_path / "b", embedded)
    restore(tmp_path / "b", tmp_path / "new", embedded)
    principal = Keys(tmp_path / "new" / "keys.json").principal(secret)
    assert principal is not None
    assert principal.name == "anna"


def test_secrets_are_the_owners_alone_in_the_file_and_out_of_it(
    home: Path, tmp_path: Path, embedded: OpenStore
) -> None:
    settings = tmp_path / "symposia.toml"
    settings.write_text("")
    settings.chmod(0o644)
    back_up(home, tmp_path / "b", embedded, settings)
    assert (tmp_path / "b").stat().st_mode & 0o777 == 0o600
    with tarfile.open(tmp_path / "b") as opened:
        modes = {each.name: each.mode for each in opened}
    assert [modes[name] for name in ("home/keys.json", "home/conversations.db", SETTINGS)] == [0o600] * 3
    restore(tmp_path / "b", tmp_path / "new", embedded)
    for name in ("keys.json", "conversations.db", SETTINGS):
        assert (tmp_path / "new" / name).stat().st_mode & 0o777 == 0o600


def test_conversations_are_copied_with_what_is_only_in_their_log_yet(
    home: Path, tmp_path: Path, embedded: OpenStore
) -> None:
    with closing(sqlite3.connect(home / "conversations.db")) as writer:
        writer.execute("INSERT INTO said VALUES ('committed')")
        writer.commit()
        writer.execute("INSERT INTO said VALUES ('not committed')")
        assert (home / "conversations.db-wal").stat().st_size > 0
        back_up(home, tmp_path / "b", embedded)
    restore(tmp_path / "b", tmp_path / "new", embedded)
    assert said(tmp_path / "new") == ["old", "committed"]


def test_results_of_evaluations_are_left_out_told_and_kept(home: Path, tmp_path: Path, embedded: OpenStore) -> None:
    (home / "evaluations" / "x").mkdir(parents=True)
    (home / "evaluations" / "x" / "metrics.json").write_text("{}")
    (home / "fotos ü.txt").write_text("a name that no archive takes")
    (home / "notes").mkdir()
    (home / "notes" / "a.txt").write_text("mine")
    done = back_up(home, tmp_path / "b", embedded)
    assert done.left_out == ("evaluations", "fotos ü.txt")
    assert "notes/a.txt" in done.files
    restore(tmp_path / "b", home, embedded, replacing=True)
    assert (home / "evaluations" / "x" / "metrics.json").exists()
    assert (home / "notes" / "a.txt").read_text() == "mine"


def test_a_home_that_holds_something_is_refused_and_replaced_when_asked(
    home: Path, tmp_path: Path, embedded: OpenStore
) -> None:
    back_up(home, tmp_path / "b", embedded)
    fill(tmp_path / "other", embedded, *NEW, word="new")
    (tmp_path / "other" / "later.txt").write_text("made since the backup")
    before = content(tmp_path / "other", embedded)
    with pytest.raises(InputError, match=r"is not empty: it holds audit\.jsonl, conversations\.db"):
        restore(tmp_path / "b", tmp_path / "other", embedded)
    assert content(tmp_path / "other", embedded) == before
    restore(tmp_path / "b", tmp_path / "other", embedded, replacing=True)
    assert content(tmp_path / "other", embedded) == content(home, embedded)
    assert not (tmp_path / "other" / "later.txt").exists()


def test_a_slice_in_use_stops_both_with_what_to_do(home: Path, tmp_path: Path, embedded: OpenStore) -> None:
    back_up(home, tmp_path / "b", embedded)
    held = Slice.open(home / "slices" / "birds", WordEncoder(), embedded)
    try:
        with pytest.raises(StoreError, match=r"in use by process.*\n.*Stop the program.*migrate --to URL"):
            back_up(home, tmp_path / "c", embedded)
        with pytest.raises(StoreError, match="nothing was changed"):
            restore(tmp_path / "b", home, embedded, replacing=True)
        assert held.store.count() == 2
    finally:
        held.close()
    assert not (tmp_path / "c").exists()


def test_slices_of_a_server_are_backed_up_while_they_are_in_use(tmp_path: Path) -> None:
    server = opener(":memory:")
    fill(tmp_path / "home", server, *OLD)
    held = Slice.open(tmp_path / "home" / "slices" / "birds", WordEncoder(), server)
    back_up(tmp_path / "home", tmp_path / "b", server)
    restore(tmp_path / "b", tmp_path / "new", server)
    assert held.store.count() == 2
    names = {Manifest.read(tmp_path / each / "slices" / "birds").store_name for each in ("home", "new")}
    assert len(names) == 2
    assert content(tmp_path / "new", server)["birds"][2] == content(tmp_path / "home", server)["birds"][2]


def test_a_backup_of_one_store_is_restored_into_another(home: Path, tmp_path: Path, embedded: OpenStore) -> None:
    back_up(home, tmp_path / "b", embedded)
    server = opener(":memory:")
    restore(tmp_path / "b", tmp_path / "new", server)
    assert not list((tmp_path / "new").rglob("shard"))
    assert len(content(tmp_path / "new", server)["birds"][2]) == 2


def test_verify_says_what_is_in_it_and_notices_a_changed_byte(home: Path, tmp_path: Path, embedded: OpenStore) -> None:
    done = back_up(home, tmp_path / "b", embedded)
    found = verify(tmp_path / "b")
    assert (found.slices, set(found.files), found.bytes) == (done.slices, set(done.files), done.bytes)
    whole = (tmp_path / "b").read_bytes()
    for place in range(3, len(whole), len(whole) // 40):
        (tmp_path / "b").write_bytes(whole[:place] + bytes([whole[place] ^ 1]) + whole[place + 1 :])
        with pytest.raises(InputError):
            verify(tmp_path / "b")
        with pytest.raises(InputError):
            restore(tmp_path / "b", tmp_path / "new", embedded)
    assert not (tmp_path / "new").exists()


def test_a_slice_file_is_no_backup(tmp_path: Path, embedded: OpenStore) -> None:
    with new_archive(tmp_path / "a", "slice", {}):
        pass
    with pytest.raises(InputError, match=r"is a slice\.\nUse `symposia import FILE`"):
        restore(tmp_path / "a", tmp_path / "new", embedded)


def test_an_empty_home_is_not_backed_up(tmp_path: Path, embedded: OpenStore) -> None:
    with pytest.raises(InputError, match="There is nothing in"):
        back_up(tmp_path / "absent", tmp_path / "b", embedded)


def test_a_backup_may_lie_in_the_home_and_is_not_part_of_itself(home: Path, embedded: OpenStore) -> None:
    back_up(home, home / "b.symposia", embedded)
    done = back_up(home, home / "b.symposia", embedded)
    assert not [name for name in done.files if name.startswith("b.symposia")]


def test_backups_in_the_home_are_neither_backed_up_nor_removed(home: Path, embedded: OpenStore) -> None:
    (home / "backups").mkdir()
    back_up(home, home / "backups" / "one.symposia", embedded)
    done = back_up(home, home / "two.symposia", embedded)
    assert done.left_out == ("backups/one.symposia",)
    before = content(home, embedded)
    restore(home / "backups" / "one.symposia", home, embedded, replacing=True)
    assert (home / "two.symposia").exists()
    assert (home / "backups" / "one.symposia").exists()
    assert content(home, embedded) == before


def test_what_no_backup_holds_is_not_lost_when_a_home_is_replaced(
    home: Path, tmp_path: Path, embedded: OpenStore
) -> None:
    (home / "notes").mkdir()
    (home / "notes" / "a.md").write_text("mine")
    back_up(home, tmp_path / "b", embedded)
    (home / "notes" / "my file.txt").write_text("also mine")
    with pytest.raises(InputError, match=r"my file\.txt is in no backup"):
        restore(tmp_path / "b", home, embedded, replacing=True)
    assert (home / "notes" / "my file.txt").read_text() == "also mine"
    (home / "notes" / "my file.txt").unlink()
    restore(tmp_path / "b", home, embedded, replacing=True)
    assert (home / "notes" / "a.md").read_text() == "mine"


def test_a_backup_that_would_go_with_what_is_replaced_is_told(home: Path, embedded: OpenStore) -> None:
    (home / "mixed").mkdir()
    (home / "mixed" / "notes.txt").write_text("mine")
    back_up(home, home / "mixed" / "one.symposia", embedded)
    with pytest.raises(InputError, match=r"one\.symposia lies in what would be replaced; nothing was changed"):
        restore(home / "mixed" / "one.symposia", home, embedded, replacing=True)
    assert (home / "mixed" / "one.symposia").exists()


def test_another_disk_in_the_home_is_told_before_anything_moves(
    home: Path, tmp_path: Path, embedded: OpenStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    back_up(home, tmp_path / "b", embedded)
    before = content(home, embedded)
    monkeypatch.setattr(Path, "is_mount", lambda path: path.name == "slices")
    with pytest.raises(InputError, match="is the place of another disk"):
        restore(tmp_path / "b", home, embedded, replacing=True)
    assert content(home, embedded) == before


@pytest.mark.parametrize(
    "name", ["home/evaluations/x", "home/slices/birds/slice.json", "home/slices", "home/settings.toml", "other/x", "x"]
)
def test_a_backup_with_what_belongs_nowhere_is_refused(tmp_path: Path, embedded: OpenStore, name: str) -> None:
    with new_archive(tmp_path / "b", "backup", {"slices": []}) as writer:
        writer.add("home/people.toml", b"")
        writer.add(name, b"{}")
    with pytest.raises(InputError, match="is damaged"):
        restore(tmp_path / "b", tmp_path / "new", embedded)
    assert [path.name for path in (tmp_path / "new").iterdir()] == [".incoming.lock"]


def test_names_that_stand_in_each_others_way_are_an_error_for_people(tmp_path: Path, embedded: OpenStore) -> None:
    with new_archive(tmp_path / "b", "backup", {"slices": []}) as writer:
        writer.add("home/a", b"")
        writer.add("home/a/b", b"")
    with pytest.raises(StoreError, match="cannot be written"):
        restore(tmp_path / "b", tmp_path / "new", embedded)
    assert [path.name for path in (tmp_path / "new").iterdir()] == [".incoming.lock"]


class Restore:
    """A home takes the place of another; see ``tests.indexes.archive.killing``."""

    def prepare(self, folder: Path) -> None:
        fill(folder / "home", opener(), *NEW, word="new")
        fill(folder / "old", opener(), *OLD, word="old")
        back_up(folder / "old", folder / "b", opener())

    def work(self, folder: Path) -> None:
        restore(folder / "b", folder / "home", opener(), replacing=True)

    def check(self, folder: Path) -> None:
        settle(folder / "home")
        names = ("said", "people.toml", "audit.jsonl", "birds")
        found = {name: content(folder / "home", opener())[name] for name in names}
        words = {"new": NEW, "old": OLD}
        texts = tuple(point[3]["text"] for point in found["birds"][2])
        assert found["said"] in (["new"], ["old"])
        word = found["said"][0]
        assert (found["people.toml"], sorted(texts)) == (f"# {word}".encode(), sorted(words[word]))
        assert word.encode() in found["audit.jsonl"]

    def finished(self, folder: Path) -> None:
        self.check(folder)
        assert said(folder / "home") == ["old"]
        assert sorted(path.name for path in folder.iterdir()) == ["b", "home", "old"]
        assert [path.name for path in (folder / "home").glob(".*")] == [".incoming.lock"]


@pytest.mark.slow
def test_a_restore_killed_at_one_moment_after_another_leaves_the_old_home_or_the_new(tmp_path: Path) -> None:
    from tests.indexes.archive.test_killed import killed

    assert killed("Restore", tmp_path, 17, __name__) >= 6
