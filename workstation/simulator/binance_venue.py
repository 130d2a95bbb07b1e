"""One simulated venue as Binance spot: its core, and what answers its REST and WebSocket requests."""

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any, NamedTuple

from workstation.model.units import Side
from workstation.simulator.accounts import Account
from workstation.simulator.bar_history import BarHistory
from workstation.simulator.binance_auth import signed_account
from workstation.simulator.binance_errors import ApiError, of_refusal
from workstation.simulator.binance_orders import BinanceOrders
from workstation.simulator.binance_streams import BinanceStreams
from workstation.simulator.exchange import Exchange
from workstation.simulator.faults import FaultMenu
from workstation.simulator.market_source import MarketSource
from workstation.simulator.refusals import Reason, Refused
from workstation.simulator.socket_hub import SocketHub
from workstation.simulator.venue_market import RowTuple, VenueMarket

EMPTY_LISTS = frozenset(
    {
        "/sapi/v1/capital/config/getall",
        "/sapi/v1/margin/allPairs",
        "/sapi/v1/margin/isolated/allPairs",
        "/sapi/v1/margin/allAssets",
    }
)
"""Signed requests of ccxt's that this venue answers as one without margin and deposits would: with an empty list."""

WS_METHODS = {
    "ping": ("GET", "/api/v3/ping"),
    "time": ("GET", "/api/v3/time"),
    "exchangeInfo": ("GET", "/api/v3/exchangeInfo"),
    "depth": ("GET", "/api/v3/depth"),
    "trades.recent": ("GET", "/api/v3/trades"),
    "trades.aggregate": ("GET", "/api/v3/aggTrades"),
    "klines": ("GET", "/api/v3/klines"),
    "ticker.24hr": ("GET", "/api/v3/ticker/24hr"),
    "ticker.book": ("GET", "/api/v3/ticker/bookTicker"),
    "ticker.price": ("GET", "/api/v3/ticker/price"),
    "account.status": ("GET", "/api/v3/account"),
    "order.place": ("POST", "/api/v3/order"),
    "order.test": ("POST", "/api/v3/order/test"),
    "order.status": ("GET", "/api/v3/order"),
    "order.cancel": ("DELETE", "/api/v3/order"),
    "openOrders.status": ("GET", "/api/v3/openOrders"),
    "openOrders.cancelAll": ("DELETE", "/api/v3/openOrders"),
    "allOrders": ("GET", "/api/v3/allOrders"),
    "myTrades": ("GET", "/api/v3/myTrades"),
}

Levels = Iterable[tuple[Decimal, Decimal]]
"""Prices and quantities."""


class ApiRequest(NamedTuple):
    """A request, whichever way it came. `signed`: what the signature is of; `wall_ns`: the venue's wall clock."""

    method: str
    path: str
    parameters: Mapping[str, str]
    signed: str
    api_key: str | None
    wall_ns: int


class BinanceVenue:
    """Rows and requests in, answers and stream messages out."""

    def __init__(self, venue: Exchange, source: MarketSource, menu: FaultMenu) -> None:
        self.exchange = venue
        self.hub = SocketHub()
        histories = {name: BarHistory(source, one.instrument.key) for name, one in venue.markets.items()}
        self.streams = BinanceStreams(venue, histories, self.hub, menu)
        self.orders = BinanceOrders(venue)

    def advance(self, rows: Iterable[tuple[VenueMarket, RowTuple]], now_ns: int) -> None:
        """Takes market rows and sends what they bring."""
        self.exchange.advance(rows, now_ns)
        self.flush()

    def flush(self) -> None:
        """Sends all events."""
        self.streams.tell(self.exchange.drain(), self.exchange.now_ns)

    def answer(self, request: ApiRequest) -> Any:
        """The answer to one request. Raises ApiError, with Binance's code and text."""
        try:
            return self._answer(request)
        except Refused as refused:
            raise of_refusal(refused) from refused

    def account(self, request: ApiRequest) -> Account:
        """Who signed a request. Raises ApiError."""
        return signed_account(
            self.exchange.accounts,
            request.api_key,
            request.signed,
            request.parameters,
            request.wall_ns // 1_000_000,
        )

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
        self.flush()

    def burst(self, name: str, size: int) -> None:
        """`size` quotes and trades in one go, at the prices of now."""
        market = self.exchange.market(name)
        touch = market.book.touch()
        if touch is None:
            raise Refused(Reason.NO_PRICE_YET, name)
        for number in range(size):
            self.exchange.touched(market)
            self.exchange.tell_trade(market, touch.bid if number % 2 else touch.ask, 1, bool(number % 2))
        self.flush()

    def _answer(self, request: ApiRequest) -> Any:
        if request.path == "/api/v3/time":
            return {"serverTime": request.wall_ns // 1_000_000}
        public = self.streams.data.routes.get(request.path)
        if public is not None and request.method == "GET":
            return public(request.parameters)
        private = self.orders.routes.get((request.method, request.path))
        if private is not None:
            answer = private(self.account(request), request.parameters)
            self.flush()
            return answer
        if request.path in EMPTY_LISTS:
            self.account(request)
            return []
        raise ApiError(-1000, f"{request.method} {request.path}: not part of this simulated venue.", 404)
