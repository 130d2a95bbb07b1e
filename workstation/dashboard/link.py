"""The dashboard's one connection to the engine: it looks twice a second while somebody watches, and tells who asked.

The engine may end and start again at any time; the link says so and goes on by itself.
"""

import asyncio
import logging
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Protocol, TypeVar

from workstation.client.access import read_token
from workstation.client.client import Client
from workstation.client.messages import StreamEvent, Topic
from workstation.client.stream import EventStream
from workstation.dashboard.state import OVER, EngineState
from workstation.errors import AccessRefused, EngineUnreachable, WorkstationError

LOOK_S = 0.5
SHOWN_SIGNALS = 100
SHOWN_ORDERS = 300
STREAM_DELAYS_S = (0.5, 1.0, 2.0)
WATCHED = (Topic.MARKET_DATA, Topic.INDICATOR_UPDATED, Topic.OPPORTUNITY)
RETIRED_AFTER_S = 5.0
"""Nobody watched for so long: the engine is left alone."""

log = logging.getLogger(__name__)

Told = Callable[[EngineState], None]


class Listener(Protocol):
    """Whoever follows the events of one symbol."""

    def heard(self, event: StreamEvent) -> None: ...

    def missed(self) -> None:
        """Events were lost: what was built of them is to be asked for anew."""


Answer = TypeVar("Answer")


class EngineLink:
    """`state` is the last look. Its tasks run in the loop of whoever calls `follow`."""

    def __init__(self, url: str, home: Path, now_s: Callable[[], float] = time.monotonic) -> None:
        self.url, self._home, self._now_s = url, home, now_s
        self.state = EngineState()
        self._client: Client | None = None
        self._asking: Client | None = None
        # of their own, so that no chart that asks for its bars stands in the way of a look, a command or a form's files
        self._looks = ThreadPoolExecutor(2, thread_name_prefix="look")
        self._asks = ThreadPoolExecutor(6, thread_name_prefix="ask")
        self._commands = ThreadPoolExecutor(4, thread_name_prefix="command")
        self._followers: set[Told] = set()
        self._looking: asyncio.Task[None] | None = None
        self._streams: dict[str, tuple[set[Listener], asyncio.Task[None]]] = {}

    # -- looks

    def follow(self, told: Told) -> Callable[[], None]:
        """Calls `told` after each look, until what is returned is called."""
        self._followers.add(told)
        if self._looking is None or self._looking.done():
            self._looking = asyncio.get_running_loop().create_task(self._look_on())
        return lambda: self._followers.discard(told)

    async def look(self) -> EngineState:
        """Looks now: after a command, a page need not wait for the next turn."""
        now = await asyncio.get_running_loop().run_in_executor(self._looks, self._looked)
        self.state = now
        for told in tuple(self._followers):
            told(now)
        return now

    async def _look_on(self) -> None:
        watched_s = self._now_s()
        while self._followers or self._now_s() - watched_s < RETIRED_AFTER_S:
            began_s = self._now_s()
            if self._followers:
                watched_s = began_s
                await self.look()
            await asyncio.sleep(max(0.05, LOOK_S - (self._now_s() - began_s)))
        self.state = EngineState()  # nobody saw what came since: the next viewer is told nothing rather than that

    def _looked(self) -> EngineState:
        try:
            client = self._connected()
            orders, sessions = client.orders(limit=SHOWN_ORDERS), tuple(client.sessions())
            return EngineState(
                heard_s=self._now_s(),
                loss="",
                health=client.health(),
                sessions=sessions,
                now={one.session: client.session_now(one.session) for one in sessions if one.status not in OVER},
                positions=tuple(client.positions()),
                orders=tuple(client.orders(open_only=True)),
                groups=tuple(client.groups()),
                signals=tuple(client.signals(limit=SHOWN_SIGNALS)),
                fills=tuple(one for one in orders if one.filled_quantity),
                spreads=tuple(client.spreads()),
                jobs=tuple(client.jobs()),
                collections=tuple(client.collections()),
                instruments={(one.venue, one.symbol): one for one in client.instruments()},
            )
        except WorkstationError as error:
            self._let_go()
            return replace(self.state, loss=str(error))

    # -- the client

    def _connected(self) -> Client:
        if self._client is None:
            self._client = Client(self.url, read_token(self._home), by="dashboard", timeout_s=2.0)
        return self._client

    def _let_go(self) -> None:
        """The next look reads the token again: another home's engine, or a new token, may answer there."""
        if self._client is not None:
            self._client.close()
            self._client = None

    async def ask(self, question: Callable[[Client], Answer]) -> Answer:
        """Asks aside, so that no page waits. Raises what the engine raised.

        With more patience than a look has: a session takes seconds to start where its windows are rebuilt.
        """
        return await asyncio.get_running_loop().run_in_executor(self._asks, self._asked, question)

    async def command(self, question: Callable[[Client], Answer]) -> Answer:
        """As `ask`, and before whatever pages ask for."""
        return await asyncio.get_running_loop().run_in_executor(self._commands, self._asked, question)

    def _asked(self, question: Callable[[Client], Answer]) -> Answer:
        if self._asking is None:
            self._asking = Client(self.url, read_token(self._home), by="dashboard")
        try:
            return question(self._asking)
        except (EngineUnreachable, AccessRefused):
            self._asking = None  # the next one reads the token again
            raise

    # -- events

    def listen(self, symbol: str, listener: Listener) -> Callable[[], None]:
        """What comes of one symbol, until what is returned is called. One stream serves all who listen."""
        listeners, task = self._streams.get(symbol, (set[Listener](), None))
        listeners.add(listener)
        if task is None or task.done():
            task = asyncio.get_running_loop().create_task(self._hear(symbol, listeners))
        self._streams[symbol] = listeners, task

        def leave() -> None:
            listeners.discard(listener)
            if not listeners and self._streams.get(symbol) == (listeners, task):
                del self._streams[symbol]
                task.cancel()

        return leave

    async def _hear(self, symbol: str, listeners: set[Listener]) -> None:
        def lost(_: object = None) -> None:
            for listener in tuple(listeners):
                listener.missed()

        while True:
            try:
                stream = EventStream(
                    self.url, read_token(self._home), WATCHED, symbols=(symbol,), delays_s=STREAM_DELAYS_S, on_gap=lost
                )
                life: str | None = None
                async for event in stream:
                    if life is not None and stream.life != life:
                        lost()  # another engine than before
                    life = stream.life
                    for listener in tuple(listeners):
                        listener.heard(event)
            except WorkstationError as error:
                log.warning("events of %s: %s", symbol, error)
                lost()
                await asyncio.sleep(STREAM_DELAYS_S[-1])

    async def close(self) -> None:
        self._followers.clear()
        tasks = [task for _, task in self._streams.values()]
        tasks += [] if self._looking is None else [self._looking]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        self._let_go()
