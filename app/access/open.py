"""What the settings ask for: keys, audit log, limits, and who may log in."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from app.access.audit import FILE as AUDIT
from app.access.audit import Audit
from app.access.keys import FILE as KEYS
from app.access.keys import Keys
from app.access.limits import Limits
from app.access.login import principal_of
from app.access.people import FILE as PEOPLE
from app.access.people import read_people
from app.access.principal import LOCAL, Principal
from indexes.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from app.settings import Settings


def keys_of(settings: Settings) -> Keys:
    """The keys in the home folder; a server asks for one where ``access.required``."""
    return Keys(settings.home / KEYS)


def audit_of(settings: Settings) -> Audit | None:
    """The audit log in the home folder; ``None`` where none is to be written."""
    if not settings.access.audit:
        return None
    return Audit(settings.home / AUDIT, questions=settings.access.audit_questions)


def limits_of(settings: Settings) -> Limits | None:
    """How often one principal may ask; ``None`` for as often as it likes."""
    access = settings.access
    return Limits(access.per_minute, access.burst) if access.per_minute else None


def visitor(settings: Settings, user: Mapping[str, Any]) -> Principal | None:
    """Who looks at the chat: ``LOCAL`` where no login is asked for, else whom ``user`` says; ``None`` may not come in.

    Parameters
    ----------
    user
        ``st.user.to_dict()``.
    """
    if not settings.access.login:
        return LOCAL
    if user.get("is_logged_in") is not True:  # before any file is read, so that a damaged one lets nobody in
        return None
    return principal_of(user, read_people(settings.home / PEOPLE), keys_of(settings).named)


def check_still(settings: Settings, principal: Principal, user: Mapping[str, Any]) -> None:
    """Raise an ``InputError`` where ``visitor`` gives another principal by now: a key was revoked, ``people.toml`` changed.

    A click in the chat acts on the page as it was last drawn.
    """
    if settings.access.login and visitor(settings, user) != principal:
        raise InputError(
            "What you may see and do here has changed.",
            "Nothing was done; look at the page as it is now, and choose again.",
        )
