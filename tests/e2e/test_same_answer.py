"""One question, three ways in: the Python API, the command line and the chat give the same answer."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from html import unescape
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
    assert rounded({key: answer[key] for key in EQUAL}) == rounded({key: by_api[question][key] for key in EQUAL})


def rounded(value: Any) -> Any:
    """The same with numbers to nine places: sums differ in the last one with the number of threads."""
    if isinstance(value, float):
        return round(value, 9)
    if isinstance(value, dict):
        return {key: rounded(each) for key, each in value.items()}
    return [rounded(each) for each in value] if isinstance(value, list | tuple) else value


def test_the_chat_answers_like_the_api(
    by_api: dict[str, Any], demo_copy: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import streamlit
    from streamlit.testing.v1 import AppTest

    monkeypatch.setenv("SYMPOSIA_HOME", str(demo_copy))
    monkeypatch.chdir(ROOT)
    app = AppTest.from_file(str(ROOT / "app" / "chat" / "main.py"), default_timeout=300).run()
    try:
        for question in QUESTIONS:
            app.chat_input[0].set_value(question).run()
            assert not app.exception
            page = unescape(" ".join(element.proto.body for element in app.get("html")))
            answer = by_api[question]
            assert " ".join(re.sub(r"<[^>]*>|\[\d+\]", " ", answer["text"]).split()[:6]) in _plain(page)
            numbers = {c["number"] for claim in answer["claims"] for c in claim["citations"]}
            assert {int(n) for n in re.findall(r'class="sy-chip"[^>]*>\[(\d+)\]', page)} >= numbers
    finally:
        streamlit.cache_resource.clear()  # which closes the slices


def _plain(page: str) -> str:
    return " ".join(re.sub(r"<[^>]*>", " ", page).split())
