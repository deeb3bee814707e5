"""A shard of Qdrant's embedded engine on disk: opening it, what it is configured as, and what its errors mean."""

from __future__ import annotations

import errno
import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import qdrant_edge as edge

from indexes.errors import SliceError, StoreError
from indexes.room import OPENING, check_room, full
from indexes.store.base import DENSE, DOCUMENT, SPARSE
from indexes.store.index import FULL_SCAN, QUANTILE, IndexSettings

CONFIG = "edge_config.json"
PARTS = ("segments", "wal", CONFIG)
BUILT = "optimized"
BUILDING = "optimizing-"


def open_shard(folder: Path, dimension: int, settings: IndexSettings) -> edge.EdgeShard:
    """Open the shard as it was configured when it was last optimized, or create one."""
    with explained(folder):
        check_room(folder, OPENING)
        adopt(folder)
        if (folder / CONFIG).exists():
            return edge.EdgeShard.load(str(folder))
        shard = edge.EdgeShard.create(str(folder), configuration(dimension, settings))
        index_documents(shard)
        return shard


def index_documents(shard: edge.EdgeShard) -> None:
    """See to it that the passages of a document are found without looking at all of them."""
    if DOCUMENT not in shard.info().payload_schema:
        # No graph of its own: documents are looked up and removed, and never searched one by one.
        keyword = edge.KeywordIndexParams(enable_hnsw=False)
        shard.update(edge.UpdateOperation.create_field_index(DOCUMENT, keyword))


def configuration(dimension: int, settings: IndexSettings) -> edge.EdgeConfig:
    """What a shard is to be. Once it is optimized, segments of half as many points as pay have a graph, so that none is left out."""
    int8 = edge.ScalarQuantizationConfig(type=edge.ScalarType.Int8, quantile=QUANTILE, memory=edge.Memory.Pinned)
    return edge.EdgeConfig(
        vectors={DENSE: edge.EdgeVectorParams(size=dimension, distance=edge.Distance.Cosine)},
        sparse_vectors={SPARSE: edge.EdgeSparseVectorParams(modifier=edge.Modifier.Idf)},
        hnsw_config=edge.HnswIndexConfig(
            m=settings.m, ef_construct=settings.ef_construct, full_scan_threshold=FULL_SCAN
        ),
        quantization_config=int8 if settings.quantization == "int8" else None,
        optimizers=edge.EdgeOptimizersConfig(indexing_threshold=settings.pays // 2 * dimension * 4 // 1024),
        payload_memory=edge.Memory.Cached if settings.payload == "cached" else edge.Memory.Cold,
    )


def differs(folder: Path, settings: IndexSettings) -> bool:
    """Whether the graph of the shard was made with other settings."""
    config: dict[str, Any] = json.loads((folder / CONFIG).read_text(encoding="utf-8"))
    graph = config.get("hnsw_config") or {}
    now = (graph.get("m"), graph.get("ef_construct"), bool(config.get("quantization_config")))
    return now != (settings.m, settings.ef_construct, settings.quantization == "int8")


def unquantized(folder: Path) -> None:
    """Take quantization out of a shard's configuration; loading with a configuration without any would keep it."""
    path = folder / CONFIG
    config = json.loads(path.read_text(encoding="utf-8"))
    if config.pop("quantization_config", None) is not None:
        path.write_text(json.dumps(config), encoding="utf-8")


def adopt(folder: Path) -> None:
    """Put what ``BUILT`` holds in the place of the shard, and remove what was not finished. May be interrupted and repeated."""
    built = folder / BUILT
    for name in PARTS if built.exists() else ():
        if (built / name).exists():
            _remove(folder / name)
            (built / name).replace(folder / name)
    for leftover in (built, *folder.glob(f"{BUILDING}*")):
        shutil.rmtree(leftover, ignore_errors=True)


@contextmanager
def explained(folder: Path) -> Iterator[None]:
    """Turn the engine's errors into those meant for people."""
    try:
        yield
    except (StoreError, SliceError):
        raise
    except Exception as error:  # the engine raises nothing narrower
        raise _explain(error, folder) from error


def _explain(error: Exception, folder: Path) -> StoreError | SliceError:
    text = str(error)
    if "No space left" in text or os.strerror(errno.ENOSPC) in text:
        return full(folder)
    if any(os.strerror(code) in text for code in (errno.EROFS, errno.EACCES)):
        return StoreError(
            f"The slice at {folder} cannot be written: {text}",
            "Make the folder writable for this user, or set `home` to a folder that is; nothing that was stored is lost.",
        )
    return SliceError(
        f"The slice at {folder} could not be read or written: {text}",
        "If a copy exists, restore it; otherwise remove the folder and add the documents again.",
    )


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
