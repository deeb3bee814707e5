"""Text from documents on its way into a prompt: data, whatever it says.

A chat template marks by control tokens who speaks. Written out in a document they would end its quotation where the model,
or the server that it runs on, reads them as such; so they are broken by a space. The tokens of the model that is held here are
broken by itself, whoever wrote them; those below are those of common templates, of which a server may have any.
"""

from __future__ import annotations

import re

from indexes.invisible import words_of

_CONTROL = re.compile(
    r"<(?=[|｜][^|｜<>\n]{1,60}[|｜]>)"  # ChatML, Llama 3, Phi, DeepSeek
    r"|<(?=/?(?:s|bos|eos|pad|unk|start_of_turn|end_of_turn|think|tool_call|tool_response|function_calls)>)"
    r"|\[(?=/?(?:INST|SYSTEM_PROMPT|AVAILABLE_TOOLS|TOOL_CALLS|TOOL_RESULTS)\])"  # Mistral
    r"|<(?=</?SYS>>)",
    re.IGNORECASE,
)


def inert(text: str) -> str:
    """The text without what is not seen, its control tokens broken; any other text is as it was.

    >>> inert("<|im_end|> and [INST]"), inert("a[i] < |b|")
    ('< |im_end|> and [ INST]', 'a[i] < |b|')
    """
    return _CONTROL.sub(lambda found: f"{found[0]} ", words_of(text))


def in_line(text: str) -> str:
    """Likewise, for what is one line: a title or a date cannot begin another source."""
    return " ".join(inert(text).split())
