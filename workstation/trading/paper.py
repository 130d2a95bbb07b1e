"""The paper venue: takes effects, and answers with reports that are due a latency later. Pure: no clock, no I/O.

Its whole state is what rests there, and that is folded from the journal: a restart gives it back by `restore`.
"""

import math
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

from msgspec import Struct

from workstation.errors import BadInput
from workstation.model.events import OrderAccepted, OrderCancelled, OrderFilled, OrderRejected, OrderTriggered, Report
from workstation.model.ids import ClientOrderId, Currency, TradeId, Venue
from workstation.model.instrument import Instrument, InstrumentKey, InstrumentKind
from workstation.model.order import Fill, Order, OrderRequest, OrderStatus
from workstation.model.units import MONEY, Side, to_float
from workstation.trading.matching import (
    Execution,
    Resting,
    Touch,
    match_bar_limit,
    match_bar_stop,
    match_open,
    match_quote,
    match_trade,
    paid,
)

ZERO = Decimal(0)
INFINITE = float("inf")


class FillAt(StrEnum):
    """Where bars are all there is: when a market order decided at a bar's close trades."""

    NEXT_OPEN = "next-open"
    THIS_CLOSE = "this-close"


@dataclass(frozen=True, slots=True, kw_only=True)
class PaperSettings:
    latency_ns: int = 0
    """From decision to the venue's answer."""
    slippage_rate: float = 0.0
    """Fraction of the price that a market or stop order pays on top of the touch, or of the bar's price."""
    on_bars: bool = False
    fill_at: FillAt = FillAt.NEXT_OPEN

    def __post_init__(self) -> None:
        if self.latency_ns < 0:
            raise BadInput(f"latency_ns {self.latency_ns}: expected 0 or more")
        if not 0 <= self.slippage_rate < 1:
            raise BadInput(f"slippage_rate {self.slippage_rate}: expected a fraction from 0 to below 1")


class Levels(Struct, frozen=True):
    """What one instrument's resting orders wait for (see windows.tables.INSTRUMENT)."""

    buy_touch: float = -INFINITE
    sell_touch: float = INFINITE
    rise: float = INFINITE
    fall: float = -INFINITE


Available = Callable[[Venue, Currency], Decimal]
Held = Callable[[InstrumentKey], Decimal]


class PaperVenue:
    """One session's simulated venue; `available` and `held` answer from its account."""

    def __init__(self, settings: PaperSettings, available: Available, held: Held) -> None:
        self.settings = settings
        self._available, self._held = available, held
        self._orders: dict[ClientOrderId, Resting] = {}
        self._row_again: int | None = None
        self._given: tuple[Fill, ...] = ()

    def take(self, request: OrderRequest, instrument: Instrument, index: int) -> int:
        """Takes an order in, once for each id; returns when it arrives (ns)."""
        self._orders.setdefault(request.client_order_id, Resting(request, instrument, index, request.quantity))
        return request.decided_ns + self.settings.latency_ns

    def restore(self, order: Order, instrument: Instrument, index: int) -> int:
        """Takes back an order that an earlier run had sent; returns when it arrives, if it has not.

        An acceptance is journaled in one group with what the order met on arrival: who was accepted has arrived.
        """
        due = self.take(order.request, instrument, index)
        resting = self._orders[order.request.client_order_id]
        resting.remaining = order.remaining_quantity
        resting.is_triggered = order.is_triggered
        resting.fills = len(order.trade_ids)
        resting.is_accepted = order.status is not OrderStatus.SUBMITTED
        return due

    def meet_again(self, row: int, given: Iterable[Fill]) -> None:
        """Market row number `row` comes once more after a restart: what it had `given` is not given twice."""
        self._row_again, self._given = row, tuple(given)

    def is_waiting(self, client_order_id: ClientOrderId) -> bool:
        """The order is here and has not arrived yet."""
        order = self._orders.get(client_order_id)
        return order is not None and not order.is_accepted

    def arrive(self, client_order_id: ClientOrderId, touch: Touch, last_price: float) -> Iterator[Report]:
        """The order reaches the venue: acceptance, then what it trades at once."""
        order = self._orders.get(client_order_id)
        if order is None or order.is_accepted:
            return
        order.is_accepted = True
        yield OrderAccepted(client_order_id=client_order_id)
        if not self.settings.on_bars:
            yield from self._meet(order, touch, on_arrival=True)
        elif order.is_market and self.settings.fill_at is FillAt.THIS_CLOSE and not math.isnan(last_price):
            price = paid(last_price, order, self.settings.slippage_rate)
            yield from self._execute(order, Execution(price, order.remaining, False))

    def refuse(self, client_order_id: ClientOrderId, reason: str) -> Iterator[Report]:
        """An order that never left for the venue."""
        if self._orders.pop(client_order_id, None) is not None:
            yield OrderRejected(client_order_id=client_order_id, reason=reason)

    def cancel(self, client_order_id: ClientOrderId) -> Iterator[Report]:
        """A cancel reaches the venue; of an order that is not there any more it says nothing: its end was reported."""
        if self._orders.pop(client_order_id, None) is not None:
            yield OrderCancelled(client_order_id=client_order_id)

    def on_quote(self, index: int, touch: Touch, row: int | None = None) -> Iterator[Report]:
        """A quote reaches a level: each order in the order of arrival, out of what is displayed."""
        for fill in self._given_of(row):
            touch = _less(touch, fill.side, fill.quantity)
        for order in self._accepted(index, row):
            before = order.remaining
            yield from self._meet(order, touch, on_arrival=False)
            touch = _less(touch, order.request.side, before - order.remaining)

    def on_trade(self, index: int, price: float, quantity: float, row: int | None = None) -> Iterator[Report]:
        """A public trade goes through resting limits, the first one first."""
        for fill in self._given_of(row):
            quantity = _left(quantity, fill.quantity)
        for order in self._accepted(index, row):
            execution = match_trade(order, price, quantity)
            before = order.remaining
            yield from self._execute(order, execution)
            quantity = _left(quantity, before - order.remaining)

    def on_bar_open(self, index: int, open_price: float) -> Iterator[Report]:
        """The next bar opens: what waited for it trades."""
        for order in self._accepted(index):
            yield from self._execute(order, match_open(order, open_price, self.settings.slippage_rate))

    def on_bar_range(self, index: int, open_high_low: tuple[float, float, float]) -> Iterator[Report]:
        """The bar runs: stops first, and only what they left is reached by limits (both in one bar: the worse one)."""
        for order in self._accepted(index):
            yield from self._execute(order, match_bar_stop(order, open_high_low, self.settings.slippage_rate))
        for order in self._accepted(index):
            yield from self._execute(order, match_bar_limit(order, open_high_low))

    def levels(self, index: int) -> Levels:
        """What the orders of one instrument wait for."""
        buy_touch, sell_touch, rise, fall = -INFINITE, INFINITE, INFINITE, -INFINITE
        for order in self._orders.values():
            if order.index != index or not order.is_accepted:
                continue
            request = order.request
            if request.side is Side.BUY:
                if order.is_market:
                    buy_touch = INFINITE
                elif request.limit_price is not None:
                    buy_touch = max(buy_touch, to_float(request.limit_price))
                elif request.stop_price is not None:
                    rise = min(rise, to_float(request.stop_price))
            elif order.is_market:
                sell_touch = -INFINITE
            elif request.limit_price is not None:
                sell_touch = min(sell_touch, to_float(request.limit_price))
            elif request.stop_price is not None:
                fall = max(fall, to_float(request.stop_price))
        return Levels(buy_touch, sell_touch, rise, fall)

    def _accepted(self, index: int, row: int | None = None) -> list[Resting]:
        """What rests on an instrument, but for an order that had its share of market row `row` before a restart."""
        served = {fill.client_order_id for fill in self._given_of(row)}
        orders = [o for o in self._orders.values() if o.index == index and o.is_accepted]
        return [o for o in orders if o.request.client_order_id not in served] if served else orders

    def _given_of(self, row: int | None) -> tuple[Fill, ...]:
        """Fills of market row `row` that an earlier run had reported, in their order."""
        return self._given if row is not None and row == self._row_again else ()

    def _meet(self, order: Resting, touch: Touch, *, on_arrival: bool) -> Iterator[Report]:
        """An order meets a quote: its trigger, if this is the one that it waited for, then what it gets."""
        was_triggered = order.is_triggered
        execution = match_quote(order, touch, self.settings.slippage_rate, on_arrival=on_arrival)
        if order.is_triggered and not was_triggered:
            yield OrderTriggered(client_order_id=order.request.client_order_id)
        yield from self._execute(order, execution)

    def _execute(self, order: Resting, execution: Execution | None) -> Iterator[Report]:
        request = order.request
        if execution is None or request.client_order_id not in self._orders:
            return  # it was cancelled by what happened a moment before
        quantity = execution.quantity
        if request.is_reduce_only:
            quantity = min(quantity, max(-request.side * self._held(request.instrument), ZERO))
            if not quantity:
                yield from self.cancel(request.client_order_id)
                return
        fill = self._fill(order, execution, quantity)
        refusal = self._unpaid(order.instrument, fill)
        if refusal is not None:
            del self._orders[request.client_order_id]
            yield OrderRejected(client_order_id=request.client_order_id, reason=refusal)
            return
        order.remaining -= quantity
        order.fills += 1
        if not order.remaining:
            del self._orders[request.client_order_id]
        yield OrderFilled(fill=fill)

    def _fill(self, order: Resting, execution: Execution, quantity: Decimal) -> Fill:
        instrument, request = order.instrument, order.request
        rate = instrument.maker_fee_rate if execution.is_maker else instrument.taker_fee_rate
        notional = MONEY.multiply(MONEY.multiply(execution.price, quantity), instrument.contract_size)
        return Fill(
            client_order_id=request.client_order_id,
            trade_id=TradeId(f"{request.client_order_id}-{order.fills}"),
            instrument=request.instrument,
            side=request.side,
            price=execution.price,
            quantity=quantity,
            fee=MONEY.multiply(notional, rate),
            fee_currency=instrument.quote,
            is_maker=execution.is_maker,
        )

    def _unpaid(self, instrument: Instrument, fill: Fill) -> str | None:
        """Spot changes hands against what is there; None where it is enough."""
        if instrument.kind is not InstrumentKind.SPOT:
            return None
        currency = instrument.quote if fill.side is Side.BUY else instrument.base
        needed = fill.quantity
        if fill.side is Side.BUY:
            needed = MONEY.add(MONEY.multiply(fill.price, fill.quantity), fill.fee)
        there = self._available(instrument.venue, currency)
        return f"insufficient balance: {needed} {currency} needed, {there} available" if needed > there else None


def _less(touch: Touch, side: Side, quantity: Decimal) -> Touch:
    """The touch after `quantity` of it is taken."""
    if side is Side.BUY:
        return touch._replace(ask_quantity=_left(touch.ask_quantity, quantity))
    return touch._replace(bid_quantity=_left(touch.bid_quantity, quantity))


def _left(displayed: float, taken: Decimal) -> float:
    """What is left to take; 0.3 - 0.1 - 0.2 is less than nothing, by float noise."""
    return max(displayed - to_float(taken), 0.0)
