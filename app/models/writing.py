"""The language model that the settings name: one that is held here, or one of a server."""

from __future__ import annotations

from typing import TYPE_CHECKING

from app.models.resolve import resolve

if TYPE_CHECKING:
    from app.settings.schema import Models
    from generators.models.language_model import LocalModel
    from generators.remote.model import RemoteModel


def language_model(models: Models) -> LocalModel | RemoteModel:
    """What writes answers. Nothing is loaded, and no server is asked.

    Raises
    ------
    MissingModelError
        The model that is to be held here is not there; the fix is the command that fetches it.
    SettingsError
        The server's address cannot be one.
    """
    return remote_model(models) if models.server else local_model(models)


def local_model(models: Models) -> LocalModel:
    """The model that is held here, whatever server is set."""
    from generators.models.language_model import LocalModel

    folder = resolve(models.generator, "generator", models.folder)
    return LocalModel(folder, dtype=models.dtype, threads=models.threads or None)


def remote_model(models: Models) -> RemoteModel:
    """The model of the server that is set."""
    from generators.remote.model import RemoteModel

    key = models.server_key.get_secret_value()
    return RemoteModel(models.server, models.server_model, key, models.server_timeout, models.server_window)
