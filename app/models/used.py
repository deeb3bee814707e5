"""Which models the settings use, and whether each is there. No server is asked: ``symposia doctor`` does that."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from app.models.manifest import Role
from app.models.resolve import resolve
from indexes.errors import SymposiaError

if TYPE_CHECKING:
    from app.settings.schema import Models

SERVED = "at a server"


@dataclass(frozen=True, slots=True)
class Used:
    """One model that the settings name.

    Parameters
    ----------
    place
        Its folder or file, or the server's address; empty where it is not there.
    state
        ``ready``, ``missing``, or ``at a server``.
    fix
        What to do where it is missing.
    """

    role: str
    name: str
    place: str
    state: str
    fix: str = ""

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON types."""
        return asdict(self)


def used(models: Models) -> list[Used]:
    """The encoder, the language model and, where they are set, the reranker and the entailment models."""
    if models.server:
        writer = Used("generator", models.server_model or "(its only one)", models.server, SERVED)
    else:
        writer = _held(models.generator, "generator", models)
    optional: list[tuple[str, Role]] = [
        (models.reranker, "reranker"),
        (models.entailment, "entailment"),
        (models.judge, "entailment"),
    ]
    others = [_held(name, role, models) for name, role in dict.fromkeys(optional) if name]
    return [_held(models.encoder, "encoder", models), writer, *others]


def _held(name: str, role: Role, models: Models) -> Used:
    try:
        return Used(role, name, str(resolve(name, role, models.folder)), "ready")
    except SymposiaError as error:
        return Used(role, name, "", "missing", error.fix)
