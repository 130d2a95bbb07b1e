"""Binance spot's market and user streams of one simulated venue: events in, messages to their subscribers out."""

import re

import msgspec

from workstation.model.durations import SECOND_NS
from workstation.model.market import (
    interval_label,
)
from workstation.simulator.bar_history import Candle
from workstation.simulator.binance.errors import ApiError
from workstation.simulator.binance.format import (
    Json,
    account_position,
    aggregate_trade,
    execution_report,
    levels,
    milliseconds,
)
from workstation.simulator.binance.market_data import BinanceMarketData, kline_interval
from workstation.simulator.message_coding import JsonCoding
from workstation.simulator.publisher import Publisher
from workstation.simulator.stream_teller import StreamTeller
from workstation.simulator.venue_market import VenueMarket
from workstation.simulator.venue_orders import BalanceChanged, Quoted, Reported, Traded
from workstation.simulator.wire import WireParts

DEPTH_NS = SECOND_NS // 10
FIGURES = frozenset("bBaApqohlcv")
"""Fields of messages that hold a price or a quantity."""
STREAM = re.compile(r"([a-z0-9]+)@(bookTicker|trade|aggTrade|miniTicker|ticker|depth(?:@100ms|@1000ms)?|kline_(\w+))")


class BinanceStreams(StreamTeller):
    """Book changes go out each 100 ms, candles and statistics each second."""

    def __init__(self, parts: WireParts) -> None:
        publisher = Publisher(parts.exchange.venue, parts.hub, parts.menu, JsonCoding(FIGURES))
        super().__init__(parts.exchange, parts.histories, parts.hub, publisher, DEPTH_NS)
        self._names = {name: name.lower() for name in parts.exchange.markets}
        self.data = BinanceMarketData(parts.exchange, parts.histories, self.publish_depth)

    def is_known(self, stream: str) -> bool:
        """Whether there is such a stream."""
        match = STREAM.fullmatch(stream)
        if match is None or match[1] not in self._names.values():
            return False
        if match[3] is None:
            return True
        try:
            return kline_interval(match[3]) > 0
        except ApiError:
            return False

    def tell_books(self) -> None:
        for name in self._names:
            if any(self.hub.is_wanted(stream) for stream in self._depth_streams(name)):
                self.publish_depth(self.exchange.markets[name])

    def publish_depth(self, market: VenueMarket) -> None:
        """Sends what changed in a book since the last time, if anything did."""
        change = market.depth_change()
        if change is None:
            return
        streams = [stream for stream in self._depth_streams(market.name) if self.hub.is_wanted(stream)]
        if streams:
            message = {
                "e": "depthUpdate",
                "E": milliseconds(self.exchange.now_ns),
                "s": market.name,
                "U": change.first_id,
                "u": change.last_id,
                "b": levels(market, change.bids),
                "a": levels(market, change.asks),
            }
            payload = msgspec.json.encode(message)
            for stream in streams:
                self.publisher.publish(stream, payload)

    def _depth_streams(self, name: str) -> tuple[str, str, str]:
        lower = self._names[name]
        return f"{lower}@depth@100ms", f"{lower}@depth", f"{lower}@depth@1000ms"

    def quoted(self, event: Quoted) -> None:
        stream = f"{self._names[event.market]}@bookTicker"
        if self.hub.is_wanted(stream):
            values = (
                event.update_id,
                event.market.encode(),
                event.bid,
                event.bid_quantity,
                event.ask,
                event.ask_quantity,
            )
            self.publisher.publish(stream, b'{"u":%d,"s":"%b","b":"%.8f","B":"%.8f","a":"%.8f","A":"%.8f"}' % values)

    def traded(self, event: Traded) -> None:
        lower, now_ms = self._names[event.market], milliseconds(self.exchange.now_ns)
        if self.hub.is_wanted(f"{lower}@trade"):
            message = {
                "e": "trade",
                "E": now_ms,
                "s": event.market,
                "t": event.trade_id,
                "p": f"{event.price:.8f}",
                "q": f"{event.quantity:.8f}",
                "T": milliseconds(event.ts_ns),
                "m": event.seller_takes,
                "M": True,
            }
            self.publisher.publish(f"{lower}@trade", msgspec.json.encode(message))
        if self.hub.is_wanted(f"{lower}@aggTrade"):
            message = {"e": "aggTrade", "E": now_ms, "s": event.market, **aggregate_trade(event)}
            self.publisher.publish(f"{lower}@aggTrade", msgspec.json.encode(message))

    def reported(self, event: Reported) -> None:
        self._user(event.account.credentials.api_key, execution_report(event), f":{event.execution}")

    def balance(self, event: BalanceChanged) -> None:
        self._user(event.account.credentials.api_key, account_position(event), "")

    def _user(self, api_key: str, message: Json, detail: str) -> None:
        """To the sockets that this account's signature opened; faults know the stream as user:<type>:<execution>."""
        if self.hub.is_wanted(f"user:{api_key}"):
            payload = b'{"subscriptionId":0,"event":%b}' % msgspec.json.encode(message)
            self.publisher.publish(f"user:{api_key}", payload, f"user:{message['e']}{detail}")

    def candle_stream(self, stream: str) -> tuple[VenueMarket, int] | None:
        match = STREAM.fullmatch(stream)
        if match is None or match[3] is None:
            return None
        return self.exchange.markets[match[1].upper()], kline_interval(match[3])

    def each_second(self, stream: str) -> None:
        match = STREAM.fullmatch(stream)
        if match is not None and match[2] in ("miniTicker", "ticker"):
            self._day(stream, self.exchange.markets[match[1].upper()], is_mini=match[2] == "miniTicker")

    def candle(self, stream: str, market: VenueMarket, length_ns: int, candle: Candle, *, is_closed: bool) -> None:
        quote_volume = candle.volume * (candle.open + candle.close) / 2
        message = {
            "e": "kline",
            "E": milliseconds(self.exchange.now_ns),
            "s": market.name,
            "k": {
                "t": milliseconds(candle.ts_open),
                "T": milliseconds(candle.ts_open + length_ns) - 1,
                "s": market.name,
                "i": interval_label(length_ns),
                "f": -1,
                "L": -1,
                "o": f"{candle.open:.8f}",
                "c": f"{candle.close:.8f}",
                "h": f"{candle.high:.8f}",
                "l": f"{candle.low:.8f}",
                "v": f"{candle.volume:.8f}",
                "n": 0,
                "x": is_closed,
                "q": f"{quote_volume:.8f}",
                "V": f"{candle.volume / 2:.8f}",
                "Q": f"{quote_volume / 2:.8f}",
                "B": "0",
            },
        }
        self.publisher.publish(stream, msgspec.json.encode(message))

    def _day(self, stream: str, market: VenueMarket, *, is_mini: bool) -> None:
        now_ms, ticker = milliseconds(self.exchange.now_ns), self.data.day_tickers({"symbol": market.name})
        message = {"e": "24hrMiniTicker" if is_mini else "24hrTicker", "E": now_ms, "s": market.name}
        names = {
            "c": "lastPrice",
            "o": "openPrice",
            "h": "highPrice",
            "l": "lowPrice",
            "v": "volume",
            "q": "quoteVolume",
        }
        if not is_mini:
            names |= {"p": "priceChange", "P": "priceChangePercent", "w": "weightedAvgPrice", "x": "prevClosePrice"}
            names |= {"Q": "lastQty", "b": "bidPrice", "B": "bidQty", "a": "askPrice", "A": "askQty"}
            names |= {"O": "openTime", "C": "closeTime", "F": "firstId", "L": "lastId", "n": "count"}
        self.publisher.publish(
            stream, msgspec.json.encode(message | {key: ticker[name] for key, name in names.items()})
        )
