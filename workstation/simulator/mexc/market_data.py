"""MEXC's public REST of spot: rules, book, trades, candles and 24-hour statistics of a simulated venue."""

from collections.abc import Callable, Iterator
from itertools import groupby
from typing import Any

from workstation.model.durations import DAY_NS, HOUR_NS, MINUTE_NS, MS_NS
from workstation.simulator.bar_history import WEEK_NS
from workstation.simulator.book_view import level_texts, touch_texts
from workstation.simulator.market_queries import candles_between, day_of, last_price
from workstation.simulator.mexc.errors import BOTH_TIMES, NO_INTERVAL, MexcError
from workstation.simulator.mexc.format import (
    Json,
    aggregate_trade,
    candle_row,
    is_perpetual,
    milliseconds,
    of_each,
    public_trade,
    symbol_rules,
)
from workstation.simulator.mexc.requests import required, whole
from workstation.simulator.refusals import Reason, Refused
from workstation.simulator.request_fields import Fields
from workstation.simulator.venue_market import VenueMarket
from workstation.simulator.venue_orders import Traded
from workstation.simulator.wire import WireParts

INTERVALS_NS = {
    **{f"{minutes}m": minutes * MINUTE_NS for minutes in (1, 5, 15, 30, 60)},
    "4h": 4 * HOUR_NS,
    "1d": DAY_NS,
    "1W": WEEK_NS,
}
"""By MEXC's label; months are not simulated."""
MOST_CANDLES = 500
MOST_TRADES = 1000
MOST_LEVELS = 5000


class SpotData:
    """What everyone may ask. `publish` sends a book's pending change before a snapshot is taken of it."""

    def __init__(self, parts: WireParts, publish: Callable[[VenueMarket], None]) -> None:
        self._exchange, self._histories, self._publish = parts.exchange, parts.histories, publish
        self.markets = {name: one for name, one in parts.exchange.markets.items() if not is_perpetual(one)}
        self.routes: dict[str, Callable[[Fields], Any]] = {
            "/ping": lambda fields: {},
            "/exchangeInfo": self.exchange_info,
            "/defaultSymbols": lambda fields: {"code": 0, "data": list(self.markets), "msg": None},
            "/depth": self.depth,
            "/trades": self.trades,
            "/historicalTrades": self.trades,
            "/aggTrades": self.aggregate_trades,
            "/klines": self.candles,
            "/ticker/24hr": lambda fields: self._asked(fields, self.day),
            "/ticker/bookTicker": lambda fields: self._asked(fields, self._best),
            "/ticker/price": lambda fields: self._asked(fields, self._price),
        }

    def exchange_info(self, fields: Fields) -> Json:
        wanted = fields["symbol"].split(",") if "symbol" in fields else list(self.markets)
        return {
            "timezone": "CST",
            "serverTime": milliseconds(self._exchange.now_ns),
            "rateLimits": [],
            "exchangeFilters": [],
            "symbols": [symbol_rules(self.market(name)) for name in wanted],
        }

    def depth(self, fields: Fields) -> Json:
        market, limit = self._named(fields), whole(fields, "limit", 100, MOST_LEVELS)
        self._publish(market)
        last_id, bids, asks = market.depth()
        return {
            "lastUpdateId": last_id,
            "bids": level_texts(market, bids, limit),
            "asks": level_texts(market, asks, limit),
            "timestamp": milliseconds(self._exchange.now_ns),
        }

    def trades(self, fields: Fields) -> list[Json]:
        """The newest first."""
        market, limit = self._named(fields), whole(fields, "limit", 500, MOST_TRADES)
        return [public_trade(market, trade) for trade in reversed(list(market.trades)[-limit:] if limit else [])]

    def aggregate_trades(self, fields: Fields) -> list[Json]:
        """The newest first. Those of one moment, side and price are one; a start is taken with an end only."""
        if ("startTime" in fields) is not ("endTime" in fields):
            raise MexcError(*BOTH_TIMES)
        market, limit = self._named(fields), whole(fields, "limit", 500, MOST_TRADES)
        start_ms, stop_ms = whole(fields, "startTime", 0), whole(fields, "endTime", 2**53)
        chosen = (trade for trade in market.trades if start_ms <= milliseconds(trade.ts_ns) <= stop_ms)
        joined = [aggregate_trade(market, *pair) for pair in _aggregates(chosen)]
        return joined[::-1][:limit]

    def candles(self, fields: Fields) -> list[list[Any]]:
        """Oldest first: from a start the first of them, up to an end that is not among them."""
        market, length_ns = self._named(fields), INTERVALS_NS.get(required(fields, "interval"))
        if length_ns is None:
            raise MexcError(*NO_INTERVAL)
        found = candles_between(
            self._histories[market.name],
            market,
            self._exchange.now_ns,
            length_ns=length_ns,
            start_ns=whole(fields, "startTime", 0) * MS_NS if "startTime" in fields else None,
            stop_ns=whole(fields, "endTime", 2**43) * MS_NS,
            limit=whole(fields, "limit", MOST_CANDLES, MOST_CANDLES),
        )
        return [candle_row(market, candle, length_ns) for candle in found]

    def day(self, market: VenueMarket) -> Json:
        now_ns = self._exchange.now_ns
        day = day_of(self._histories[market.name], market, now_ns)
        return {
            "symbol": market.name,
            "priceChange": market.price_text(day.last - day.open),
            "priceChangePercent": f"{day.last / day.open - 1:.4f}" if day.open else "0",
            "prevClosePrice": market.price_text(day.open),
            "lastPrice": market.price_text(day.last),
            **{name: value for name, value in self._best(market).items() if name != "symbol"},
            "openPrice": market.price_text(day.open),
            "highPrice": market.price_text(day.high),
            "lowPrice": market.price_text(day.low),
            "volume": market.quantity_text(day.volume),
            "quoteVolume": f"{day.quote_volume:.2f}",
            "openTime": milliseconds(now_ns - DAY_NS),
            "closeTime": milliseconds(now_ns),
            "count": None,
        }

    def market(self, name: str) -> VenueMarket:
        """Raises Refused for what is no spot market."""
        if name not in self.markets:
            raise Refused(Reason.UNKNOWN_SYMBOL, f"{name}: {self._exchange.venue} lists {', '.join(self.markets)}")
        return self.markets[name]

    def _best(self, market: VenueMarket) -> Json:
        (bid, bid_size), (ask, ask_size) = touch_texts(market)
        return {"symbol": market.name, "bidPrice": bid, "bidQty": bid_size, "askPrice": ask, "askQty": ask_size}

    def _price(self, market: VenueMarket) -> Json:
        return {"symbol": market.name, "price": market.price_text(last_price(market))}

    def _asked(self, fields: Fields, one: Callable[[VenueMarket], Json]) -> Any:
        name = self._named(fields).name if "symbol" in fields else None
        return of_each(self.markets, name, one)

    def _named(self, fields: Fields) -> VenueMarket:
        return self.market(required(fields, "symbol"))


def _aggregates(trades: Iterator[Traded]) -> Iterator[tuple[Traded, float]]:
    """The first of each row of trades of one moment, price and side, and their quantity."""
    for _, group in groupby(trades, lambda trade: (milliseconds(trade.ts_ns), trade.price, trade.seller_takes)):
        joined = list(group)
        yield joined[0], sum(trade.quantity for trade in joined)
