"""Orders: what is asked for (OrderRequest) and what the venue is tracking (Order)."""

from decimal import Decimal
from enum import StrEnum

from msgspec import Struct

from workstation.errors import BadInput
from workstation.model.ids import ClientOrderId, Currency, GroupId, SignalId, SnapshotId, TradeId
from workstation.model.instrument import InstrumentKey
from workstation.model.units import MONEY, Side


class OrderType(StrEnum):
    MARKET = "market"
    LIMIT = "limit"
    STOP = "stop"
    """A market order that sleeps until the price reaches `stop_price`."""


class OrderPurpose(StrEnum):
    """Why it exists: only an ENTRY takes new risk."""

    ENTRY = "entry"
    STOP = "stop"
    TARGET = "target"
    CLOSE = "close"


class OrderStatus(StrEnum):
    CREATED = "created"
    SUBMITTED = "submitted"
    ACCEPTED = "accepted"
    PARTIALLY_FILLED = "partially_filled"
    FILLED = "filled"
    CANCELLED = "cancelled"
    REJECTED = "rejected"
    EXPIRED = "expired"
    UNKNOWN = "unknown"
    """Sent, and no answer: it may rest at the venue. Its worst case stays reserved until the venue proves otherwise."""

    __hash__ = str.__hash__  # an Enum's own is a call into Python, at every question for a status


FINAL_STATUSES = frozenset({OrderStatus.FILLED, OrderStatus.CANCELLED, OrderStatus.REJECTED, OrderStatus.EXPIRED})


class OrderRequest(Struct, frozen=True, kw_only=True):
    """An order given. Prices are on the tick grid and the quantity on the lot grid of `snapshot_id`."""

    client_order_id: ClientOrderId
    group_id: GroupId
    signal_id: SignalId
    leg: int
    purpose: OrderPurpose
    instrument: InstrumentKey
    snapshot_id: SnapshotId
    side: Side
    type: OrderType
    quantity: Decimal
    limit_price: Decimal | None = None
    stop_price: Decimal | None = None
    is_reduce_only: bool = False
    decision_price: float | None
    """The price we saw when we decided, for slippage; quote currency. None: a close without a price."""
    decided_ns: int

    def __post_init__(self) -> None:
        if not (
            _is_positive(self.quantity)
            and _is_price(self.limit_price, is_wanted=self.type is OrderType.LIMIT)
            and _is_price(self.stop_price, is_wanted=self.type is OrderType.STOP)
        ):
            self._refuse()

    def _refuse(self) -> None:
        """Raises BadInput for the field that breaks a rule."""
        subject = f"order {self.client_order_id} {self.instrument}"
        if not _is_positive(self.quantity):
            raise BadInput(f"{subject}: quantity {self.quantity}: expected more than 0")
        wanted = {OrderType.LIMIT: "limit_price", OrderType.STOP: "stop_price"}.get(self.type)
        for name in ("limit_price", "stop_price"):
            price: Decimal | None = getattr(self, name)
            if (price is None) == (name == wanted):
                rule = "needs one" if price is None else "has none"
                raise BadInput(f"{subject}: {name} {price}: a {self.type} order {rule}")
            if price is not None and not _is_positive(price):
                raise BadInput(f"{subject}: {name} {price}: expected more than 0")


class Fill(Struct, frozen=True, kw_only=True):
    """Our execution. `fee` is positive where paid, in `fee_currency`."""

    client_order_id: ClientOrderId
    trade_id: TradeId
    instrument: InstrumentKey
    side: Side
    price: Decimal
    quantity: Decimal
    fee: Decimal
    fee_currency: Currency
    is_maker: bool

    def __post_init__(self) -> None:
        if not (_is_positive(self.price) and _is_positive(self.quantity)):
            name, value = ("quantity", self.quantity) if _is_positive(self.price) else ("price", self.price)
            subject = f"fill {self.trade_id} of order {self.client_order_id}"
            raise BadInput(f"{subject}: {name} {value}: expected more than 0")


class Order(Struct, frozen=True, kw_only=True):
    """An order as tracked; only `trading.orders.next_order` makes the next one."""

    request: OrderRequest
    status: OrderStatus = OrderStatus.CREATED
    filled_quantity: Decimal = Decimal(0)
    filled_notional_quote: Decimal = Decimal(0)
    trade_ids: frozenset[TradeId] = frozenset()
    cancel_requested_ns: int | None = None
    updated_ns: int = 0
    is_triggered: bool = False
    """Of a stop: the venue said that its price was reached."""
    alarm: str | None = None
    """What the venue reported that cannot be right: a late fill, an overfill."""

    @property
    def is_final(self) -> bool:
        return self.status in FINAL_STATUSES

    @property
    def remaining_quantity(self) -> Decimal:
        return max(self.request.quantity - self.filled_quantity, Decimal(0))

    @property
    def average_price(self) -> Decimal | None:
        """Quote currency, to 50 digits; None until something is filled."""
        return MONEY.divide(self.filled_notional_quote, self.filled_quantity) if self.filled_quantity else None


def _is_positive(number: Decimal) -> bool:
    return number.is_finite() and number > 0


def _is_price(price: Decimal | None, *, is_wanted: bool) -> bool:
    return not is_wanted if price is None else is_wanted and _is_positive(price)
