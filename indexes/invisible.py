"""Characters that are not seen: they hide words from search, instructions from readers, and turn text around.

Documents are kept as they are, so that offsets count what is in the file. What reads words (search, checks, prompts) reads
them without these characters, and whoever is shown a text sees where one stands that could deceive.
"""

from __future__ import annotations

import re

_HIDDEN = re.compile(
    "[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b\u200e\u200f\u202a-\u202e\u2060-\u206f\u3164"
    "\ufe00-\ufe0f\ufeff\uffa0\ufff9-\ufffb\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff]"
    "|(?<=[0-9A-Za-z\u00c0-\u052f])[\u200c\u200d]+|[\u200c\u200d]+(?=[0-9A-Za-z\u00c0-\u052f])"
)
"""Unicode's default ignorable characters (UAX 44) and marks of direction. Joiners are kept where scripts need them."""

_DECEIVING = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ufff9-\ufffb\U000e0000-\U000e0fff\ud800-\udfff]"
)
"""Control characters, which command a terminal; marks that turn the direction of text (CVE-2021-42574); annotations; tags, with
which a second text can be written that is never drawn; halves of surrogate pairs."""


def words_of(text: str) -> str:
    r"""The text as it is read: without what is not seen.

    >>> words_of("pass\u200bword \U000e0041")
    'password '
    """
    return text if text.isascii() else _HIDDEN.sub("", text)


def shown(text: str) -> str:
    r"""The text as it may be shown: of the same length, with a sign where a character stands that could deceive.

    >>> shown("gain\u202e")
    'gain�'
    """
    return _DECEIVING.sub("\N{REPLACEMENT CHARACTER}", text)
