"""How a server's collections are spread over a cluster, and how the client talks to it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Sharding = Literal["slice", "expert"]
Consistency = Literal["", "majority", "quorum", "all"]


@dataclass(frozen=True, slots=True)
class ClusterSettings:
    """What collections are created with, and how many replicas must agree. 0 and empty leave it to the server.

    A server computes inverse document frequencies in each shard from what that shard holds. A slice's shards hold nothing of
    any other slice, be they of a collection or of a shard key, so words are as rare as they are in the slice, or
    with more than one shard in its part of the slice.

    Parameters
    ----------
    shards
        Parts of a slice; each lies on one node.
    replicas
        Copies of each part.
    write_consistency
        Copies that must have a write before it counts as done.
    read_consistency
        Copies that must agree on what is read: more than half, more than half of those that answer first, or all.
    sharding
        ``slice`` makes one collection a slice; ``expert`` one collection for all slices of a dimension, with a shard key for each.
    """

    shards: int = 0
    replicas: int = 0
    write_consistency: int = 0
    read_consistency: Consistency = ""
    sharding: Sharding = "slice"
