"""Bybit's public REST: rules, book, trades, candles and 24-hour statistics of a simulated venue."""

from collections.abc import Callable

from workstation.model.durations import DAY_NS, MINUTE_NS, MS_NS
from workstation.model.units import Side
from workstation.simulator.bar_history import WEEK_NS, interval_start
from workstation.simulator.book_view import level_texts
from workstation.simulator.bybit.errors import NOT_SUPPORTED_SYMBOL, BybitError, wrong
from workstation.simulator.bybit.format import (
    Json,
    candle_figures,
    milliseconds,
    public_trade,
    symbol_rules,
)
from workstation.simulator.bybit.requests import whole
from workstation.simulator.market_queries import candles_between, day_of
from workstation.simulator.request_fields import Fields
from workstation.simulator.venue_market import VenueMarket
from workstation.simulator.wire import WireParts

INTERVALS_NS = {
    **{str(minutes): minutes * MINUTE_NS for minutes in (1, 3, 5, 15, 30, 60, 120, 240, 360, 720)},
    "D": DAY_NS,
    "W": WEEK_NS,
}
"""By Bybit's label; months are not simulated."""
CATEGORIES = frozenset({"spot", "linear", "inverse", "option"})
MOST_CANDLES = 1000
MOST_TRADES = 60
MOST_LEVELS = 200


class BybitMarketData:
    """What everyone may ask."""

    def __init__(self, parts: WireParts) -> None:
        self._exchange, self._histories = parts.exchange, parts.histories
        self.routes: dict[str, Callable[[Fields], Json]] = {
            "/v5/market/instruments-info": self.instruments,
            "/v5/market/orderbook": self.book,
            "/v5/market/recent-trade": self.trades,
            "/v5/market/kline": self.candles,
            "/v5/market/tickers": self.tickers,
        }

    def instruments(self, fields: Fields) -> Json:
        """A venue without perpetuals and options lists none."""
        category = fields.get("category", "")
        if category not in CATEGORIES:
            raise wrong("category")
        markets = list(self._exchange.markets.values()) if category == "spot" else []
        if "symbol" in fields:
            markets = [self._market(fields)]
        listed = [symbol_rules(market) for market in markets]
        return {"category": category, "list": listed, "nextPageCursor": ""}

    def book(self, fields: Fields) -> Json:
        market, limit = self._market(fields), whole(fields, "limit", 1, MOST_LEVELS)
        now_ms = milliseconds(self._exchange.now_ns)
        return {
            "s": market.name,
            "b": level_texts(market, market.book.levels(Side.BUY), limit),
            "a": level_texts(market, market.book.levels(Side.SELL), limit),
            "ts": now_ms,
            "u": market.update_id,
            "seq": market.update_id,
            "cts": now_ms,
        }

    def trades(self, fields: Fields) -> Json:
        """The latest, the newest first; no more than 60 of a spot market."""
        market, limit = self._market(fields), whole(fields, "limit", MOST_TRADES, MOST_TRADES)
        latest = list(market.trades)[-limit:] if limit else []
        return {"category": "spot", "list": [public_trade(market, trade) for trade in reversed(latest)]}

    def candles(self, fields: Fields) -> Json:
        """The newest first. A start lies within the first candle; with an end too, the last of them are told."""
        market = self._market(fields)
        length_ns = INTERVALS_NS.get(fields.get("interval", ""))
        if length_ns is None:
            raise wrong("interval: Invalid period!")
        limit = whole(fields, "limit", 200, MOST_CANDLES)
        stop_ns = (whole(fields, "end", 2**43) + 1) * MS_NS
        start_ns = None
        if "start" in fields:
            start_ns = interval_start(whole(fields, "start", 0, 2**43) * MS_NS, length_ns)
            if "end" in fields:
                start_ns = max(start_ns, interval_start(stop_ns - 1, length_ns) - (limit - 1) * length_ns)
        found = candles_between(
            self._histories[market.name],
            market,
            self._exchange.now_ns,
            length_ns=length_ns,
            start_ns=start_ns,
            stop_ns=stop_ns,
            limit=limit,
        )
        rows = [
            [str(milliseconds(candle.ts_open)), *candle_figures(market, candle).values()] for candle in reversed(found)
        ]
        return {"category": "spot", "symbol": market.name, "list": rows}

    def tickers(self, fields: Fields) -> Json:
        markets = [self._market(fields)] if "symbol" in fields else list(self._exchange.markets.values())
        return {"category": "spot", "list": [self.day(market) | _touch(market) for market in markets]}

    def day(self, market: VenueMarket) -> Json:
        """The statistics of 24 hours, as the stream tells them too."""
        day = day_of(self._histories[market.name], market, self._exchange.now_ns)
        return {
            "symbol": market.name,
            "lastPrice": market.price_text(day.last),
            "prevPrice24h": market.price_text(day.open),
            "price24hPcnt": f"{day.last / day.open - 1:.4f}" if day.open else "0",
            "highPrice24h": market.price_text(day.high),
            "lowPrice24h": market.price_text(day.low),
            "turnover24h": f"{day.quote_volume:.8f}",
            "volume24h": market.quantity_text(day.volume),
            "usdIndexPrice": "",
        }

    def _market(self, fields: Fields) -> VenueMarket:
        """Raises BybitError; perpetuals and options are not listed."""
        market = self._exchange.markets.get(fields.get("symbol", ""))
        if fields.get("category", "") not in CATEGORIES:
            raise wrong("category")
        if market is None or fields["category"] != "spot":
            raise BybitError(*NOT_SUPPORTED_SYMBOL)
        return market


def _touch(market: VenueMarket) -> Json:
    """Best prices with quantities; empty while a side of the book is."""
    touch = market.book.touch()
    names = ("bid1Price", "bid1Size", "ask1Price", "ask1Size")
    if touch is None:
        return dict.fromkeys(names, "")
    bid, ask = market.float_price(touch.bid), market.float_price(touch.ask)
    sizes = market.float_quantity(touch.bid_lots), market.float_quantity(touch.ask_lots)
    texts = (market.price_text(bid), market.quantity_text(sizes[0]))
    return dict(zip(names, (*texts, market.price_text(ask), market.quantity_text(sizes[1])), strict=True))
