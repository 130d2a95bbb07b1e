"""Viewers without a browser: what a page asks of the dashboard's server, many times over."""

import asyncio
import json
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager

import httpx
from websockets.asyncio.client import ClientConnection, connect

from tests.faults.running import PATIENCE_S

TOKEN = re.compile(r'"token":\s*"([^"]+)"')
PULL = ('{"msgid":"1","msgtype":"PULL-DOC-REQ"}', "{}", "{}")
MOST_BYTES = 64 * 2**20


class Crowd:
    """Of one person who came by the link, on as many pages as wanted."""

    def __init__(self, url: str, link: str) -> None:
        self.url = url
        self._browser = httpx.Client(base_url=url, timeout=4 * PATIENCE_S, follow_redirects=True, trust_env=False)
        self._browser.get(link)
        self.messages = 0
        """That came to those who watch channels."""

    @property
    def _headers(self) -> dict[str, str]:
        return {"Cookie": "; ".join(f"{name}={value}" for name, value in self._browser.cookies.items())}

    def _connect(self, path: str, *protocols: str) -> connect:
        return connect(
            f"{self.url.replace('http', 'ws')}{path}", subprotocols=protocols or None, origin=self.url,
            additional_headers=self._headers, compression=None, max_size=MOST_BYTES, proxy=None,
            open_timeout=4 * PATIENCE_S, ping_interval=None,
        )  # fmt: skip

    @asynccontextmanager
    async def page(self, path: str = "/live") -> AsyncIterator[ClientConnection]:
        """One page and its document, as a browser opens it; of Live, with all that is on it."""
        answer = await asyncio.to_thread(self._browser.get, path)
        found = TOKEN.search(answer.text)
        assert found is not None, f"{answer.status_code} {answer.url}"
        async with self._connect(f"{path.partition('?')[0]}/ws", "bokeh", found[1]) as socket:
            await _until(socket, b'"ACK"')  # Bokeh reads nothing before it has said so
            for part in PULL:
                await socket.send(part)
            await _until(socket, b"PULL-DOC-REPLY")
            await _until(socket, b"LiveSide")  # the page itself comes after its frame
            yield socket

    @asynccontextmanager
    async def watcher(self, *channels: str) -> AsyncIterator[ClientConnection]:
        """One connection to the broadcast, which has its first snapshot."""
        async with self._connect("/channel") as socket:
            await socket.send(json.dumps({"watch": channels}))
            await socket.recv()
            yield socket

    async def _drain(self, socket: ClientConnection) -> None:
        async for _ in socket:
            self.messages += 1

    async def many(
        self,
        count: int,
        one: Callable[[], AbstractAsyncContextManager[ClientConnection]],
        meanwhile: Callable[[], Awaitable[None]],
    ) -> None:
        """Opens so many, one after the other, does `meanwhile` while all read what comes, and closes them."""
        async with AsyncExitStack() as open_ones:
            tasks = []
            for _ in range(count):
                socket = await open_ones.enter_async_context(one())
                tasks.append(asyncio.create_task(self._drain(socket)))
            await meanwhile()
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)


async def _until(socket: ClientConnection, said: bytes) -> None:
    while said not in _bytes(await socket.recv()):
        pass


def _bytes(message: str | bytes) -> bytes:
    return message.encode() if isinstance(message, str) else message
