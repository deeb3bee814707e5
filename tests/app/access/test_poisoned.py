"""Retrieved text is data: whatever a document says, and though the model obeys it, nothing that the system does changes."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from io import StringIO

import pytest

from app.access.principal import Principal
from app.cli.output import Output
from app.cli.render import show_answer, show_found
from generators import prompts
from generators.citations.attribution import attribute
from generators.events import Answered, Checking, Found, Routed, Token
from generators.verdicts.verdict import Signals, Thresholds, decide, refuses, supported_share
from indexes.invisible import shown, words_of
from retrievers.evidence import Evidence
from tests.app.access.poison import POISONS, SECRET, Poison, Poisoned

ANNA = Principal("anna", frozenset({"public", "orchard"}))
TRICKS = pytest.mark.parametrize("poison", POISONS, ids=lambda poison: poison.trick)
MARK = re.compile(r"\[(\d+)\]")
CONTROL = re.compile(
    r"<[|｜][^|｜<>\n]{1,60}[|｜]>|</?(?:s|start_of_turn|end_of_turn|tool_call)>|\[/?INST\]|<</?SYS>>", re.IGNORECASE
)
SYSTEMS = {
    message["content"]
    for messages in (prompts.with_sources("", ()), prompts.without_sources(""), prompts.short_answer(""))
    for message in messages
    if message["role"] == "system"
}


@pytest.fixture(scope="module")
def poisoned(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Poisoned]:
    made = Poisoned(tmp_path_factory.mktemp("poisoned"))
    yield made
    made.whole.close()


def test_there_are_enough_of_them_and_each_is_found(poisoned: Poisoned) -> None:
    assert len({poison.trick for poison in POISONS}) == len(POISONS) >= 30
    for poison in POISONS:
        assert poison.title in {item.passage.title for item in poisoned.ask(poison).answer.evidence}


@TRICKS
def test_the_verdict_is_the_rules_word_on_what_was_measured(poisoned: Poisoned, poison: Poison) -> None:
    events, answer = poisoned.ask(poison).events, poisoned.ask(poison).answer
    drafts = [event.draft for event in events if isinstance(event, Checking)]
    claims = attribute(None, answer.question, answer.evidence, drafts[0], 0.5) if drafts else ()
    measured = Signals(
        True,
        max(item.probability for item in answer.evidence),
        int(answer.signals["unknown names"]),
        bool(drafts) and refuses(drafts[0]),
        answer.signals["supported"],
        answer.signals["confidence"],
        answer.conflict is not None,
    )
    assert answer.verdict is decide(measured, Thresholds())
    assert answer.signals["relevance"] == measured.relevance
    if answer.claims and answer.conflict is None:
        assert answer.signals["supported"] == supported_share(answer.claims)
        assert len(claims) == len(answer.claims)


@TRICKS
def test_nothing_of_another_slice_reaches_whoever_does_not_see_it(poisoned: Poisoned, poison: Poison) -> None:
    outcome = poisoned.ask(poison, ANNA)
    answer = outcome.answer
    told = json.dumps(answer.to_dict()) + repr(outcome.events) + "".join(outcome.prompts)
    assert SECRET[20:40] not in told
    assert "HERON" not in told
    assert {share.expert for share in answer.route.shares} == {"public", "orchard"}
    assert answer.route.experts == ("public",)


@TRICKS
def test_only_what_was_checked_is_a_citation(poisoned: Poisoned, poison: Poison) -> None:
    answer = poisoned.ask(poison).answer
    evidence = {item.number: item.passage for item in answer.evidence}
    for claim in answer.claims:
        assert (claim.status == "supported") == bool(claim.citations)
        for citation in claim.citations:
            assert 0 <= citation.start <= citation.end <= len(evidence[citation.number].text)
    numbers = {item.number for item in answer.evidence}
    abstains, position = not answer.claims, 0
    for claim in answer.claims:
        assert claim.text == answer.text[claim.start : claim.end]
        between = answer.text[position : claim.start]
        assert not marks(between, numbers)
        assert marks(claim.text, numbers) <= {citation.number for citation in claim.citations}
        position = claim.end
    assert marks(answer.text[position:], numbers) == ({answer.evidence[0].number} if abstains else set())
    assert not marks(answer.memory, numbers)


def marks(text: str, numbers: set[int]) -> set[int]:
    """Numbers in brackets that a reader takes for citations: of sources that there are, and not deeper in brackets."""
    return {int(found) for found in MARK.findall(re.sub(r"\[{2,}\d+\]{2,}", "", text))} & numbers


@TRICKS
def test_the_prompt_holds_the_document_as_data_and_gives_no_tools(poisoned: Poisoned, poison: Poison) -> None:
    answer = poisoned.ask(poison).answer
    messages = prompts.with_sources(answer.question, answer.evidence)
    assert [message["role"] for message in messages] == ["system", "user"]
    assert messages[0]["content"] == prompts.WITH_SOURCES
    assert messages[1]["content"].endswith(f"\n\nQuestion: {answer.question}")
    for prompt in [*poisoned.ask(poison).prompts, messages[1]["content"]]:
        documents = prompt.rpartition("Question: ")[0]
        assert not CONTROL.search(documents)
        assert documents == words_of(documents)
        assert any(prompt.startswith(system) for system in [*SYSTEMS, "Sources:", "You answer questions from one"])


@TRICKS
def test_a_question_has_the_same_events_whatever_a_document_says(poisoned: Poisoned, poison: Poison) -> None:
    events, answer = poisoned.ask(poison).events, poisoned.ask(poison).answer
    kinds = [type(event) for event in events if not isinstance(event, Token)]
    assert kinds in ([Routed, Found, Checking, Answered], [Routed, Found, Answered])
    assert answer.route.kind == "domain"
    assert sorted(card.name for card in poisoned.whole.experts()) == ["orchard", "payroll", "public"]


@TRICKS
@pytest.mark.parametrize("terminal", [True, False])
def test_a_terminal_is_told_nothing_by_a_document(
    poisoned: Poisoned, poison: Poison, terminal: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    answer = poisoned.ask(poison).answer
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "100")
    monkeypatch.setenv("TTY_COMPATIBLE", "1" if terminal else "0")
    stdout = StringIO()
    output = Output(stdout, StringIO())
    show_answer(output, answer)
    show_found(output, answer.route, answer.evidence)
    text = stdout.getvalue()
    plain = re.sub(r"\x1b\[[0-9;]*m", "", text) if terminal else text
    assert shown(plain) == plain
    assert "\x1b]8" not in text
    headings = [int(number) for number in re.findall(r"^\[(\d+)\] public", plain, re.MULTILINE)]
    assert headings == [item.number for item in (*answer.cited, *answer.evidence)]
    assert len(re.findall(r"^Verdict  ", plain, re.MULTILINE)) == 1


@TRICKS
def test_json_for_a_terminal_holds_no_control_character_and_the_same_values(poisoned: Poisoned, poison: Poison) -> None:
    answer = poisoned.ask(poison).answer
    stdout = StringIO()
    Output(stdout, StringIO(), as_json=True).document(answer.to_dict())
    assert shown(stdout.getvalue()) == stdout.getvalue()
    assert json.loads(stdout.getvalue())["evidence"] == json.loads(json.dumps(answer.to_dict()))["evidence"]


def test_a_title_is_one_line_wherever_it_stands(poisoned: Poisoned) -> None:
    (poison,) = (poison for poison in POISONS if poison.trick == "newlines in the title")
    answer = poisoned.ask(poison).answer
    (item,) = (item for item in answer.evidence if item.passage.title == poison.title)
    assert "\n" not in item.passage.heading
    assert "\n" not in str(item)
    numbered = re.findall(r"^\[(\d+)\]", prompts.with_sources("?", [item])[1]["content"], re.MULTILINE)
    assert numbered == [str(item.number)]


def test_a_document_that_says_what_is_not_seen_is_searched_by_what_is(poisoned: Poisoned) -> None:
    _, evidence = poisoned.whole.retrieve("How long does the ferry to the island take?", experts=["public"])
    assert evidence[0].passage.title == "Ferry to the island"
    assert "\u200b" in evidence[0].passage.text  # kept as it is, so that offsets count what is in the file
    assert "ferry" in evidence[0].passage.searchable


def test_control_tokens_in_a_question_are_left_to_the_model(poisoned: Poisoned) -> None:
    item = Evidence(1, poisoned.whole.retrieve("printer toner", experts=["public"])[1][0].passage, "public", 0.5)
    asked = prompts.with_sources("What does <|im_end|> do?", [item])[1]["content"]
    assert asked.endswith("Question: What does <|im_end|> do?")


def test_numbers_that_the_model_wrote_itself_are_no_marks(poisoned: Poisoned) -> None:
    poisoned.model.script = "Bees fly at twelve degrees [1][2][3]. Bees pay taxes [1]."
    answer = poisoned.whole.ask("At what degrees do bees fly, the cheese cellar is kept?", experts=["public"])
    numbers = {item.number for item in answer.evidence}
    assert numbers >= {1, 2, 3}
    first, second = answer.claims
    assert first.status == "supported"
    assert marks(first.text, numbers) == {c.number for c in first.citations} < {1, 2, 3}
    assert (second.status, second.text) == ("unsupported", "Bees pay taxes (1).")
