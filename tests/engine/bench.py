"""An engine without sockets and without a clock of its own: rows by hand, turn by turn, on a real ledger and history.

`crashed` copies what is on the disk to another home, as a process that was killed leaves it.
"""

import asyncio
import shutil
import sqlite3
from collections.abc import Collection, Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from tests.session.desks import NOVA, ORION, START_NS, SYMBOL, linear
from workstation.client.declaration import SessionDeclaration
from workstation.config.settings import Paths, Settings
from workstation.engine.bus import Bus
from workstation.engine.collection_keeper import Collections
from workstation.engine.feeds import Feeds
from workstation.engine.live_session import LiveSession
from workstation.engine.sessions import Sessions
from workstation.engine.turns import Turns
from workstation.errors import UnknownInstrument
from workstation.history.log_writer import WriterSettings
from workstation.history.recorder import Recorder, RecorderSettings
from workstation.history.store import HistoryStore
from workstation.ledger.journal import Ledger
from workstation.model.durations import MS_NS
from workstation.model.events import Event, Fact
from workstation.model.ids import SessionId, Symbol, Venue
from workstation.model.instrument import Instrument, InstrumentKey
from workstation.model.market import (
    STEP_BITS,
    Bars,
    RowFlag,
    RowKind,
    Rows,
    rows_taken,
)
from workstation.ports.feed import FeedCounts, MarketSink, Subscription
from workstation.research.verify import Verified, verify
from workstation.session.market import Market

ONLY_WHEN_TOLD = RecorderSettings(
    roll_interval_s=1e6, check_interval_s=0.01, writer=WriterSettings(write_interval_s=0.005)
)
QUICK = {"entry_z": 1.5, "exit_z": 0.2, "window_minutes": 1, "min_points": 5, "min_net_edge_bps": None}
"""Parameters by which the spread strategy trades often on `random_quotes`."""


class HandClock:
    """Time as the test sets it."""

    def __init__(self, now_ns: int) -> None:
        self.time_ns = now_ns

    def now_ns(self) -> int:
        return self.time_ns

    def drift_ns(self) -> int:
        return 0


class MemoryFeed:
    """One venue in memory: its rules and its bars; rows are told by the bench."""

    def __init__(self, venue: str, instruments: Collection[Instrument]) -> None:
        self.venue = Venue(venue)
        self.counts = FeedCounts()
        self.rules = {one.symbol: one for one in instruments if one.venue == venue}
        self.past: Bars | None = None
        """What it answers when bars are asked for."""
        self.meanwhile: Any = None
        """Called while it is asked, as rows come while one waits."""
        self.asked: list[Sequence[Subscription]] = []
        self.added: list[Sequence[Subscription]] = []
        self.retried = 0

    async def instruments(self, symbols: Collection[Symbol] | None = None) -> list[Instrument]:
        wanted = self.rules if symbols is None else symbols
        for symbol in wanted:
            if symbol not in self.rules:
                raise UnknownInstrument(f"{self.venue}: no {symbol}")
        return [self.rules[symbol] for symbol in wanted]

    async def bars(self, key: InstrumentKey, interval_ns: int, since_ns: int) -> Bars:
        if self.meanwhile is not None:
            self.meanwhile()
        if self.past is None:
            return no_bars(interval_ns)
        return self.past.slice(int(self.past.ts_open.searchsorted(since_ns)), len(self.past))

    async def run(self, subscriptions: Sequence[Subscription], sink: MarketSink) -> None:
        self.asked.append(tuple(subscriptions))
        await asyncio.Event().wait()

    def add(self, subscriptions: Sequence[Subscription]) -> None:
        self.added.append(tuple(subscriptions))

    def retry_now(self) -> None:
        self.retried += 1

    async def close(self) -> None:
        """Nothing is open."""


class Bench:
    """An engine's parts, opened on a home; a home that an earlier bench left goes on."""

    def __init__(
        self, home: Path, instruments: Sequence[Instrument] = (linear(NOVA), linear(ORION)), *, now_ns: int = START_NS
    ) -> None:
        self.home = home
        self.settings = Settings(paths=Paths(home=home))
        self.clock: Any = HandClock(now_ns)
        self.ledger = Ledger.open(home / "ledger.db")
        self.store = HistoryStore(home / "history")
        self.recorder = Recorder.open(self.store, now_ns=now_ns, settings=ONLY_WHEN_TOLD)
        self.market, self.bus = Market(), Bus()
        self.market.gate.start_after(self._last_row() << STEP_BITS, now_ns)
        self.turns = Turns(self.clock, self.market, self.recorder, lambda status: None)
        venues = dict.fromkeys(one.venue for one in instruments)
        self.feed = {venue: MemoryFeed(venue, instruments) for venue in venues}
        self.feeds = Feeds({venue: (feed, "memory") for venue, feed in self.feed.items()}, self.clock, self.channel)
        self.turns.sift = self.feeds.sift
        self.sessions = Sessions(self.turns, self.ledger, self.store, self.feeds, self.bus, self.settings)
        self.collections = Collections(
            self.turns, self.feeds, self.store, self.bus, self.settings.engine, is_engine=True
        )

    @property
    def channel(self) -> Any:
        return self.turns.channel

    def _last_row(self) -> int:
        lasts = (self.ledger.last_place(run.session_id) for run in self.ledger.runs())
        rows = [rows_taken(last[0]) for last in lasts if last is not None]
        return max([self.store.recording().last_row, *rows])

    # -- what is asked of it

    def start(self, session: str = "s", **changes: Any) -> LiveSession:
        return asyncio.run(self.sessions.start(a_declaration(session, **changes)))

    def recover(self) -> None:
        asyncio.run(self.sessions.recover())

    def inject(self, session: str, event: Event) -> None:
        self.turns.inject(self.sessions.of(session), event)

    def play(self, rows: Rows, *, keys: Sequence[InstrumentKey] = (NOVA, ORION), each: int = 7) -> None:
        """Rows as feeds tell them, a turn behind each `each` of them; `instrument` is a place among `keys`."""
        for place, row in enumerate(rows):
            if int(row["ts_received"]) - self.clock.time_ns > 100 * MS_NS:
                self.turns.turn()  # as the loop would: nothing waits for so long
            self.clock.time_ns = max(self.clock.time_ns, int(row["ts_received"]))
            self.tell(row, keys)
            if place % each == each - 1:
                self.turns.turn()
        self.turns.turn()

    def tell(self, row: Any, keys: Sequence[InstrumentKey] = (NOVA, ORION)) -> None:
        """One row into the channel, received now."""
        _, _, event_ns, place, kind, flags, code, *x = row.item()
        index = self.market.registry.index(keys[place])
        if kind == RowKind.QUOTE:
            self.channel.quote(index, event_ns, *x[:4])
        elif kind == RowKind.TRADE:
            self.channel.trade(index, event_ns, x[0], x[1], bool(flags & RowFlag.SELLER_TAKES))
        else:
            self.channel.bar(index, code, event_ns, *x)

    def wait(self, seconds: float) -> None:
        """Time passes, and nothing comes."""
        self.clock.time_ns += round(seconds * 1e9)
        self.turns.turn()

    # -- what came of it

    def facts(self, session: str = "s") -> list[Fact]:
        self.ledger.flush()
        return list(self.ledger.facts(SessionId(session)))

    def events(self, kind: type[Event], session: str = "s") -> list[Any]:
        return [fact.event for fact in self.facts(session) if isinstance(fact.event, kind)]

    def verify_all(self) -> dict[str, Verified]:
        """Every run, by id, from what is on the disk."""
        self.ledger.flush()
        self.recorder.sync()
        return {run.run_id: verify(self.ledger.path, run.run_id, self.store) for run in self.ledger.runs()}

    # -- its end

    def crashed(self, home: Path) -> Path:
        """The home as it would be found had the process been killed now."""
        self.ledger.flush()
        self.recorder.sync()
        return shutil.copytree(self.home, home)

    def close(self) -> None:
        self.recorder.close()
        self.ledger.close()


@contextmanager
def a_bench(home: Path, *arguments: Any, **options: Any) -> Iterator[Bench]:
    bench = Bench(home, *arguments, **options)
    try:
        yield bench
    finally:
        bench.close()


@contextmanager
def journal_away(path: Path) -> Iterator[None]:
    """No fact can be committed, as on a disk that is full."""
    _execute(path, "ALTER TABLE journal RENAME TO away")
    try:
        yield
    finally:
        _execute(path, "ALTER TABLE away RENAME TO journal")


def _execute(path: Path, statement: str) -> None:
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute(statement)


def a_declaration(session: str = "s", **changes: Any) -> SessionDeclaration:
    """The spread between nova and orion, traded often."""
    fields: dict[str, Any] = {
        "session": session,
        "strategy": "spread-reversion",
        "parameters": QUICK,
        "venues": ("nova", "orion"),
        "symbol": SYMBOL,
        "latency_ms": 50,
        "limits": {"max_quote_age_ms": "none", "max_position_notional": "none"},
    }
    return SessionDeclaration(**(fields | changes))


def no_bars(interval_ns: int) -> Bars:
    empty = np.empty(0)
    return Bars(
        interval_ns=interval_ns,
        ts_open=np.empty(0, np.int64),
        open=empty,
        high=empty,
        low=empty,
        close=empty,
        volume=empty,
    )
