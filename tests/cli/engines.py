"""An engine for tests of commands: the real server before an engine in memory, in a thread, its home a test's."""

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.server.desk import TOKEN, Desk, an_app, served


@contextmanager
def running(desk: Desk, home: Path) -> Iterator[int]:
    """Serves the desk on a free port, which the settings of the home name with the token beside them."""
    with serving(desk) as port:
        (home / "api_token").write_text(TOKEN + "\n")
        (home / "workstation.toml").write_text(f"[api]\nport = {port}\n")
        yield port


@contextmanager
def serving(desk: Desk) -> Iterator[int]:
    loop, ready, ports = asyncio.new_event_loop(), threading.Event(), list[int]()
    stop = asyncio.Event()

    async def serve() -> None:
        async with served(an_app(desk)) as port:
            ports.append(port)
            ready.set()
            await stop.wait()

    thread = threading.Thread(target=lambda: loop.run_until_complete(serve()))
    thread.start()
    try:
        assert ready.wait(20)
        yield ports[0]
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join()
        loop.close()
