from __future__ import annotations

import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest


def test_the_options_of_overhead_reach_the_benchmark(run: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[tuple[Any, ...]] = []

    def measure(
        _settings: Any, _output: Any, folder: Path | None, data: list[Path], *, n: int, seed: int
    ) -> dict[str, Any]:
        made.append((folder, data, n, seed))
        return {"ratio": 12.5}

    module = ModuleType("app.bench.overhead")
    module.run = measure  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "app.bench.overhead", module)
    ended = run(
        "bench", "overhead", "--panel", "p", "--data", "a", "--data", "b", "--limit", "9", "--seed", "4", "--json"
    )
    assert (ended.code, ended.document) == (0, {"ratio": 12.5})
    assert run("bench", "overhead").out == ""
    assert made == [(Path("p"), [Path("a"), Path("b")], 9, 4), (None, [], 200, 0)]
