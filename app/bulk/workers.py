"""Shards through a Ray Data pipeline: actors that load the encoder once each, and are started again when they die.

Ray is an extra: ``pip install 'symposia[bulk]'``. It is told not to report its use, and without an address of a cluster it
listens on this machine's own address only.
"""

from __future__ import annotations

import logging
import os
import secrets
import socket
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from app.bulk.shards import Shards
from indexes.encoders.base import Encoder
from indexes.errors import InputError, SymposiaError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

MakeEncoder = Callable[[], Encoder]
Columns = dict[str, "NDArray[np.generic] | list[Any]"]

OBJECTS = 100 * 2**20  # bytes of shared memory: names of shards pass through it, and no vectors
BLOCKS = 64  # pieces that each worker's share is cut into


@dataclass(frozen=True, slots=True)
class ShardDone:
    """One shard is on the disk.

    Parameters
    ----------
    texts
        How many were encoded; 0 where an earlier attempt had done it.
    worker
        Machine and process.
    """

    key: str
    texts: int
    host: str
    pid: int


class Encode:
    """What an actor does: load the encoder at its start, then encode one shard after the other.

    An actor that dies is started again, and what it was working on is done again: a shard that is on the disk already costs
    nothing then.
    """

    def __init__(self, shards: Shards, make_encoder: MakeEncoder) -> None:
        self._shards = shards
        self._encoder = make_encoder()

    def __call__(self, batch: Columns) -> Columns:
        """Encode the shards named in ``key``."""
        keys = [str(key) for key in batch["key"]]
        texts = [self._shards.encode(key, self._encoder) for key in keys]
        return {
            "key": keys,
            "texts": texts,
            "host": [socket.gethostname()] * len(keys),
            "pid": [os.getpid()] * len(keys),
        }


def encode(
    shards: Shards, keys: Sequence[str], make_encoder: MakeEncoder, *, workers: int, address: str = ""
) -> Iterator[ShardDone]:
    """Encode shards in any order, each reported once it is on the disk.

    Parameters
    ----------
    keys
        Their names; see ``Shards.write_texts``.
    make_encoder
        Makes an encoder in each worker; must be picklable.
    workers
        How many actors, one CPU each.
    address
        Of a Ray cluster, such as ``ray://host:10001`` or ``auto``; empty to start workers on this machine.

    Raises
    ------
    InputError
        Ray is not installed or there is no cluster at the address.
    SymposiaError
        A worker cannot go on.
    """
    if not keys:
        return
    with _cluster(workers, address) as ray:
        rows = ray.data.from_items([{"key": key} for key in keys], override_num_blocks=min(len(keys), BLOCKS * workers))
        done = rows.map_batches(
            Encode,
            fn_constructor_args=(shards, make_encoder),
            batch_size=1,
            num_cpus=1,
            compute=ray.data.ActorPoolStrategy(size=workers, max_tasks_in_flight_per_actor=2),
        )
        try:
            for row in done.iter_rows():
                yield ShardDone(str(row["key"]), int(row["texts"]), str(row["host"]), int(row["pid"]))
        except ray.exceptions.RayError as error:
            raise _explain(error) from error


@contextmanager
def _cluster(workers: int, address: str) -> Iterator[Any]:
    ray = _ray(loopback=not address)
    here = {"num_cpus": workers, "object_store_memory": OBJECTS, "include_dashboard": False}
    quiet = {"log_to_driver": False, "logging_level": logging.ERROR}
    try:
        ray.init(address=address, **quiet) if address else ray.init(address="local", **here, **quiet)
    except (ConnectionError, ValueError, RuntimeError, ImportError) as error:
        raise InputError(
            f"Ray could not be started or reached at {address or 'this machine'}: {error}",
            "Start a cluster with `ray start --head` and give its address, or leave --address out.",
        ) from error
    try:
        _quieten(ray)
        yield ray
    finally:
        ray.shutdown()


def _ray(*, loopback: bool) -> Any:  # noqa: ANN401 (a module)
    """Import Ray, which reads its environment then."""
    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
    os.environ.setdefault("RAY_ENABLE_UV_RUN_RUNTIME_ENV", "0")  # workers use the environment that is here
    os.environ.setdefault("RAY_BACKEND_LOG_LEVEL", "fatal")
    if loopback:
        # Whatever it is called: without clusters, Ray listens on the loopback on every system.
        os.environ["RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER"] = "0"
        # Other users of the machine reach that too: a token of this run's own, which otherwise Ray writes into the home folder.
        os.environ.update(RAY_AUTH_MODE="token", RAY_AUTH_TOKEN=secrets.token_hex(32))
    try:
        import ray
        import ray.data
    except ImportError as error:
        raise InputError("Ray is not installed.", "Install it with: pip install 'symposia[bulk]'") from error
    return ray


def _quieten(ray: Any) -> None:  # noqa: ANN401 (a module)
    context = ray.data.DataContext.get_current()
    context.enable_progress_bars = False
    context.print_on_execution_start = False
    logging.getLogger("ray.data").setLevel(logging.ERROR)


def _explain(error: BaseException) -> SymposiaError:
    """What a worker raised for people, or else what Ray says."""
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, SymposiaError):
            return cause
        cause = getattr(cause, "cause", None) or cause.__cause__
    last = str(error).strip().splitlines()[-1:]
    return SymposiaError(
        f"The workers could not go on: {' '.join(last) or type(error).__name__}",
        "Run the same command again: it resumes. Ray's logs lie in its session folder.",
    )
