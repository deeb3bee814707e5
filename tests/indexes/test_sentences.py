from __future__ import annotations

import time
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from indexes.sentences import sentence_ends


def sentences(text: str) -> list[str]:
    return [text[start:end].strip() for start, end in pairwise([0, *sentence_ends(text)])]


@pytest.mark.parametrize(
    "expected",
    [
        ["Dr. Ford spoke in 1975.", "He won."],
        ["The U.S. Congress met Mr. J. Smith, e.g. in Fig. 3.", "Then it rose."],
        ["It costs 2.5 million.", "See example.org for more!", "Really?!", "Yes…", "So."],
        ["“What?” he said.", "(It was so.)", "‘Fine.’", "She left."],
        ["It is no. 1 on p. 3.", "She said no.", "So did I.", "In World War I.", "We agree."],
        ["Срок истёк.", "Договор расторгнут!", "Почему?", "Так решил суд."],
        ["हाँ, यह सही है।", "क्या आप आएंगे?", "ठीक है॥", "चलो।"],
        ["هل تم ذلك؟", "نعم.", "تم اليوم."],
        ["« Où ? » demanda-t-il.", "« Ici ! »", "Er kam.", "»Ja«, sagte er.", "Vraiment ?", "Oui."],
        ["เปิดทุกวันเสาร์", "ราคา 200 บาท", "ปิดวันจันทร์"],
        ["کیا یہ درست ہے؟", "ہاں۔", "شکریہ۔"],
    ],
)
def test_spaced_sentences(expected: list[str]) -> None:
    assert sentences(" ".join(expected)) == expected


@pytest.mark.parametrize(
    "expected",
    [
        ["今天天气很好。", "我们去公园散步！！", "他说：“好的。”", "你呢？"],
        ["今日は晴れです。", "「はい。」", "行きますか？", "「どこですか？」と尋ねた。"],
    ],
)
def test_unspaced_sentences(expected: list[str]) -> None:
    assert sentences("".join(expected)) == expected


def test_blank_lines_and_items_of_lists_end_sentences_and_other_lines_do_not() -> None:
    text = "A title without a stop\n\nA line that\ngoes on\n- one item\n- another\n1. A numbered one. Its end.\n| a | row |\n"
    assert sentences(text) == [
        "A title without a stop",
        "A line that\ngoes on",
        "- one item",
        "- another",
        "1. A numbered one.",
        "Its end.",
        "| a | row |",
    ]


def test_an_empty_text_has_no_sentence() -> None:
    assert list(sentence_ends("")) == []


@given(st.text(st.sampled_from('aB1.!?…。؟। \n"”)-'), max_size=60))
def test_sentences_are_a_partition_of_the_text(text: str) -> None:
    ends = list(sentence_ends(text))
    assert ends == sorted(set(ends))
    assert not text or ends[-1] == len(text)
    assert all(end > 0 for end in ends)


@pytest.mark.parametrize("part", [".", "?! ", "\n", "\n ", ". ", '"', '."', "a", "。", "\n- ", "x.y"])
def test_time_grows_with_the_text_and_not_with_its_square(part: str) -> None:
    text = part * (400_000 // len(part))
    started = time.process_time()
    for _ in sentence_ends(text):
        pass
    assert time.process_time() - started < 5  # seconds; about 0.3, where quadratic time would be hours
