"""The engine: one market, its sessions, its feeds and its recorder, in one event loop.

    feeds → channel → market.advance → wakes → sessions → outbox → paper venue
                         └→ recorder

A turn takes what the channel holds, lets the market walk through it, and then lets time pass until now; between turns
the loop serves feeds and the API. Nothing in a turn waits.
"""

import asyncio
import logging
from collections.abc import Callable, Iterator

from workstation.engine.channel import Channel
from workstation.engine.clock import Clock
from workstation.engine.latency import Latency
from workstation.engine.live_session import LiveSession
from workstation.engine.window_fill import WindowFill
from workstation.history.recorder import Recorder
from workstation.model.events import FeedLagChanged
from workstation.model.ids import SessionId
from workstation.model.market import SECOND_NS, Rows
from workstation.ports.feed import FeedStatus
from workstation.session.market import Market
from workstation.session.wake import Subscriber, Wake

IDLE_S = 0.25
"""The longest time without a turn: time passes for deadlines too."""

log = logging.getLogger(__name__)


class Turns:
    """The walk: who gets what, in which order. Everything here runs in the event loop's thread."""

    def __init__(self, clock: Clock, market: Market, recorder: Recorder | None) -> None:
        self.clock, self.market, self.recorder = clock, market, recorder
        self.channel = Channel(clock.now_ns, self._told)
        self.latency = Latency()
        self.sessions: dict[SessionId, LiveSession] = {}
        self.fills: list[WindowFill] = []
        """Windows that are being rebuilt: they get every row that comes meanwhile."""
        self.on_status: list[Callable[[FeedStatus], None]] = []
        self._hosts: dict[Subscriber, LiveSession] = {}
        self._is_lagging = False

    def add(self, live: LiveSession) -> None:
        """From the next wake on the session is served."""
        self.sessions[live.session_id] = live
        self._hosts[live.host] = live

    def remove(self, live: LiveSession) -> None:
        """It is woken no more; it is still shown."""
        self._hosts.pop(live.host, None)
        self.market.unsubscribe(live.host)

    async def run(self) -> None:
        """Turn after turn until cancelled."""
        while True:
            await self.channel.wait(self._pause_s())
            self.turn()
            await asyncio.sleep(0)

    def turn(self) -> None:
        """What has come, then what is due."""
        now_ns = self.clock.now_ns()  # nothing that comes later bears an earlier stamp
        rows = self.channel.take()
        if self.channel.is_lagging != self._is_lagging:
            self._lag(self.channel.is_lagging)
        if len(rows):
            self._deliver(self.market.advance(rows))
            self.latency.add(now_ns, self.clock.now_ns() - rows["ts_received"])
            self._keep(rows)
        self._deliver(self.market.advance_time(now_ns))

    def _keep(self, rows: Rows) -> None:
        if self.recorder is not None:
            self.recorder.record(rows, self.market.registry)
        for fill in self.fills:
            fill.take(rows)

    def _deliver(self, wakes: Iterator[Wake]) -> None:
        for wake in wakes:
            live = self._hosts.get(wake.subscriber)
            if live is not None:
                live.handle(wake)

    def _lag(self, is_lagging: bool) -> None:
        """Risk reads it: no session enters on prices that waited."""
        self._is_lagging = is_lagging
        log.warning("market data is %s", "lagging: no entries" if is_lagging else "in time again")
        for live in self._hosts.values():
            live.inject(FeedLagChanged(is_lagging=is_lagging), self.market.gate.now_ns)

    def _pause_s(self) -> float:
        """Until the next deadline."""
        due_ns = self.market.next_due_ns
        if due_ns is None:
            return IDLE_S
        return min(max(due_ns - self.clock.now_ns(), 0) / SECOND_NS, IDLE_S)

    def _told(self, status: FeedStatus) -> None:
        for take in self.on_status:
            take(status)
