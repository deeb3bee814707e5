"""What went wrong at a language model's server, in words for people."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from generators.remote.exchange import Lost
from generators.remote.grammar import shortened
from indexes.errors import InputError, MissingModelError, ServerError, SettingsError, SymposiaError

MOST_NAMES = 12
TOO_LONG = ("context length", "context_length", "context size", "context window", "maximum context", "too many tokens")


class Refused(Exception):  # noqa: N818 (a finding, turned into an error for people by ``refusal``)
    """The server answered with another status than 200."""

    def __init__(self, status: int, message: str, headers: dict[str, str]) -> None:
        super().__init__(status, message)
        self.status = status
        self.message = message
        self.headers = headers


@dataclass(frozen=True, slots=True)
class Server:
    """What errors say about a server.

    Parameters
    ----------
    url
        Its base URL.
    model
        The model that is asked for.
    offered
        Names of its models; None where it cannot list them.
    """

    url: str
    model: str
    offered: Sequence[str] | None = None


def lost(server: Server, error: Lost) -> ServerError:
    """No answer came."""
    if error.kind == "unreachable":
        return ServerError(
            f"The language model's server at {server.url} cannot be reached: {error.reason}.",
            "Check that it runs and that models.server is its address and port; "
            "an empty models.server uses the language model held here.",
        )
    if error.kind == "silent":
        return ServerError(
            f"The language model's server at {server.url} did not answer: {error.reason}.",
            "Raise models.server_timeout, or see in the server's log what it is doing.",
        )
    return ServerError(
        f"The language model's server at {server.url} broke off: {error.reason}.",
        "See the server's log, and ask again.",
    )


def garbled(server: Server, reason: str) -> ServerError:
    """What came cannot be read."""
    return ServerError(
        f"The answer of the language model's server at {server.url} cannot be read: {reason}.",
        "Check that models.server is the base URL of an OpenAI-compatible server, such as http://localhost:11434/v1.",
    )


def refusal(server: Server, refused: Refused) -> SymposiaError:
    """The server said no."""
    said, status = shortened(refused.message), refused.status
    because = f": {said.rstrip('.')}" if said else ""
    if status in {401, 403}:
        return SettingsError(
            f"The language model's server at {server.url} refuses the key (HTTP {status}){because}.",
            "Set models.server_key, or the environment variable SYMPOSIA_MODELS_SERVER_KEY, to a key of that server.",
        )
    if lacks_model(server, refused):
        return unknown_model(server)
    if 300 <= status < 400:
        return SettingsError(
            f"The language model's server at {server.url} sends elsewhere (HTTP {status}).",
            f"Set models.server to the address that it names: {refused.headers.get('location', 'none')}",
        )
    if status in {404, 405}:
        return SettingsError(
            f"At {server.url} there is no OpenAI-compatible server (HTTP {status}){because}.",
            "Set models.server to its base URL, which for most servers ends in /v1.",
        )
    if any(words in said.lower() for words in TOO_LONG):
        return InputError(
            f"The prompt is too long for {server.model!r} at {server.url}{because}.",
            "Set models.server_window to the tokens that the server reads, or raise that limit at the server.",
        )
    advice = "Wait, and ask again." if status == 429 else "See the server's log for the reason."
    return ServerError(f"The language model's server at {server.url} refused (HTTP {status}){because}.", advice)


def lacks_model(server: Server, refused: Refused) -> bool:
    """Whether the server refused because it has no model of that name."""
    said = refused.message.lower()
    named = "model" in said and any(words in said for words in ("not found", "not exist", "not_found", "unknown"))
    absent = server.offered is not None and not has_model(server.offered, server.model)
    return refused.status in {400, 404} and (named or (absent and refused.status == 404))


def has_model(offered: Sequence[str], model: str) -> bool:
    """Whether the model is among those offered; Ollama lists ``llama3.2`` as ``llama3.2:latest``."""
    return model in offered or f"{model}:latest" in offered


def unknown_model(server: Server) -> MissingModelError:
    """The server does not have the model."""
    listed = ", ".join(list(server.offered or ())[:MOST_NAMES])
    if server.offered and len(server.offered) > MOST_NAMES:
        listed += f" and {len(server.offered) - MOST_NAMES} more"
    choice = f"Set models.server_model to one of: {listed}" if listed else "Load a model there"
    return MissingModelError(
        f"The server at {server.url} has no model {server.model!r}.",
        f"{choice}; or get it at the server (Ollama: ollama pull {server.model}).",
    )


def no_model_named(server: Server) -> SettingsError:
    """No model was named, and the server does not offer exactly one."""
    if not server.offered:
        how = "none" if server.offered is not None else "no list"
        return SettingsError(
            f"models.server_model is empty, and the server at {server.url} offers {how} to choose from.",
            "Set models.server_model to the name under which the server has the model.",
        )
    names = ", ".join(server.offered[:MOST_NAMES])
    return SettingsError(
        f"models.server_model is empty, and the server at {server.url} has {len(server.offered)} models.",
        f"Set models.server_model to one of: {names}",
    )
