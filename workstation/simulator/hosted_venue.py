"""One simulated venue behind its wire: its core, its sockets, and what drills do to it by hand."""

from collections.abc import Callable, Iterable, Mapping
from decimal import Decimal, InvalidOperation
from typing import Any

from workstation.errors import BadInput
from workstation.history.calendars import Calendar, is_open
from workstation.model.instrument import InstrumentKind
from workstation.model.units import Side
from workstation.simulator.bar_history import BarHistory
from workstation.simulator.exchange import Exchange
from workstation.simulator.faults import FaultMenu
from workstation.simulator.funding import fundings
from workstation.simulator.market_source import MarketSource
from workstation.simulator.refusals import Reason, Refused
from workstation.simulator.socket_hub import SocketHub
from workstation.simulator.venue_market import RowTuple, VenueMarket
from workstation.simulator.venue_orders import VenueOrder
from workstation.simulator.wire import WireKind, WireParts

Levels = Iterable[tuple[Decimal, Decimal]]
"""Prices and quantities."""


class HostedVenue:
    """Rows and requests in, answers and stream messages out."""

    def __init__(
        self,
        exchange: Exchange,
        source: MarketSource,
        menu: FaultMenu,
        kind: WireKind,
        wall_ns: Callable[[], int],
        *,
        keeps_fx_week: bool = False,
    ) -> None:
        self.exchange, self.kind, self.hub = exchange, kind, SocketHub()
        self._keeps_fx_week = keeps_fx_week and kind.is_fx
        histories = {name: BarHistory(source, one.instrument.key) for name, one in exchange.markets.items()}
        parts = WireParts(
            exchange=exchange,
            histories=histories,
            hub=self.hub,
            menu=menu,
            wall_ns=wall_ns,
            perpetuals=fundings(exchange.markets, histories),
            keeps_fx_week=self._keeps_fx_week,
        )
        self.wire = kind.open(parts)

    def listed(self) -> list[str]:
        """The markets that are traded there, as it calls them."""
        markets = self.exchange.markets.items()
        return [name for name, one in markets if self.kind.has_spot or one.instrument.kind is not InstrumentKind.SPOT]

    def is_closed(self, now_ns: int) -> bool:
        """Whether its markets rest: nothing but a first price is taken then."""
        return self._keeps_fx_week and not is_open(Calendar.FX, now_ns)

    def advance(self, rows: Iterable[tuple[VenueMarket, RowTuple]], now_ns: int) -> None:
        """Takes market rows and sends what they bring."""
        self.exchange.advance(rows, now_ns)
        self.wire.streams.flush()

    def place_levels(self, name: str, bids: Levels, asks: Levels) -> None:
        """Shows these levels [price, quantity] instead of the market's; none: the market's again."""
        market = self.exchange.market(name)
        levels = {
            side: [
                (market.ticks(price, Reason.PRICE_FILTER), market.lots(quantity, Reason.LOT_SIZE))
                for price, quantity in wanted
            ]
            for side, wanted in ((Side.BUY, bids), (Side.SELL, asks))
        }
        self.exchange.place_levels(market, levels)
        self.wire.streams.flush()

    def burst(self, name: str, size: int) -> None:
        """`size` quotes and trades in one go, at the prices of now."""
        market = self.exchange.market(name)
        touch = market.book.touch()
        if touch is None:
            raise Refused(Reason.NO_PRICE_YET, name)
        for number in range(size):
            self.exchange.touched(market)
            self.exchange.tell_trade(market, touch.bid if number % 2 else touch.ask, 1, bool(number % 2))
        self.wire.streams.flush()

    def fill(self, fields: Mapping[str, Any]) -> VenueOrder:
        """Fills an open order by its number or client id, whatever the market is. Raises Refused, BadInput."""
        for order in self.exchange.orders.open_orders():
            if fields.get("orderId") == order.order_id or fields.get("clientOrderId") == order.request.client_order_id:
                quantity = fields.get("quantity")
                self.exchange.force_fill(order, None if quantity is None else number_of(quantity, "quantity"))
                self.wire.streams.flush()
                return order
        raise Refused(Reason.UNKNOWN_ORDER, f"{dict(fields)}: no open order has that orderId or clientOrderId")


def number_of(value: object, name: str) -> Decimal:
    """A number of a JSON message, as a number or as text. Raises BadInput."""
    try:
        return Decimal(str(value))
    except InvalidOperation:
        raise BadInput(f"{name} {value!r}: expected a number") from None
