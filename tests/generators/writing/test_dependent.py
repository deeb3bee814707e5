from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from generators.writing.dependent import MOST_TOPIC, dependent, joined, topic
from indexes.terms import words


@pytest.mark.parametrize(
    "question",
    [
        "What benefits does it offer?",
        "How is that calculated?",
        "How many people live there?",
        "Do they need bees?",
        "Can you tell me about its policies?",
        "And in winter?",
        "What about pricing?",
        "ok, and when?",
        "Why?",
        "How so?",
        "I meant for a deceased relative.",
        "Which one is cheaper?",
        "Which is more important?",
        "How can I create one?",
        "Are there others?",
        "Is that the same?",
        "What are the requirements?",
        "Backups",
        "node data",
        "That's a relief.",
        "Do both rotate secrets?",
    ],
)
def test_what_leaves_something_out_leans_on_the_conversation(question: str) -> None:
    assert dependent(question)


@pytest.mark.parametrize(
    "question",
    [
        "When do apple trees blossom?",
        "Is it possible to dry plums on wooden racks?",
        "How long does it take to boil quinces?",
        "What does the documentation of json.dumps say about its argument indent?",
        "If I donate money to a foreign charity, could it be deducted from tax?",
        "Is the idea that compression ignites diesel fuel right?",
        "What is Kubernetes?",
        "What is a turbocharger?",
        "Who discovered Neptune?",
        "Define RBAC",
        "Which dividend stocks pay monthly?",
        "Great! One last thing, where can I find the Python SDK?",
        "Is refinancing both cheaper and safer than a mortgage?",
        "Explain the term financial fiduciary",
        "Is there a fee for opening a bank account?",
        "Which types of bonds are there on the market?",
        "Thanks!",
        "Hello",
        "OK, thank you very much.",
        "That's great, thanks",
        "Who are you?",
        "What can you do?",
        "What is your name?",
        "12 * 7",
    ],
)
def test_what_stands_for_itself_is_told(question: str) -> None:
    assert not dependent(question)


def test_joining_puts_the_topic_behind_and_repeats_nothing() -> None:
    assert joined("How is it configured?", "What are jumbo frames?") == "How is it configured? (jumbo frames)"
    assert joined("What about jumbo frames?", "What are jumbo frames?") == "What about jumbo frames?"


@given(st.text(max_size=60), st.text(max_size=200))
def test_joining_loses_nothing_and_brings_in_only_words_of_the_last_question(question: str, last: str) -> None:
    said = joined(question, last)
    assert said.startswith(question)
    assert len(words(topic(question, last))) <= MOST_TOPIC
    assert all(word in last for word in topic(question, last).split())


@given(st.text(max_size=200))
def test_any_text_is_judged(question: str) -> None:
    assert dependent(question) in (True, False)
