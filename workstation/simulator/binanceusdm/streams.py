"""The streams of Binance's USD-M futures of one simulated venue: events in, messages to their subscribers out."""

import re
from collections.abc import Mapping

import msgspec

from workstation.model.durations import SECOND_NS
from workstation.model.market import (
    interval_label,
)
from workstation.simulator.bar_history import Candle, interval_start
from workstation.simulator.binanceusdm.errors import UsdmError
from workstation.simulator.binanceusdm.format import Json, aggregate_trade, levels, mark_update, milliseconds
from workstation.simulator.binanceusdm.market_data import MarketData
from workstation.simulator.binanceusdm.requests import kline_interval
from workstation.simulator.funding import Funding
from workstation.simulator.message_coding import JsonCoding
from workstation.simulator.publisher import Publisher
from workstation.simulator.stream_teller import StreamTeller
from workstation.simulator.venue_market import DepthChange, VenueMarket
from workstation.simulator.venue_orders import BalanceChanged, Quoted, Reported, Traded
from workstation.simulator.wire import WireParts

DEPTH_NS = SECOND_NS // 10
SLOW_MARK_NS = 3 * SECOND_NS
FIGURES = frozenset("bBaApqohlcvir")
"""Fields of messages that hold a price, a quantity or a rate."""
PUBLIC = re.compile(r"([a-z0-9]+)@(bookTicker|trade|depth(?:@100ms|@500ms)?)")
MARKET = re.compile(r"([a-z0-9]+)@(aggTrade|miniTicker|ticker|markPrice(?:@1s)?|kline_(\w+))")
MARKS_OF_ALL = re.compile(r"!markPrice@arr(@1s)?")
DAY_NAMES = {"c": "lastPrice", "o": "openPrice", "h": "highPrice", "l": "lowPrice", "v": "volume", "q": "quoteVolume"}
WHOLE_DAY_NAMES = DAY_NAMES | {
    "p": "priceChange",
    "P": "priceChangePercent",
    "w": "weightedAvgPrice",
    "Q": "lastQty",
    "O": "openTime",
    "C": "closeTime",
    "F": "firstId",
    "L": "lastId",
    "n": "count",
}


class UsdmStreams(StreamTeller):
    """Book changes go out each 100 ms, candles, statistics and mark prices each second."""

    def __init__(self, parts: WireParts) -> None:
        publisher = Publisher(parts.exchange.venue, parts.hub, parts.menu, JsonCoding(FIGURES))
        super().__init__(parts.exchange, parts.histories, parts.hub, publisher, DEPTH_NS)
        self.perpetuals: Mapping[str, Funding] = parts.perpetuals
        self._names = {name: name.lower() for name in parts.perpetuals}
        self._marked_ns: dict[str, int] = {}
        self.data = MarketData(parts, self.publish_depth)

    def is_known(self, stream: str, category: str) -> bool:
        """Whether there is such a stream in `public` or `market`, as the two kinds of address are called."""
        if category == "public":
            match = PUBLIC.fullmatch(stream)
            return match is not None and match[1] in self._names.values()
        if MARKS_OF_ALL.fullmatch(stream) is not None:
            return True
        match = MARKET.fullmatch(stream)
        if match is None or match[1] not in self._names.values():
            return False
        try:
            return match[3] is None or kline_interval(match[3]) > 0
        except UsdmError:
            return False

    def tell_books(self) -> None:
        for name, funding in self.perpetuals.items():
            if any(self.hub.is_wanted(stream) for stream in self._depth_streams(name)):
                self.publish_depth(funding.perpetual)

    def publish_depth(self, market: VenueMarket) -> None:
        """Sends what changed in a book since the last time, if anything did."""
        change = market.depth_change()
        if change is None:
            return
        wanted = [stream for stream in self._depth_streams(market.name) if self.hub.is_wanted(stream)]
        if wanted:
            payload = msgspec.json.encode(self._depth(market, change))
            for stream in wanted:
                self.publisher.publish(stream, payload)

    def _depth(self, market: VenueMarket, change: DepthChange) -> Json:
        """`pu` is the last id of the message before. `U` is not always the next: ids are not only this stream's."""
        now_ms = milliseconds(self.exchange.now_ns)
        return {
            "e": "depthUpdate",
            "E": now_ms,
            "T": now_ms,
            "s": market.name,
            "U": min(change.first_id + 1, change.last_id),
            "u": change.last_id,
            "pu": change.first_id - 1,
            "b": levels(market, change.bids),
            "a": levels(market, change.asks),
        }

    def _depth_streams(self, name: str) -> tuple[str, str, str]:
        lower = self._names[name]
        return f"{lower}@depth@100ms", f"{lower}@depth", f"{lower}@depth@500ms"

    def quoted(self, event: Quoted) -> None:
        lower = self._names.get(event.market)
        if lower is None or not self.hub.is_wanted(f"{lower}@bookTicker"):
            return
        market, now_ms = self.perpetuals[event.market].perpetual, milliseconds(self.exchange.now_ns)
        told = {
            "e": "bookTicker",
            "u": event.update_id,
            "s": event.market,
            "b": market.price_text(event.bid),
            "B": market.quantity_text(event.bid_quantity),
            "a": market.price_text(event.ask),
            "A": market.quantity_text(event.ask_quantity),
            "T": now_ms,
            "E": now_ms,
        }
        self.publisher.publish(f"{lower}@bookTicker", msgspec.json.encode(told))

    def traded(self, event: Traded) -> None:
        lower = self._names.get(event.market)
        if lower is None:
            return
        market, now_ms = self.perpetuals[event.market].perpetual, milliseconds(self.exchange.now_ns)
        aggregate = aggregate_trade(market, event)
        if self.hub.is_wanted(f"{lower}@aggTrade"):
            told = {"e": "aggTrade", "E": now_ms, "s": event.market, **aggregate}
            self.publisher.publish(f"{lower}@aggTrade", msgspec.json.encode(told))
        if self.hub.is_wanted(f"{lower}@trade"):
            parts = {name: aggregate[name] for name in ("p", "q", "T", "m")}
            told = {"e": "trade", "E": now_ms, "s": event.market, "t": event.trade_id, "X": "MARKET", **parts}
            self.publisher.publish(f"{lower}@trade", msgspec.json.encode(told))

    def reported(self, event: Reported) -> None:
        """There are no orders."""

    def balance(self, event: BalanceChanged) -> None:
        """There are no accounts."""

    def candle_stream(self, stream: str) -> tuple[VenueMarket, int] | None:
        match = MARKET.fullmatch(stream)
        if match is None or match[3] is None:
            return None
        return self.perpetuals[match[1].upper()].perpetual, kline_interval(match[3])

    def each_second(self, stream: str) -> None:
        of_all, match = MARKS_OF_ALL.fullmatch(stream), MARKET.fullmatch(stream)
        now_ns = self.exchange.now_ns
        if of_all is not None:
            if of_all[1] is not None or self._is_due(stream):
                told = [mark_update(funding, now_ns) for funding in self.perpetuals.values()]
                self.publisher.publish(stream, msgspec.json.encode(told))
        elif match is not None and match[2].startswith("markPrice"):
            if match[2].endswith("@1s") or self._is_due(stream):
                told_one = mark_update(self.perpetuals[match[1].upper()], now_ns)
                self.publisher.publish(stream, msgspec.json.encode(told_one))
        elif match is not None and match[2] in ("miniTicker", "ticker"):
            self._day(stream, self.perpetuals[match[1].upper()], is_mini=match[2] == "miniTicker")

    def candle(self, stream: str, market: VenueMarket, length_ns: int, candle: Candle, *, is_closed: bool) -> None:
        quote = candle.volume * (candle.open + candle.close) / 2
        told = {
            "t": milliseconds(candle.ts_open),
            "T": milliseconds(candle.ts_open + length_ns) - 1,
            "s": market.name,
            "i": interval_label(length_ns),
            "f": -1,
            "L": -1,
            "o": market.price_text(candle.open),
            "c": market.price_text(candle.close),
            "h": market.price_text(candle.high),
            "l": market.price_text(candle.low),
            "v": market.quantity_text(candle.volume),
            "n": 0,
            "x": is_closed,
            "q": f"{quote:.4f}",
            "V": market.quantity_text(candle.volume / 2),
            "Q": f"{quote / 2:.4f}",
            "B": "0",
        }
        message = {"e": "kline", "E": milliseconds(self.exchange.now_ns), "s": market.name, "k": told}
        self.publisher.publish(stream, msgspec.json.encode(message))

    def _is_due(self, stream: str) -> bool:
        """Whether three seconds have begun since a slow stream was told the last time."""
        now_ns = interval_start(self.exchange.now_ns, SLOW_MARK_NS)
        is_due, self._marked_ns[stream] = self._marked_ns.get(stream) != now_ns, now_ns
        return is_due

    def _day(self, stream: str, funding: Funding, *, is_mini: bool) -> None:
        ticker = self.data.day(funding)
        names = DAY_NAMES if is_mini else WHOLE_DAY_NAMES
        kind = "24hrMiniTicker" if is_mini else "24hrTicker"
        message = {"e": kind, "E": milliseconds(self.exchange.now_ns), "s": funding.perpetual.name}
        told = message | {short: ticker[name] for short, name in names.items()}
        self.publisher.publish(stream, msgspec.json.encode(told))
