"""Gate's public and private channels of one simulated venue: events in, messages to their subscribers out."""

import re
from typing import Any

import msgspec

from workstation.model.durations import SECOND_NS
from workstation.simulator.bar_history import Candle
from workstation.simulator.book_view import BookView, level_texts
from workstation.simulator.gate.format import (
    Json,
    balance_changes,
    event_word,
    milliseconds,
    order_state,
    own_trade,
    public_trade,
    times,
)
from workstation.simulator.gate.market_data import INTERVALS_NS, GateMarketData
from workstation.simulator.message_coding import JsonCoding
from workstation.simulator.publisher import Publisher
from workstation.simulator.stream_teller import StreamTeller
from workstation.simulator.venue_market import VenueMarket
from workstation.simulator.venue_orders import BalanceChanged, Quoted, Reported, Traded
from workstation.simulator.wire import WireParts

BOOK_NS = SECOND_NS // 50
FIGURES = frozenset({"b", "B", "a", "A", "o", "h", "l", "c", "v", "price", "amount", "last", "left", "filled_total"})
"""Fields of messages that hold prices or quantities."""
STREAM = re.compile(
    r"spot\.(?:(book_ticker|trades|tickers)\.(\w+)|(candlesticks)\.([0-9a-z]+)_(\w+)"
    r"|(order_book_update)\.(\w+)\.(?:20ms|100ms)|(obu)\.ob\.(\w+)\.(50|400))"
)
PRIVATE_CHANNELS = frozenset({"spot.orders", "spot.usertrades", "spot.balances"})
EVERY_PAIR = "!all"


def stream_names(channel: str, payload: list[str]) -> list[str]:
    """The streams that a request for a public channel names: one each for a pair, or one with its details."""
    if channel in ("spot.book_ticker", "spot.trades", "spot.tickers"):
        return [f"{channel}.{pair}" for pair in payload]
    if channel == "spot.candlesticks" and len(payload) == 2:
        return [f"{channel}.{payload[0]}_{payload[1]}"]
    if channel == "spot.order_book_update" and len(payload) == 2:
        return [f"{channel}.{payload[0]}.{payload[1]}"]
    return [f"{channel}.{name}" for name in payload] if channel == "spot.obu" else []


class GateStreams(StreamTeller):
    """Best prices and trades go out as they happen, books each 20 ms, candles and statistics each second."""

    def __init__(self, parts: WireParts) -> None:
        publisher = Publisher(parts.exchange.venue, parts.hub, parts.menu, JsonCoding(FIGURES))
        super().__init__(parts.exchange, parts.histories, parts.hub, publisher, BOOK_NS)
        self.data = GateMarketData(parts, self.publish_depth)
        self._views: dict[str, BookView] = {}

    def market_of(self, stream: str) -> VenueMarket | None:
        """Whose public stream it is; None where there is no such stream."""
        match = STREAM.fullmatch(stream)
        if match is None or (match[4] is not None and match[4] not in INTERVALS_NS):
            return None
        return self.exchange.markets.get(match[2] or match[5] or match[7] or match[9])

    def first_message(self, stream: str) -> bytes | None:
        """The whole book with which a stream of a book begins; None for others, which begin with what happens next.

        What changed before goes to those who listen already.
        """
        match, market = STREAM.fullmatch(stream), self.market_of(stream)
        if match is None or market is None or match[8] is None:
            return None
        view = self._views.setdefault(stream, BookView(market, int(match[10])))
        self._tell_book(stream, view)
        return self._message("spot.obu", self._book(stream, view, *view.levels()) | {"full": True})

    def quoted(self, event: Quoted) -> None:
        stream = f"spot.book_ticker.{event.market}"
        if self.hub.is_wanted(stream):
            market = self.exchange.markets[event.market]
            result = {
                "t": milliseconds(self.exchange.now_ns),
                "u": event.update_id,
                "s": event.market,
                "b": market.price_text(event.bid),
                "B": market.quantity_text(event.bid_quantity),
                "a": market.price_text(event.ask),
                "A": market.quantity_text(event.ask_quantity),
            }
            self.publisher.publish(stream, self._message("spot.book_ticker", result))

    def traded(self, event: Traded) -> None:
        stream = f"spot.trades.{event.market}"
        if self.hub.is_wanted(stream):
            trade = public_trade(self.exchange.markets[event.market], event, is_streamed=True)
            self.publisher.publish(stream, self._message("spot.trades", trade))

    def reported(self, event: Reported) -> None:
        key, order, fill = event.account.credentials.api_key, event.order, event.fill
        word = event_word(event.execution, event.status)
        state = order_state(order, event.status, event.filled, event.filled_quote)
        state |= times(order.created_ns, event.ts_ns, as_texts=True) | {"event": word}
        self._tell_account(key, "spot.orders", order.request.market, [state], word)
        if fill is not None:
            own = [own_trade(order, fill, id_as_text=False)]
            self._tell_account(key, "spot.usertrades", order.request.market, own, own[0]["role"])

    def balance(self, event: BalanceChanged) -> None:
        stream = f"user:{event.account.credentials.api_key}:spot.balances"
        if self.hub.is_wanted(stream):
            payload = self._message("spot.balances", balance_changes(event.balances, event.ts_ns))
            self.publisher.publish(stream, payload, "user:spot.balances")

    def tell_books(self) -> None:
        for name, market in self.exchange.markets.items():
            if any(self.hub.is_wanted(stream) for stream in _update_streams(name)):
                self.publish_depth(market)
        for stream, view in list(self._views.items()):
            if self.hub.is_wanted(stream):
                self._tell_book(stream, view)
            else:
                del self._views[stream]

    def publish_depth(self, market: VenueMarket) -> None:
        """Sends what changed in the whole book since the last time; its ids are those of REST."""
        change = market.depth_change()
        if change is None:
            return
        now_ms = milliseconds(self.exchange.now_ns)
        result = {
            "t": now_ms,
            "e": "depthUpdate",
            "E": now_ms // 1000,
            "s": market.name,
            "U": change.first_id,
            "u": change.last_id,
            "b": level_texts(market, change.bids),
            "a": level_texts(market, change.asks),
        }
        for stream in _update_streams(market.name):
            if self.hub.is_wanted(stream):
                self.publisher.publish(stream, self._message("spot.order_book_update", result))

    def candle_stream(self, stream: str) -> tuple[VenueMarket, int] | None:
        match, market = STREAM.fullmatch(stream), self.market_of(stream)
        if match is None or market is None or match[3] is None:
            return None
        return market, INTERVALS_NS[match[4]]

    def candle(self, stream: str, market: VenueMarket, length_ns: int, candle: Candle, *, is_closed: bool) -> None:
        """`v` is in quote currency, `a` in base."""
        result = {
            "t": str(candle.ts_open // SECOND_NS),
            "v": f"{candle.volume * (candle.open + candle.close) / 2:.8f}",
            "c": market.price_text(candle.close),
            "h": market.price_text(candle.high),
            "l": market.price_text(candle.low),
            "o": market.price_text(candle.open),
            "n": stream.removeprefix("spot.candlesticks."),
            "a": market.quantity_text(candle.volume),
            "w": is_closed,
        }
        self.publisher.publish(stream, self._message("spot.candlesticks", result))

    def each_second(self, stream: str) -> None:
        market = self.market_of(stream) if stream.startswith("spot.tickers.") else None
        if market is not None:
            self.publisher.publish(stream, self._message("spot.tickers", self.data.day(market)))

    def _tell_book(self, stream: str, view: BookView) -> None:
        change = view.change()
        if change is not None and self.hub.is_wanted(stream):
            result = self._book(stream, view, change.bids, change.asks) | {"U": change.first_id}
            self.publisher.publish(stream, self._message("spot.obu", result))

    def _book(self, stream: str, view: BookView, bids: dict[int, int], asks: dict[int, int]) -> Json:
        return {
            "t": milliseconds(self.exchange.now_ns),
            "s": stream.removeprefix("spot.obu."),
            "u": view.update_id,
            "b": level_texts(view.market, bids),
            "a": level_texts(view.market, asks),
        }

    def _message(self, channel: str, result: Any) -> bytes:
        now_ms = milliseconds(self.exchange.now_ns)
        message = {"time": now_ms // 1000, "time_ms": now_ms, "channel": channel, "event": "update", "result": result}
        return msgspec.json.encode(message)

    def _tell_account(self, key: str, channel: str, pair: str, result: list[Json], detail: str) -> None:
        """To the sockets that this account's signature opened; faults know the stream as user:<channel>:<word>."""
        for place in (pair, EVERY_PAIR):
            stream = f"user:{key}:{channel}:{place}"
            if self.hub.is_wanted(stream):
                self.publisher.publish(stream, self._message(channel, result), f"user:{channel}:{detail}")


def _update_streams(name: str) -> tuple[str, str]:
    return f"spot.order_book_update.{name}.20ms", f"spot.order_book_update.{name}.100ms"
