"""OANDA's streams of one simulated venue: prices as they change, an account's transactions, and heartbeats."""

from collections import defaultdict
from collections.abc import Callable

import msgspec

from workstation.model.durations import SECOND_NS
from workstation.simulator.bar_history import Candle
from workstation.simulator.message_coding import JsonCoding
from workstation.simulator.oanda.account_book import AccountBook, OrderRecord
from workstation.simulator.oanda.accounts import OandaAccounts
from workstation.simulator.oanda.format import Json, price_fields, rfc3339
from workstation.simulator.oanda.market_data import OandaMarketData
from workstation.simulator.publisher import Publisher
from workstation.simulator.socket_hub import Client
from workstation.simulator.stream_teller import StreamTeller
from workstation.simulator.venue_market import VenueMarket
from workstation.simulator.venue_orders import (
    BalanceChanged,
    Execution,
    OrderKind,
    Quoted,
    Reported,
    Status,
    Traded,
    VenueFill,
)
from workstation.simulator.wire import WireParts

HEARTBEAT_NS = 5 * SECOND_NS
FIGURES = frozenset({"price", "liquidity", "closeoutBid", "closeoutAsk", "units", "pl", "accountBalance"})
"""Fields of messages that hold prices or quantities."""
PRICING_BEATS = "heartbeat.pricing"


class OandaStreams(StreamTeller):
    """Heartbeats go by the wall's clock, as clients wait for them."""

    def __init__(self, parts: WireParts, is_open: Callable[[], bool]) -> None:
        publisher = Publisher(parts.exchange.venue, parts.hub, parts.menu, JsonCoding(FIGURES))
        super().__init__(parts.exchange, parts.histories, parts.hub, publisher, SECOND_NS)
        self._is_open, self._wall_ns = is_open, parts.wall_ns
        self._beat_due_ns = 0
        self._fills: defaultdict[tuple[str, str], list[tuple[VenueFill, Status]]] = defaultdict(list)
        self.accounts = OandaAccounts(parts.exchange, self.tell_transaction)

    def begin_pricing(
        self, client: Client, markets: list[VenueMarket], data: OandaMarketData, *, snapshot: bool
    ) -> None:
        """A stream of these markets' prices, which begins with the present ones."""
        for market in markets:
            price = data.price(market)
            if snapshot and price is not None:
                self.hub.answer(client, msgspec.json.encode(price))
            self.hub.subscribe(client, f"pricing.{market.name}")
        self.hub.subscribe(client, PRICING_BEATS)
        self.hub.answer(client, self._beat({}))

    def begin_transactions(self, client: Client, book: AccountBook) -> None:
        """A stream of what happens to an account from now on."""
        self.hub.subscribe(client, f"transactions.{book.account_id}")
        self.hub.subscribe(client, f"heartbeat.transactions.{book.account_id}")
        self.hub.answer(client, self._beat({"lastTransactionID": book.log.last_id}))

    def tell_transaction(self, account_id: str, transaction: Json) -> None:
        """To whoever listens to the account; faults know the stream as user:transactions:<type>."""
        stream = f"transactions.{account_id}"
        if self.hub.is_wanted(stream):
            shown = f"user:transactions:{transaction['type']}"
            self.publisher.publish(stream, msgspec.json.encode(transaction), shown)

    def quoted(self, event: Quoted) -> None:
        stream = f"pricing.{event.market}"
        if self.hub.is_wanted(stream):
            market = self.exchange.markets[event.market]
            best = (event.bid, event.bid_quantity, event.ask, event.ask_quantity)
            price = price_fields(market, best, self.exchange.now_ns, is_open=self._is_open())
            self.publisher.publish(stream, msgspec.json.encode(price))

    def traded(self, event: Traded) -> None:
        """OANDA tells of no public trades."""

    def reported(self, event: Reported) -> None:
        book, record = self._record(event)
        if record is None:
            return
        key = (book.account_id, record.order_id)
        if event.fill is not None:
            self._fills[key].append((event.fill, event.status))
        elif event.execution in (Execution.CANCELED, Execution.EXPIRED):
            self._tell_fills(book, record)
            book.cancelled(record, _reason(event, record))

    def balance(self, event: BalanceChanged) -> None:
        """Currencies are the core's; what the account is worth is told with each fill."""

    def step_ended(self) -> None:
        for account_id, order_id in list(self._fills):
            book = self.accounts.by_number(account_id)
            self._tell_fills(book, book.records[order_id])
        if self._wall_ns() >= self._beat_due_ns:
            self._beat_due_ns = self._wall_ns() + HEARTBEAT_NS
            self._tell_beats()

    def tell_books(self) -> None:
        """OANDA's prices bear what stands at the best alone."""

    def candle_stream(self, stream: str) -> tuple[VenueMarket, int] | None:
        return None

    def candle(self, stream: str, market: VenueMarket, length_ns: int, candle: Candle, *, is_closed: bool) -> None:
        raise AssertionError("there are no streams of candles")

    def each_second(self, stream: str) -> None:
        """Nothing is told by the second."""

    def _record(self, event: Reported) -> tuple[AccountBook, OrderRecord | None]:
        book = self.accounts.of_account(event.account)
        return book, book.of_core(event.order.order_id)

    def _tell_fills(self, book: AccountBook, record: OrderRecord) -> None:
        """What was filled in this step, as one transaction."""
        fills = self._fills.pop((book.account_id, record.order_id), [])
        if fills:
            book.filled(record, [fill for fill, _ in fills], fills[-1][1])

    def _tell_beats(self) -> None:
        if self.hub.is_wanted(PRICING_BEATS):
            self.publisher.publish(PRICING_BEATS, self._beat({}))
        for book in self.accounts:
            stream = f"heartbeat.transactions.{book.account_id}"
            if self.hub.is_wanted(stream):
                beat = self._beat({"lastTransactionID": book.log.last_id})
                self.publisher.publish(stream, beat, "heartbeat.transactions")

    def _beat(self, beside: Json) -> bytes:
        return msgspec.json.encode({"type": "HEARTBEAT", "time": rfc3339(self.exchange.now_ns)} | beside)


def _reason(event: Reported, record: OrderRecord) -> str:
    """Why an order ended: by its owner, or because there was nothing to take, or nothing to pay with."""
    if event.execution is Execution.CANCELED:
        return record.cancel_reason
    return "INSUFFICIENT_MARGIN" if event.order.request.kind is OrderKind.STOP_LOSS else "INSUFFICIENT_LIQUIDITY"
