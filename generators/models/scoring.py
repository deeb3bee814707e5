"""Teacher-forced log-probabilities: how likely one text is behind each of several prompts."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import numpy as np

from generators.models.key_values import State, read_prompts

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from torch import Tensor
    from transformers import PreTrainedModel

GROUP_ROWS = 8  # prompts whose continuation runs in one batch
GROUP_TOKENS = 4096  # bounds their keys and values: about 100 MB in float32 for a model of 0.5 billion parameters
SCORED_AT_ONCE = 64  # positions whose logits over the whole vocabulary exist at one time: 39 MB for 151,936 tokens


def continuation_log_probs(
    model: PreTrainedModel, prompts: Sequence[Sequence[int]], continuation: Sequence[int]
) -> NDArray[np.float32]:
    """Log-probability of each token of ``continuation`` behind each prompt, in nats, shape [prompts, continuation].

    Prompts are read one by one, each starting from what it shares with its neighbour; then the continuation runs behind
    several of them as a batch, a few positions at a time.
    """
    import torch

    scores = np.zeros((len(prompts), len(continuation)), dtype=np.float32)
    if not len(continuation):
        return scores
    target = torch.tensor(list(continuation))
    with torch.inference_mode():
        for group in groups(prompts, GROUP_ROWS, GROUP_TOKENS):
            state = read_prompts(model, [prompts[index] for index in group])
            scores[group] = _score(model, state, target).numpy()
    return scores


def groups(prompts: Sequence[Sequence[int]], rows: int, tokens: int) -> Iterator[list[int]]:
    """Indices of prompts to run together: in sorted order, where neighbours share the longest beginnings.

    Parameters
    ----------
    rows, tokens
        Most prompts in a group, and most tokens in it, padding included. A prompt of more tokens is a group of its own.
    """
    group: list[int] = []
    longest = 0
    for index in sorted(range(len(prompts)), key=lambda i: (list(prompts[i]), i)):
        longest = max(longest, len(prompts[index]))
        if group and (len(group) == rows or (len(group) + 1) * longest > tokens):
            yield group
            group, longest = [], len(prompts[index])
        group.append(index)
    if group:
        yield group


def _score(model: PreTrainedModel, state: State, target: Tensor) -> Tensor:
    """Log-probabilities of ``target`` behind each row of ``state``, shape [rows, tokens]."""
    import torch

    rows, last = len(state.lengths), len(target) - 1
    pieces = [_log_probability(state.logits.unsqueeze(1), target[:1])]
    step = max(SCORED_AT_ONCE // rows, 1)
    for start in range(0, last, step):
        end = min(start + step, last)
        logits = state.extend(model, target[start:end].expand(rows, -1))
        pieces.append(_log_probability(logits, target[start + 1 : end + 1]))
    return torch.cat(pieces, dim=1)


def _log_probability(logits: Tensor, wanted: Tensor) -> Tensor:
    """Log-probability of ``wanted`` (shape [n]) in every row of ``logits`` (shape [rows, n, vocabulary])."""
    import torch

    index = wanted.expand(len(logits), -1).unsqueeze(-1)
    chosen = logits.gather(-1, index).squeeze(-1)
    # row by row, because logsumexp's temporary is as large as its input
    return chosen - torch.stack([torch.logsumexp(row, dim=-1) for row in logits])
