"""Which number format a language model computes in: whichever this processor multiplies fastest."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import lru_cache
from typing import TYPE_CHECKING, Literal, get_args

from indexes.errors import InputError

if TYPE_CHECKING:
    from torch import Tensor

Format = Literal["bfloat16", "float32", "int8"]
Precision = Literal["auto", "bfloat16", "float32", "int8"]
PROBE_ROWS, PROBE_SIZE, PROBE_ROUNDS = 32, 1024, 4
WORTHWHILE = 1.5  # int8 rounds the model; it must be this many times faster than float32 to be chosen unasked


def check_precision(name: str) -> None:
    """Refuse a name that is not a ``Precision``.

    Raises
    ------
    InputError
        The name is not ``auto``, ``bfloat16``, ``float32`` or ``int8``.
    """
    if name not in get_args(Precision):
        raise InputError(f"There is no precision '{name}'.", f"Use one of: {', '.join(get_args(Precision))}.")


def number_format(name: str) -> Format:
    """The format that a ``Precision`` stands for; ``auto`` probes the processor once."""
    check_precision(name)
    if name == "bfloat16":
        return "bfloat16"
    if name == "int8":
        return "int8"
    return fastest() if name == "auto" else "float32"


@lru_cache(maxsize=1)
def fastest() -> Format:
    """The format whose matrix products, as reading a prompt needs them, are the fastest here.

    bfloat16 where it is at least as fast as float32 (AMX, AVX512-BF16; elsewhere it is up to ten times slower); else
    int8 where it is ``WORTHWHILE`` (VNNI); else float32. Processor time of a few products on one thread, some 15 ms in
    all, tells them apart however busy the machine is.
    """
    import torch

    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        reference = _least_seconds("float32")
        if _least_seconds("bfloat16") <= reference:
            return "bfloat16"
        return "int8" if _least_seconds("int8") * WORTHWHILE <= reference else "float32"
    finally:
        torch.set_num_threads(threads)


def _least_seconds(kind: Format) -> float:
    """Least processor time of a product of ``PROBE_ROWS`` rows with a square matrix."""
    import torch

    with torch.inference_mode():
        product = _product(kind)
        least = float("inf")
        for _ in range(PROBE_ROUNDS):
            start = time.thread_time()
            product()
            least = min(least, time.thread_time() - start)
    return least


def _product(kind: Format) -> Callable[[], Tensor]:
    import torch

    if kind == "int8":
        from generators.models.int8 import Int8Product

        rows = torch.ones(PROBE_ROWS, PROBE_SIZE)
        product = Int8Product.of(torch.nn.Linear(PROBE_SIZE, PROBE_SIZE, bias=False))
        return lambda: product(rows)
    dtype = torch.bfloat16 if kind == "bfloat16" else torch.float32
    plain, weights = torch.ones(PROBE_ROWS, PROBE_SIZE, dtype=dtype), torch.ones(PROBE_SIZE, PROBE_SIZE, dtype=dtype)
    return lambda: torch.nn.functional.linear(plain, weights)
