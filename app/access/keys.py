"""API keys: a secret that is shown once, a hash of it in a file, and the principal that it stands for."""

from __future__ import annotations

import hmac
import json
import secrets
import threading
from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from app.access.principal import LOCAL, Action, Principal
from indexes import atomic
from indexes.errors import InputError, SettingsError

FILE = "keys.json"
FORMAT = 1
PREFIX = "sym_"
PATIENCE = 10.0  # seconds to wait for another process that changes the keys, which takes it milliseconds
BYTES = 32
"""Of randomness in a secret: with 256 bits a plain hash cannot be reversed by trying, so none that is made slow is needed."""


@dataclass(frozen=True, slots=True)
class Key:
    """What is known of a key; not the secret.

    Parameters
    ----------
    name
        Of the principal: owner of its conversations, stands in the audit log.
    digest
        SHA-256 of the secret, in hexadecimal.
    experts
        That it sees; ``None`` for all.
    created, expires
        UTC times, ISO 8601; ``expires`` is empty for a key that stays valid.
    """

    name: str
    digest: str
    experts: tuple[str, ...] | None
    actions: tuple[Action, ...]
    created: str
    expires: str = ""

    @property
    def principal(self) -> Principal:
        """Whom it stands for."""
        experts = None if self.experts is None else frozenset(self.experts)
        return Principal(self.name, experts, frozenset(self.actions))

    def valid(self, at: datetime) -> bool:
        """Whether it has not expired."""
        return not self.expires or at < datetime.fromisoformat(self.expires)

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON types, without the digest."""
        return {
            "name": self.name,
            "experts": None if self.experts is None else list(self.experts),
            "actions": [action.value for action in self.actions],
            "created": self.created,
            "expires": self.expires,
        }


class Keys:
    """The keys in a file. Safe to use from several threads and processes; what another process changes there counts at once.

    Parameters
    ----------
    file
        Made with the first key, readable by its owner alone.
    """

    def __init__(self, file: Path) -> None:
        self.file = file
        self._lock = threading.Lock()
        self._read: tuple[tuple[int, ...], tuple[Key, ...]] | None = None

    def create(
        self,
        name: str,
        experts: Collection[str] | None = None,
        actions: Iterable[Action] = (Action.ASK,),
        expires: datetime | None = None,
    ) -> str:
        """Make a key, and return its secret, which cannot be had again.

        Raises
        ------
        InputError
            The name is taken or cannot be one, there is no action, or the key would have expired already.
        SettingsError
            The file cannot be read, or another process keeps it from being changed.
        """
        _check(name, experts, expires)
        chosen = tuple(sorted(set(actions)))
        if not chosen:
            raise InputError(f"The key {name!r} may do nothing.", f"Name actions: {', '.join(Action)}.")
        secret = PREFIX + secrets.token_urlsafe(BYTES)
        seen = None if experts is None else tuple(sorted(set(experts)))
        until = "" if expires is None else expires.astimezone(UTC).isoformat(timespec="seconds")
        key = Key(name, _digest(secret), seen, chosen, datetime.now(UTC).isoformat(timespec="seconds"), until)
        with self._changing() as keys:
            if any(other.name == name for other in keys):
                raise InputError(
                    f"There is a key named {name!r} already.", f"`symposia keys revoke {name}` first, or choose a name."
                )
            self._write((*keys, key))
        return secret

    def principal(self, secret: str) -> Principal | None:
        """Whom a secret stands for; ``None`` where it is unknown, revoked or expired.

        All digests are compared, each in constant time, so that how long it takes tells nothing of the secret.
        """
        digest, now = _digest(secret), datetime.now(UTC)
        found = [key for key in self.list() if hmac.compare_digest(key.digest, digest)]
        return next((key.principal for key in found if key.valid(now)), None)

    def named(self, name: str) -> Principal | None:
        """Whom the key of that name stands for; ``None`` where there is none, or it has expired."""
        now = datetime.now(UTC)
        return next((key.principal for key in self.list() if key.name == name and key.valid(now)), None)

    def list(self) -> tuple[Key, ...]:
        """All keys by name, the expired ones included."""
        with self._lock:
            return self._load()

    def revoke(self, name: str) -> None:
        """Make a key worthless, at once. Conversations of that name stay, for whoever gets it next.

        Raises
        ------
        InputError
            There is no such key.
        SettingsError
            The file cannot be read, or another process keeps it from being changed.
        """
        with self._changing() as keys:
            if all(key.name != name for key in keys):
                names = ", ".join(key.name for key in keys) or "none yet"
                raise InputError(f"There is no key named {name!r}.", f"The keys are: {names}.")
            self._write(tuple(key for key in keys if key.name != name))

    @contextmanager
    def _changing(self) -> Iterator[tuple[Key, ...]]:
        """The keys as they are in the file, which no other thread or process changes meanwhile."""
        lock = FileLock(self.file.with_name(f"{self.file.name}.lock"), timeout=PATIENCE, is_singleton=False)
        try:
            self.file.parent.mkdir(parents=True, exist_ok=True)
            lock.acquire()
        except Timeout as error:
            raise SettingsError(
                f"The keys in {self.file} have been held by another process for {PATIENCE:g} seconds.",
                "Run the same command again once it has ended.",
            ) from error
        except OSError as error:
            raise SettingsError(
                f"The keys in {self.file} cannot be changed: {error.strerror or error}.",
                "Make its folder writable for this user, or name another home with --home FOLDER.",
            ) from error
        try:
            with self._lock:
                self._read = None  # two changes within one tick of the clock may look like none
                yield self._load()
        finally:
            lock.release()

    def _load(self) -> tuple[Key, ...]:
        try:
            status = self.file.stat()
            stamp = (status.st_mtime_ns, status.st_size, status.st_ino)
            if self._read is None or self._read[0] != stamp:
                self._read = stamp, _parsed(self.file.read_text(encoding="utf-8"))
        except FileNotFoundError:
            return ()
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            raise SettingsError(
                f"The keys in {self.file} cannot be read: {error}", "Restore the file from a copy, or make keys anew."
            ) from error
        return self._read[1]

    def _write(self, keys: tuple[Key, ...]) -> None:
        listed = [{**key.to_dict(), "digest": key.digest} for key in sorted(keys, key=lambda key: key.name)]
        content = json.dumps({"format": FORMAT, "keys": listed}, indent=2).encode()
        atomic.write(self.file, content, mode=0o600)
        self._read = None


def _parsed(text: str) -> tuple[Key, ...]:
    values: dict[str, Any] = json.loads(text)
    if values["format"] != FORMAT:
        raise ValueError(f"its format is not {FORMAT}")
    return tuple(_key(each) for each in values["keys"])


def _key(values: dict[str, Any]) -> Key:
    experts = values["experts"]
    expires = str(values["expires"])
    if expires and datetime.fromisoformat(expires).tzinfo is None:
        raise ValueError(f"{expires} has no time zone")
    return Key(
        name=str(values["name"]),
        digest=str(values["digest"]),
        experts=None if experts is None else tuple(map(str, experts)),
        actions=tuple(map(Action, values["actions"])),
        created=str(values["created"]),
        expires=expires,
    )


def _check(name: str, experts: Collection[str] | None, expires: datetime | None) -> None:
    from indexes.slice import check_name

    for each in (name, *(experts or ())):
        check_name(each)
    if name == LOCAL.name:
        raise InputError(
            f"{name!r} is whoever sits at this machine, whose conversations are no key's.", "Choose another name."
        )
    if expires is not None and expires <= datetime.now(UTC):
        raise InputError(f"The key {name!r} would have expired at {expires:%Y-%m-%d %H:%M}.", "Name a time to come.")


def _digest(secret: str) -> str:
    return sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()
