"""Why a source could not deliver: collected by ``fetch``, which tries the next source and reports all of them."""

from __future__ import annotations


class SourceError(Exception):
    """One source failed; the message is a clause without a full stop. Never reaches a person by itself."""
