"""Fills netted into trades: what is sold closes what was bought, the oldest first; what is left opens a new trade."""

from collections.abc import Callable
from dataclasses import dataclass, field
from decimal import Decimal
from typing import NamedTuple

from workstation.model.units import MONEY
from workstation.simulator.number_text import plain
from workstation.simulator.oanda.format import Json, money, rfc3339

ZERO = Decimal(0)


@dataclass(slots=True)
class Trade:
    """Units are signed; profit is in the account's currency."""

    trade_id: str
    market: str
    price: Decimal
    opened_ns: int
    initial: Decimal
    current: Decimal
    realized: Decimal = ZERO
    closing_ids: list[str] = field(default_factory=list)
    closed_ns: int | None = None
    closed_quote: Decimal = ZERO
    """Price times units of all that closed it."""

    def shown(self, unrealized: Decimal) -> Json:
        """As queries tell it."""
        state: Json = {
            "id": self.trade_id,
            "instrument": self.market,
            "price": plain(self.price),
            "openTime": rfc3339(self.opened_ns),
            "initialUnits": plain(self.initial),
            "currentUnits": plain(self.current),
            "realizedPL": money(self.realized),
            "financing": "0.0000",
            "state": "OPEN" if self.closed_ns is None else "CLOSED",
        }
        if self.closing_ids:
            closed = MONEY.subtract(self.initial, self.current)
            average = MONEY.divide(self.closed_quote, abs(closed))
            state |= {
                "closingTransactionIDs": self.closing_ids,
                "averageClosePrice": plain(round(average, 8)),
            }
        if self.closed_ns is None:
            return state | {"unrealizedPL": money(unrealized)}
        return state | {"closeTime": rfc3339(self.closed_ns)}


class Closed(NamedTuple):
    """What a fill took of a trade."""

    trade: Trade
    units: Decimal
    realized: Decimal

    def shown(self) -> Json:
        return {
            "tradeID": self.trade.trade_id,
            "units": plain(self.units),
            "realizedPL": money(self.realized),
            "financing": "0.0000",
        }


class Outcome(NamedTuple):
    """What a fill did."""

    closed: list[Closed]
    opened: Trade | None

    @property
    def realized(self) -> Decimal:
        return sum((one.realized for one in self.closed), ZERO)


class Netting:
    """The trades of one account. `rate` is the worth of a market's quote currency in the account's."""

    def __init__(self, rate: Callable[[str], Decimal]) -> None:
        self._rate = rate
        self.trades: dict[str, Trade] = {}
        """By id, oldest first."""
        self.realized: dict[tuple[str, bool], Decimal] = {}
        """By market, and whether of long trades."""

    def open_trades(self, market: str | None = None) -> list[Trade]:
        return [one for one in self.trades.values() if one.closed_ns is None and market in (None, one.market)]

    def units(self, market: str) -> Decimal:
        """The position: all open units together."""
        return sum((one.current for one in self.open_trades(market)), ZERO)

    def unrealized(self, trade: Trade, price: Decimal) -> Decimal:
        """What closing at a price would bring."""
        return self._profit(trade, trade.current, price)

    def fill(
        self, market: str, units: Decimal, price: Decimal, ts_ns: int, transaction_id: str, only: str | None = None
    ) -> Outcome:
        """Books one fill of signed units; `only`: it closes the trade of that id, no matter which is older."""
        closed: list[Closed] = []
        for trade in self.open_trades(market):
            if units == 0 or (trade.current > 0) == (units > 0):
                break
            if only is None or trade.trade_id == only:
                closed.append(self._close(trade, units, price, ts_ns, transaction_id))
                units = MONEY.subtract(units, closed[-1].units)
        if units == 0:
            return Outcome(closed, None)
        opened = Trade(transaction_id, market, price, ts_ns, units, units)
        self.trades[opened.trade_id] = opened
        return Outcome(closed, opened)

    def _close(self, trade: Trade, units: Decimal, price: Decimal, ts_ns: int, transaction_id: str) -> Closed:
        """As much of the trade as the units, of the other sign, take."""
        taken = min(abs(units), abs(trade.current))
        part = taken if trade.current > 0 else -taken
        realized = self._profit(trade, part, price)
        trade.current = MONEY.subtract(trade.current, part)
        trade.realized = MONEY.add(trade.realized, realized)
        trade.closed_quote = MONEY.add(trade.closed_quote, MONEY.multiply(price, taken))
        trade.closing_ids.append(transaction_id)
        trade.closed_ns = ts_ns if trade.current == 0 else None
        key = trade.market, part > 0
        self.realized[key] = MONEY.add(self.realized.get(key, ZERO), realized)
        return Closed(trade, -part, realized)

    def _profit(self, trade: Trade, units: Decimal, price: Decimal) -> Decimal:
        gained = MONEY.multiply(MONEY.subtract(price, trade.price), units)
        return MONEY.multiply(gained, self._rate(trade.market))
