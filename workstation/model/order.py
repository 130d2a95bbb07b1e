"""Orders: what is asked for (OrderRequest) and what the venue is tracking (Order)."""

from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

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


FINAL_STATUSES = frozenset({OrderStatus.FILLED, OrderStatus.CANCELLED, OrderStatus.REJECTED, OrderStatus.EXPIRED})


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderRequest:
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
        subject = f"order {self.client_order_id} {self.instrument}"
        if not self.quantity.is_finite() or self.quantity <= 0:
            raise BadInput(f"{subject}: quantity {self.quantity}: expected more than 0")
        wanted = {OrderType.LIMIT: "limit_price", OrderType.STOP: "stop_price"}.get(self.type)
        for name in ("limit_price", "stop_price"):
            price: Decimal | None = getattr(self, name)
            if (price is None) == (name == wanted):
                rule = "needs one" if price is None else "has none"
                raise BadInput(f"{subject}: {name} {price}: a {self.type} order {rule}")
            if price is not None and (not price.is_finite() or price <= 0):
                raise BadInput(f"{subject}: {name} {price}: expected more than 0")


@dataclass(frozen=True, slots=True, kw_only=True)
class Fill:
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
        for name in ("price", "quantity"):
            value = getattr(self, name)
            if not value.is_finite() or value <= 0:
                subject = f"fill {self.trade_id} of order {self.client_order_id}"
                raise BadInput(f"{subject}: {name} {value}: expected more than 0")


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """An order as tracked; only `trading.orders.next_order` makes the next one."""

    request: OrderRequest
    status: OrderStatus = OrderStatus.CREATED
    filled_quantity: Decimal = Decimal(0)
    filled_notional_quote: Decimal = Decimal(0)
    trade_ids: frozenset[TradeId] = frozenset()
    cancel_requested_ns: int | None = None
    updated_ns: int = 0
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
