"""Rows of different lengths in one key-value cache.

Each prompt is read on its own, so no work is spent on padding; the caches are then joined by padding them on the left,
and a mask hides the padding. From there on, one forward pass of batch n serves all rows.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import torch
    from torch import Tensor
    from transformers import Cache, PreTrainedModel

SHARED_LEAST = 8  # tokens; sharing fewer costs more than it saves


@dataclass(slots=True)
class Block:
    """Rows that run in one forward pass.

    Parameters
    ----------
    cache
        Keys and values, padded on the left to the longest row.
    lengths
        Tokens read so far, per row.
    mask
        1 for a token, 0 for padding, shape [rows, tokens read by the longest row]; none where all rows are as long.
    """

    cache: Cache
    lengths: list[int]
    mask: Tensor | None

    def extend(self, model: PreTrainedModel, tokens: Tensor) -> Tensor:
        """Append ``tokens`` (shape [rows, n]) to the rows; logits behind each, shape [rows, n, vocabulary], float32."""
        import torch

        count = tokens.shape[1]
        if self.mask is not None:
            self.mask = torch.nn.functional.pad(self.mask, (0, count), value=1)
        positions = torch.tensor(self.lengths).unsqueeze(1) + torch.arange(count)
        output = model(
            input_ids=tokens,
            position_ids=positions,
            attention_mask=self.mask,
            past_key_values=self.cache,
            use_cache=True,
        )
        self.lengths = [length + count for length in self.lengths]
        logits: Tensor = output.logits
        return logits.float()

    def select(self, rows: Sequence[int]) -> None:
        """Keep these rows, by position."""
        import torch

        if list(rows) == list(range(len(self.lengths))):
            return
        index = torch.tensor(list(rows))
        self.cache.batch_select_indices(index)
        self.mask = None if self.mask is None else self.mask[index]
        self.lengths = [self.lengths[row] for row in rows]


@dataclass(slots=True)
class State:
    """Prompts that were read, ready to be continued.

    Parameters
    ----------
    logits
        Logits of the next token, float32, shape [rows, vocabulary].
    blocks
        The rows in order: one block, or one for each row where the model's caches cannot be joined.
    """

    logits: Tensor
    blocks: list[Block]

    @property
    def lengths(self) -> list[int]:
        """Tokens read so far, per row."""
        return [length for block in self.blocks for length in block.lengths]

    def extend(self, model: PreTrainedModel, tokens: Tensor) -> Tensor:
        """Append ``tokens`` (shape [rows, n]); logits behind each, shape [rows, n, vocabulary]. Keeps the last ones."""
        import torch

        parts = torch.split(tokens, [len(block.lengths) for block in self.blocks])
        logits = torch.cat([block.extend(model, part) for block, part in zip(self.blocks, parts, strict=True)])
        self.logits = logits[:, -1]
        return logits

    def select(self, rows: Sequence[int]) -> None:
        """Keep these rows, by position, of one block in any order and any number of times; the others are freed."""
        kept, start = [], 0
        for block in self.blocks:
            end = start + len(block.lengths)
            own = [row - start for row in rows if start <= row < end]
            if own:
                block.select(own)
                kept.append(block)
            start = end
        self.blocks = kept
        self.logits = self.logits[list(rows)]


def read_prompts(model: PreTrainedModel, rows: Sequence[Sequence[int]]) -> State:
    """Read each row once and join them.

    In sorted order, so that a row starts from the keys and values of the beginning that it shares with the one before:
    the system prompt, or leading passages. What a row shares depends only on this call, never on earlier ones.
    """
    import torch

    read = _read_each(model, rows)
    blocks = _blocks(model, [cache for _, cache in read], [len(row) for row in rows])
    return State(torch.stack([logits for logits, _ in read]), blocks)


def _read_each(model: PreTrainedModel, rows: Sequence[Sequence[int]]) -> list[tuple[Tensor, Cache]]:
    """Last logits and cache of each row, in their order."""
    read: dict[int, tuple[Tensor, Cache]] = {}
    previous: int | None = None
    for index in sorted(range(len(rows)), key=lambda i: (list(rows[i]), i)):
        start = None if previous is None else (read[previous][1], _shared(rows[previous], rows[index]))
        read[index] = _read(model, rows[index], start)
        previous = index
    return [read[index] for index in range(len(rows))]


def _read(model: PreTrainedModel, row: Sequence[int], start: tuple[Cache, int] | None) -> tuple[Tensor, Cache]:
    """Last logits, shape [vocabulary], and cache of one row."""
    import torch
    from transformers import DynamicCache

    cache: Cache = DynamicCache(config=model.config)
    known = 0
    if start is not None and start[1] >= SHARED_LEAST and _joinable(start[0]):
        known = start[1]
        for number, (keys, values) in enumerate(_keys_and_values(start[0])):
            cache.update(keys[:, :, :known], values[:, :, :known], number)
    positions = torch.arange(known, len(row)).unsqueeze(0)
    ids = torch.tensor([list(row[known:])])
    output = model(input_ids=ids, position_ids=positions, past_key_values=cache, use_cache=True, logits_to_keep=1)
    return output.logits[0, -1].float(), cache


def _blocks(model: PreTrainedModel, caches: list[Cache], lengths: list[int]) -> list[Block]:
    if len(caches) == 1 or not all(map(_joinable, caches)):
        return [Block(cache, [length], None) for cache, length in zip(caches, lengths, strict=True)]
    longest = max(lengths)
    mask = None if min(lengths) == longest else _left_mask(lengths, longest)
    return [Block(_join(model, caches, longest), list(lengths), mask)]


def _join(model: PreTrainedModel, caches: list[Cache], longest: int) -> Cache:
    import torch
    from transformers import DynamicCache

    joined: Cache = DynamicCache(config=model.config)
    for number, layers in enumerate(zip(*map(_keys_and_values, caches), strict=True)):
        keys = torch.cat([_pad_left(keys, longest) for keys, _ in layers])
        values = torch.cat([_pad_left(values, longest) for _, values in layers])
        joined.update(keys, values, number)
    return joined


def _keys_and_values(cache: Cache) -> list[tuple[Tensor, Tensor]]:
    """Per layer, shapes [rows, heads, tokens, dimension]; for joinable caches only."""
    layers: list[Any] = cache.layers  # declared as a union of all kinds of layer
    return [(layer.keys, layer.values) for layer in layers]


def _pad_left(tensor: Tensor, length: int) -> Tensor:
    import torch

    return torch.nn.functional.pad(tensor, (0, 0, length - tensor.shape[2], 0))


def _left_mask(lengths: list[int], longest: int) -> torch.Tensor:
    import torch

    return (torch.arange(longest) >= longest - torch.tensor(lengths).unsqueeze(1)).long()


def _joinable(cache: Cache) -> bool:
    """Whether all layers keep all tokens: sliding windows and recurrent states cannot be padded or cut."""
    from transformers.cache_utils import DynamicLayer

    return all(type(layer) is DynamicLayer for layer in cache.layers)


def _shared(first: Sequence[int], second: Sequence[int]) -> int:
    """Tokens at the beginning that both rows have, leaving at least one of the second to be read."""
    limit = min(len(first), len(second) - 1)
    for index in range(limit):
        if first[index] != second[index]:
            return index
    return limit
