"""Orders as a simulated venue keeps them, and the events by which it tells of them and of the market."""

from collections import defaultdict
from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum
from typing import NamedTuple

from workstation.model.ids import Currency
from workstation.model.units import MONEY, Side
from workstation.simulator.accounts import Account
from workstation.simulator.order_book import Resting
from workstation.simulator.refusals import Reason, Refused

ZERO = Decimal(0)


class OrderKind(StrEnum):
    LIMIT = "LIMIT"
    LIMIT_MAKER = "LIMIT_MAKER"
    MARKET = "MARKET"
    STOP_LOSS = "STOP_LOSS"
    STOP_LOSS_LIMIT = "STOP_LOSS_LIMIT"
    TAKE_PROFIT = "TAKE_PROFIT"
    TAKE_PROFIT_LIMIT = "TAKE_PROFIT_LIMIT"


MARKET_KINDS = frozenset({OrderKind.MARKET, OrderKind.STOP_LOSS, OrderKind.TAKE_PROFIT})
STOP_KINDS = frozenset(OrderKind) - {OrderKind.LIMIT, OrderKind.LIMIT_MAKER, OrderKind.MARKET}


class TimeInForce(StrEnum):
    GTC = "GTC"
    IOC = "IOC"
    FOK = "FOK"


class Status(StrEnum):
    NEW = "NEW"
    PARTIALLY_FILLED = "PARTIALLY_FILLED"
    FILLED = "FILLED"
    CANCELED = "CANCELED"
    EXPIRED = "EXPIRED"


OPEN_STATUSES = frozenset({Status.NEW, Status.PARTIALLY_FILLED})


@dataclass(frozen=True, slots=True, kw_only=True)
class NewOrder:
    """What a client asks for, in the venue's words: market "BTCUSDT", quantities and prices as written."""

    market: str
    side: Side
    kind: OrderKind
    client_order_id: str | None
    quantity: Decimal | None = None
    quote_quantity: Decimal | None = None
    price: Decimal | None = None
    stop_price: Decimal | None = None
    time_in_force: TimeInForce = TimeInForce.GTC


class VenueFill(NamedTuple):
    """One execution of a client's order."""

    trade_id: int
    ts_ns: int
    price: Decimal
    quantity: Decimal
    fee: Decimal
    fee_currency: Currency
    is_maker: bool


@dataclass(slots=True)
class VenueOrder:
    """One order over its life. `held` is what is still locked for it, in `held_currency`."""

    order_id: int
    request: NewOrder
    account: Account
    lots: int
    price: int | None
    """In ticks."""
    stop: int | None
    quantity: Decimal
    created_ns: int
    updated_ns: int
    held_currency: Currency
    held: Decimal = ZERO
    status: Status = Status.NEW
    filled_lots: int = 0
    filled: Decimal = ZERO
    filled_quote: Decimal = ZERO
    resting: Resting | None = None
    is_waiting: bool = False
    """A stop that was not reached yet."""
    fills: list[VenueFill] = field(default_factory=list)

    @property
    def is_open(self) -> bool:
        return self.status in OPEN_STATUSES

    @property
    def is_market(self) -> bool:
        return self.request.kind in MARKET_KINDS

    def book_fill(self, fill: VenueFill, lots: int) -> None:
        """Adds one execution."""
        self.fills.append(fill)
        self.filled_lots += lots
        self.filled = MONEY.add(self.filled, fill.quantity)
        self.filled_quote = MONEY.add(self.filled_quote, MONEY.multiply(fill.price, fill.quantity))
        self.status = Status.FILLED if self.filled_lots == self.lots else Status.PARTIALLY_FILLED
        self.updated_ns = fill.ts_ns


class Execution(StrEnum):
    """Why an order is reported."""

    NEW = "NEW"
    TRADE = "TRADE"
    CANCELED = "CANCELED"
    EXPIRED = "EXPIRED"
    AMENDED = "AMENDED"


class Quoted(NamedTuple):
    """The best prices of a market changed."""

    market: str
    update_id: int
    bid: float
    bid_quantity: float
    ask: float
    ask_quantity: float


class Traded(NamedTuple):
    """A public trade; `ts_ns` is the venue's time of it."""

    market: str
    trade_id: int
    ts_ns: int
    price: float
    quantity: float
    seller_takes: bool


class Reported(NamedTuple):
    """An order's state changed; the figures are those of that moment."""

    account: Account
    order: VenueOrder
    execution: Execution
    status: Status
    filled: Decimal
    filled_quote: Decimal
    fill: VenueFill | None
    cancel_id: str | None
    """Of a cancel: the client id of the cancel itself."""
    ts_ns: int


class BalanceChanged(NamedTuple):
    """Balances of some currencies (free, locked) after a change."""

    account: Account
    balances: dict[Currency, tuple[Decimal, Decimal]]
    ts_ns: int


Event = Quoted | Traded | Reported | BalanceChanged


class OrderStore:
    """Every order of a venue by its id, and by client id: the open one, else the latest.

    `ids_for_good`: a client id is never free again; else it is, once its order ends.
    """

    def __init__(self, first_id: int, *, ids_for_good: bool = False) -> None:
        self._next_id = first_id
        self._ids_for_good = ids_for_good
        self._orders: dict[int, VenueOrder] = {}
        self._by_client: dict[tuple[str, str, str], VenueOrder] = {}
        self._named: dict[tuple[str, str], VenueOrder] = {}
        self._of_account: defaultdict[str, list[VenueOrder]] = defaultdict(list)
        self._open: dict[int, VenueOrder] = {}

    def take_id(self) -> int:
        self._next_id += 1
        return self._next_id - 1

    def refuse_duplicate(self, account: Account, request: NewOrder) -> None:
        """Raises Refused for a client id that is taken in this market, or for good in any."""
        key, name = account.credentials.api_key, request.client_order_id
        if name is None:
            return
        for_good, in_market = self._named.get((key, name)), self._by_client.get((key, request.market, name))
        known = for_good if self._ids_for_good else in_market
        if known is not None and (known.is_open or self._ids_for_good):
            raise Refused(Reason.DUPLICATE, f"{name} is order {known.order_id}, {known.status}")

    def add(self, order: VenueOrder) -> None:
        key, name = order.account.credentials.api_key, order.request.client_order_id
        self._orders[order.order_id] = order
        if name is not None:
            self._by_client[key, order.request.market, name] = order
            self._named[key, name] = order
        self._of_account[key].append(order)
        self._open[order.order_id] = order

    def closed(self, order: VenueOrder) -> None:
        """It is final: no longer among the open ones."""
        self._open.pop(order.order_id, None)

    def get(self, order_id: int) -> VenueOrder | None:
        return self._orders.get(order_id)

    def find(
        self, account: Account, market: str | None, order_id: int | None, client_id: str | None
    ) -> VenueOrder | None:
        """By the venue's id or, without one, the client's; None where the account has no such order in the market.

        Without a market it may be in any.
        """
        if order_id is not None:
            order = self._orders.get(order_id)
            is_own = order is not None and order.account is account and market in (None, order.request.market)
            return order if is_own else None
        if market is None:
            return self._named.get((account.credentials.api_key, client_id or ""))
        return self._by_client.get((account.credentials.api_key, market, client_id or ""))

    def of_account(self, account: Account, market: str | None = None) -> list[VenueOrder]:
        """All its orders, oldest first."""
        mine = self._of_account[account.credentials.api_key]
        return [order for order in mine if market is None or order.request.market == market]

    def open_orders(self, account: Account | None = None, market: str | None = None) -> list[VenueOrder]:
        """Open ones by age."""
        return [
            order
            for order in self._open.values()
            if (account is None or order.account is account) and (market is None or order.request.market == market)
        ]
