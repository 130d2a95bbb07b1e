"""Binance spot's public REST: rules, book, trades, candles and 24-hour statistics of a simulated venue."""

from collections.abc import Callable, Mapping
from typing import Any

from workstation.errors import BadInput
from workstation.model.durations import DAY_NS, MINUTE_NS, MS_NS
from workstation.model.market import (
    interval_ns,
)
from workstation.simulator.bar_history import BarHistory
from workstation.simulator.binance.errors import INVALID_INTERVAL, ApiError, malformed, missing
from workstation.simulator.binance.format import (
    aggregate_trade,
    kline,
    levels,
    milliseconds,
    public_trade,
    symbol_rules,
)
from workstation.simulator.exchange import Exchange
from workstation.simulator.market_queries import candles_between, day_of, last_price
from workstation.simulator.request_numbers import whole_of
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
        has_start = "startTime" in parameters
        found = candles_between(
            self._histories[market.name],
            market,
            self._exchange.now_ns,
            length_ns=length_ns,
            start_ns=whole(parameters, "startTime", 0) * MS_NS if has_start else None,
            stop_ns=whole(parameters, "endTime", 2**43) * MS_NS + MS_NS,
            limit=limit,
        )
        return [kline(one, length_ns) for one in found]

    def day_tickers(self, parameters: Parameters) -> Any:
        return self._of_each(parameters, self._day_ticker)

    def book_tickers(self, parameters: Parameters) -> Any:
        return self._of_each(parameters, self._book_ticker)

    def prices(self, parameters: Parameters) -> Any:
        return self._of_each(parameters, lambda market: {"symbol": market.name, "price": f"{last_price(market):.8f}"})

    def _day_ticker(self, market: VenueMarket) -> Any:
        now_ns = self._exchange.now_ns
        day = day_of(self._histories[market.name], market, now_ns)
        book = self._book_ticker(market)
        latest = market.trades[-1] if market.trades else None
        return {
            "symbol": market.name,
            "priceChange": f"{day.last - day.open:.8f}",
            "priceChangePercent": f"{(day.last / day.open - 1) * 100:.3f}" if day.open else "0.000",
            "weightedAvgPrice": f"{(day.high + day.low + day.last) / 3:.8f}",
            "prevClosePrice": f"{day.open:.8f}",
            "lastPrice": f"{day.last:.8f}",
            "lastQty": f"{latest.quantity if latest else 0:.8f}",
            **{name: book[name] for name in ("bidPrice", "bidQty", "askPrice", "askQty")},
            "openPrice": f"{day.open:.8f}",
            "highPrice": f"{day.high:.8f}",
            "lowPrice": f"{day.low:.8f}",
            "volume": f"{day.volume:.8f}",
            "quoteVolume": f"{day.quote_volume:.8f}",
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
    found = whole_of(text)
    if found is None:
        raise malformed(name)
    return found if most is None else min(found, most)
