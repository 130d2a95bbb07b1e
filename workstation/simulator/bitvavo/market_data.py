"""Bitvavo's public answers: rules, book, trades, candles and 24-hour statistics of a simulated venue."""

from collections.abc import Callable
from typing import Any

from workstation.model.durations import DAY_NS, HOUR_NS, MINUTE_NS, MS_NS
from workstation.simulator.bitvavo.errors import wrong
from workstation.simulator.bitvavo.format import Json, candle_row, market_rules, milliseconds, public_trade
from workstation.simulator.bitvavo.ids import TRADE, number_of
from workstation.simulator.bitvavo.requests import required, whole
from workstation.simulator.book_view import BookView, level_texts, touch_texts
from workstation.simulator.market_queries import candles_between, day_of, last_price
from workstation.simulator.request_fields import Fields
from workstation.simulator.venue_market import VenueMarket
from workstation.simulator.wire import WireParts

INTERVALS_NS = {
    **{f"{minutes}m": minutes * MINUTE_NS for minutes in (1, 5, 15, 30)},
    **{f"{hours}h": hours * HOUR_NS for hours in (1, 2, 4, 6, 8, 12)},
    "1d": DAY_NS,
}
"""By Bitvavo's label; weeks and months are not simulated."""
MOST_CANDLES = 1440
MOST_TRADES = 1000
MOST_LEVELS = 1000
Handler = Callable[[Fields], Any]


class BitvavoMarketData:
    """What everyone may ask. `publish` sends a book's pending change before a snapshot is taken of it."""

    def __init__(self, parts: WireParts, publish: Callable[[VenueMarket], BookView]) -> None:
        self._exchange, self._histories, self._publish = parts.exchange, parts.histories, publish
        self.routes: dict[str, Handler] = {
            "/markets": self.markets,
            "/assets": self.assets,
            "/ticker/price": lambda fields: self._of_each(fields, self._price),
            "/ticker/book": lambda fields: self._of_each(fields, self._best),
            "/ticker/24h": lambda fields: self._of_each(fields, self.day),
        }
        self.market_routes: dict[str, Handler] = {
            "book": self.book,
            "trades": self.trades,
            "candles": self.candles,
        }
        """Below the name of a market."""

    def markets(self, fields: Fields) -> Any:
        return self._of_each(fields, market_rules)

    def assets(self, fields: Fields) -> Any:
        markets = self._exchange.markets.values()
        names = dict.fromkeys(name for one in markets for name in (one.instrument.base, one.instrument.quote))
        listed = [_asset(name) for name in names]
        if "symbol" not in fields:
            return listed
        if fields["symbol"] not in names:
            raise wrong("symbol")
        return _asset(fields["symbol"])

    def book(self, fields: Fields) -> Json:
        market, depth = self._market(fields), whole(fields, "depth", MOST_LEVELS, MOST_LEVELS)
        view = self._publish(market)
        bids, asks = (level_texts(market, side, depth) for side in view.levels())
        return {
            "market": market.name,
            "nonce": view.update_id,
            "bids": bids,
            "asks": asks,
            "timestamp": self._exchange.now_ns,
        }

    def trades(self, fields: Fields) -> list[Json]:
        """The newest first."""
        market, limit = self._market(fields), whole(fields, "limit", 500, MOST_TRADES)
        start_ms, stop_ms = whole(fields, "start", 0), whole(fields, "end", 2**53)
        first, last = (_trade_number(fields, name, at) for name, at in (("tradeIdFrom", 0), ("tradeIdTo", 2**63)))
        found = [
            trade
            for trade in market.trades
            if start_ms <= milliseconds(trade.ts_ns) <= stop_ms and first <= trade.trade_id <= last
        ]
        return [public_trade(market, trade) for trade in reversed(found[-limit:] if limit else [])]

    def candles(self, fields: Fields) -> list[list[Any]]:
        """The newest first: the last of those that open from start on and before the end."""
        market = self._market(fields)
        length_ns = INTERVALS_NS.get(required(fields, "interval"))
        if length_ns is None:
            raise wrong("interval")
        limit = whole(fields, "limit", MOST_CANDLES, MOST_CANDLES)
        start_ns = whole(fields, "start", 0, 2**43) * MS_NS
        stop_ns = min(whole(fields, "end", 2**43) * MS_NS, self._exchange.now_ns)
        latest_ns = (stop_ns - 1) // length_ns * length_ns
        found = candles_between(
            self._histories[market.name],
            market,
            self._exchange.now_ns,
            length_ns=length_ns,
            start_ns=max(start_ns, latest_ns - (limit - 1) * length_ns),
            stop_ns=stop_ns,
            limit=limit,
        )
        return [candle_row(market, candle) for candle in reversed(found)]

    def day(self, market: VenueMarket) -> Json:
        """The statistics of 24 hours with the best prices, as the stream tells them too."""
        day, now_ns = day_of(self._histories[market.name], market, self._exchange.now_ns), self._exchange.now_ns
        return {
            "market": market.name,
            "startTimestamp": milliseconds(now_ns - DAY_NS),
            "timestamp": milliseconds(now_ns),
            "open": market.price_text(day.open),
            "high": market.price_text(day.high),
            "low": market.price_text(day.low),
            "last": market.price_text(day.last),
            "volume": market.quantity_text(day.volume),
            "volumeQuote": f"{day.quote_volume:.2f}",
            **self._best(market),
        }

    def _best(self, market: VenueMarket) -> Json:
        """Best prices with quantities; none while a side of the book is empty."""
        (bid, bid_size), (ask, ask_size) = touch_texts(market)
        return {"market": market.name, "bid": bid, "bidSize": bid_size, "ask": ask, "askSize": ask_size}

    def _price(self, market: VenueMarket) -> Json:
        return {"market": market.name, "price": market.price_text(last_price(market))}

    def _of_each(self, fields: Fields, one: Callable[[VenueMarket], Json]) -> Any:
        """Of the market that is named, or of all."""
        if "market" in fields:
            return one(self._market(fields))
        return [one(market) for market in self._exchange.markets.values()]

    def _market(self, fields: Fields) -> VenueMarket:
        return self._exchange.market(required(fields, "market"))


def _asset(name: str) -> Json:
    return {
        "symbol": name,
        "name": name,
        "decimals": 8,
        "depositFee": "0",
        "depositConfirmations": 0,
        "depositStatus": "OK",
        "withdrawalFee": "0",
        "withdrawalMinAmount": "0",
        "withdrawalStatus": "OK",
        "networks": ["Mainnet"],
        "message": "",
    }


def _trade_number(fields: Fields, name: str, otherwise: int) -> int:
    if name not in fields:
        return otherwise
    number = number_of(TRADE, fields[name])
    if number is None:
        raise wrong(name)
    return number
