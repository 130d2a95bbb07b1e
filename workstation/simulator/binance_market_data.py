"""Binance spot's public REST: rules, book, trades, candles and 24-hour statistics of a simulated venue."""

from collections.abc import Callable, Mapping
from typing import Any

from workstation.errors import BadInput
from workstation.model.market import DAY_NS, MINUTE_NS, interval_ns
from workstation.simulator.bar_history import BarHistory, Candle
from workstation.simulator.binance_errors import INVALID_INTERVAL, ApiError, malformed, missing
from workstation.simulator.binance_format import (
    MILLISECOND_NS,
    aggregate_trade,
    kline,
    levels,
    milliseconds,
    public_trade,
    symbol_rules,
)
from workstation.simulator.exchange import Exchange
from workstation.simulator.venue_market import VenueMarket
from workstation.simulator.venue_orders import Traded

Parameters = Mapping[str, str]
RATE_LIMITS = [
    {"rateLimitType": "REQUEST_WEIGHT", "interval": "MINUTE", "intervalNum": 1, "limit": 6000},
    {"rateLimitType": "ORDERS", "interval": "SECOND", "intervalNum": 10, "limit": 100},
]
MOST_KLINES = 1000
DEFAULT_KLINES = 500
MOST_LEVELS = 5000


class BinanceMarketData:
    """What everyone may ask. `publish` sends a book's pending change before a snapshot is taken of it."""

    def __init__(
        self, exchange: Exchange, histories: Mapping[str, BarHistory], publish: Callable[[VenueMarket], None]
    ) -> None:
        self._exchange = exchange
        self._histories = histories
        self._publish = publish
        self.routes: dict[str, Callable[[Parameters], Any]] = {
            "/api/v3/ping": lambda _: {},
            "/api/v3/exchangeInfo": self.exchange_info,
            "/api/v3/depth": self.depth,
            "/api/v3/trades": self.trades,
            "/api/v3/historicalTrades": self.trades,
            "/api/v3/aggTrades": self.aggregate_trades,
            "/api/v3/klines": self.klines,
            "/api/v3/ticker/24hr": self.day_tickers,
            "/api/v3/ticker/bookTicker": self.book_tickers,
            "/api/v3/ticker/price": self.prices,
            # a venue without futures lists none
            "/fapi/v1/exchangeInfo": lambda _: {"symbols": [], "rateLimits": []},
            "/dapi/v1/exchangeInfo": lambda _: {"symbols": [], "rateLimits": []},
        }

    def exchange_info(self, parameters: Parameters) -> Any:
        markets = self._exchange.markets.values()
        if "symbol" in parameters:
            markets = [self._market(parameters)]  # type: ignore[assignment]
        return {
            "timezone": "UTC",
            "serverTime": milliseconds(self._exchange.now_ns),
            "rateLimits": RATE_LIMITS,
            "exchangeFilters": [],
            "symbols": [symbol_rules(market) for market in markets],
        }

    def depth(self, parameters: Parameters) -> Any:
        market = self._market(parameters)
        limit = whole(parameters, "limit", 100, MOST_LEVELS)
        self._publish(market)
        last_id, bids, asks = market.depth()
        return {
            "lastUpdateId": last_id,
            "bids": levels(market, bids, limit),
            "asks": levels(market, asks, limit),
        }

    def trades(self, parameters: Parameters) -> Any:
        market = self._market(parameters)
        limit = whole(parameters, "limit", 500, 1000)
        if parameters.get("fromId"):
            first_id = whole(parameters, "fromId", 0)
            return [public_trade(trade) for trade in market.trades if trade.trade_id >= first_id][:limit]
        return [public_trade(trade) for trade in list(market.trades)[-limit:]]

    def aggregate_trades(self, parameters: Parameters) -> Any:
        market = self._market(parameters)
        limit = whole(parameters, "limit", 500, 1000)
        start_ms = whole(parameters, "startTime", 0)
        stop_ms = whole(parameters, "endTime", 2**53)
        first_id = whole(parameters, "fromId", 0)
        chosen: list[Traded] = [
            trade
            for trade in market.trades
            if start_ms <= milliseconds(trade.ts_ns) <= stop_ms and trade.trade_id >= first_id
        ]
        is_forward = "startTime" in parameters or "fromId" in parameters
        return [aggregate_trade(trade) for trade in (chosen[:limit] if is_forward else chosen[-limit:])]

    def klines(self, parameters: Parameters) -> Any:
        market = self._market(parameters)
        length_ns = kline_interval(parameters.get("interval") or "")
        limit = whole(parameters, "limit", DEFAULT_KLINES, MOST_KLINES)
        now_ns = self._exchange.now_ns
        stop_ns = min(whole(parameters, "endTime", 2**43) * MILLISECOND_NS + MILLISECOND_NS, now_ns)
        if "startTime" in parameters:
            start_ns = whole(parameters, "startTime", 0) * MILLISECOND_NS
            # the first candle is the first that opens at or after the start
            first_ns = -(-start_ns // length_ns) * length_ns
            stop_ns = min(stop_ns, first_ns + limit * length_ns)
        else:
            first_ns = stop_ns - limit * length_ns
            start_ns = first_ns
        if start_ns >= stop_ns:
            return []
        history = self._histories[market.name]
        # whole minutes up to the end; the running minute only when the end is now
        is_live = stop_ns >= now_ns
        end_ns = now_ns if is_live else stop_ns + MINUTE_NS - 1
        price = market.mid() if is_live else None
        found = history.candles(length_ns, max(first_ns, 0), end_ns, price)
        chosen = [one for one in found if start_ns <= one.ts_open < stop_ns]
        return [kline(one, length_ns) for one in (chosen[:limit] if "startTime" in parameters else chosen[-limit:])]

    def day_tickers(self, parameters: Parameters) -> Any:
        return self._of_each(parameters, self._day_ticker)

    def book_tickers(self, parameters: Parameters) -> Any:
        return self._of_each(parameters, self._book_ticker)

    def prices(self, parameters: Parameters) -> Any:
        return self._of_each(
            parameters, lambda market: {"symbol": market.name, "price": f"{self.last_price(market):.8f}"}
        )

    def last_price(self, market: VenueMarket) -> float:
        """The last traded price; before the first trade the middle of the book."""
        return market.mid() or 0.0 if market.last_price is None else market.float_price(market.last_price)

    def day(self, market: VenueMarket) -> Candle | None:
        """The last 24 hours."""
        return self._histories[market.name].last_day(self._exchange.now_ns, market.mid())

    def _day_ticker(self, market: VenueMarket) -> Any:
        day, now_ns, last = self.day(market), self._exchange.now_ns, self.last_price(market)
        opened, high, low, volume = (day.open, day.high, day.low, day.volume) if day else (last, last, last, 0.0)
        book = self._book_ticker(market)
        latest = market.trades[-1] if market.trades else None
        return {
            "symbol": market.name,
            "priceChange": f"{last - opened:.8f}",
            "priceChangePercent": f"{(last / opened - 1) * 100:.3f}" if opened else "0.000",
            "weightedAvgPrice": f"{(high + low + last) / 3:.8f}",
            "prevClosePrice": f"{opened:.8f}",
            "lastPrice": f"{last:.8f}",
            "lastQty": f"{latest.quantity if latest else 0:.8f}",
            **{name: book[name] for name in ("bidPrice", "bidQty", "askPrice", "askQty")},
            "openPrice": f"{opened:.8f}",
            "highPrice": f"{max(high, last):.8f}",
            "lowPrice": f"{min(low, last):.8f}",
            "volume": f"{volume:.8f}",
            "quoteVolume": f"{volume * (opened + last) / 2:.8f}",
            "openTime": milliseconds(now_ns - DAY_NS),
            "closeTime": milliseconds(now_ns),
            "firstId": market.trades[0].trade_id if market.trades else -1,
            "lastId": latest.trade_id if latest else -1,
            "count": len(market.trades),
        }

    def _book_ticker(self, market: VenueMarket) -> Any:
        touch = market.book.touch()
        bid, bid_lots, ask, ask_lots = touch if touch is not None else (0, 0, 0, 0)
        return {
            "symbol": market.name,
            "bidPrice": f"{market.float_price(bid):.8f}",
            "bidQty": f"{market.float_quantity(bid_lots):.8f}",
            "askPrice": f"{market.float_price(ask):.8f}",
            "askQty": f"{market.float_quantity(ask_lots):.8f}",
        }

    def _of_each(self, parameters: Parameters, one: Callable[[VenueMarket], Any]) -> Any:
        """For `symbol`, for each of `symbols`, a JSON list, or for all."""
        if "symbol" in parameters:
            return one(self._market(parameters))
        wanted = parameters.get("symbols")
        markets = self._exchange.markets.values()
        return [one(market) for market in markets if wanted is None or f'"{market.name}"' in wanted]

    def _market(self, parameters: Parameters) -> VenueMarket:
        if not parameters.get("symbol"):
            raise missing("symbol")
        return self._exchange.market(parameters["symbol"])


def kline_interval(label: str) -> int:
    """Nanoseconds of a candle's length, from a minute to a week. Raises ApiError for another."""
    try:
        length_ns = interval_ns(label)
    except BadInput:
        length_ns = 0
    if length_ns < MINUTE_NS:
        raise ApiError(*INVALID_INTERVAL)
    return length_ns


def whole(parameters: Parameters, name: str, otherwise: int, most: int | None = None) -> int:
    """A whole number that was sent, held to `most`. Raises ApiError for what is none."""
    text = parameters.get(name, "")
    if not text:
        return otherwise
    if not (text.isascii() and text.isdigit()) or len(text) > 20:
        raise malformed(name)
    return int(text) if most is None else min(int(text), most)
