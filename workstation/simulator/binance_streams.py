"""Binance spot's market and user streams of one simulated venue: events in, messages to their subscribers out."""

import asyncio
import re
from collections.abc import Mapping, Sequence
from itertools import cycle

import msgspec

from workstation.model.market import MINUTE_NS, SECOND_NS
from workstation.simulator.bar_history import BarHistory, Candle, interval_start
from workstation.simulator.binance_errors import ApiError
from workstation.simulator.binance_format import (
    Json,
    account_position,
    aggregate_trade,
    execution_report,
    levels,
    milliseconds,
)
from workstation.simulator.binance_market_data import BinanceMarketData, kline_interval
from workstation.simulator.exchange import Exchange
from workstation.simulator.faults import FaultKind, FaultMenu
from workstation.simulator.socket_hub import SocketHub
from workstation.simulator.venue_market import VenueMarket
from workstation.simulator.venue_orders import BalanceChanged, Event, Quoted, Reported, Traded

DEPTH_NS = SECOND_NS // 10
FIGURES = frozenset("bBaApqohlcv")
"""Fields of messages that hold a price or a quantity."""
NONSENSE = ("NaN", "Infinity", "-1", "1e308", "0", None, "", "1,5")
STREAM = re.compile(r"([a-z0-9]+)@(bookTicker|trade|aggTrade|miniTicker|ticker|depth(?:@100ms|@1000ms)?|kline_(\w+))")


class BinanceStreams:
    """Tells what happened since the last step. Book changes go out each 100 ms, candles and statistics each second."""

    def __init__(
        self,
        exchange: Exchange,
        histories: Mapping[str, BarHistory],
        hub: SocketHub,
        menu: FaultMenu,
    ) -> None:
        self._exchange = exchange
        self._histories = histories
        self._hub = hub
        self._menu = menu
        self._names = {name: name.lower() for name in exchange.markets}
        self._depth_due_ns = 0
        self._second_due_ns = 0
        self._minute_ns = interval_start(exchange.now_ns, MINUTE_NS)
        self._late: set[asyncio.TimerHandle] = set()
        self._nonsense = cycle(NONSENSE)
        self.data = BinanceMarketData(exchange, histories, self.publish_depth)

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

    def tell(self, events: Sequence[Event], now_ns: int) -> None:
        """Sends the events, and what falls due by the clock."""
        for event in events:
            if isinstance(event, Quoted):
                self._quoted(event)
            elif isinstance(event, Traded):
                self._traded(event)
            elif isinstance(event, Reported):
                self._user(event.account.credentials.api_key, execution_report(event), f":{event.execution}")
            else:
                self._balance(event)
        if now_ns >= self._depth_due_ns:
            self._depth_due_ns = now_ns + DEPTH_NS
            for name in self._names:
                if any(self._hub.is_wanted(stream) for stream in self._depth_streams(name)):
                    self.publish_depth(self._exchange.markets[name])
        if now_ns >= self._second_due_ns:
            self._second_due_ns = now_ns + SECOND_NS
            self._each_second(now_ns)
        self._hub.flush()

    def publish_depth(self, market: VenueMarket) -> None:
        """Sends what changed in a book since the last time, if anything did."""
        change = market.depth_change()
        if change is None:
            return
        streams = [stream for stream in self._depth_streams(market.name) if self._hub.is_wanted(stream)]
        if streams:
            message = {
                "e": "depthUpdate",
                "E": milliseconds(self._exchange.now_ns),
                "s": market.name,
                "U": change.first_id,
                "u": change.last_id,
                "b": levels(market, change.bids),
                "a": levels(market, change.asks),
            }
            payload = msgspec.json.encode(message)
            for stream in streams:
                self._publish(stream, payload)

    def _depth_streams(self, name: str) -> tuple[str, str, str]:
        lower = self._names[name]
        return f"{lower}@depth@100ms", f"{lower}@depth", f"{lower}@depth@1000ms"

    def _quoted(self, event: Quoted) -> None:
        stream = f"{self._names[event.market]}@bookTicker"
        if self._hub.is_wanted(stream):
            values = (
                event.update_id,
                event.market.encode(),
                event.bid,
                event.bid_quantity,
                event.ask,
                event.ask_quantity,
            )
            self._publish(stream, b'{"u":%d,"s":"%b","b":"%.8f","B":"%.8f","a":"%.8f","A":"%.8f"}' % values)

    def _traded(self, event: Traded) -> None:
        lower, now_ms = self._names[event.market], milliseconds(self._exchange.now_ns)
        if self._hub.is_wanted(f"{lower}@trade"):
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
            self._publish(f"{lower}@trade", msgspec.json.encode(message))
        if self._hub.is_wanted(f"{lower}@aggTrade"):
            message = {"e": "aggTrade", "E": now_ms, "s": event.market, **aggregate_trade(event)}
            self._publish(f"{lower}@aggTrade", msgspec.json.encode(message))

    def _balance(self, event: BalanceChanged) -> None:
        self._user(event.account.credentials.api_key, account_position(event), "")

    def _user(self, api_key: str, message: Json, detail: str) -> None:
        """To the sockets that this account's signature opened; faults know the stream as user:<type>:<execution>."""
        if self._hub.is_wanted(f"user:{api_key}"):
            payload = b'{"subscriptionId":0,"event":%b}' % msgspec.json.encode(message)
            self._publish(f"user:{api_key}", payload, f"user:{message['e']}{detail}")

    def _each_second(self, now_ns: int) -> None:
        minute_ns = interval_start(now_ns, MINUTE_NS)
        has_closed, self._minute_ns = minute_ns > self._minute_ns, minute_ns
        for stream in self._hub.wanted():
            match = STREAM.fullmatch(stream)
            if match is None:
                continue
            market = self._exchange.markets[match[1].upper()]
            if match[3] is not None:
                self._candles(stream, market, match[3], now_ns, has_closed)
            elif match[2] in ("miniTicker", "ticker"):
                self._day(stream, market, is_mini=match[2] == "miniTicker", now_ns=now_ns)

    def _candles(self, stream: str, market: VenueMarket, label: str, now_ns: int, has_closed: bool) -> None:
        length_ns, history = kline_interval(label), self._histories[market.name]
        if has_closed and interval_start(self._minute_ns, length_ns) == self._minute_ns:
            closed = history.candle(length_ns, self._minute_ns)
            if closed is not None:
                self._candle(stream, market, label, closed, is_closed=True)
        running = history.candles(length_ns, now_ns, now_ns, market.mid())
        if running:
            self._candle(stream, market, label, running[-1], is_closed=False)

    def _candle(self, stream: str, market: VenueMarket, label: str, candle: Candle, *, is_closed: bool) -> None:
        length_ns = kline_interval(label)
        quote_volume = candle.volume * (candle.open + candle.close) / 2
        message = {
            "e": "kline",
            "E": milliseconds(self._exchange.now_ns),
            "s": market.name,
            "k": {
                "t": milliseconds(candle.ts_open),
                "T": milliseconds(candle.ts_open + length_ns) - 1,
                "s": market.name,
                "i": label,
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
        self._publish(stream, msgspec.json.encode(message))

    def _day(self, stream: str, market: VenueMarket, *, is_mini: bool, now_ns: int) -> None:
        ticker = self.data.day_tickers({"symbol": market.name})
        message = {"e": "24hrMiniTicker" if is_mini else "24hrTicker", "E": milliseconds(now_ns), "s": market.name}
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
        self._publish(stream, msgspec.json.encode(message | {key: ticker[name] for key, name in names.items()}))

    def _publish(self, stream: str, payload: bytes, shown: str | None = None) -> None:
        """One message, unless a fault strikes it."""
        fault = None
        if self._menu.has_stream_faults:
            fault = self._menu.on_message(self._exchange.venue, shown or stream)
        if fault is None:
            self._hub.publish(stream, payload)
            return
        if fault.kind is FaultKind.DUPLICATE:
            self._hub.publish(stream, payload)
            self._hub.publish(stream, payload)
        elif fault.kind is FaultKind.GARBLED:
            self._hub.publish(stream, payload[: len(payload) // 2])
        elif fault.kind is FaultKind.ABSURD:
            self._hub.publish(stream, self._absurd(payload))
        elif fault.kind is FaultKind.LATE:
            self._later(fault.seconds, stream, payload)
        elif fault.kind in (FaultKind.DROP_SOCKET, FaultKind.SILENT_SOCKET):
            for client in self._hub.subscribers(stream):
                if fault.kind is FaultKind.SILENT_SOCKET:
                    client.is_silent = True
                else:
                    client.abort()
        # what is left is SEQUENCE_GAP: the message is not sent

    def _absurd(self, payload: bytes) -> bytes:
        """The message with figures that no market has."""
        message = msgspec.json.decode(payload)
        for part in (message, message.get("k", {})):
            for name in FIGURES & part.keys():
                part[name] = next(self._nonsense)
        return msgspec.json.encode(message)

    def _later(self, seconds: float, stream: str, payload: bytes) -> None:
        def send() -> None:
            self._late.discard(timer)
            self._hub.publish(stream, payload)
            self._hub.flush()

        timer = asyncio.get_running_loop().call_later(seconds, send)
        self._late.add(timer)

    def close(self) -> None:
        """Forgets what was to be sent later."""
        for timer in self._late:
            timer.cancel()
