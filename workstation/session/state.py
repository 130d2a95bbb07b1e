"""SessionState: the fold of a session's facts. Only `apply` changes it; live and recovered state are the same code."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from itertools import takewhile
from typing import Any

import msgspec
from msgspec.structs import replace

from workstation.errors import IllegalTransition
from workstation.ledger.book import Book
from workstation.model.durations import HOUR_NS
from workstation.model.events import (
    BalanceSet,
    CancelAsked,
    CancelRequested,
    CloseAsked,
    ConditionsChanged,
    DayOpened,
    EntryRefused,
    Event,
    Fact,
    FeedLagChanged,
    GroupChanged,
    GroupOpened,
    InstrumentListed,
    OrderAccepted,
    OrderAsked,
    OrderCancelled,
    OrderExpired,
    OrderFilled,
    OrderRejected,
    OrderSubmitted,
    OrderTimedOut,
    OrderTriggered,
    RunStarted,
    SessionHalted,
    SessionKilled,
    SessionPaused,
    SessionRearmed,
    SessionResumed,
    SessionStopped,
    SignalGenerated,
)
from workstation.model.group import GroupStatus, PositionGroup
from workstation.model.ids import ClientOrderId, GroupId
from workstation.model.instrument import Instrument, InstrumentKey
from workstation.model.market import (
    rows_taken,
)
from workstation.model.order import Fill, Order
from workstation.trading.orders import next_order

PIECE_ENTRIES = 100
"""Of a snapshot at a time: under a millisecond."""

RETIRE_AFTER_NS = HOUR_NS
"""A closed group and its orders leave memory this long after; a later fill is an orphan for reconciliation."""

Copied = tuple[list[Any], list[Any]]
"""Keys and values of a table."""

_ENCODER = msgspec.json.Encoder(order="deterministic")


@dataclass(slots=True)
class SessionState:
    book: Book = field(default_factory=Book)
    instruments: dict[InstrumentKey, Instrument] = field(default_factory=dict)
    orders: dict[ClientOrderId, Order] = field(default_factory=dict)
    group_orders: dict[GroupId, list[ClientOrderId]] = field(default_factory=dict)
    groups: dict[GroupId, PositionGroup] = field(default_factory=dict)
    """Those that are not closed."""
    closed_groups: dict[GroupId, PositionGroup] = field(default_factory=dict)
    closed_ns: dict[GroupId, int] = field(default_factory=dict)
    """In the order of their closing."""
    price_ns: dict[InstrumentKey, int] = field(default_factory=dict)
    """When our own last fill showed a price."""
    conditions: dict[str, bool] = field(default_factory=dict)
    """Truth of the strategy's conditions, by name; one that never changed is not true."""
    run: RunStarted | None = None
    signals: int = 0
    refusals: int = 0
    facts: int = 0
    is_paused: bool = False
    pause_reason: str = ""
    is_stopped: bool = False
    is_lagging: bool = False
    halted: str | None = None
    killed: SessionKilled | None = None
    day: DayOpened | None = None
    """What trading had made when the last day began that this session saw begin."""
    last_sequence: int = 0
    last_ns: int = 0
    filled_row: int = 0
    """Count of the market row behind which `row_fills`, our latest, were reported, in their order."""
    row_fills: list[Fill] = field(default_factory=list)
    acted_row: int = 0
    """Count of the market row that last woke a decision; a restart takes a row again if its own wake may be missing."""

    def apply(self, fact: Fact) -> None:
        """Folds one fact. Raises IllegalTransition for an order event that cannot be."""
        _APPLY[type(fact.event)](self, fact.event, fact)
        self.facts += 1
        if fact.sequence > self.last_sequence:
            self.last_sequence = fact.sequence
        if fact.ts_received > self.last_ns:
            self.last_ns = fact.ts_received
        if fact.market_row is not None:
            self.acted_row = rows_taken(fact.sequence)

    def orders_of(self, group_id: GroupId) -> list[Order]:
        return [self.orders[i] for i in self.group_orders.get(group_id, ())]

    def retire(self, now_ns: int) -> None:
        """Lets go of groups that were closed long ago; a function of facts and their times alone."""
        old = takewhile(lambda closed: now_ns - closed[1] > RETIRE_AFTER_NS, self.closed_ns.items())
        for group_id, _ in list(old):
            for order_id in self.group_orders.pop(group_id, ()):
                del self.orders[order_id]
            del self.closed_groups[group_id], self.closed_ns[group_id]


def fold(facts: Iterable[Fact], state: SessionState | None = None) -> SessionState:
    """The state after `facts`, from nothing or from a snapshot's state."""
    state = SessionState() if state is None else state
    for fact in facts:
        state.apply(fact)
    return state


def snapshot(state: SessionState) -> bytes:
    """Canonical bytes: equal states give equal bytes."""
    return b"".join(snapshot_pieces(state))


def snapshot_pieces(state: SessionState) -> Iterator[bytes]:
    """The bytes of `snapshot`, PIECE_ENTRIES of a table at a time: whoever makes them can do something else between.

    They are of the state as it is when this is called, whatever it becomes meanwhile.
    """
    fields: dict[str, bytes | Copied] = {}
    for name in sorted(SessionState.__slots__):
        value = getattr(state, name)
        if name in _KEYED:
            fields[name] = list(value), list(value.values())  # no tuple for each entry: thousands of them take a while
        else:
            fields[name] = _ENCODER.encode(value.snapshot() if isinstance(value, Book) else value)
    fields["group_orders"] = list(state.group_orders), [tuple(orders) for orders in state.group_orders.values()]
    return _pieces(fields)


def _pieces(fields: dict[str, bytes | Copied]) -> Iterator[bytes]:
    before = b"{"
    for name, value in fields.items():
        yield before + _ENCODER.encode(name) + b":"
        before = b","
        if isinstance(value, bytes):
            yield value
            continue
        keys, values = value
        yield b"["
        for start in range(0, len(keys), PIECE_ENTRIES):
            some = slice(start, start + PIECE_ENTRIES)
            comma = b"," if start else b""
            yield comma + _ENCODER.encode(list(zip(keys[some], values[some], strict=True)))[1:-1]
        yield b"]"
    yield b"}"


def restore(data: bytes) -> SessionState:
    """The state that `snapshot` wrote."""
    fields: dict[str, Any] = {}
    for name, raw in msgspec.json.decode(data, type=dict[str, msgspec.Raw]).items():
        if name == "book":
            fields[name] = Book.restore(msgspec.json.decode(raw))
        elif name in _KEYED:
            fields[name] = dict(msgspec.json.decode(raw, type=_KEYED[name]))
        else:
            fields[name] = msgspec.json.decode(raw, type=SessionState.__annotations__[name])
    return SessionState(**fields)


_KEYED: dict[str, Any] = {
    "instruments": list[tuple[InstrumentKey, Instrument]],
    "orders": list[tuple[ClientOrderId, Order]],
    "group_orders": list[tuple[GroupId, list[ClientOrderId]]],
    "groups": list[tuple[GroupId, PositionGroup]],
    "closed_groups": list[tuple[GroupId, PositionGroup]],
    "closed_ns": list[tuple[GroupId, int]],
    "price_ns": list[tuple[InstrumentKey, int]],
}


def _submitted(state: SessionState, event: OrderSubmitted, fact: Fact) -> None:
    request = event.request
    order = next_order(Order(request=request), event, fact.ts_received)
    state.orders[request.client_order_id] = order
    state.group_orders.setdefault(request.group_id, []).append(request.client_order_id)


def _reported(state: SessionState, event: Any, fact: Fact) -> None:
    order = _known_order(state, event.client_order_id, event)
    state.orders[event.client_order_id] = next_order(order, event, fact.ts_received)


def _filled(state: SessionState, event: OrderFilled, fact: Fact) -> None:
    fill = event.fill
    before = _known_order(state, fill.client_order_id, event)
    after = next_order(before, event, fact.ts_received)
    if after is before:
        return  # applied already, by trade id
    state.orders[fill.client_order_id] = after
    instrument = state.instruments[fill.instrument]
    state.book.apply_fill(fill, instrument.kind, instrument.quote, instrument.base, instrument.contract_size)
    state.price_ns[fill.instrument] = fact.ts_received
    row = rows_taken(fact.sequence)
    if row != state.filled_row:
        state.filled_row, state.row_fills = row, []
    state.row_fills.append(fill)


def _known_order(state: SessionState, order_id: ClientOrderId, event: Event) -> Order:
    order = state.orders.get(order_id)
    if order is None:
        raise IllegalTransition(f"order {order_id}: {type(event).__name__}, but this session has no such order")
    return order


def _cancel_requested(state: SessionState, event: CancelRequested, fact: Fact) -> None:
    order = state.orders[event.client_order_id]
    state.orders[event.client_order_id] = replace(order, cancel_requested_ns=fact.ts_received)


def _group_opened(state: SessionState, event: GroupOpened, fact: Fact) -> None:
    state.retire(fact.ts_received)
    state.groups[event.group.group_id] = event.group


def _group_changed(state: SessionState, event: GroupChanged, fact: Fact) -> None:
    before = state.groups.pop(event.group_id, None) or state.closed_groups.pop(event.group_id)
    after = replace(before, status=event.status, next_signal=event.next_signal, close_reason=event.reason)
    state.closed_ns.pop(event.group_id, None)
    if event.status is GroupStatus.CLOSED:
        state.closed_groups[event.group_id] = after
        state.closed_ns[event.group_id] = fact.ts_received
    else:
        state.groups[event.group_id] = after


def _set(**values: Any) -> Callable[[SessionState, Any, Fact], None]:
    def change(state: SessionState, event: Any, fact: Fact) -> None:
        for name, value in values.items():
            setattr(state, name, value(event) if callable(value) else value)

    return change


_APPLY: dict[type[Event], Callable[[SessionState, Any, Fact], None]] = {
    RunStarted: _set(run=lambda event: event),
    BalanceSet: lambda state, event, fact: state.book.apply_balance(event),
    InstrumentListed: lambda state, event, fact: state.instruments.__setitem__(event.instrument.key, event.instrument),
    SessionPaused: _set(is_paused=True, pause_reason=lambda event: event.reason or f"by {event.by}"),
    SessionResumed: _set(is_paused=False, pause_reason="", halted=None),
    SessionStopped: _set(is_stopped=True),
    FeedLagChanged: _set(is_lagging=lambda event: event.is_lagging),
    SessionKilled: _set(killed=lambda event: event),
    SessionRearmed: _set(killed=None),
    OrderAsked: _set(),
    CancelAsked: _set(),
    CloseAsked: _set(),
    DayOpened: _set(day=lambda event: event),
    SignalGenerated: lambda state, event, fact: setattr(state, "signals", state.signals + 1),
    EntryRefused: lambda state, event, fact: setattr(state, "refusals", state.refusals + 1),
    GroupOpened: _group_opened,
    GroupChanged: _group_changed,
    OrderSubmitted: _submitted,
    CancelRequested: _cancel_requested,
    SessionHalted: _set(halted=lambda event: event.reason),
    ConditionsChanged: lambda state, event, fact: state.conditions.update(event.changes),
    OrderAccepted: _reported,
    OrderTriggered: _reported,
    OrderRejected: _reported,
    OrderFilled: _filled,
    OrderCancelled: _reported,
    OrderExpired: _reported,
    OrderTimedOut: _reported,
}
