"""Which number format the weights are held in: whichever this processor multiplies faster."""

from __future__ import annotations

import time
from functools import lru_cache
from typing import TYPE_CHECKING, Literal, get_args

from indexes.errors import InputError

if TYPE_CHECKING:
    import torch

Precision = Literal["auto", "bfloat16", "float32"]
PROBE_ROWS, PROBE_SIZE, PROBE_ROUNDS = 128, 512, 4


def check_precision(name: str) -> None:
    """Refuse a name that is not a ``Precision``.

    Raises
    ------
    InputError
        The name is not ``auto``, ``bfloat16`` or ``float32``.
    """
    if name not in get_args(Precision):
        raise InputError(f"There is no precision '{name}'.", f"Use one of: {', '.join(get_args(Precision))}.")


def torch_dtype(name: str) -> torch.dtype:
    """Torch type of a ``Precision``; ``auto`` probes the processor once."""
    import torch

    check_precision(name)
    if name == "auto":
        return torch.bfloat16 if bfloat16_is_fast() else torch.float32
    return torch.bfloat16 if name == "bfloat16" else torch.float32


@lru_cache(maxsize=1)
def bfloat16_is_fast() -> bool:
    """Whether bfloat16 matrix products, as reading a prompt needs them, run at least as fast as float32 ones.

    Processors with AMX or AVX512-BF16 are several times faster in bfloat16, others up to ten times slower. Processor
    time of a few products on one thread (some 20 ms in all) tells them apart however busy the machine is.
    """
    import torch

    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        return _least_seconds(torch.bfloat16) <= _least_seconds(torch.float32)
    finally:
        torch.set_num_threads(threads)


def _least_seconds(dtype: torch.dtype) -> float:
    """Least processor time of a product of ``PROBE_ROWS`` rows with a square matrix."""
    import torch

    with torch.inference_mode():
        rows, weights = torch.ones(PROBE_ROWS, PROBE_SIZE, dtype=dtype), torch.ones(PROBE_SIZE, PROBE_SIZE, dtype=dtype)
        least = float("inf")
        for _ in range(PROBE_ROUNDS):
            start = time.thread_time()
            torch.nn.functional.linear(rows, weights)
            least = min(least, time.thread_time() - start)
    return least
