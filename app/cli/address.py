"""Addresses that something of ours listens on."""

from __future__ import annotations

import socket

from indexes.errors import InputError


def check_free(host: str, port: int, command: str = "serve") -> None:
    """Raise an ``InputError`` where the address is none of this machine's, or another program listens there."""
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        with socket.socket(family, kind, protocol) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
    except OSError as error:
        raise InputError(
            f"Port {port} on {host} cannot be used: {error.strerror}.",
            f"Choose another: `symposia {command} --port {port % 65535 + 1}`, or an address of this machine.",
        ) from error


def in_url(host: str) -> str:
    """The host as it stands in a URL."""
    return f"[{host}]" if ":" in host else host
