from __future__ import annotations

import time

import pytest

from generators import prompts
from indexes.passage import Document, Passage
from retrievers.evidence import Evidence

WRAPPED = "The sol has been the currency of Peru since 1991, when\nit took the place of the inti,  \nwhich is no more."
LONG_CALL = "result = some_function_of_many_words(first=text, second=None)\nprint(result)"
IMPORTS = "from generators.verdicts.confidence import evidence_signals, fit\nfrom generators.verdicts import verdict"


def shown(text: str) -> str:
    passage = Passage.of(Document(text), 0, len(text))
    return prompts.with_sources("Why?", [Evidence(1, passage, "e", 0.9)])[1]["content"].split("\n", 3)[3]


def test_a_sentence_that_the_width_of_its_lines_broke_is_one_line() -> None:
    assert shown(WRAPPED).startswith("The sol has been the currency of Peru since 1991, when it took the place")


def test_a_paragraph_wrapped_to_a_width_is_one_line_and_the_next_begins_anew() -> None:
    first = "Every employee who has been with the company for a year\ncan take leave, which is to be asked for in time by a\nletter."
    assert shown(f"{first}\n\nvisitors cannot.").splitlines()[:3] == [first.replace("\n", " "), "", "visitors cannot."]


@pytest.mark.parametrize(
    "text",
    [
        "import json\ndata = json.loads(text)\nif data:\n    print(data)",
        "Ingredients\n\nbutter\nsugar\nflour",
        "This is a line of more than fifty characters without an end\n\nand this a paragraph of its own",
        "This is a line of more than fifty characters without an end\n    and this is indented",
        LONG_CALL,
        IMPORTS,
        "kubectl delete operatorgroup -n ibm-operators ibm-operators\nkubectl delete operatorgroup -n ibm-system all",
        "fractal dimension of the cells (mean):      0.05   0.097\nradius of the cells",
        "a) which is independently developed by the Receiving Party, or\nb) which becomes known",
        "topologyKey of the pod: failure-domain.beta.kubernetes.io/zone\ncontainers: two",
        "set firewall name APP-TO-INSIDE rule 110 destination address all\ncommit",
    ],
)
def test_code_lists_tables_and_paragraphs_keep_their_lines(text: str) -> None:
    assert shown(text).startswith(text)


def test_joining_lines_of_a_long_text_takes_little_time() -> None:
    lines = "one line of more than fifty characters that goes on and\nanother line of more than fifty characters goes on and\n"
    started = time.process_time()
    assert shown(lines * 20_000).count("\n") < 10
    assert time.process_time() - started < 5
