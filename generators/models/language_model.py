"""A causal language model held in a local folder: prompts in, logits out."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from generators.models.key_values import State, read_prompts
from generators.models.model_files import LoadedModel, fingerprint, load_model
from generators.models.precision import check_precision
from generators.models.scoring import continuation_log_probs
from indexes.errors import InputError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from torch import Tensor


class LocalModel:
    """A transformers causal model and its tokenizer, read from a folder and never from the network.

    The constructor loads nothing; the first use, or ``load``, does. Safe to share between threads; a ``State`` belongs
    to one of them.

    Parameters
    ----------
    path
        Folder with ``config.json``, safetensors weights and a tokenizer with a chat template.
    dtype
        ``bfloat16``, ``float32``, ``int8``, or ``auto``: what this processor multiplies fastest (see ``generators.models.precision``).
    threads
        Threads for all of torch in this process; unchanged where none is given.

    Raises
    ------
    InputError
        No such ``dtype``.
    """

    def __init__(self, path: Path | str, dtype: str = "auto", threads: int | None = None) -> None:
        check_precision(dtype)
        self.path = Path(path)
        self.dtype = dtype
        self.threads = threads
        self._lock = threading.Lock()
        self._tokenizing = threading.Lock()  # a call sets options of the one tokenizer, and then depends on them
        self._loaded: LoadedModel | None = None

    def __repr__(self) -> str:
        return f"LocalModel({self.name!r}, dtype={self.dtype!r})"

    @property
    def name(self) -> str:
        """Name of the folder."""
        return self.path.name

    @property
    def fingerprint(self) -> str:
        """Identifies configuration, tokenizer and weights, without loading them; see ``model_files.fingerprint``."""
        return fingerprint(self.path)

    @property
    def window(self) -> int:
        """Most tokens that the model reads, prompt and answer together."""
        return self.load().window

    @property
    def eos_ids(self) -> frozenset[int]:
        """Tokens that end an answer."""
        return self.load().eos_ids

    def load(self) -> LoadedModel:
        """Read weights and tokenizer, once; further calls, from any thread, return the same.

        Raises
        ------
        MissingModelError
            The folder is absent or incomplete, or its files are damaged.
        """
        with self._lock:
            if self._loaded is None:
                if self.threads is not None:
                    import torch

                    torch.set_num_threads(self.threads)
                self._loaded = load_model(self.path, self.dtype)
            return self._loaded

    def chat_tokens(self, messages: Sequence[dict[str, str]]) -> list[int]:
        """Tokens of a chat, ending where the assistant's answer begins.

        Control tokens written out in a message (``<|im_end|>``) are broken by a space, so that a document cannot end its
        turn and speak as somebody else.

        Parameters
        ----------
        messages
            ``{"role": …, "content": …}``, in order.
        """
        loaded = self.load()
        safe = [{**message, "content": _defused(message["content"], loaded.controls)} for message in messages]
        tokenizer: Any = loaded.tokenizer  # what this call returns depends on its arguments
        with self._tokenizing:
            return list(
                tokenizer.apply_chat_template(safe, add_generation_prompt=True, tokenize=True, return_dict=False)
            )

    def encode(self, text: str) -> list[int]:
        """Tokens of plain text: none are added, and control tokens in it are read as the characters they are written in."""
        tokenizer = self.load().tokenizer
        with self._tokenizing:
            return list(tokenizer.encode(text, add_special_tokens=False, split_special_tokens=True))

    def decode(self, tokens: Sequence[int]) -> str:
        """Text of the tokens, without control tokens."""
        tokenizer = self.load().tokenizer
        with self._tokenizing:
            return str(tokenizer.decode(list(tokens), skip_special_tokens=True, clean_up_tokenization_spaces=False))

    def prefill(self, rows: Sequence[Sequence[int]]) -> State:
        """Read prompts of any lengths; the returned state holds the logits of each row's next token.

        Raises
        ------
        InputError
            There is no row, or one is empty or longer than the window.
        """
        import torch

        self._check(rows, 0)
        if not len(rows):
            raise InputError("There is no prompt to read.", "Give at least one.")
        with torch.inference_mode():
            return read_prompts(self.load().model, rows)

    def advance(self, state: State, tokens: Sequence[int]) -> Tensor:
        """Append one token to each row of ``state``, which changes; logits of the next, float32, [rows, vocabulary]."""
        import torch

        with torch.inference_mode():
            state.extend(self.load().model, torch.tensor(list(tokens)).unsqueeze(1))
        return state.logits

    def log_probs(self, prompts: Sequence[Sequence[int]], continuation: Sequence[int]) -> NDArray[np.float32]:
        """Log-probability of each token of one continuation behind each prompt, in nats, [prompts, continuation].

        Raises
        ------
        InputError
            A prompt is empty, or prompt and continuation together are longer than the window.
        """
        loaded = self.load()
        self._check(prompts, len(continuation))
        return continuation_log_probs(loaded.model, prompts, continuation)

    def _check(self, rows: Sequence[Sequence[int]], extra: int) -> None:
        if not all(map(len, rows)):
            raise InputError("A prompt has no tokens.", "Give a question.")
        longest = max(map(len, rows), default=0) + extra
        if longest > self.window:
            raise InputError(
                f"The prompt has {longest} tokens, but {self.name} reads at most {self.window}.",
                "Ask a shorter question, use fewer passages, or choose a model with a longer window.",
            )


def _defused(text: str, controls: Sequence[str]) -> str:
    for control in controls:
        text = text.replace(control, f"{control[0]} {control[1:]}")
    return text
