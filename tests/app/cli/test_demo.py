from __future__ import annotations

import sys
from types import ModuleType
from typing import Any

import pytest

Calls = list[tuple[tuple[Any, ...], dict[str, Any]]]


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> Calls:
    """A stand-in for the demo, which needs models."""
    made: Calls = []

    def run(*given: Any, **options: Any) -> dict[str, Any]:
        made.append((given, options))
        return {"ok": not options["check"], "passed": 6}

    module = ModuleType("app.demo.run")
    module.run = run  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "app.demo.run", module)
    return made


def test_the_demo_gets_the_settings_and_its_options(run: Any, calls: Calls) -> None:
    ended = run("--set", "retrieval.passages=4", "demo", "--rebuild", "--json")
    assert ended.code == 0
    assert ended.document == {"ok": True, "passed": 6}
    [((settings, output), options)] = calls
    assert settings.retrieval.passages == 4
    assert output.as_json
    assert options == {"check": False, "rebuild": True}


def test_a_demo_that_did_not_pass_ends_with_1(run: Any, calls: Calls) -> None:
    assert run("demo", "--check").code == 1
