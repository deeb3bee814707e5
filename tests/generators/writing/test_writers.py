from __future__ import annotations

import logging
import math
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from generators import prompts
from generators.models.language_model import LocalModel
from generators.policies.registry import policy
from generators.remote.model import RemoteModel
from generators.remote.writer import RemoteWriter
from generators.writing.base import Writer
from generators.writing.writers import LocalWriter, writer_for
from indexes.errors import InputError, ServerError
from indexes.passage import Document, Passage
from retrievers.evidence import Evidence
from tests.language_server import Reaction, Served, event, language_server, refuses, says

PERU = "What is the currency of Peru?"


@dataclass(frozen=True)
class Limits:
    max_tokens: int = 8
    temperature: float = 0.0
    seed: int = 0


def evidence(*texts: str) -> tuple[Evidence, ...]:
    passages = [Passage.of(Document(text, title=f"T{i}"), 0, len(text)) for i, text in enumerate(texts)]
    return tuple(Evidence(i, passage, "countries", 0.9) for i, passage in enumerate(passages, start=1))


@pytest.fixture
def served() -> Iterator[Served]:
    with language_server() as server:
        yield server


def remote(served: Served, *, asks_memory: bool = True, window: int = 4096, **limits: Any) -> RemoteWriter:
    model = RemoteModel(served.url, "tiny", timeout=5, window=window)
    model.client._sleep = lambda _: None
    return RemoteWriter(model, Limits(**limits), asks_memory=asks_memory)


@pytest.fixture(scope="module")
def local(tiny_folder: Path) -> LocalModel:
    return LocalModel(tiny_folder, dtype="float32")


def by_sources(body: dict[str, Any]) -> Reaction:
    return says("The ", "sol.") if "Sources:" in body["messages"][1]["content"] else says("The inti.")


def test_the_writer_follows_from_the_model(local: LocalModel) -> None:
    here: Writer = writer_for(local, policy("adacad"), Limits())
    assert (here.name, here.policy, here.scores) == ("tiny-qwen2", "adacad", local)
    there: Writer = writer_for(RemoteModel("http://h", "far"), policy("adacad"), Limits())
    assert (there.name, there.policy, there.scores) == ("far", "server", None)


def test_a_local_writer_decodes_with_the_policy_and_measures_divergence(local: LocalModel) -> None:
    writing = LocalWriter(local, policy("adacad"), Limits()).from_sources(PERU, evidence("The sol."))
    steps = list(writing.steps)
    assert 1 <= len(steps) <= 8
    assert not any(math.isnan(step.divergence) for step in steps)
    assert steps[-1].done
    assert [item.number for item in writing.evidence] == [1]


def test_memory_of_a_local_model_is_what_it_says_without_the_sources(local: LocalModel) -> None:
    writer = LocalWriter(local, policy("greedy"), Limits())
    writing = writer.from_sources(PERU, evidence("The sol."))
    alone = writer.from_memory(prompts.without_sources(PERU))
    expected = "".join(step.text for step in alone.steps)
    assert writing.memory() == expected != "".join(step.text for step in writing.steps)
    assert alone.memory() == ""


def test_evidence_that_does_not_fit_the_window_is_left_out_from_the_end(local: LocalModel) -> None:
    writer = LocalWriter(local, policy("greedy"), Limits())
    items = evidence(*["Peru pays with the sol." + " Indeed." * 4] * 8)
    kept = writer.from_sources(PERU, items).evidence
    assert 1 <= len(kept) < 8
    assert kept == items[: len(kept)]
    assert len(local.chat_tokens(prompts.with_sources(PERU, kept))) <= 512 - 8
    assert len(local.chat_tokens(prompts.with_sources(PERU, items[: len(kept) + 1]))) > 512 - 8


def test_a_remote_writer_gives_text_without_divergence_and_memory_beside_it(served: Served) -> None:
    served.react = by_sources
    writing = remote(served).from_sources(PERU, evidence("Peru's currency is the sol."))
    steps = list(writing.steps)
    assert [step.text for step in steps] == ["The ", "sol.", ""]
    assert all(math.isnan(step.divergence) and step.token == -1 for step in steps)
    assert [(step.done, step.reason) for step in steps][-1] == (True, "end")
    assert writing.memory() == "The inti."
    assert (writing.usage().prompt, writing.usage().answer) == (12, 2)
    assert len(served.asked) == 2


def test_memory_is_asked_only_once_the_answer_has_begun(served: Served) -> None:
    served.react = lambda body: Reaction(parts=by_sources(body).parts, silence=0.2)
    writing = remote(served).from_sources(PERU, evidence("The sol."))
    next(writing.steps)
    assert "Sources:" in served.asked[0]["messages"][1]["content"]
    list(writing.steps)
    assert writing.memory() == "The inti."


def test_without_contrast_the_server_is_asked_once(served: Served) -> None:
    served.react = by_sources
    writing = remote(served, asks_memory=False).from_sources(PERU, evidence("The sol."))
    list(writing.steps)
    assert (writing.memory(), len(served.asked)) == ("", 1)


def test_an_answer_stands_although_memory_could_not_be_asked(served: Served, caplog: pytest.LogCaptureFixture) -> None:
    served.react = lambda body: by_sources(body) if "Sources:" in body["messages"][1]["content"] else refuses(400, "no")
    writing = remote(served).from_sources(PERU, evidence("The sol."))
    with caplog.at_level(logging.WARNING):
        assert "".join(step.text for step in writing.steps) == "The sol."
        assert writing.memory() == ""
    assert "without the sources" in caplog.text


def test_limits_are_sent(served: Served) -> None:
    served.react = by_sources
    list(
        remote(served, asks_memory=False, max_tokens=5, temperature=0.7, seed=4)
        .from_memory(prompts.small_talk("Hi"))
        .steps
    )
    (body,) = served.asked
    assert (body["max_tokens"], body["temperature"], body["seed"]) == (5, 0.7, 4)


def test_a_servers_window_is_budgeted_by_an_estimate(served: Served) -> None:
    served.react = by_sources
    items = evidence(*["word " * 100] * 8)
    writing = remote(served, asks_memory=False, window=600).from_sources(PERU, items)
    list(writing.steps)
    assert writing.evidence == items[:2]
    sent = served.asked[0]["messages"][1]["content"]
    assert "[2] T1" in sent
    assert "[3]" not in sent


def test_a_question_that_no_window_holds_is_an_error_that_names_the_setting(served: Served) -> None:
    with pytest.raises(InputError, match=r"models\.server_window"):
        remote(served, window=100).from_sources("why " * 500, evidence("The sol."))


def test_an_unreachable_server_is_an_error_when_the_first_step_is_drawn() -> None:
    model = RemoteModel("http://127.0.0.1:9", "tiny")
    writing = RemoteWriter(model, Limits(), asks_memory=True).from_sources(PERU, evidence("The sol."))
    with pytest.raises(ServerError):
        next(writing.steps)
    assert writing.memory() == ""


def test_a_cancelled_answer_has_no_last_step_and_leaves_both_requests(served: Served) -> None:
    served.react = lambda _: Reaction(parts=[event("sol ")] * 500, pause=0.01)
    gone = threading.Event()
    writing = remote(served).from_sources(PERU, evidence("The sol."), gone.is_set)
    next(writing.steps)
    started = time.perf_counter()
    gone.set()
    assert not any(step.done for step in writing.steps)
    writing.memory()
    assert time.perf_counter() - started < 10


def test_leaving_the_steps_leaves_memory_too(served: Served) -> None:
    served.react = lambda _: Reaction(parts=[event("sol ")] * 500, pause=0.01)
    writing = remote(served).from_sources(PERU, evidence("The sol."))
    next(writing.steps)
    started = time.perf_counter()
    writing.steps.close()  # type: ignore[attr-defined]
    assert "sol sol sol sol sol sol sol sol sol sol sol sol sol" not in writing.memory()
    assert time.perf_counter() - started < 10
