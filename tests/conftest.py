from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.fakes import WordEncoder

TESTS = Path(__file__).parent
HEAVY = (
    "app/access/test_poisoned_surfaces.py",
    "app/access/test_seen_by.py",
    "app/bench",
    "app/bulk",
    "app/chat/panes",
    "app/demo",
    "app/mcp/test_stdio.py",
    "indexes/archive",
    "indexes/encoders/test_onnx.py",
    "indexes/store/test_edge.py",
    "indexes/store/test_faults.py",
    "indexes/store/test_optimize.py",
    "indexes/store/test_parity.py",
    "indexes/sync/test_property.py",
    "indexes/test_generations.py",
    "indexes/test_projection.py",
    "retrievers/test_reencoding.py",
    "retrievers/training",
)
"""Where half of the time goes: whole benchmarks, trainings and pages, killed processes, large stores. They count as slow."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    heavy = {path for path in {item.path for item in items} if any(path.is_relative_to(TESTS / each) for each in HEAVY)}
    for item in items:
        if item.path in heavy:
            item.add_marker("slow")


@pytest.fixture(scope="session")
def model_folder() -> Callable[[str], Path]:
    """The folder of a fetched model by name; the test is skipped where it has not been fetched."""
    from platformdirs import user_cache_path

    def folder(name: str) -> Path:
        path = user_cache_path("symposia", appauthor=False) / "models" / name
        if not (path / "config.json").is_file():
            pytest.skip(f"the model is not there: symposia models fetch {name}")
        return path

    return folder


@pytest.fixture
def encoder() -> WordEncoder:
    """A deterministic encoder of 64 dimensions that needs no model."""
    return WordEncoder()


@pytest.fixture(scope="session")
def demo_home(model_folder: Callable[[str], Path]) -> Path:
    """The home folder of the demo panel, built at the first use and kept in the checkout."""
    from filelock import FileLock

    from app.cli.output import Output
    from app.demo.run import build
    from app.settings import load_settings
    from app.symposium import Symposium

    model_folder("all-minilm-l6-v2")
    home = Path(__file__).parents[1] / ".symposia"
    home.mkdir(exist_ok=True)
    with (
        FileLock(home / "demo-for-tests.lock"),  # two processes of one run of the tests may both be the first
        Symposium.open(load_settings(flags={"home": str(home)}, env={}).settings) as symposium,
    ):
        build(symposium, Output(sys.stdout, sys.stderr))
    return home
