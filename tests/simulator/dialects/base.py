"""What a wire calls the same things as the others, so that one test can ask it of each of them."""

import time
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

import ccxt
import msgspec
from aiohttp import WSMsgType

from tests.simulator.client import a_client, control, wanted
from workstation.simulator.server import SimulatedExchanges

BTC, ETH = "BTC/USDT", "ETH/USDT"
Errors = Mapping[str, type[Exception]]
Changes = Mapping[str, str | None]
"""Of a request's fields; None leaves one out."""
LOST: Errors = {
    "timeout_before": ccxt.RequestTimeout,
    "timeout_after": ccxt.RequestTimeout,
    "reset_before": ccxt.ExchangeNotAvailable,
    "reset_after": ccxt.ExchangeNotAvailable,
    "html_502": ccxt.ExchangeNotAvailable,
    "unknown_504": ccxt.RequestTimeout,
    "busy_503": ccxt.ExchangeNotAvailable,
    "rate_429": ccxt.RateLimitExceeded,
    "ban_418": ccxt.RateLimitExceeded,
}
"""What ccxt raises over a new order that a fault strikes."""
PLACED = frozenset({"timeout_after", "reset_after", "html_502", "unknown_504"})
"""The faults behind which the order is there."""
ODD = ("NaN", "null", "1e308", "1,5")
"""What an absurd message has among its figures."""


class Dialect:
    """One wire, at a venue of the server that speaks it. Streams are named with a market in place of {}."""

    wire: str
    venue: str
    form: str
    """How a market is called, with base and quote in place of {0} and {1}."""
    symbols = (BTC, ETH)
    """The markets that the tests of market data look at."""
    kind = "spot"
    """What ccxt calls their kind."""
    socket: str
    """Where public streams are, behind the venue's name."""

    quotes: str
    trades: str
    book: str
    """The stream of a whole book."""
    streams_statistics = True
    """Whether there is a stream of the last 24 hours."""
    ticker_has_best = True
    """Whether the statistics that are asked for have the best prices too."""
    gap_is_noticed = False
    """Whether ccxt looks at the ids of a book's messages."""
    sockets = 2
    """How many ccxt opens for quotes and an account's orders."""

    create: str
    """The path of a new order."""
    query: str
    """That of the questions for one."""
    asks = 1
    """How many questions ccxt asks for one order before it gives up."""
    orders: str
    """The stream of an account's orders, with its key and a market in place of {0} and {1}."""
    fill_fault: str
    """The message of a fill whose taker it is, as faults know it."""
    part_fault: str
    """The message of an order that is filled in part."""
    told_orders: Sequence[tuple[str, str]]
    """One filled at once, and one filled in part, of which that is told after its cancel: names, the venue's words."""

    taker_fee = "0.0005"
    """As ccxt takes it to be."""
    errors: Errors = LOST
    duplicate: type[Exception] = ccxt.InvalidOrder
    cancelled_twice: type[Exception] = ccxt.OrderNotFound
    missing: type[Exception] = ccxt.OrderNotFound
    skewed: type[Exception] = ccxt.InvalidNonce
    skew_s = 60
    corrects_time = True
    """Whether ccxt can learn how far the venue's clock is from ours."""
    unsigned: type[Exception] = ccxt.AuthenticationError
    bad_signature: str
    unknown: type[Exception] = ccxt.AuthenticationError
    unknown_key: str
    has_order_calls = True
    """Whether orders pass over a socket too."""
    names_new_orders = True
    """Whether the answer to a new order has the client's id."""
    has_cancel_state = True
    """Whether the answer to a cancel says in which state the order is."""
    has_roles = True
    """Whether ccxt tells maker from taker in the stream of fills."""
    has_fills_by_order = True

    refusals: Sequence[tuple[Changes, str, type[Exception]]]
    """What differs from an order that is taken, what the answer says, and ccxt's error."""
    wrong_questions: Sequence[tuple[str, Mapping[str, Any], type[Exception], str]]
    """Calls of ccxt's with their fields, its errors, and what the answer says."""

    def market(self, symbol: str = BTC) -> str:
        return self.form.format(*symbol.partition(":")[0].split("/"))

    def stream(self, name: str, symbol: str = BTC) -> str:
        """One of `quotes`, `trades`, `book`."""
        return str(getattr(self, name)).format(self.market(symbol))

    def named(self, name: str) -> str:
        """The client's id of an order, in a form that the venue takes."""
        return name

    def told_name(self, name: str) -> str:
        """The same as the venue tells it."""
        return self.named(name)

    def client_id(self, order: Any) -> Any:
        return order["clientOrderId"]

    async def quote(self, client: Any) -> Any:
        """The next best prices by which ccxt has them."""
        symbol = self.symbols[0]
        return (await client.watch_bids_asks([symbol]))[symbol]

    async def whole_book(self, client: Any) -> Any:
        """The next state of a book by which ccxt has it."""
        return await client.watch_order_book(self.symbols[0])

    async def find(self, client: Any, name: str) -> Any:
        """The order with that id, open or not, as ccxt finds it; None where the venue has none."""
        try:
            return await client.fetch_order(None, BTC, {"clientOrderId": self.named(name)})
        except self.missing:
            return None

    async def order(self, client: Any, order_id: str) -> Any:
        """Raises `missing`."""
        return await client.fetch_order(order_id, BTC)

    async def prepare(self, client: Any) -> None:
        """Whatever ccxt asks before its first order."""

    def cost(self, order: Any) -> Decimal:
        """What an order has paid or brought in quote currency."""
        return Decimal(order["cost"])

    async def send_order(self, client: Any, changes: Changes) -> Any:
        """A limit order for 0.001 BTC at 40,000 with these changes, as the venue's own request."""
        raise NotImplementedError

    def check_limit(self, client: Any, fault: str, seconds: int) -> None:
        """The last answer says for how long nothing is answered."""

    def hear(self, client: Any, orders: list[Any], fills: list[Any]) -> None:
        """Puts down each order and fill that reaches the client: name and word, and the fill's id."""
        raise NotImplementedError

    def subscription(self, stream: str) -> Any:
        """What is said to begin a public stream."""
        raise NotImplementedError

    async def frame(self, stream: Any) -> Any:
        """The next message that is no answer to what was said."""
        while True:
            message = await stream.receive(timeout=20)
            assert message.type in (WSMsgType.TEXT, WSMsgType.BINARY), message
            if not self.is_answer(message.data):
                return message.data

    def is_answer(self, data: Any) -> bool:
        """Whether it is the answer to what was said."""
        raise NotImplementedError

    def is_whole(self, data: Any) -> bool:
        """Whether a message can be read."""
        try:
            msgspec.json.decode(data)
        except msgspec.DecodeError:
            return False
        return True

    def is_odd(self, data: Any) -> bool:
        """Whether figures in it are no figures."""
        return any(word in data for word in ODD)

    def client(self, exchanges: SimulatedExchanges, name: str = "alice", **fields: Any) -> Any:
        """ccxt.pro's, with the account's keys."""
        return a_client(exchanges, name, venue=self.venue, **fields)

    async def listening(self, exchanges: SimulatedExchanges, name: str) -> None:
        """Until the account's orders are listened to."""
        await wanted(exchanges, self.venue, self.orders.format(f"{name}-key", self.market()))

    async def listening_to_fills(self, exchanges: SimulatedExchanges, name: str) -> None:
        """Until its fills are, where they have a stream of their own."""

    def burst(self, exchanges: SimulatedExchanges, size: int) -> None:
        control(exchanges, "faults", kind="burst", venue=self.venue, market=self.market(), size=size)

    def place_levels(self, exchanges: SimulatedExchanges, symbol: str = BTC, **levels: Any) -> None:
        """Shows these levels instead of the market's; without any, the market's again."""
        control(exchanges, "book", venue=self.venue, market=self.market(symbol), **levels)

    def fill(self, exchanges: SimulatedExchanges, name: str, quantity: str | None = None) -> None:
        fields = {} if quantity is None else {"quantity": quantity}
        control(exchanges, "fill", venue=self.venue, clientOrderId=self.told_name(name), **fields)


def changed(fields: Mapping[str, Any], changes: Changes) -> dict[str, Any]:
    """A request with these changes."""
    return {name: value for name, value in {**fields, **changes}.items() if value is not None}


def until_then(moment: str, unit_s: float = 1.0) -> float:
    """Seconds from now to a moment of Unix time, as it was told."""
    return float(moment) * unit_s - time.time()
