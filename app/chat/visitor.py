"""Who looks at the page: whoever sits at this machine, or, where the settings ask for a login, the person who logged in.

The login is Streamlit's own (OpenID Connect); its ``secrets.toml`` names the identity provider. What a person sees is said by
``people.toml``; see ``app.access.people``.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import streamlit as st

from app.access.open import visitor as known
from app.chat.markup import element, failure, text
from app.chat.turn import Failed

if TYPE_CHECKING:
    from app.access.principal import Principal
    from app.settings import Settings

NO_PROVIDER = Failed(
    "The settings ask for a login, but no identity provider is set up.",
    "Describe it in `.streamlit/secrets.toml` under `[auth]`, as the documentation of Streamlit's st.login shows, or set"
    " `access.login` to false.",
)


def visitor(settings: Settings) -> Principal:
    """The principal of this session. Where nobody is logged in, the login is drawn in place of the page, which ends there."""
    user = claims(settings)
    found = known(settings, user)
    if found is None:
        _door(user)
        st.stop()
    return found


def claims(settings: Settings) -> dict[str, Any]:
    """What the login says of this session's person; nothing where none is asked for."""
    return st.user.to_dict() if settings.access.login else {}


def leave(settings: Settings) -> None:
    """Draw who is logged in, and the way out; nothing where no login is asked for."""
    if not settings.access.login:
        return
    name = st.user.to_dict().get("name") or st.user.to_dict().get("email") or "you"
    st.html(element("p", "about", f"Logged in as {text(str(name))}"))
    st.button("Log out", key="log-out", icon=":material/logout:", width="stretch", on_click=st.logout)


def _door(user: Mapping[str, object]) -> None:
    st.html(element("h1", "welcome", "Symposia"))
    if "is_logged_in" not in user:
        st.html(failure(NO_PROVIDER))
    elif user["is_logged_in"]:
        who = str(user.get("email") or user.get("name") or "This person")
        st.html(
            failure(Failed(f"{who} may not use this chat.", "Ask whoever runs it to be let in, or log in as another."))
        )
        st.button("Log out", key="log-out", icon=":material/logout:", on_click=st.logout)
    else:
        st.html(element("p", "lead", "Log in to ask the panel; your conversations are kept for you alone."))
        st.button("Log in", key="log-in", type="primary", icon=":material/login:", on_click=st.login)
