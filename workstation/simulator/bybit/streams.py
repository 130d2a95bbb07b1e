"""Bybit's public and private topics of one simulated venue: events in, messages to their subscribers out."""

import re
from collections import defaultdict
from typing import Any

import msgspec

from workstation.model.durations import SECOND_NS
from workstation.model.units import MONEY
from workstation.simulator.bar_history import Candle
from workstation.simulator.book_view import BookView, level_texts
from workstation.simulator.bybit.format import (
    Json,
    candle_figures,
    coin_balance,
    execution,
    milliseconds,
    order_state,
    status_word,
    streamed_trade,
)
from workstation.simulator.bybit.market_data import INTERVALS_NS, BybitMarketData
from workstation.simulator.message_coding import JsonCoding
from workstation.simulator.number_text import plain
from workstation.simulator.publisher import Publisher
from workstation.simulator.stream_teller import StreamTeller
from workstation.simulator.venue_market import VenueMarket
from workstation.simulator.venue_orders import BalanceChanged, Quoted, Reported, Traded
from workstation.simulator.wire import WireParts

BOOK_NS = SECOND_NS // 50
FIGURES = frozenset({"b", "a", "p", "v", "open", "high", "low", "close", "volume", "lastPrice", "execPrice", "execQty"})
"""Fields of messages that hold prices or quantities."""
TOPIC = re.compile(r"(?:orderbook\.(1|50|200|1000)|publicTrade|tickers|kline\.(\w+))\.([A-Z0-9]+)")
PRIVATE_TOPICS = ("order", "execution", "wallet")
MOST_TRADES = 1024
"""In one message."""
REPEAT_NS = 3 * SECOND_NS
"""Best prices that stand so long are told again."""


class BybitStreams(StreamTeller):
    """Best prices go out as they change, deeper books each 20 ms, candles and statistics each second."""

    def __init__(self, parts: WireParts) -> None:
        publisher = Publisher(parts.exchange.venue, parts.hub, parts.menu, JsonCoding(FIGURES))
        super().__init__(parts.exchange, parts.histories, parts.hub, publisher, BOOK_NS)
        self.data = BybitMarketData(parts)
        self._views: dict[str, BookView] = {}
        self._trades: defaultdict[str, list[Json]] = defaultdict(list)
        self._best_told_ns: dict[str, int] = {}
        self._messages = 0

    def is_known(self, topic: str) -> bool:
        """Whether there is such a public topic."""
        match = TOPIC.fullmatch(topic)
        if match is None or match[3] not in self.exchange.markets:
            return False
        return match[2] is None or match[2] in INTERVALS_NS

    def first_message(self, topic: str) -> bytes | None:
        """The snapshot with which a topic begins for a new subscriber; None where it begins with the next change.

        What changed before goes to those who listen already.
        """
        match = TOPIC.fullmatch(topic)
        if match is None:
            return None
        market = self.exchange.markets[match[3]]
        if match[1] == "1":
            return self._best(market, topic)
        if match[1] is not None:
            view = self._views.setdefault(topic, BookView(market, int(match[1])))
            self._tell_book(topic, view)
            return self._book(topic, view, "snapshot", *view.levels())
        if topic.startswith("tickers."):
            return self._message(topic, self.data.day(market), cs=market.update_id)
        return None

    def quoted(self, event: Quoted) -> None:
        topic = f"orderbook.1.{event.market}"
        if self.hub.is_wanted(topic):
            market, now_ns = self.exchange.markets[event.market], self.exchange.now_ns
            bid = [market.price_text(event.bid), market.quantity_text(event.bid_quantity)]
            ask = [market.price_text(event.ask), market.quantity_text(event.ask_quantity)]
            self._best_told_ns[topic] = now_ns
            self.publisher.publish(topic, self._levels(topic, "snapshot", market, [bid], [ask], event.update_id))

    def traded(self, event: Traded) -> None:
        topic = f"publicTrade.{event.market}"
        if self.hub.is_wanted(topic):
            self._trades[topic].append(streamed_trade(self.exchange.markets[event.market], event))

    def step_ended(self) -> None:
        """The trades of a step come together, as those of one taker do."""
        for topic, trades in self._trades.items():
            for first in range(0, len(trades), MOST_TRADES):
                self.publisher.publish(topic, self._message(topic, trades[first : first + MOST_TRADES]))
        self._trades.clear()

    def reported(self, event: Reported) -> None:
        key, order = event.account.credentials.api_key, event.order
        state = order_state(order, event.status, event.filled, event.filled_quote, event.ts_ns)
        self._tell_account(key, "order", [state], status_word(order, event.status, event.filled))
        if event.fill is not None:
            self._tell_account(key, "execution", [execution(order, event.fill)], "Trade")

    def balance(self, event: BalanceChanged) -> None:
        coins = [
            coin_balance(name, plain(MONEY.add(free, locked)), plain(locked))
            for name, (free, locked) in event.balances.items()
        ]
        key = event.account.credentials.api_key
        self._tell_account(key, "wallet", [{"accountType": "UNIFIED", "coin": coins}], "UNIFIED")

    def tell_books(self) -> None:
        for topic, view in list(self._views.items()):
            if self.hub.is_wanted(topic):
                self._tell_book(topic, view)
            else:
                del self._views[topic]

    def candle_stream(self, stream: str) -> tuple[VenueMarket, int] | None:
        match = TOPIC.fullmatch(stream)
        if match is None or match[2] is None:
            return None
        return self.exchange.markets[match[3]], INTERVALS_NS[match[2]]

    def candle(self, stream: str, market: VenueMarket, length_ns: int, candle: Candle, *, is_closed: bool) -> None:
        start_ms, now_ms = milliseconds(candle.ts_open), milliseconds(self.exchange.now_ns)
        data = {
            "start": start_ms,
            "end": start_ms + milliseconds(length_ns) - 1,
            "interval": stream.split(".")[1],
            **candle_figures(market, candle),
            "confirm": is_closed,
            "timestamp": now_ms,
        }
        self.publisher.publish(stream, self._message(stream, [data]))

    def each_second(self, stream: str) -> None:
        match = TOPIC.fullmatch(stream)
        if match is None:
            return
        market, now_ns = self.exchange.markets[match[3]], self.exchange.now_ns
        if stream.startswith("tickers."):
            self.publisher.publish(stream, self._message(stream, self.data.day(market), cs=market.update_id))
        elif match[1] == "1" and now_ns - self._best_told_ns.get(stream, 0) >= REPEAT_NS:
            self._best_told_ns[stream] = now_ns
            best = self._best(market, stream)
            if best is not None:
                self.publisher.publish(stream, best)

    def _tell_book(self, topic: str, view: BookView) -> None:
        change = view.change()
        if change is not None and self.hub.is_wanted(topic):
            self.publisher.publish(topic, self._book(topic, view, "delta", change.bids, change.asks))

    def _book(self, topic: str, view: BookView, kind: str, bids: dict[int, int], asks: dict[int, int]) -> bytes:
        market = view.market
        sides = level_texts(market, bids), level_texts(market, asks)
        return self._levels(topic, kind, market, *sides, view.update_id)

    def _best(self, market: VenueMarket, topic: str) -> bytes | None:
        """The best prices as they stand; None while a side of the book is empty."""
        touch = market.book.touch()
        if touch is None:
            return None
        sides = level_texts(market, {touch.bid: touch.bid_lots}), level_texts(market, {touch.ask: touch.ask_lots})
        return self._levels(topic, "snapshot", market, *sides, market.update_id)

    def _levels(
        self, topic: str, kind: str, market: VenueMarket, bids: list[list[str]], asks: list[list[str]], update_id: int
    ) -> bytes:
        now_ms = milliseconds(self.exchange.now_ns)
        data = {"s": market.name, "b": bids, "a": asks, "u": update_id, "seq": market.update_id}
        return msgspec.json.encode({"topic": topic, "ts": now_ms, "type": kind, "data": data, "cts": now_ms})

    def _message(self, topic: str, data: Any, **more: Any) -> bytes:
        now_ms = milliseconds(self.exchange.now_ns)
        return msgspec.json.encode({"topic": topic, "type": "snapshot", "ts": now_ms, "data": data, **more})

    def _tell_account(self, key: str, topic: str, data: list[Json], detail: str) -> None:
        """To the sockets that this account's signature opened; faults know the stream as user:<topic>:<state>."""
        stream = f"user:{key}:{topic}"
        if not self.hub.is_wanted(stream):
            return
        self._messages += 1
        now_ms = milliseconds(self.exchange.now_ns)
        message = {"id": f"{now_ms}-{self._messages}", "topic": topic, "creationTime": now_ms, "data": data}
        self.publisher.publish(stream, msgspec.json.encode(message), f"user:{topic}:{detail}")
