"""Text of a model or a document in Markdown that programs of others render: no link, image or markup of it comes alive.

Words stay as they are but for what a renderer would act on. Addresses are set as code, the one place where none looks for
links (CommonMark 0.31, sections 2.4 and 6.1; GitHub's autolinks reach through backslashes); tags and the middle of links are
escaped. Emphasis, lists and headings, which load and hide nothing, are left.
"""

from __future__ import annotations

import re

from indexes.invisible import shown, words_of

ADDRESS = re.compile(r"://|www\.|@|\b(?:mailto|xmpp):", re.IGNORECASE)
"""What a renderer may make a link of."""

_LIVE = re.compile(r"<(?=[A-Za-z/!?])|(?<=\])[(:]|(?<=!)\[")
_TICKS = re.compile(r"`+")


def tame(text: str) -> str:
    r"""The text as Markdown in which nothing is live.

    >>> tame("<b>Look</b> at ![x](https://example.com/x.png), or [here](y)")
    '\\<b>Look\\</b> at `![x](https://example.com/x.png),` or [here]\\(y)'
    """
    seen = shown(words_of(text).replace("\r\n", "\n"))
    addressed = ADDRESS.search(seen) is not None
    return re.sub(r"\S+", lambda word: _word(word[0], addressed), seen)


def code(word: str) -> str:
    """A code span; its ticks are one more than any run of ticks in it."""
    longest = max((len(run) for run in _TICKS.findall(word)), default=0)
    ticks = "`" * (longest + 1)
    return f"{ticks} {word} {ticks}" if longest else f"{ticks}{word}{ticks}"


def _word(word: str, addressed: bool) -> str:
    if ADDRESS.search(word):
        return code(word)
    ticks = addressed and "`" in word  # one that stands open would end where an address begins
    if not ticks and not _LIVE.search(word):
        return word
    escaped = _LIVE.sub(r"\\\g<0>", word.replace("\\", "\\\\"))
    return escaped.replace("`", "\\`") if ticks else escaped
