from __future__ import annotations

import pytest

from app.chat.markup import element, failure, label, percent, text
from app.chat.turn import Failed


def test_text_leaves_nothing_that_a_browser_would_interpret() -> None:
    assert text("<img src=x onerror=\"a\"> & 'b'") == "&lt;img src=x onerror=&quot;a&quot;&gt; &amp; &#x27;b&#x27;"


def test_attributes_cannot_be_closed_from_inside() -> None:
    assert element("a", "chip", "1", title='"><script>') == '<a class="sy-chip" title="&quot;&gt;&lt;script&gt;">1</a>'


def test_every_class_gets_the_prefix() -> None:
    assert (
        element("span", "badge draft", "x", aria_label="y") == '<span class="sy-badge sy-draft" aria-label="y">x</span>'
    )


@pytest.mark.parametrize(
    "value", ["**bold**", "![x](https://a/b.png)", "`code`", "<b>", ":red[x]", "$x$", "a_b_c", "\\"]
)
def test_labels_escape_every_sign_of_markdown(value: str) -> None:
    escaped = label(value)
    assert escaped.replace("\\", "") == value.replace("\\", "")
    signs = [i for i, c in enumerate(escaped) if c in "*_`[]()<>:!$"]
    assert all(escaped[i - 1] == "\\" for i in signs)
    assert value != "\\" or escaped == "\\\\"


@pytest.mark.parametrize(
    ("probability", "words"),
    [(0.0, "0 %"), (0.0099, "< 1 %"), (0.01, "1 %"), (0.5, "50 %"), (0.994, "99 %"), (0.995, "> 99 %"), (1.0, "100 %")],
)
def test_percent_rounds_neither_to_nothing_nor_to_certainty(probability: float, words: str) -> None:
    assert percent(probability) == words


def test_a_failure_shows_commands_as_code_and_escapes_the_rest() -> None:
    html = failure(Failed("No <model>.", "Run `symposia models fetch <name>`."))
    assert "No &lt;model&gt;." in html
    assert "Run <code>symposia models fetch &lt;name&gt;</code>." in html
    assert "<model>" not in html
