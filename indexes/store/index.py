"""How an index is built and searched: what can be set, the same for the embedded store and a server."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Quantization = Literal["none", "int8"]
Memory = Literal["cached", "cold"]

QUANTILE = 0.99  # of a vector's values lie within the 8 bits; the rest are cut off
FULL_SCAN = 10_000  # KiB of vectors that a filter may leave to be looked at one by one


@dataclass(frozen=True, slots=True)
class IndexSettings:
    """Parameters of HNSW (Malkov and Yashunin 2018) and of what is kept how.

    Parameters
    ----------
    m
        Links of a vector in the graph, at least; more take memory and find more.
    ef_construct
        Neighbours that are considered when a vector is linked; more take time, once.
    ef
        Candidates that a search keeps while it walks; more take time, at every question, and find more.
    quantization
        ``int8`` searches vectors of one byte a number, a quarter of the memory that a search touches.
    oversampling
        How many times more are found by quantized vectors than wanted, which the whole vectors then put in order.
    payload
        ``cached`` reads texts into memory ahead; ``cold`` leaves them on disk until they are wanted.
    pays
        Points from which a graph is faster than looking at every vector: the embedded store makes none of fewer.
    """

    m: int = 16
    ef_construct: int = 100
    ef: int = 256
    quantization: Quantization = "none"
    oversampling: float = 2.0
    payload: Memory = "cached"
    pays: int = 20_000
