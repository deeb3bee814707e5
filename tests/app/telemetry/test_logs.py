from __future__ import annotations

import io
import json
import logging
from collections.abc import Iterator

import pytest

from app.settings.schema import Telemetry
from app.telemetry.logs import log_to
from app.telemetry.trace import using
from tests.app.telemetry.conftest import Make
from tests.fakes import QUESTIONS


@pytest.fixture(autouse=True)
def logging_as_before() -> Iterator[None]:
    root = logging.getLogger()
    handlers, names = list(root.handlers), ["", "app", "indexes", "retrievers", "generators", "evaluation", "symposia"]
    names.append("symposia.questions")
    levels = {name: logging.getLogger(name).level for name in names}
    yield
    root.handlers[:] = handlers
    for name, level in levels.items():
        logging.getLogger(name).setLevel(level)


def test_a_question_is_one_json_object_on_one_line(make: Make) -> None:
    stream = io.StringIO()
    log_to(stream, Telemetry(logs="json"))
    with using("c" * 32):
        make().ask(QUESTIONS["orchard"])
    [line] = stream.getvalue().splitlines()
    values = json.loads(line)
    assert values["trace"] == "c" * 32
    assert (values["level"], values["logger"], values["message"]) == ("info", "symposia.questions", "question")
    assert values["outcome"] == "answered"
    assert values["experts"] == ["orchard"]
    assert values["time"].endswith("+00:00")
    assert "blossom" not in line


def test_a_defect_keeps_its_traceback_in_its_one_line() -> None:
    stream = io.StringIO()
    log_to(stream, Telemetry(logs="json"))
    try:
        raise ValueError("two\nlines")
    except ValueError:
        logging.getLogger("app.server").exception("request %s failed", 7)
    [line] = stream.getvalue().splitlines()
    values = json.loads(line)
    assert values["message"] == "request 7 failed"
    assert "ValueError: two\nlines" in values["traceback"]
    assert "trace" not in values


@pytest.mark.parametrize("verbose", [False, True])
def test_text_has_the_same_fields_and_verbose_adds_the_rooms(make: Make, verbose: bool) -> None:
    stream = io.StringIO()
    log_to(stream, Telemetry(content=True), verbose=verbose)
    make(content=True).ask(QUESTIONS["orchard"])
    logging.getLogger("app.something").debug("a detail")
    logging.getLogger("library").info("chatter")
    text = stream.getvalue()
    [line] = [line for line in text.splitlines() if "symposia.questions" in line]
    assert 'outcome="answered" experts=["orchard"]' in line
    assert f'question="{QUESTIONS["orchard"]}"' in line
    assert ("a detail" in text) == verbose
    assert ("chatter" in text) == verbose


def test_the_handlers_of_others_stay_and_ours_is_replaced(caplog: pytest.LogCaptureFixture) -> None:
    first, second = io.StringIO(), io.StringIO()
    log_to(first, Telemetry())
    log_to(second, Telemetry())
    logging.getLogger("app.server").warning("once")
    assert first.getvalue() == ""
    assert second.getvalue().count("once") == 1
    assert caplog.messages == ["once"]
