"""Connections of the server: at most so many at a time, and each says what it wants within a while.

A process has one supply of numbers for its files and sockets. A program that opens connections and says nothing would
otherwise use it up, and feeds, recorder and ledger would have none.
"""

import asyncio
import sys
from contextlib import suppress

from uvicorn.protocols.http.h11_impl import H11Protocol

if sys.platform != "win32":
    import resource

MOST = 1_500
"""Those of the event stream (settings.most_clients) and some more."""
PATIENCE_S = 10.0
"""For a request's line and headers; its body has a time of its own."""


def raise_file_limit() -> None:
    """Lets this process open twice as many files and sockets as it serves connections, as far as the system allows.

    A shell's usual limit is 1,024, far below what the system would give to who asks.
    """
    if sys.platform == "win32":
        return
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    allowed = 2 * MOST if hard == resource.RLIM_INFINITY else min(2 * MOST, hard)
    if soft != resource.RLIM_INFINITY and soft < allowed:
        with suppress(OSError, ValueError):  # a system may have a lower bound that it does not tell
            resource.setrlimit(resource.RLIMIT_NOFILE, (allowed, hard))


def most_connections() -> int:
    """MOST, or half of what this process may open, if that is less."""
    if sys.platform == "win32":
        return MOST
    files, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return MOST if files == resource.RLIM_INFINITY else min(MOST, files // 2)


def bounded(most: int, patience_s: float) -> type[H11Protocol]:
    """uvicorn's protocol for one server: one connection too many costs the one that was silent longest."""
    silent: dict[H11Protocol, asyncio.TimerHandle] = {}

    def drop(one: H11Protocol) -> None:
        silent.pop(one).cancel()
        one.transport.abort()

    class Connection(H11Protocol):
        """Silent from its beginning, and from the first byte of each request, until the request is whole."""

        def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
            super().connection_made(transport)
            self._look()
            if len(self.connections) > most:
                drop(next(iter(silent)))  # if no other is, this one is

        def data_received(self, data: bytes) -> None:
            super().data_received(data)
            self._look()

        def connection_lost(self, exc: Exception | None) -> None:
            super().connection_lost(exc)
            self._look()

        def _look(self) -> None:
            has_asked = self.cycle is not None and not self.cycle.response_complete
            is_silent = self in self.connections and not has_asked  # a stream's connection is its own protocol's
            if is_silent and self not in silent:
                silent[self] = self.loop.call_later(patience_s, drop, self)
            elif not is_silent and self in silent:
                silent.pop(self).cancel()

    return Connection
