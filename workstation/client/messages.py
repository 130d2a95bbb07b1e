"""What an engine tells: snapshots for a page or a table, and the event stream. Times are ns UTC, money is Decimal.

Decimals travel as strings, so that no reader rounds them; figures that are only looked at (spreads, ages) are floats,
None where they are not known.
"""

from collections.abc import Mapping
from decimal import Decimal
from enum import StrEnum
from typing import Any

from workstation.client.declaration import Message, Mode
from workstation.client.kill import KillView


class SessionStatus(StrEnum):
    STARTING = "starting"
    """Recovering: windows are rebuilt, nothing is decided."""
    RUNNING = "running"
    PAUSED = "paused"
    """No entries; what is open is watched and closed as usual."""
    STOPPED = "stopped"
    KILLED = "killed"
    """The kill switch is on: nothing is opened until it is lifted."""
    HALTED = "halted"
    """A strategy or an order went wrong: no entries until a person has looked. `reason` says what."""
    BROKEN = "broken"
    """It cannot go on in this process; its journal is whole. `reason` says what to do."""


class SessionSummary(Message):
    session: str
    mode: Mode
    strategy: str
    instruments: tuple[str, ...]
    """As "venue:symbol"."""
    status: SessionStatus
    reason: str
    run: str
    started_ns: int
    currency: str
    opening_equity: Decimal
    """What it began with, its coins at the price of now: the difference to `equity` is what trading made."""
    equity: Decimal | None
    """None before every leg has a price."""
    realized_pnl: Decimal
    day_pnl: Decimal | None = None
    """What trading made since 00:00 UTC, open profits with it; None before every leg has a price on that day."""
    fees: Mapping[str, Decimal]
    open_groups: int
    open_orders: int
    signals: int
    refusals: int
    facts: int
    gap_ns: tuple[int, int] | None
    """What the last start had not watched: from the last fact before it to its first row."""


class SessionDetail(SessionSummary):
    parameters: Mapping[str, Any]
    sizing: str
    limits: Mapping[str, str]
    runs: tuple[str, ...]
    interval: str | None


class OrderView(Message):
    client_order_id: str
    session: str
    group: str
    venue: str
    symbol: str
    side: str
    type: str
    purpose: str
    status: str
    quantity: Decimal
    filled_quantity: Decimal
    average_price: Decimal | None
    limit_price: Decimal | None
    stop_price: Decimal | None
    decision_price: float | None
    slippage_bps: float | None
    """Of the average price against the decision price; positive is worse for us."""
    decided_ns: int
    updated_ns: int
    alarm: str | None


class PositionView(Message):
    session: str
    venue: str
    symbol: str
    quantity: Decimal
    """Signed: negative is short."""
    average_price: Decimal | None
    mark: float | None
    unrealized_pnl: Decimal | None
    realized_pnl: Decimal
    fees: Mapping[str, Decimal]


class LegView(Message):
    """One leg of a group, as of now."""

    venue: str
    symbol: str
    side: str
    quantity: Decimal
    """What was asked for."""
    held_quantity: Decimal
    entry_price: Decimal | None
    """Average of what was filled."""
    mark: float | None
    stop_price: Decimal | None
    """Of the stop that rests, or is to rest once the entry is filled."""
    target_price: Decimal | None
    unrealized_pnl: Decimal | None
    """Before fees, in quote currency."""


class GroupView(Message):
    group: str
    session: str
    strategy: str
    status: str
    legs: tuple[str, ...]
    """As "buy 0.1 nova:BTC/USDT"."""
    opened_ns: int
    reason: str
    due_ns: int | None = None
    """When an entry that is not filled is given up."""
    leg_views: tuple[LegView, ...] = ()
    unrealized_pnl: Decimal | None = None
    """Of all legs; None before each has a price."""


class SignalView(Message):
    signal: str
    session: str
    strategy: str
    action: str
    legs: tuple[str, ...]
    reason: str
    time_ns: int
    refusal: str | None
    """Why the risk gate said no; None where it did not."""


class SpreadView(Message):
    """One symbol at two venues, or a declared pair, as of now. Edges in bps: `edge_ab_*` buys at B and sells at A."""

    symbol: str
    """A's; prices are in its quote currency."""
    venue_a: str
    venue_b: str
    symbol_b: str
    """The same, but in a declared pair."""
    basis: str | None
    """What turns B's prices into A's currency, such as nova:USDC/USDT; None where they are quoted in one."""
    spread_bps: float | None
    mean_bps: float | None
    deviation_bps: float | None
    z: float | None
    upper_bps: float | None
    lower_bps: float | None
    min_bps: float | None
    max_bps: float | None
    edge_ab_bps: float | None
    edge_ba_bps: float | None
    net_edge_ab_bps: float | None
    net_edge_ba_bps: float | None
    bid_a: float | None
    ask_a: float | None
    bid_b: float | None
    ask_b: float | None
    age_a_ms: float | None
    age_b_ms: float | None
    bid_basis: float | None
    ask_basis: float | None
    age_basis_ms: float | None
    """While it is as old as a stale side, no edge is known."""
    half_life_s: float | None
    """Of the way back to the mean; None where there is none, or nobody knows. As what follows, 5 s old at most."""
    correlation: float | None
    """Of the two sides' returns, by the second."""
    lead_s: float | None
    """By how many seconds A moves before B, negative where B leads; None where that may be chance."""
    lead_correlation: float | None
    """At that lag."""
    points: int
    is_truncated: bool


class OpportunityView(Message):
    """A span in which selling at one venue and buying at the other would have paid, both taker fees taken off."""

    symbol: str
    """What was to be sold."""
    sell_at: str
    buy_at: str
    buy_symbol: str
    """What was to be bought: the same, but in a declared pair."""
    basis: str | None
    """By what the two currencies were compared, such as nova:USDC/USDT; its fee is not taken off."""
    opened_ns: int
    closed_ns: int | None
    """None while it lasts."""
    peak_ns: int
    peak_bps: float
    quantity: float
    """In base: what both sides and the basis showed at the peak."""
    left_bps: float | None
    """The net edge that an order found which was sent at the opening; None while it is under way."""


class BarView(Message):
    """One bar: `ts_open` in ns UTC, prices in quote currency, volume in base."""

    ts_open: int
    open: float
    high: float
    low: float
    close: float
    volume: float


class QuoteView(Message):
    """One instrument at its venue, as of now. Event times are the venue's, None where it gives none."""

    venue: str
    symbol: str
    bid: float | None
    ask: float | None
    bid_quantity: float | None
    ask_quantity: float | None
    age_ms: float | None
    """Of the quote."""
    ts_event: int | None
    ts_received: int | None
    last_price: float | None
    """Of the last public trade."""
    last_quantity: float | None
    last_side: str | None
    """Of who took: "buy" or "sell"."""
    last_event: int | None
    last_received: int | None
    mark_price: float | None
    """Of a perpetual."""
    index_price: float | None
    funding_rate: float | None
    """A fraction of the position's value; over 0 longs pay shorts."""
    funding_due: int | None
    """When it is paid, ns UTC."""
    forming: BarView | None
    """The minute in the making, of the trades since the engine watches."""
    closed: BarView | None
    """The last minute as the venue closed it: it stands for the forming one of the same opening."""


class BookView(Message):
    """An order book to the depth that is watched: prices and quantities, the best first."""

    venue: str
    symbol: str
    bids: tuple[tuple[float, float], ...]
    asks: tuple[tuple[float, float], ...]
    ts_event: int | None
    ts_received: int
    age_ms: float


class BarsView(Message):
    """Closed bars, oldest first, each column of the same length, and the one in the making."""

    venue: str
    symbol: str
    interval: str
    ts_open: list[int]
    open: list[float]
    high: list[float]
    low: list[float]
    close: list[float]
    volume: list[float]
    forming: BarView | None
    """None for intervals under a minute, and while nothing was traded."""
    problem: str
    """Why bars may be missing; empty: nothing that the venue has."""


class InstrumentView(Message):
    """What an engine watches, by the rules in force now: steps and minima as the venue says them, fees as fractions."""

    venue: str
    symbol: str
    kind: str
    base: str
    quote: str
    tick_size: Decimal
    lot_size: Decimal
    min_quantity: Decimal
    min_notional: Decimal
    """In quote currency."""
    contract_size: Decimal
    maker_fee_rate: Decimal
    taker_fee_rate: Decimal
    price_decimals: int
    """As many as a price is written with; so of quantities, which are in base currency."""
    quantity_decimals: int


class FeedView(Message):
    venue: str
    exchange: str
    state: str
    reason: str
    since_ns: int
    until_ns: int | None
    """While it is given up: when it is tried again."""
    symbols: int
    stale: tuple[str, ...]
    """Symbols whose quotes are stale."""
    messages: int
    reconnects: int
    rejected: int


class RecorderView(Message):
    state: str
    rows: int
    bytes: int
    lag_ms: float
    """Age of the oldest row that is not on the disk."""
    failure: str | None
    last_gap_ns: tuple[int, int] | None
    opportunities_missed: int = 0
    """That closed and were not written: they cannot be, or the disk refused too long."""


class Health(Message):
    """Is it well? `problems` holds a sentence for each thing that is not; empty is well."""

    version: str
    started_ns: int
    now_ns: int
    problems: tuple[str, ...]
    feeds: tuple[FeedView, ...]
    recorder: RecorderView | None
    rows: int
    rows_per_second: float
    waiting: int
    dropped: int
    conflated: int
    rejected: int
    loop_lag_ms_p99: float
    """Receipt to windows, over the last minute."""
    journal_lag_ms: float
    journal_rows: int
    sessions: int
    memory_mb: float
    clock_drift_ms: float
    kill: KillView = KillView()


class Topic(StrEnum):
    MARKET_DATA = "market_data"
    """A QuoteView, at most 20 times a second for each instrument."""
    INDICATOR_UPDATED = "indicator_updated"
    """A SpreadView, at most 10 times a second for each pair."""
    OPPORTUNITY = "opportunity"
    """An OpportunityView, when it has lasted long enough to count, and when it has closed."""
    SIGNAL_GENERATED = "signal_generated"
    ORDER_CREATED = "order_created"
    ORDER_FILLED = "order_filled"
    ORDER_CANCELLED = "order_cancelled"
    ORDER_REJECTED = "order_rejected"
    POSITION_UPDATED = "position_updated"
    GROUP_UPDATED = "group_updated"
    RISK_ALERT = "risk_alert"
    SESSION_UPDATED = "session_updated"
    DATA_QUALITY = "data_quality"
    COLLECTION_UPDATED = "collection_updated"
    """A CollectionView, when a collection begins and when it ends."""


PASSING = frozenset({Topic.MARKET_DATA, Topic.INDICATOR_UPDATED})
"""Topics whose next event replaces the one before: conflated for who is slow, and never sent again."""


class StreamEvent(Message):
    """One message of the event stream; `sequence` counts all messages of the engine's present life."""

    topic: Topic
    sequence: int
    time_ns: int
    session: str | None = None
    symbol: str | None = None
    data: Mapping[str, Any]
