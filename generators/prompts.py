"""Every prompt of the system, in one file. Text from documents is quoted as data between the source lines."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import pairwise

from generators.inert import in_line, inert
from retrievers.evidence import Evidence

_WRAPPED = re.compile(r"(?=.{50})(?!.*(?: {3}|\t)).*[\w,'\"’”—-]\s*$")
"""A line that its width broke: it is long, stands in no columns, and ends within a sentence."""
_GOES_ON = re.compile(r"(?!(?:[a-z]|[ivx]+)[.)])([a-z][a-z'’-]*)(?:[,.;!?)\"’”]+(?:$|\s)|\s+[^\s=])")
"""A line that begins with a plain word in small letters, not indented, numbered (``b)``), a field (``name: value``) or code."""

Messages = list[dict[str, str]]

WITH_SOURCES = (
    "You answer questions from the given sources, for a reader who checks every sentence against them. Where you remember "
    "something else, follow the sources. Answer in one short, complete sentence."
)
WITHOUT_SOURCES = "You answer questions. Answer in one short, complete sentence."
SMALL_TALK = (
    "You are Symposia, a question-answering system with a panel of domain experts. Reply to small talk in one short, "
    "friendly sentence."
)
ABOUT = (
    "You are Symposia, a question-answering system. Answer questions about yourself from these facts, in one or two "
    "short, complete sentences.\n{facts}"
)


def with_sources(question: str, evidence: Sequence[Evidence]) -> Messages:
    """The prompt of the branch that sees the evidence, best first."""
    sources = "\n\n".join(f"[{item.number}] {_header(item)}\n{_unwrapped(item.passage.text)}" for item in evidence)
    return [
        {"role": "system", "content": WITH_SOURCES},
        {"role": "user", "content": f"Sources:\n\n{sources}\n\nQuestion: {question}"},
    ]


def does_it_support(question: str, claim: str, item: Evidence) -> Messages:
    """One source, and the question whether it supports a claim; it begins as ``with_sources`` does, so both are read once."""
    messages = with_sources(question, [item])
    messages[1]["content"] += (
        f"\nStatement: {claim}\nDoes the source support the statement, or a part of it? Answer with Yes or No only."
    )
    return messages


def with_marks(question: str, evidence: Sequence[Evidence]) -> Messages:
    """The prompt that asks for an answer with citation marks; it begins as ``with_sources`` does."""
    messages = with_sources(question, evidence)
    messages[1]["content"] += (
        "\nAfter your sentence, cite the sources that it rests on by their numbers, each in square brackets."
    )
    return messages


def which_sources(question: str, evidence: Sequence[Evidence], answer: str) -> Messages:
    """The prompt that asks which sources a given answer rests on; it begins as ``with_sources`` does."""
    messages = with_sources(question, evidence)
    messages[1]["content"] += (
        f"\nAnswer: {answer}\nWhich of the sources does this answer rest on? Reply with their numbers only, each in "
        "square brackets."
    )
    return messages


def without_sources(question: str) -> Messages:
    """The prompt of the branch that has only its memory."""
    return [{"role": "system", "content": WITHOUT_SOURCES}, {"role": "user", "content": f"Question: {question}"}]


def small_talk(question: str) -> Messages:
    """The prompt for greetings and thanks."""
    return [{"role": "system", "content": SMALL_TALK}, {"role": "user", "content": question}]


def about(question: str, facts: Sequence[str]) -> Messages:
    """The prompt for questions about the system itself; ``facts`` describe the panel as it is."""
    listed = "\n".join(f"- {fact}" for fact in facts)
    return [{"role": "system", "content": ABOUT.format(facts=listed)}, {"role": "user", "content": question}]


def _unwrapped(text: str) -> str:
    """As data; lines that only continue the one before are joined to it, so that an answer is not broken where its source was.

    Code, lists and tables keep their lines.
    """
    lines = inert(text).split("\n")
    made = lines[:1]
    for last, line in pairwise(lines):
        if _goes_on(last, line):
            made[-1:] = [last.rstrip(), " ", line]
        else:
            made += ["\n", line]
    return "".join(made)


def _goes_on(last: str, line: str) -> bool:
    """Whether the width broke a sentence between the two lines; lines that begin alike are commands or items."""
    found = _GOES_ON.match(line)
    return found is not None and _WRAPPED.match(last) is not None and not last.startswith(f"{found[1]} ")


def _header(item: Evidence) -> str:
    date = f" ({item.passage.date})" if item.passage.date else ""
    return in_line(f"{item.passage.heading}{date}")


def short_answer(question: str, context: str = "") -> Messages:
    """The prompts of AdaCAD's experiments (arXiv 2409.07394, appendix), asked of a chat model for an answer in a few words."""
    instruction = "Answer with a few words only, no sentence."
    if not context:
        asked = f"Answer the following question:\nQuestion: {question}\nAnswer:"
    else:
        asked = (
            f"{context}\nUsing only the references listed above, answer the following question:\n"
            f"Question: {question}\nAnswer:"
        )
    return [{"role": "system", "content": instruction}, {"role": "user", "content": asked}]


NOT_STATED = "not stated"


def from_one_passage(question: str, item: Evidence) -> Messages:
    """The prompt that asks for what one passage alone answers, in its own words, or ``NOT_STATED``."""
    instruction = (
        "You answer questions from one passage, in a few words copied from it. Where the passage does not give the "
        f"answer, you reply: {NOT_STATED}"
    )
    header = _header(item)
    text = f"{header}\n{_unwrapped(item.passage.text)}" if header else _unwrapped(item.passage.text)
    return [
        {"role": "system", "content": instruction},
        {"role": "user", "content": f"Passage:\n{text}\n\nQuestion: {question}"},
    ]


def sufficiency(question: str, evidence: Sequence[Evidence]) -> Messages:
    """The prompt that asks whether the sources hold the answer; it begins as ``with_sources`` does, so both are read once."""
    system, user = with_sources(question, evidence)
    asked = "Do the sources contain the answer to this question? Reply with Yes or No only."
    return [system, {**user, "content": f"{user['content']}\n\n{asked}"}]


IN_FULL = (
    "You rewrite the last question of a conversation so that somebody who has not read the conversation understands it. "
    "Replace words such as 'it', 'they' or 'that' by what they stand for, and add what the question leaves out. Change nothing "
    "else, and do not answer it. Reply with the rewritten question only."
)
_SHOWN: tuple[tuple[tuple[tuple[str, str], ...], str, str], ...] = (
    (
        (("What is the capital of Chile?", "The capital of Chile is Santiago."),),
        "How many people live there?",
        "How many people live in Santiago?",
    ),
    (
        (("How do I renew a library card?", "Bring an identity card to the desk of the library."),),
        "What about children?",
        "How do I renew a library card for children?",
    ),
    (
        (("Which museums are in Turin?", "The Egyptian Museum and the Museum of Cinema."),),
        "Opening hours.",
        "What are the opening hours of the museums in Turin?",
    ),
)


def in_full(question: str, before: Sequence[tuple[str, str]]) -> Messages:
    """The prompt that asks for a follow-up as a question of its own; ``before`` are questions with their answers, oldest first."""
    messages = [{"role": "system", "content": IN_FULL}]
    for shown, asked, answer in _SHOWN:
        messages += [{"role": "user", "content": _last(asked, shown)}, {"role": "assistant", "content": answer}]
    return [*messages, {"role": "user", "content": _last(question, before)}]


def _last(question: str, before: Sequence[tuple[str, str]]) -> str:
    said = [f"Q: {asked}" + (f"\nA: {answer}" if answer else "") for asked, answer in before]
    return "\n".join(["Conversation:", *said, f"Last question: {question}", "Rewrite the last question."])
