from decimal import Decimal
from typing import Any

import msgspec
import pytest

from tests.builders import a_fill, an_order, an_order_request
from workstation.errors import BadInput
from workstation.model.instrument import InstrumentKind
from workstation.model.order import FINAL_STATUSES, OrderRequest, OrderStatus, OrderType
from workstation.model.position import Position

PRICE = Decimal(100)


@pytest.mark.parametrize("quantity", ["0", "-1", "NaN", "Infinity"])
def test_an_order_of_nothing_is_refused(quantity: str) -> None:
    with pytest.raises(BadInput, match=f"order order-1 nova:BTC/USDT:USDT: quantity {quantity}: expected more than 0"):
        an_order_request(quantity=Decimal(quantity))


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"type": OrderType.LIMIT}, "limit_price None: a limit order needs one"),
        ({"type": OrderType.STOP}, "stop_price None: a stop order needs one"),
        ({"type": OrderType.MARKET, "limit_price": PRICE}, "limit_price 100: a market order has none"),
        ({"type": OrderType.MARKET, "stop_price": PRICE}, "stop_price 100: a market order has none"),
        (
            {"type": OrderType.LIMIT, "limit_price": PRICE, "stop_price": PRICE},
            "stop_price 100: a limit order has none",
        ),
        ({"type": OrderType.STOP, "limit_price": PRICE, "stop_price": PRICE}, "limit_price 100: a stop order has none"),
        *[({"limit_price": Decimal(text)}, f"limit_price {text}: expected more than 0") for text in ("0", "-1", "NaN")],
        *[
            ({"stop_price": Decimal(text)}, f"stop_price {text}: expected more than 0")
            for text in ("0", "-1", "Infinity")
        ],
    ],
)
def test_an_order_has_the_prices_of_its_type_and_no_others(fields: dict[str, Any], message: str) -> None:
    with pytest.raises(BadInput, match=message):
        an_order_request(**fields)


def test_an_order_that_cannot_be_is_not_made_of_another_nor_read() -> None:
    order = an_order_request()
    with pytest.raises(BadInput, match="quantity 0: expected more than 0"):
        msgspec.structs.replace(order, quantity=Decimal(0))
    body = msgspec.json.encode(order).replace(b'"quantity":"1', b'"quantity":"-1')
    with pytest.raises(msgspec.ValidationError, match=r"quantity -1.*: expected more than 0"):
        msgspec.json.decode(body, type=OrderRequest)


def test_a_fill_cannot_be_changed() -> None:
    with pytest.raises(AttributeError):
        a_fill().price = PRICE


@pytest.mark.parametrize("field", ["price", "quantity"])
@pytest.mark.parametrize("text", ["0", "-1", "NaN", "Infinity"])
def test_a_fill_of_nothing_is_refused(field: str, text: str) -> None:
    with pytest.raises(BadInput, match=f"fill t1 of order order-1: {field} {text}: expected more than 0"):
        a_fill(**{field: Decimal(text)})


def test_four_statuses_are_final() -> None:
    final = {status for status in OrderStatus if an_order(status=status).is_final}
    assert final == FINAL_STATUSES == {OrderStatus(s) for s in ("filled", "cancelled", "rejected", "expired")}


def test_what_remains_is_never_negative() -> None:
    assert an_order(filled_quantity=Decimal("0.4")).remaining_quantity == Decimal("0.6")
    assert an_order(filled_quantity=Decimal(2)).remaining_quantity == 0


def test_an_average_price_needs_a_fill() -> None:
    assert an_order().average_price is None
    order = an_order(filled_quantity=Decimal(3), filled_notional_quote=Decimal(100))
    assert order.average_price == Decimal("33." + "3" * 48)


def a_position(**changes: Any) -> Position:
    return Position(instrument=a_fill().instrument, kind=InstrumentKind.LINEAR, base="BTC", quote="USDT", **changes)


def test_a_short_position_gains_when_the_price_falls() -> None:
    short = a_position(signed_quantity=Decimal(-2), cost_quote=Decimal(-2000), contract_size=Decimal(10))
    assert short.is_open and short.average_price == 100
    assert short.signed_notional_quote(Decimal(90)) == -1800
    assert short.unrealized_pnl_quote(Decimal(90)) == 200


def test_a_flat_position_has_no_price() -> None:
    assert a_position().average_price is None and not a_position().is_open
