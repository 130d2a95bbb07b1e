"""Bitvavo's signed requests: orders, open and past, own fills and balances of one account."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any

from workstation.model.units import MONEY
from workstation.simulator.accounts import Account
from workstation.simulator.bitvavo.errors import (
    NO_CHANGE,
    NO_MARKET_UPDATE,
    NO_SUCH_ORDER,
    TWO_AMOUNTS,
    BitvavoError,
    missing,
)
from workstation.simulator.bitvavo.format import Json, balances, milliseconds, order_now, own_trade
from workstation.simulator.bitvavo.ids import ORDER, TRADE, number_of, uuid_of
from workstation.simulator.bitvavo.new_order import new_order, require_operator
from workstation.simulator.bitvavo.requests import decimal, required, whole
from workstation.simulator.exchange import Exchange
from workstation.simulator.number_text import plain
from workstation.simulator.request_fields import Fields
from workstation.simulator.venue_orders import VenueFill, VenueOrder

Handler = Callable[[Account, Fields], Any]
MOST_LISTED = 1000


class BitvavoOrders:
    """What one account may ask and order, by HTTP method and path."""

    def __init__(self, exchange: Exchange) -> None:
        self._exchange = exchange
        self.routes: dict[tuple[str, str], Handler] = {
            ("POST", "/order"): self.place,
            ("PUT", "/order"): self.update,
            ("DELETE", "/order"): self.cancel,
            ("GET", "/order"): lambda account, fields: order_now(self._found(account, fields)),
            ("GET", "/orders"): self.listed,
            ("DELETE", "/orders"): self.cancel_all,
            ("GET", "/ordersOpen"): self.open_orders,
            ("GET", "/trades"): self.trades,
            ("GET", "/balance"): self.balance,
            ("GET", "/account"): self.account,
            ("GET", "/account/fees"): self.fees,
        }

    def place(self, account: Account, fields: Fields) -> Json:
        return order_now(self._exchange.place(account, new_order(self._exchange, fields)))

    def update(self, account: Account, fields: Fields) -> Json:
        """New amount, price or trigger of an order that is open."""
        require_operator(fields)
        order = self._found(account, fields)
        amount, left = decimal(fields, "amount"), decimal(fields, "amountRemaining")
        price, trigger = decimal(fields, "price"), decimal(fields, "triggerAmount")
        if amount is not None and left is not None:
            raise BitvavoError(*TWO_AMOUNTS)
        if amount is None and left is None and price is None and trigger is None:
            raise BitvavoError(*NO_CHANGE)
        if order.is_open and order.is_market:
            raise BitvavoError(*NO_MARKET_UPDATE)
        quantity: Decimal | None = amount if left is None else MONEY.add(order.filled, left)
        self._exchange.amend(order, quantity=quantity, price=price, stop_price=trigger)
        return order_now(order)

    def cancel(self, account: Account, fields: Fields) -> Json:
        require_operator(fields)
        order = self._found(account, fields)
        self._exchange.cancel(order)
        return _name(order)

    def cancel_all(self, account: Account, fields: Fields) -> list[Json]:
        require_operator(fields)
        found = self._exchange.orders.open_orders(account, self._asked_market(fields))
        for order in found:
            self._exchange.cancel(order)
        return [_name(order) for order in found]

    def listed(self, account: Account, fields: Fields) -> list[Json]:
        """Of any state, the newest first."""
        required(fields, "market")
        start_ms, stop_ms = whole(fields, "start", 0), whole(fields, "end", 2**53)
        first, last = (_number(fields, name, ORDER, at) for name, at in (("orderIdFrom", 0), ("orderIdTo", 2**63)))
        found = [
            order_now(order)
            for order in reversed(self._exchange.orders.of_account(account, self._asked_market(fields)))
            if start_ms <= milliseconds(order.created_ns) <= stop_ms and first <= order.order_id <= last
        ]
        return found[: whole(fields, "limit", 500, MOST_LISTED)]

    def open_orders(self, account: Account, fields: Fields) -> list[Json]:
        """The newest first."""
        found = self._exchange.orders.open_orders(account, self._asked_market(fields))
        return [order_now(order) for order in reversed(found)]

    def trades(self, account: Account, fields: Fields) -> list[Json]:
        """Own fills of a market, the newest first."""
        required(fields, "market")
        start_ms, stop_ms = whole(fields, "start", 0), whole(fields, "end", 2**53)
        first, last = (_number(fields, name, TRADE, at) for name, at in (("tradeIdFrom", 0), ("tradeIdTo", 2**63)))
        found: list[tuple[VenueFill, VenueOrder]] = sorted(
            (
                (fill, order)
                for order in self._exchange.orders.of_account(account, self._asked_market(fields))
                for fill in order.fills
                if start_ms <= milliseconds(fill.ts_ns) <= stop_ms and first <= fill.trade_id <= last
            ),
            key=lambda pair: -pair[0].trade_id,
        )
        chosen = found[: whole(fields, "limit", 500, MOST_LISTED)]
        return [own_trade(order, fill) for fill, order in chosen]

    def balance(self, account: Account, fields: Fields) -> list[Json]:
        wanted = fields.get("symbol")
        return [one for one in balances(account) if wanted in (None, one["symbol"])]

    def account(self, account: Account, fields: Fields) -> Json:
        """The fees of the first market: the venue's markets have the same."""
        return {"fees": self._rates(next(iter(self._exchange.markets)))}

    def fees(self, account: Account, fields: Fields) -> Json:
        return {"tier": "0", **self._rates(fields.get("market", next(iter(self._exchange.markets))))}

    def _rates(self, name: str) -> Json:
        instrument = self._exchange.market(name).instrument
        rates = {"taker": plain(instrument.taker_fee_rate), "maker": plain(instrument.maker_fee_rate)}
        return rates | {"volume": "0.00"}

    def _asked_market(self, fields: Fields) -> str | None:
        return self._exchange.market(fields["market"]).name if "market" in fields else None

    def _found(self, account: Account, fields: Fields) -> VenueOrder:
        """By the client's id before the venue's. Raises BitvavoError."""
        market = self._exchange.market(required(fields, "market")).name
        client_id = fields.get("clientOrderId")
        if client_id is None and "orderId" not in fields:
            raise missing("orderId")
        number = None if client_id is not None else number_of(ORDER, fields["orderId"])
        order = None
        if client_id is not None or number is not None:
            order = self._exchange.orders.find(account, market, number, client_id)
        if order is None:
            raise BitvavoError(*NO_SUCH_ORDER, 404)
        return order


def _name(order: VenueOrder) -> Json:
    named = {"orderId": uuid_of(ORDER, order.order_id)}
    client_id = order.request.client_order_id
    return named if client_id is None else named | {"clientOrderId": client_id}


def _number(fields: Fields, name: str, kind: int, otherwise: int) -> int:
    """What a UUID in a list's limits holds; nothing is listed for one that is not ours."""
    if name not in fields:
        return otherwise
    number = number_of(kind, fields[name])
    return 2**63 - otherwise if number is None else number
