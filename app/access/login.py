"""From what Streamlit's login (OpenID Connect) says of a person to a principal."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from app.access.people import Entry, email
from app.access.principal import Principal


def principal_of(
    user: Mapping[str, Any], people: Sequence[Entry], key: Callable[[str], Principal | None] = lambda _name: None
) -> Principal | None:
    """Whom the person is to this system; ``None`` for somebody who is not logged in, or whom no entry fits.

    Parameters
    ----------
    user
        ``st.user.to_dict()``: the claims of the identity token, and ``is_logged_in``.
    people
        See ``app.access.people``.
    key
        Whom the key of a name stands for; see ``Keys.named``.
    """
    name = _name(user)
    if user.get("is_logged_in") is not True or not name:
        return None
    entry = next((entry for entry in people if entry.fits(user)), None)
    if entry is None:
        return None
    found = key(entry.key) if entry.key else entry.principal
    return None if found is None else Principal(name, found.experts, found.actions)


def _name(user: Mapping[str, Any]) -> str:
    """The verified address, else subject and issuer, which together are one person for ever (OpenID Connect Core, 5.7).

    Neither can be the name of a key, nor of whoever sits at this machine: an ``@`` stands in both.
    """
    subject, issuer = user.get("sub"), user.get("iss")
    return email(user) or (f"{subject}@{issuer}" if subject and issuer else "")
