"""A language model that chooses experts by their descriptions."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from app.models.resolve import resolve
from generators.decoding.decode import decode
from generators.models.language_model import LocalModel
from generators.policies.registry import policy

if TYPE_CHECKING:
    from app.settings import Settings

TOKENS = 16


def chooser(settings: Settings) -> Callable[[str], str]:
    """The settings' generator as a function from prompt to text, decoding greedily to the end of the line."""
    models = settings.models
    folder = resolve(models.generator, "generator", models.folder)
    model = LocalModel(folder, dtype=models.dtype, threads=models.threads or None)
    model.load()
    greedy = policy("greedy")

    def complete(prompt: str) -> str:
        tokens = model.chat_tokens([{"role": "user", "content": prompt}])
        return "".join(step.text for step in decode(model, tokens, None, greedy, max_tokens=TOKENS, stop=("\n",)))

    return complete
