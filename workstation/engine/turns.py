"""The walk of the engine, turn by turn: what the channel holds goes through the market, then time passes until now.

    feeds → channel → market.advance → wakes → sessions → outbox → paper venue
                         └→ tape, recorder

Between turns the event loop serves feeds and the API; a feed that has much to tell at once has its rows taken in
between. Nothing in a turn waits, and all of it runs in one thread.
"""

import asyncio
import logging
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Protocol

from workstation.engine.channel import MAX_LAG_NS, Channel
from workstation.engine.clock import Clock
from workstation.engine.latency import Latency
from workstation.engine.live_session import LiveSession
from workstation.engine.tape import Tape
from workstation.errors import BadInput
from workstation.history.recorder import Recorder
from workstation.model.durations import SECOND_NS
from workstation.model.events import Event, Fact, FeedLagChanged
from workstation.model.ids import SessionId
from workstation.model.market import (
    Rows,
)
from workstation.ports.feed import FeedStatus
from workstation.session.market import Market
from workstation.session.wake import Subscriber, Wake

IDLE_S = 0.25
"""The longest time without a turn: time passes for deadlines too."""

log = logging.getLogger(__name__)


class Fill(Protocol):
    def take(self, rows: Rows) -> None:
        """Rows that the market has taken, with their numbers; their memory is used again."""


class Turns:
    """Who gets what, in which order."""

    def __init__(
        self,
        clock: Clock,
        market: Market,
        recorder: Recorder | None,
        on_status: Callable[[FeedStatus], None],
        *,
        max_lag_ns: int = MAX_LAG_NS,
    ) -> None:
        self.clock, self.market, self.recorder = clock, market, recorder
        self.channel = Channel(clock.now_ns, on_status, on_block=self._take_block, max_lag_ns=max_lag_ns)
        self.latency = Latency()
        self.tape = Tape(lambda: len(market.registry))
        self.sessions: dict[SessionId, LiveSession] = {}
        self.sift: Callable[[Rows], Rows] = lambda rows: rows
        """Of what has come, the rows that somebody wants."""
        self.fills: list[Fill] = []
        """What is prepared for sessions that start: it gets every row that comes meanwhile."""
        self._hosts: dict[Subscriber, LiveSession] = {}
        self.is_journal_late = False
        """The journal is further behind than it may be: no entries, as with late market data."""
        self.is_lagging = False
        """Sessions were told that market data or journal are late."""
        self._broken: Exception | None = None

    def add(self, live: LiveSession) -> None:
        """From the next wake on the session is served."""
        self.sessions[live.session_id] = live
        self._hosts[live.host] = live

    def remove(self, live: LiveSession) -> None:
        """It is woken no more, and its windows are given back; it is still shown."""
        self._hosts.pop(live.host, None)
        live.unsubscribe()

    @contextmanager
    def preparing(self, fill: Fill) -> Iterator[None]:
        """The fill is told every row meanwhile; at the end it has all that the market has, and time has passed."""
        self.fills.append(fill)
        try:
            yield
            self.turn()
        finally:
            self.fills.remove(fill)

    def serves(self, live: LiveSession) -> bool:
        """Whether the session takes inputs now."""
        return live.fault is None and live.is_ready and live.host in self._hosts

    def inject(self, live: LiveSession, event: Event) -> Sequence[Fact]:
        """An input from outside, behind all that came before it; returns what was journaled for it, itself first.

        Raises BadInput for a session that takes none.
        """
        if live.fault is not None:
            raise BadInput(f"session {live.session_id}: broken: {live.fault}; resume it first")
        if not live.is_ready:
            raise BadInput(f"session {live.session_id}: it is still starting; ask again when it runs")
        if live.host not in self._hosts:
            raise BadInput(f"session {live.session_id}: it has ended; start another one")
        self.turn()
        return live.inject(event, self.market.gate.now_ns)

    async def run(self) -> None:
        """Turn after turn until cancelled."""
        while True:
            await self.channel.wait(self._pause_s())
            if self._broken is not None:
                raise self._broken
            self.turn()
            await asyncio.sleep(0)

    def turn(self) -> None:
        """What has come, then what is due."""
        now_ns = self.clock.now_ns()  # nothing that comes later bears an earlier stamp
        rows = self.sift(self.channel.take())
        is_late = self.channel.is_lagging or self.is_journal_late
        if is_late != self.is_lagging:
            self._lag(is_late)
        if len(rows):
            self._deliver(self.market.advance(rows))
            self.latency.add(now_ns, self.clock.now_ns() - rows["ts_received"])
            self._keep(rows)
        self._deliver(self.market.advance_time(now_ns))
        self.market.gate.reach(now_ns)

    def _take_block(self) -> None:
        """A turn from within a feed, which is not to blame for what fails here: `run` raises it."""
        if self._broken is None:
            try:
                self.turn()
            except Exception as error:
                log.exception("a turn")
                self._broken = error
                self.channel.wake()

    def _keep(self, rows: Rows) -> None:
        self.tape.take(rows)
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
        self.is_lagging = is_lagging
        log.warning("%s", "lagging: no entries" if is_lagging else "in time again")
        for live in self._hosts.values():
            live.inject(FeedLagChanged(is_lagging=is_lagging), self.market.gate.now_ns)

    def _pause_s(self) -> float:
        """Until the next deadline."""
        due_ns = self.market.next_due_ns
        wait_s = IDLE_S if due_ns is None else max(due_ns - self.clock.now_ns(), 0) / SECOND_NS
        return min(wait_s, IDLE_S)
