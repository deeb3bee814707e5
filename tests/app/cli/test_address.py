from __future__ import annotations

import socket

import pytest

from app.cli.address import check_free
from indexes.errors import InputError


@pytest.mark.parametrize("host", ["127.0.0.1", "::1", "localhost"])
def test_a_port_that_is_taken_is_named_with_the_command_for_another(host: str) -> None:
    try:
        taken = socket.create_server((host, 0), family=socket.getaddrinfo(host, 0)[0][0])
    except OSError:
        pytest.skip(f"this machine has no {host}")
    with taken:
        port = taken.getsockname()[1]
        with pytest.raises(InputError, match=f"symposia chat --port {port % 65535 + 1}"):
            check_free(host, port, "chat")
    check_free(host, port, "chat")
