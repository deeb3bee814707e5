from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import pytest

from app.bench.retrieval.indexing import index
from app.bench.retrieval.run import Outcome, run
from app.settings import Settings, load_settings
from app.wiring import make_panel
from retrievers.training.linear import Options
from tests.app.beir_folders import write_set
from tests.fakes import TOPICS, WordEncoder

SPLITS = {"orchard": ("train", "dev", "test"), "engines": ("train", "test"), "planets": ("test",)}
"""A set with development questions, one without, and one with test questions alone."""


def stand_in(monkeypatch: pytest.MonkeyPatch, encoder: WordEncoder) -> None:
    """Word vectors in place of a model, and little training."""
    monkeypatch.setattr("app.wiring.resolve", lambda *_: Path("words"))
    monkeypatch.setattr("app.wiring.open_encoder", lambda *_: encoder)
    quick = partial(Options, rate=3e-3, rounds=4)
    monkeypatch.setattr("app.train.Options", quick)
    monkeypatch.setattr("app.bench.retrieval.pool.Options", quick)


def settings_at(home: Path) -> Settings:
    """The defaults, with that home."""
    return load_settings(flags={"home": str(home)}, env={}).settings


@pytest.fixture
def words(monkeypatch: pytest.MonkeyPatch) -> WordEncoder:
    """The encoder that ``make_panel`` opens."""
    encoder = WordEncoder()
    stand_in(monkeypatch, encoder)
    return encoder


@dataclass(frozen=True)
class Home:
    """A home with an expert for each topic, and the folders that they were made from; only ``router.json`` may change."""

    path: Path
    folders: Path

    @property
    def settings(self) -> Settings:
        return settings_at(self.path)

    @property
    def slices(self) -> Path:
        return self.path / "slices"


def build_home(place: Path) -> Home:
    """See ``Home``; ``stand_in`` must be in force."""
    home = Home(place / "home", place)
    panel = make_panel(home.settings)
    for topic in TOPICS:
        index(panel, home.settings, write_set(place / topic, topic), lambda *_: None)
    panel.close()
    return home


@dataclass
class Bench:
    """A benchmark over three sets, and what it did on the way."""

    home: Path
    folders: list[Path]
    out: Path
    encoder: WordEncoder
    phases: list[str] = field(default_factory=list)

    @property
    def settings(self) -> Settings:
        return settings_at(self.home)

    def run(self, **options: int) -> Outcome:
        self.phases.clear()
        return run(self.settings, self.folders, out=self.out, report=self.report, **options)

    def report(self, what: str, _done: int, _total: int) -> None:
        if what not in self.phases[-1:]:
            self.phases.append(what)

    def scores(self, name: str) -> dict[str, dict[str, float]]:
        """Row name to question to nDCG@10 on one set, as written."""
        found: dict[str, dict[str, float]] = {}
        for line in (self.out / name / "per_question.jsonl").read_text().splitlines():
            record = json.loads(line)
            found.setdefault(record["run"], {})[record["question"]] = record["nDCG@10"]
        return found


@pytest.fixture(scope="module")  # the stand-ins last as long as it does: they must not reach other tests
def finished(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Bench, Outcome, list[str]]]:
    """The benchmark after its first run, with the outcome and the phases; treat all as read-only, but run it again."""
    place = tmp_path_factory.mktemp("bench")
    folders = [write_set(place / name, name, splits) for name, splits in SPLITS.items()]
    with pytest.MonkeyPatch.context() as monkeypatch:
        bench = Bench(place / "home", folders, place / "runs", WordEncoder())
        stand_in(monkeypatch, bench.encoder)
        outcome = bench.run()
        yield bench, outcome, list(bench.phases)
