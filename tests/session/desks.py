"""A session in memory: rows and inputs in, facts out. For tests that cut, stop and start it anywhere."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

import numpy as np

from workstation.ledger.codec import encode_event
from workstation.model.durations import SECOND_NS
from workstation.model.events import KINDS, BalanceSet, Event, Fact, FactKind, InstrumentListed, RunStarted
from workstation.model.ids import Currency, RunId, SessionId, Symbol, Venue
from workstation.model.instrument import Instrument, InstrumentKey, InstrumentKind
from workstation.model.market import (
    MARKET_ROW,
    Bars,
    RowKind,
    Rows,
    quote_rows,
)
from workstation.session.market import Market
from workstation.session.outbox import WriteBehindOutbox
from workstation.session.paper_host import PaperHost
from workstation.session.session import Session
from workstation.session.settings import SessionSettings
from workstation.session.state import SessionState
from workstation.strategies.base import Strategy
from workstation.trading.limits import NO_LIMITS, Limits
from workstation.trading.paper import PaperSettings
from workstation.trading.sizing import SizingMode, SizingSettings

SYMBOL = Symbol("BTC/USDT:USDT")
NOVA, ORION = InstrumentKey(Venue("nova"), SYMBOL), InstrumentKey(Venue("orion"), SYMBOL)
USDT = Currency("USDT")
START_NS = 1_700_000_000 * SECOND_NS
QUARTER = SizingSettings(mode=SizingMode.EQUITY_FRACTION, value=0.25, slippage_rate=0.001)


def linear(key: InstrumentKey = NOVA, **changes: Any) -> Instrument:
    """A perpetual with a tick of 0.01 and a lot of 0.001."""
    fields: dict[str, Any] = {
        "venue": key.venue,
        "symbol": key.symbol,
        "kind": InstrumentKind.LINEAR,
        "base": Currency("BTC"),
        "quote": USDT,
        "tick_size": Decimal("0.01"),
        "lot_size": Decimal("0.001"),
        "min_quantity": Decimal("0.001"),
        "min_notional_quote": Decimal(1),
        "maker_fee_rate": Decimal("0.0002"),
        "taker_fee_rate": Decimal("0.0005"),
    }
    return Instrument(**(fields | changes))


@dataclass
class MemoryJournal:
    facts: list[Fact] = field(default_factory=list)
    watch: Callable[[Fact], None] | None = None

    def append(self, session_id: SessionId, facts: Sequence[Fact]) -> Any:
        self.facts.extend(facts)
        for fact in facts if self.watch else ():
            self.watch(fact)
        return self


@dataclass
class DeskInMemory:
    market: Market
    session: Session
    host: PaperHost
    journal: MemoryJournal

    def take(self, rows: Rows) -> None:
        for wake in self.market.advance(rows):
            wake.subscriber.handle(wake)

    def end(self) -> None:
        for wake in self.market.advance_time(self.market.gate.now_ns):
            wake.subscriber.handle(wake)


def a_desk(
    strategy: Strategy,
    instruments: Sequence[Instrument],
    *,
    paper: PaperSettings,
    now_ns: int = START_NS,
    interval_ns: int | None = None,
    sizing: SizingSettings = QUARTER,
    limits: Limits = NO_LIMITS,
    balance: str = "10000",
    entry_timeout_ns: int | None = None,
    bars: Bars | None = None,
    every_row: bool = False,
    bars_from_trades: bool = False,
    watch: Callable[[Fact], None] | None = None,
    market: Market | None = None,
    session_id: str = "test",
) -> DeskInMemory:
    """A started session; with `bars` the strategy foresees them, with `every_row` it is woken at each row."""
    market, state = Market() if market is None else market, SessionState()
    for instrument in instruments:
        market.list_instrument(instrument)
    settings = SessionSettings(
        session_id=SessionId(session_id),
        strategy=strategy.name_in_cli,
        instruments=tuple(instrument.key for instrument in instruments),
        interval_ns=interval_ns,
        bars_from_trades=bars_from_trades,
        currency=USDT,
        sizing=sizing,
        limits=limits,
        entry_timeout_ns=entry_timeout_ns,
    )
    session = Session(settings, strategy, market, state)
    host, journal = PaperHost(market, session, paper), MemoryJournal(watch=watch)
    host.outbox = WriteBehindOutbox(journal, host)
    host.subscribe()
    if every_row:
        for instrument in instruments:
            market.subscribe_every_row(host, instrument.key)
    if bars is not None and session.bars is not None:
        session.bars.foresee(bars)
    host.inject(RunStarted(run_id=RunId("test.1"), manifest_hash="", sequence=0), now_ns)
    for instrument in instruments:
        host.inject(InstrumentListed(instrument=instrument), now_ns)
    for venue in dict.fromkeys(instrument.venue for instrument in instruments):
        host.inject(BalanceSet(venue=venue, currency=USDT, amount=Decimal(balance)), now_ns)
    host.recover()
    return DeskInMemory(market, session, host, journal)


def run(
    desk: DeskInMemory,
    rows: Rows,
    cuts: Iterable[int] = (),
    inputs: Mapping[int, Event] | None = None,
    between: Callable[[DeskInMemory], None] | None = None,
) -> list[Fact]:
    """All rows in pieces that end at `cuts`; `inputs` come behind that many rows; `between` is called at each cut."""
    inputs = {} if inputs is None else inputs
    start = 0
    for stop in sorted({*cuts, *inputs, len(rows)}):
        desk.take(rows[start:stop].copy())
        if stop in inputs:
            desk.host.inject(inputs[stop], desk.market.gate.now_ns)
        if between is not None:
            between(desk)
        start = stop
    desk.end()
    return desk.journal.facts


def journal_bytes(facts: Iterable[Fact]) -> list[tuple[Any, ...]]:
    """All that the hash chain covers."""
    return [(*encode_event(f.event), f.sequence, f.ts_received, f.ts_event, f.ts_decided, f.market_row) for f in facts]


def decisions(facts: Iterable[Fact]) -> list[tuple[Any, ...]]:
    """What was decided and when, without its number in the one order."""
    return [(*encode_event(f.event), f.ts_decided) for f in facts if KINDS[type(f.event)] is FactKind.DECISION]


def random_quotes(seed: int, count: int, keys: int = 2, *, step_ns: int = 40_000_000) -> Rows:
    """Quotes of `keys` venues around one random walk, each with noise of its own and now and then a dislocation.

    Receipt times repeat and jump; prices lie on a tick of 0.01, quantities on a lot of 0.001.
    """
    rng = np.random.default_rng(seed)
    gaps = rng.choice([0, step_ns, 3 * step_ns, 100 * step_ns], count, p=[0.2, 0.6, 0.19, 0.01])
    instrument = rng.integers(0, keys, count)
    common = 10_000 * np.exp(np.cumsum(rng.normal(0, 2e-5, count)))
    away = np.where((np.arange(count) // 37) % 5 == 3, rng.choice([-40.0, 40.0], count), 0.0) * (instrument == 1)
    mid = common + rng.normal(0, 1.0, count) + away
    bid = np.floor(mid * 100 - rng.integers(1, 60, count)) / 100
    ask = np.ceil(mid * 100 + rng.integers(1, 60, count)) / 100
    quantities = rng.integers(0, 900, (2, count)) / 1000
    rows = np.zeros(count, MARKET_ROW)
    rows[:] = quote_rows(
        instrument=0,
        ts_received=START_NS + np.cumsum(gaps),
        bid=bid,
        ask=ask,
        bid_quantity=quantities[0],
        ask_quantity=quantities[1],
    )
    rows["instrument"] = instrument
    return rows


def random_bars(seed: int, count: int, interval_ns: int = 60 * SECOND_NS, *, jump: float = 0.002) -> Bars:
    """A random walk with gaps between bars; prices on a tick of 0.01."""
    rng = np.random.default_rng(seed)
    close = np.round(100 * np.exp(np.cumsum(rng.normal(0, jump, count))), 2)
    before = np.concatenate([[100.0], close[:-1]])
    opens = np.round(before * np.exp(rng.normal(0, jump / 3, count)), 2)
    reach = np.abs(rng.normal(0, 100 * jump, (2, count)))
    high = np.round(np.maximum(opens, close) + reach[0], 2)
    low = np.round(np.maximum(np.minimum(opens, close) - reach[1], 0.01), 2)
    ts_open = START_NS // interval_ns * interval_ns + np.arange(count, dtype=np.int64) * interval_ns
    volume = np.round(rng.random(count), 3)
    return Bars(interval_ns=interval_ns, ts_open=ts_open, open=opens, high=high, low=low, close=close, volume=volume)


def with_trades(quotes: Rows) -> Rows:
    """Every third quote becomes a trade at its mid."""
    rows = quotes.copy()
    trades = rows[::3]
    mid = np.round((trades["x0"] + trades["x1"]) / 2, 2)
    trades["kind"] = RowKind.TRADE
    trades["x0"], trades["x1"], trades["x2"], trades["x3"] = mid, np.maximum(trades["x2"], 0.001), 0.0, 0.0
    return rows
