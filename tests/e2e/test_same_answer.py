"""One question, three ways in: the Python API, the command line and the chat give the same answer."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from app.settings import load_settings
from app.symposium import Symposium

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]
QUESTIONS = (
    "When did Namibia gain its independence?",
    "What is 12 + 30?",
    "How much does a monthly Spotify subscription cost?",
)
EQUAL = ("text", "marked", "verdict", "claims", "evidence", "policy", "model")


@pytest.fixture(scope="module")
def by_api(demo_home: Path, model_folder: Any) -> dict[str, dict[str, Any]]:
    model_folder("qwen2.5-coder-0.5b")
    with Symposium.open(load_settings(flags={"home": str(demo_home)}, env={}).settings) as symposium:
        return {question: symposium.ask(question).to_dict() for question in QUESTIONS}


@pytest.mark.parametrize("question", QUESTIONS)
def test_the_command_line_answers_like_the_api(question: str, by_api: dict[str, Any], demo_home: Path) -> None:
    command = [sys.executable, "-m", "app.cli", "--home", str(demo_home), "ask", question, "--json"]
    done = subprocess.run(command, capture_output=True, text=True, check=True, cwd=ROOT, timeout=300)
    answer = json.loads(done.stdout)
    assert {key: answer[key] for key in EQUAL} == {key: by_api[question][key] for key in EQUAL}


def test_the_chat_answers_like_the_api(
    by_api: dict[str, Any], demo_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from streamlit.testing.v1 import AppTest

    monkeypatch.setenv("SYMPOSIA_HOME", str(demo_home))
    monkeypatch.chdir(ROOT)
    app = AppTest.from_file(str(ROOT / "app" / "chat" / "main.py"), default_timeout=300).run()
    for question in QUESTIONS:
        app.chat_input[0].set_value(question).run()
        assert not app.exception
        shown = " ".join(element.value for element in app.markdown)
        for claim in by_api[question]["claims"]:
            assert claim["text"] in shown or claim["text"].replace("*", "\\*") in shown
        assert os.environ["SYMPOSIA_HOME"] == str(demo_home)
