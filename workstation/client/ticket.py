"""An order by hand, as a person writes it."""

from decimal import Decimal
from enum import StrEnum
from typing import Annotated

from pydantic import Field, model_validator

from workstation.client.declaration import DECIMAL_TEXT, MOST_MONEY, Message, Money, SessionName, Word
from workstation.client.messages import OrderView


class TicketSide(StrEnum):
    BUY = "buy"
    SELL = "sell"


class TicketType(StrEnum):
    MARKET = "market"
    LIMIT = "limit"


Price = Annotated[Decimal, Field(gt=0, le=MOST_MONEY, max_digits=30, decimal_places=18), DECIMAL_TEXT]


class OrderTicket(Message):
    """Opens a position of its own in a running session, with a stop and a target if it names them."""

    session: SessionName
    venue: Word
    symbol: Word
    side: TicketSide
    type: TicketType = TicketType.MARKET
    quantity: Money | None = None
    """In base currency; whole lots of it are taken."""
    notional: Money | None = None
    """Instead: in quote currency, at the limit's price or the mid."""
    limit_price: Price | None = None
    stop_price: Price | None = None
    target_price: Price | None = None

    @model_validator(mode="after")
    def _fits(self) -> "OrderTicket":
        if (self.quantity is None) == (self.notional is None):
            raise ValueError("exactly one of quantity and notional")
        if (self.type is TicketType.LIMIT) != (self.limit_price is not None):
            raise ValueError("a limit_price for a limit order, and none for a market order")
        return self


class RefusalView(Message):
    """Which limit, its value, and the figure that broke it."""

    limit: str
    allowed: str
    figure: str
    instrument: str | None

    @property
    def sentence(self) -> str:
        where = "" if self.instrument is None else f" on {self.instrument}"
        return f"refused by {self.limit}{where}: {self.figure}, allowed {self.allowed}"


class Placed(Message):
    """What became of an order by hand: the order, or why risk said no."""

    order: OrderView | None = None
    refusal: RefusalView | None = None
