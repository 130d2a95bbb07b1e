"""Gate's public REST: rules, book, trades, candles and 24-hour statistics of a simulated venue."""

from collections.abc import Callable
from itertools import islice
from typing import Any

from workstation.model.durations import DAY_NS, HOUR_NS, MINUTE_NS, SECOND_NS
from workstation.model.units import Side
from workstation.simulator.bar_history import WEEK_NS, Candle
from workstation.simulator.book_view import level_texts
from workstation.simulator.gate.errors import wrong
from workstation.simulator.gate.format import Json, milliseconds, pair_rules, public_trade
from workstation.simulator.gate.requests import required, whole
from workstation.simulator.market_queries import candles_between, day_of
from workstation.simulator.request_fields import Fields
from workstation.simulator.venue_market import VenueMarket
from workstation.simulator.wire import WireParts

INTERVALS_NS = {
    "1m": MINUTE_NS,
    "5m": 5 * MINUTE_NS,
    "15m": 15 * MINUTE_NS,
    "30m": 30 * MINUTE_NS,
    "1h": HOUR_NS,
    "4h": 4 * HOUR_NS,
    "8h": 8 * HOUR_NS,
    "1d": DAY_NS,
    "7d": WEEK_NS,
}
"""By Gate's label, from a minute on."""
MOST_CANDLES = 1000
MOST_TRADES = 1000
MOST_LEVELS = 1000


class GateMarketData:
    """What everyone may ask. `publish` sends a book's pending change before a snapshot is taken of it."""

    def __init__(self, parts: WireParts, publish: Callable[[VenueMarket], None]) -> None:
        self._exchange, self._histories, self._publish = parts.exchange, parts.histories, publish
        self.routes: dict[str, Callable[[Fields], Any]] = {
            "/spot/currency_pairs": self.pairs,
            "/spot/currencies": self.currencies,
            "/spot/order_book": self.book,
            "/spot/trades": self.trades,
            "/spot/candlesticks": self.candles,
            "/spot/tickers": self.tickers,
            # a venue without margin and perpetuals lists none
            "/margin/currency_pairs": lambda fields: [],
            "/futures/usdt/contracts": lambda fields: [],
            "/futures/btc/contracts": lambda fields: [],
        }

    def pairs(self, fields: Fields) -> list[Json]:
        return [pair_rules(market) for market in self._exchange.markets.values()]

    def currencies(self, fields: Fields) -> list[Json]:
        markets = self._exchange.markets.values()
        names = dict.fromkeys(name for one in markets for name in (one.instrument.base, one.instrument.quote))
        return [{"currency": name, "name": name, "delisted": False, "trade_disabled": False} for name in names]

    def book(self, fields: Fields) -> Json:
        market, limit = self._market(fields), whole(fields, "limit", 10, MOST_LEVELS)
        self._publish(market)
        last_id, bids, asks = market.depth()
        now_ms = milliseconds(self._exchange.now_ns)
        sides = {"asks": level_texts(market, asks, limit), "bids": level_texts(market, bids, limit)}
        named = {"id": last_id} if fields.get("with_id", "").lower() == "true" else {}
        return named | {"current": now_ms, "update": now_ms} | sides

    def trades(self, fields: Fields) -> list[Json]:
        """The newest first; with `last_id` the first of those after it."""
        market, limit = self._market(fields), whole(fields, "limit", 100, MOST_TRADES)
        start_s, stop_s = whole(fields, "from", 0), whole(fields, "to", 2**43)
        after = whole(fields, "last_id", 0)
        found = [
            trade for trade in market.trades if trade.trade_id > after and start_s <= trade.ts_ns // SECOND_NS <= stop_s
        ]
        first = 0 if after else max(len(found) - limit, 0)
        chosen = list(islice(found, first, first + limit))
        return [public_trade(market, trade, is_streamed=False) for trade in reversed(chosen)]

    def candles(self, fields: Fields) -> list[list[str]]:
        """Oldest first: from … to, both within, or the last `limit` up to `to`."""
        market = self._market(fields)
        length_ns = INTERVALS_NS.get(fields.get("interval", "30m"))
        if length_ns is None:
            raise wrong("interval")
        start_s, stop_s = whole(fields, "from", 0), whole(fields, "to", 2**33)
        if "from" in fields and ("limit" in fields or start_s > stop_s):
            raise wrong("limit" if "limit" in fields else "from")
        if "from" in fields and (stop_s * SECOND_NS - start_s * SECOND_NS) // length_ns >= MOST_CANDLES:
            # what is asked for without an end reaches to now
            stop_s = min(stop_s, self._exchange.now_ns // SECOND_NS)
            if (stop_s - start_s) * SECOND_NS // length_ns >= MOST_CANDLES:
                raise wrong("from")
        found = candles_between(
            self._histories[market.name],
            market,
            self._exchange.now_ns,
            length_ns=length_ns,
            start_ns=start_s * SECOND_NS if "from" in fields else None,
            stop_ns=(stop_s + 1) * SECOND_NS,
            limit=MOST_CANDLES if "from" in fields else whole(fields, "limit", 100, MOST_CANDLES),
        )
        return [self._row(market, candle, length_ns) for candle in found]

    def tickers(self, fields: Fields) -> list[Json]:
        markets = [self._market(fields)] if "currency_pair" in fields else list(self._exchange.markets.values())
        return [self.day(market) for market in markets]

    def day(self, market: VenueMarket) -> Json:
        """The statistics of 24 hours with the best prices, as the stream tells them too."""
        day = day_of(self._histories[market.name], market, self._exchange.now_ns)
        bids, asks = (level_texts(market, market.book.levels(side), 1) for side in (Side.BUY, Side.SELL))
        (bid, bid_size), (ask, ask_size) = (side[0] if side else ("", "") for side in (bids, asks))
        return {
            "currency_pair": market.name,
            "last": market.price_text(day.last),
            "lowest_ask": ask,
            "lowest_size": ask_size,
            "highest_bid": bid,
            "highest_size": bid_size,
            "change_percentage": f"{(day.last / day.open - 1) * 100:.2f}" if day.open else "0",
            "base_volume": market.quantity_text(day.volume),
            "quote_volume": f"{day.quote_volume:.8f}",
            "high_24h": market.price_text(day.high),
            "low_24h": market.price_text(day.low),
        }

    def _row(self, market: VenueMarket, candle: Candle, length_ns: int) -> list[str]:
        """Time in s, quote volume, close, high, low, open, base volume, and whether it is closed."""
        prices = [market.price_text(value) for value in (candle.close, candle.high, candle.low, candle.open)]
        is_closed = candle.ts_open + length_ns <= self._exchange.now_ns
        quote_volume = f"{candle.volume * (candle.open + candle.close) / 2:.8f}"
        volume = market.quantity_text(candle.volume)
        return [str(candle.ts_open // SECOND_NS), quote_volume, *prices, volume, "true" if is_closed else "false"]

    def _market(self, fields: Fields) -> VenueMarket:
        return self._exchange.market(required(fields, "currency_pair"))
