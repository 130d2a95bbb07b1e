"""Bitvavo's public channels and an account's channel of one simulated venue: events in, messages out."""

from typing import Any

import msgspec

from workstation.model.durations import SECOND_NS
from workstation.simulator.bar_history import Candle
from workstation.simulator.bitvavo.format import (
    Json,
    candle_row,
    order_state,
    own_trade,
    public_trade,
    status_word,
)
from workstation.simulator.bitvavo.market_data import INTERVALS_NS, BitvavoMarketData
from workstation.simulator.book_view import BookView, level_texts
from workstation.simulator.message_coding import JsonCoding
from workstation.simulator.publisher import Publisher
from workstation.simulator.stream_teller import StreamTeller
from workstation.simulator.venue_market import VenueMarket
from workstation.simulator.venue_orders import BalanceChanged, Quoted, Reported, Traded
from workstation.simulator.wire import WireParts

BOOK_NS = SECOND_NS // 50
FIGURES = frozenset({"bids", "asks", "amount", "price", "candle", "bestBid", "bestAsk", "bid", "ask", "last", "volume"})
"""Fields of messages that hold prices or quantities."""
CHANNELS = frozenset({"ticker", "ticker24h", "trades", "book"})
ACCOUNT = "account"
CANDLES = "candles"


class BitvavoStreams(StreamTeller):
    """Best prices and trades go out as they happen, books each 20 ms, candles and statistics each second.

    Streams are named by channel and market, book.BTC-EUR, those of candles with their length, candles.1m.BTC-EUR.
    """

    def __init__(self, parts: WireParts) -> None:
        publisher = Publisher(parts.exchange.venue, parts.hub, parts.menu, JsonCoding(FIGURES))
        super().__init__(parts.exchange, parts.histories, parts.hub, publisher, BOOK_NS)
        self.data = BitvavoMarketData(parts, self.publish_book)
        self._views = {name: BookView(market) for name, market in parts.exchange.markets.items()}

    def quoted(self, event: Quoted) -> None:
        stream = f"ticker.{event.market}"
        if self.hub.is_wanted(stream):
            market = self.exchange.markets[event.market]
            message = {
                "event": "ticker",
                "market": event.market,
                "bestBid": market.price_text(event.bid),
                "bestBidSize": market.quantity_text(event.bid_quantity),
                "bestAsk": market.price_text(event.ask),
                "bestAskSize": market.quantity_text(event.ask_quantity),
            }
            self.publisher.publish(stream, msgspec.json.encode(message))

    def traded(self, event: Traded) -> None:
        stream = f"trades.{event.market}"
        if self.hub.is_wanted(stream):
            trade = public_trade(self.exchange.markets[event.market], event)
            self.publisher.publish(stream, msgspec.json.encode({"event": "trade", "market": event.market, **trade}))

    def reported(self, event: Reported) -> None:
        order, fill = event.order, event.fill
        state = order_state(order, event.status, event.filled, event.filled_quote, event.ts_ns)
        if fill is not None:
            own = own_trade(order, fill)
            told = {name: value for name, value in own.items() if name not in ("id", "settled")}
            self._tell_account(event, {"event": "fill", "fillId": own["id"], **told}, f"fill:{_role(own)}")
        self._tell_account(event, {"event": "order", **state}, f"order:{status_word(order, event.status)}")

    def balance(self, event: BalanceChanged) -> None:
        """Bitvavo has no channel of balances."""

    def tell_books(self) -> None:
        for name, market in self.exchange.markets.items():
            if self.hub.is_wanted(f"book.{name}"):
                self.publish_book(market)

    def publish_book(self, market: VenueMarket) -> BookView:
        """Sends what changed in the book since the last time; the view is then as of now."""
        stream, view = f"book.{market.name}", self._views[market.name]
        change = view.change()
        if change is not None and self.hub.is_wanted(stream):
            message = {
                "event": "book",
                "market": market.name,
                "nonce": view.update_id,
                "bids": level_texts(market, change.bids),
                "asks": level_texts(market, change.asks),
                "timestamp": self.exchange.now_ns,
            }
            self.publisher.publish(stream, msgspec.json.encode(message))
        return view

    def candle_stream(self, stream: str) -> tuple[VenueMarket, int] | None:
        channel, _, rest = stream.partition(".")
        label, _, name = rest.partition(".")
        return (self.exchange.markets[name], INTERVALS_NS[label]) if channel == CANDLES else None

    def candle(self, stream: str, market: VenueMarket, length_ns: int, candle: Candle, *, is_closed: bool) -> None:
        label = stream.split(".")[1]
        message = {"event": "candle", "market": market.name, "interval": label, "candle": [candle_row(market, candle)]}
        self.publisher.publish(stream, msgspec.json.encode(message))

    def each_second(self, stream: str) -> None:
        channel, _, name = stream.partition(".")
        if channel == "ticker24h":
            message = {"event": channel, "data": [self.data.day(self.exchange.markets[name])]}
            self.publisher.publish(stream, msgspec.json.encode(message))

    def _tell_account(self, event: Reported, message: Json, detail: str) -> None:
        """To the sockets that this account's signature opened; faults know the stream as user:<event>:<detail>."""
        stream = account_stream(event.account.credentials.api_key, event.order.request.market)
        if self.hub.is_wanted(stream):
            self.publisher.publish(stream, msgspec.json.encode(message), f"user:{detail}")


def account_stream(api_key: str, market: str) -> str:
    """An account's orders and fills in one market."""
    return f"user:{api_key}:{market}"


def _role(own: dict[str, Any]) -> str:
    return "taker" if own["taker"] else "maker"
