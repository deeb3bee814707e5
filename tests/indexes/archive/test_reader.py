from __future__ import annotations

import io
import json
import os
import shutil
import subprocess
import tarfile
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from indexes.archive import layout
from indexes.archive.layout import ABOUT, SUMS, ending, header, padding
from indexes.archive.reader import open_archive
from indexes.archive.writer import Writer, new_archive
from indexes.errors import InputError, StoreError

ABOUT_ITSELF = {"application": "symposia", "kind": "slice", "format": 1}


def made(path: Path, **members: bytes) -> Path:
    """An archive with these members; ``_`` in a name stands for ``/``."""
    with new_archive(path, "slice", {"slice": "birds"}) as writer:
        for name, content in members.items():
            writer.add(name.replace("_", "/"), content)
    return path


def forged(path: Path, *members: tuple[bytes, bytes], about: Any = ABOUT_ITSELF, sums: bytes | None = None) -> Path:
    """An archive of any headers and contents, with the right checksum of the whole."""
    said = json.dumps(about).encode()
    content = header(ABOUT, len(said)) + said + padding(len(said))
    for head, body in members:
        content += head + body + padding(len(body))
    if sums is None:
        names = [(ABOUT, said)] + [(tarfile.TarInfo.frombuf(h, "utf-8", "replace").name, b) for h, b in members]
        sums = "".join(f"{sha256(b).hexdigest()}  {n}\n" for n, b in names).encode()
    content += header(SUMS, len(sums)) + sums + padding(len(sums))
    path.write_bytes(content + ending(sha256(content).hexdigest()))
    return path


def entry(name: str, size: int = 0, kind: bytes = tarfile.REGTYPE, link: str = "") -> bytes:
    info = tarfile.TarInfo(name)
    info.size, info.type, info.linkname = size, kind, link
    return info.tobuf(tarfile.GNU_FORMAT)


def test_what_was_written_is_read(tmp_path: Path) -> None:
    archive = open_archive(made(tmp_path / "a", one=b"1" * 600, two_deep=b""), "slice")
    assert archive.kind == "slice"
    assert archive.about["slice"] == "birds"
    assert {name: archive.read(member) for name, member in archive.members.items()} == {
        "one": b"1" * 600,
        "two/deep": b"",
    }
    assert archive.size == (tmp_path / "a").stat().st_size


def test_tar_and_sha256sum_know_it(tmp_path: Path) -> None:
    made(tmp_path / "a", one=b"1" * 600, two_deep=b"2")
    with tarfile.open(tmp_path / "a") as opened:
        assert opened.getnames() == [ABOUT, "one", "two/deep", SUMS, layout.WHOLE]
        opened.extractall(tmp_path / "out", filter="data")
    if shutil.which("sha256sum"):
        done = subprocess.run(
            ["sha256sum", "-c", SUMS], cwd=tmp_path / "out", capture_output=True, text=True, check=True
        )
        assert done.stdout.count(": OK\n") == 3


def test_every_single_byte_counts(tmp_path: Path) -> None:
    """Of the zeros that fill blocks, one in sixteen is tried."""
    whole = made(tmp_path / "a", one=b"some text", two_deep=b"").read_bytes()
    damaged = tmp_path / "b"
    for place in (place for place in range(len(whole)) if whole[place] or place % 16 == 0):
        damaged.write_bytes(whole[:place] + bytes([whole[place] ^ (1 << place % 8)]) + whole[place + 1 :])
        with pytest.raises(InputError):
            open_archive(damaged, "slice")


def test_every_shortening_and_lengthening_is_noticed(tmp_path: Path) -> None:
    whole = made(tmp_path / "a", one=b"some text").read_bytes()
    other = tmp_path / "b"
    for size in [*range(0, len(whole), 61), *range(512, len(whole), 512)]:
        other.write_bytes(whole[:size])
        with pytest.raises(InputError):
            open_archive(other, "slice")
    other.write_bytes(whole + b"\0")
    with pytest.raises(InputError):
        open_archive(other, "slice")


def test_a_truncated_file_is_called_so(tmp_path: Path) -> None:
    path = made(tmp_path / "a", one=b"1" * 5000)
    os.truncate(path, 3000)
    with pytest.raises(InputError, match="was cut short: it ends after 3000 bytes"):
        open_archive(path, "slice")


@pytest.mark.parametrize("content", [b"", b"%PDF-1.7", bytes(2048), b"PK\x03\x04" + bytes(600), b"x" * 513])
def test_another_file_is_no_archive(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "a").write_bytes(content)
    with pytest.raises(InputError, match="is no archive of Symposia"):
        open_archive(tmp_path / "a", "slice")


def test_another_tar_is_no_archive(tmp_path: Path) -> None:
    with tarfile.open(tmp_path / "a", "w") as other:
        other.addfile(tarfile.TarInfo("file"), io.BytesIO())
    with pytest.raises(InputError, match="is no archive of Symposia"):
        open_archive(tmp_path / "a", "slice")


def test_a_missing_file_is_said_to_be(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="cannot be read: No such file"):
        open_archive(tmp_path / "a", "slice")


def test_a_newer_format_is_told_before_anything_else_is_read(tmp_path: Path) -> None:
    path = forged(tmp_path / "a", about={**ABOUT_ITSELF, "format": 2, "version": "9.0"})
    path.write_bytes(path.read_bytes()[:1024] + b"whatever format 2 looks like" * 50)
    with pytest.raises(InputError, match=r"format 2, written by a newer Symposia \(9.0\)"):
        open_archive(path, "slice")


@pytest.mark.parametrize(
    "about",
    [[], 3, {}, {**ABOUT_ITSELF, "application": "x"}, {**ABOUT_ITSELF, "format": "1"}, {"application": "symposia"}],
)
def test_what_says_nothing_sensible_of_itself_is_refused(tmp_path: Path, about: Any) -> None:
    with pytest.raises(InputError, match=r"symposia.json cannot be read"):
        open_archive(forged(tmp_path / "a", about=about), "slice")


def test_the_wrong_kind_names_the_command_for_it(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"is a slice\.\nUse `symposia import FILE`"):
        open_archive(made(tmp_path / "a"), "backup")


@pytest.mark.parametrize(
    "head",
    [
        entry("../up"),
        entry("/absolute"),
        entry("a/../../b"),
        entry("a//b"),
        entry(".hidden"),
        entry("a/.hidden"),
        entry("C:\\windows"),
        entry("a\nb"),
        entry("link", kind=tarfile.SYMTYPE, link="/etc/passwd"),
        entry("link", kind=tarfile.LNKTYPE, link="one"),
        entry("folder", kind=tarfile.DIRTYPE),
        entry("fifo", kind=tarfile.FIFOTYPE),
        entry("device", kind=tarfile.CHRTYPE),
        entry("sparse", kind=tarfile.GNUTYPE_SPARSE),
        entry("long", kind=tarfile.GNUTYPE_LONGNAME),
        entry("pax", kind=tarfile.XHDTYPE),
    ],
)
def test_members_that_symposia_never_writes_are_refused(tmp_path: Path, head: bytes) -> None:
    with pytest.raises(InputError, match="a member that Symposia never writes"):
        open_archive(forged(tmp_path / "a", (head, b"")), "slice")


def test_a_member_that_claims_a_huge_size_is_refused_without_reading_it(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="cut short"):
        open_archive(forged(tmp_path / "a", (entry("one", 1 << 50), b"")), "slice")


def test_two_members_of_one_name_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="two members named one"):
        open_archive(forged(tmp_path / "a", (entry("one"), b""), (entry("one"), b"")), "slice")


def test_a_list_that_is_not_of_the_members_is_refused(tmp_path: Path) -> None:
    path = forged(tmp_path / "a", (entry("one", 1), b"1"), sums=f"{sha256(b'2').hexdigest()}  one\n".encode())
    with pytest.raises(InputError, match="members are not those of its list"):
        open_archive(path, "slice")


def test_a_file_that_is_changed_after_the_check_is_noticed(tmp_path: Path) -> None:
    archive = open_archive(made(tmp_path / "a", one=b"some text"), "slice")
    member = archive.members["one"]
    with archive.path.open("r+b") as file:
        file.seek(member.offset)
        file.write(b"S")
    with pytest.raises(InputError, match="one was changed since"):
        archive.read(member)


def test_a_copied_member_keeps_its_mode_and_overwrites_nothing(tmp_path: Path) -> None:
    with new_archive(tmp_path / "a", "slice", {}) as writer:
        writer.add("secret", b"1", 0o600)
    archive = open_archive(tmp_path / "a", "slice")
    archive.copy(archive.members["secret"], tmp_path / "new" / "secret")
    assert (tmp_path / "new" / "secret").stat().st_mode & 0o777 == 0o600
    with pytest.raises(FileExistsError):
        archive.copy(archive.members["secret"], tmp_path / "new" / "secret")


def test_an_archive_that_fails_halfway_leaves_the_old_one_and_nothing_beside_it(tmp_path: Path) -> None:
    before = made(tmp_path / "a", one=b"1").read_bytes()
    with pytest.raises(KeyError), new_archive(tmp_path / "a", "slice", {}) as writer:
        writer.add("two", b"2")
        raise KeyError
    assert (tmp_path / "a").read_bytes() == before
    assert [path.name for path in tmp_path.iterdir()] == ["a"]


def test_a_file_that_is_no_archive_is_not_overwritten(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("mine")
    with pytest.raises(InputError, match="is no archive of Symposia"):
        made(tmp_path / "notes.txt")
    with pytest.raises(InputError, match="is a folder"):
        made(tmp_path)
    with pytest.raises(InputError, match="There is no folder"):
        made(tmp_path / "absent" / "a")
    assert (tmp_path / "notes.txt").read_text() == "mine"


def test_a_full_disk_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("indexes.archive.writer.os.fsync", full)
    with pytest.raises(StoreError, match="No space left on device"):
        made(tmp_path / "a", one=b"1")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["../x", "/x", "", "a b", "ä", "x" * 100, ".x", "a/../b", "one"])
def test_names_that_could_not_be_read_again_are_not_written(name: str) -> None:
    writer = Writer(io.BytesIO(), "slice", {})
    writer.add("one", b"")
    with pytest.raises(InputError, match="cannot be put into an archive"):
        writer.add(name, b"")


def test_sizes_beyond_8_gib_fit_into_a_header() -> None:
    head = header("base-vectors.bin", 1 << 40)
    assert len(head) == 512
    assert tarfile.TarInfo.frombuf(head, "utf-8", "strict").size == 1 << 40
