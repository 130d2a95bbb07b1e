"""uvicorn in the engine's own event loop; signals are the caller's."""

import asyncio
import contextlib
import errno
import socket
from collections.abc import Callable

import uvicorn
from starlette.types import ASGIApp

from workstation.errors import ConfigError
from workstation.server.auth import check_bind
from workstation.server.connections import PATIENCE_S, bounded, most_connections, raise_file_limit

GOODBYE_S = 3
PING_S = 20.0
UNACKNOWLEDGED_MS = 45_000
"""A peer that takes nothing for so long is dead, whatever its connection says."""
LARGEST_FRAME = 64 * 1024


class _Server(uvicorn.Server):
    def capture_signals(self) -> contextlib.AbstractContextManager[None]:  # type: ignore[override]
        return contextlib.nullcontext()


async def serve(
    app: ASGIApp,
    host: str,
    port: int,
    *,
    on_ready: Callable[[int], None] = lambda port: None,
    ping_s: float = PING_S,
    most: int | None = None,
    patience_s: float = PATIENCE_S,
) -> None:
    """Until cancelled; then streams are closed with 1012 and answers under way get GOODBYE_S.

    `on_ready` gets the port, once it answers there: port 0 takes a free one. Of `most` connections (None: what the
    process has room for), each has `patience_s` for a request's headers. Raises ConfigError where it cannot listen.
    """
    listening = listen(host, port)
    raise_file_limit()
    config = uvicorn.Config(
        app,
        host=host,
        port=port,
        http=bounded(most_connections() if most is None else most, patience_s),
        ws="websockets-sansio",
        ws_max_size=LARGEST_FRAME,
        ws_per_message_deflate=False,  # on one machine it only costs: each client's frames would be compressed anew
        ws_ping_interval=ping_s,
        ws_ping_timeout=ping_s,
        log_config=None,
        log_level="warning",
        access_log=False,
        proxy_headers=False,
        server_header=False,
        lifespan="off",
        timeout_graceful_shutdown=GOODBYE_S,
    )
    server = _Server(config)
    serving = asyncio.create_task(server.serve(sockets=[listening]))
    try:
        while not server.started and not serving.done():
            await asyncio.sleep(0.001)
        if server.started:
            on_ready(listening.getsockname()[1])
        await asyncio.shield(serving)
    finally:
        server.should_exit = True
        await serving
        listening.close()


def listen(host: str, port: int) -> socket.socket:
    """A listening socket on an address of this machine alone."""
    check_bind(host)
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listening = socket.socket(family, socket.SOCK_STREAM)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    if hasattr(socket, "TCP_USER_TIMEOUT"):  # accepted connections inherit it
        listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, UNACKNOWLEDGED_MS)
    try:
        listening.bind((host, port))
    except OSError as error:
        listening.close()
        taken = "another program listens there; stop it or choose another api.port"
        why = taken if error.errno == errno.EADDRINUSE else (error.strerror or str(error))
        raise ConfigError(f"cannot listen on {host}:{port}: {why}") from error
    listening.set_inheritable(False)
    return listening
