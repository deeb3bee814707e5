from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Generator

import pytest

from app.settings.schema import Telemetry
from app.telemetry.logs import FIELDS, QUESTIONS
from app.telemetry.question import watched
from app.telemetry.trace import current_trace, using
from generators.answer import Verdict
from generators.events import Answered, Event, Routed, Token
from indexes.errors import InputError
from tests.app.telemetry.conftest import Make
from tests.fakes import QUESTIONS as ASKED

APPLES = ASKED["orchard"]


@pytest.fixture(autouse=True)
def info(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, logger=QUESTIONS)


def test_a_question_is_one_line_with_numbers_and_names_and_no_text(
    make: Make, caplog: pytest.LogCaptureFixture
) -> None:
    answer = make().ask(APPLES)
    [record] = caplog.records
    fields = getattr(record, FIELDS)
    assert fields["outcome"] == answer.verdict.value == Verdict.ANSWERED.value
    assert fields["experts"] == ["orchard"]
    assert fields["passages"] == len(answer.evidence)
    assert fields["cited"] == len(answer.cited) > 0
    assert fields["tokens"] == len("Apple trees blossom in April.")
    assert set(fields["seconds"]) == {"retrieve", "write", "check"}
    assert fields["total"] >= sum(fields["seconds"].values()) - 0.001
    assert "blossom" not in record.getMessage()
    assert "\n" not in record.getMessage()
    assert "blossom" not in json.dumps(fields)


def test_text_stands_in_the_line_where_it_was_asked_for(make: Make, caplog: pytest.LogCaptureFixture) -> None:
    answer = make(content=True).ask(APPLES)
    fields = getattr(caplog.records[0], FIELDS)
    assert fields["question"] == APPLES
    assert fields["answer"] == answer.marked


def test_each_of_many_questions_has_a_line_and_a_trace_of_its_own(make: Make, caplog: pytest.LogCaptureFixture) -> None:
    make().ask_many(list(ASKED.values()))
    assert len(caplog.records) == len(ASKED)
    assert len({record.getMessage().split()[1] for record in caplog.records}) == len(ASKED)


def test_a_trace_that_was_begun_is_kept(make: Make, caplog: pytest.LogCaptureFixture) -> None:
    with using("b" * 32):
        make().ask(APPLES)
    assert f"trace={'b' * 32} " in caplog.records[0].getMessage()


def test_the_caller_of_a_stream_keeps_its_own_context(make: Make) -> None:
    symposium = make()
    for _ in symposium.stream(APPLES):
        assert current_trace() == ""


def test_events_are_made_within_one_trace_whichever_context_reads_them() -> None:
    seen: list[str] = []

    def events() -> Generator[Event, None, None]:
        for _ in range(3):
            seen.append(current_trace())
            yield Token("a", 0.0)

    async def read() -> None:
        stream = watched(Telemetry(), "?", events())
        while await asyncio.to_thread(next, stream, None) is not None:
            assert current_trace() == ""

    asyncio.run(read())
    assert len(seen) == 3
    assert len(set(seen)) == 1
    assert len(seen[0]) == 32


def test_a_stream_that_is_left_is_logged_as_cancelled(make: Make, caplog: pytest.LogCaptureFixture) -> None:
    events = make().stream(APPLES)
    while not isinstance(event := next(events), Routed):
        pass
    assert isinstance(event, Routed)
    events.close()  # type: ignore[attr-defined]
    fields = getattr(caplog.records[0], FIELDS)
    assert fields["outcome"] == "cancelled"
    assert fields["experts"] == ["orchard"]


def test_an_error_is_logged_by_its_kind_and_still_raised(make: Make, caplog: pytest.LogCaptureFixture) -> None:
    with pytest.raises(InputError):
        make().ask("   ")
    assert getattr(caplog.records[0], FIELDS)["outcome"] == "InputError"


def test_the_events_are_those_of_the_symposium(make: Make) -> None:
    events = list(make().stream(APPLES))
    assert isinstance(events[0], Routed)
    assert isinstance(events[-1], Answered)
    assert "".join(event.text for event in events if isinstance(event, Token)) == "Apple trees blossom in April."
