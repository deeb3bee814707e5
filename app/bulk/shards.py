"""Shards on a disk: the texts that are to be encoded, and the vectors that they became, with a checksum.

A shard is named by a hash of the encoder's fingerprint and of all texts that it was cut from, so a rerun over the same
documents finds what an earlier run has done, and one over other documents, or with another encoder, finds nothing of it.
"""

from __future__ import annotations

import hashlib
import io
import json
import re
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from indexes import atomic
from indexes.encoders.base import Encoder, Fingerprint, Vectors
from indexes.errors import InputError

OURS = re.compile(r"(?P<key>[0-9a-f]{32})\.(?:texts\.json|json|npz)(?:(?:\.[0-9a-f]{16})?\.partial)?")
DIGEST = np.dtype([("high", ">u8"), ("low", ">u8")])  # 16 bytes that stand for a text

Digests = NDArray[np.void]


@dataclass(frozen=True, slots=True)
class Encoded:
    """The vectors of one shard: digests of texts, ascending ``[n]``, and vectors ``[n, dimension]``."""

    digests: Digests
    vectors: Vectors

    def rows(self, digests: Digests) -> NDArray[np.intp]:
        """The row of each digest ``[m]``; -1 for one that is not here."""
        if not len(self.digests):
            return np.full(len(digests), -1, dtype=np.intp)
        places = np.searchsorted(self.digests, digests).clip(max=len(self.digests) - 1)
        return np.where(self.digests[places] == digests, places, -1)


@dataclass(frozen=True, slots=True)
class Shards:
    """A folder of shards of one encoder. Every file is written whole or not at all, by whichever process.

    Parameters
    ----------
    folder
        Where they lie; on a cluster, one that all machines see under the same path.
    fingerprint
        Of the encoder.
    """

    folder: Path
    fingerprint: Fingerprint

    def clear(self, keys: Iterable[str]) -> None:
        """Delete these shards, and the folder where nothing else lies in it."""
        wanted = set(keys)
        for file in self.folder.glob("*"):
            found = OURS.fullmatch(file.name)
            if found and found["key"] in wanted:
                file.unlink(missing_ok=True)
        with suppress(OSError):
            self.folder.rmdir()

    def key(self, texts: Sequence[str]) -> str:
        """The name of the shard that is cut from these texts."""
        digest = hashlib.sha256(json.dumps(self.fingerprint.to_dict(), sort_keys=True).encode())
        for text in texts:
            digest.update(_digest(text))
        return digest.hexdigest()[:32]

    def write_texts(self, key: str, texts: Sequence[str]) -> None:
        """Keep what is to be encoded."""
        self.folder.mkdir(parents=True, exist_ok=True)
        atomic.write(self._texts(key), json.dumps(list(texts), ensure_ascii=False).encode())

    def encode(self, key: str, encoder: Encoder) -> int:
        """Turn the shard's texts into vectors, unless that is done; gives how many were encoded.

        Raises
        ------
        InputError
            The texts are not to be seen from here, or the encoder is another one.
        """
        if encoder.fingerprint != self.fingerprint:
            raise InputError(
                f"A worker's encoder is {encoder.fingerprint}, but the slice is made with {self.fingerprint}.",
                "Install the same version and fetch the same model on every machine.",
            )
        try:
            texts: list[str] = json.loads(self._texts(key).read_text(encoding="utf-8"))
        except FileNotFoundError as error:
            raise InputError(
                f"A worker does not see {self._texts(key)}.",
                "Name a folder that all machines share under the same path, with --work.",
            ) from error
        if self.holds(key, texts):
            return 0
        self._write_vectors(key, texts, encoder.encode_passages(texts))
        return len(texts)

    def holds(self, key: str, texts: Sequence[str]) -> bool:
        """Whether the vectors of all these texts are there, undamaged."""
        found = self.read(key)
        return found is not None and bool((found.rows(digests(texts)) >= 0).all())

    def read(self, key: str) -> Encoded | None:
        """The vectors of a shard; ``None`` where it is not done, or its checksum is wrong."""
        try:
            noted: dict[str, Any] = json.loads(self._note(key).read_text(encoding="utf-8"))
            content = self._vectors(key).read_bytes()
        except (FileNotFoundError, ValueError):
            return None
        if hashlib.sha256(content).hexdigest() != noted.get("sha256"):
            return None
        with np.load(io.BytesIO(content), allow_pickle=False) as arrays:
            return Encoded(arrays["digests"], arrays["vectors"])

    def _write_vectors(self, key: str, texts: Sequence[str], vectors: Vectors) -> None:
        found, rows = np.unique(digests(texts), return_index=True)
        content = io.BytesIO()
        np.savez(content, digests=found, vectors=np.asarray(vectors, dtype=np.float32)[rows])
        atomic.write(self._vectors(key), content.getvalue())
        note = {"sha256": hashlib.sha256(content.getvalue()).hexdigest(), "texts": len(found)}
        atomic.write(self._note(key), json.dumps(note).encode())

    def _texts(self, key: str) -> Path:
        return self.folder / f"{key}.texts.json"

    def _vectors(self, key: str) -> Path:
        return self.folder / f"{key}.npz"

    def _note(self, key: str) -> Path:
        return self.folder / f"{key}.json"


def digests(texts: Sequence[str]) -> Digests:
    """What stands for each text ``[len(texts)]``."""
    return np.frombuffer(b"".join(map(_digest, texts)), dtype=DIGEST)


def _digest(text: str) -> bytes:
    return hashlib.blake2b(text.encode(), digest_size=DIGEST.itemsize).digest()
