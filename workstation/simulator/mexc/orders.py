"""MEXC's signed requests of spot: orders, open and past, own fills, balances, and listen keys of one account."""

from collections.abc import Callable
from typing import Any

from workstation.model.units import Side
from workstation.simulator.accounts import Account
from workstation.simulator.exchange import Exchange
from workstation.simulator.mexc.errors import NO_ID, NO_SUCH_ORDER, NO_TYPE, MexcError, illegal, missing
from workstation.simulator.mexc.format import (
    PREFIX,
    Json,
    account_state,
    milliseconds,
    order_now,
    own_trade,
    placed_order,
)
from workstation.simulator.mexc.listen_keys import ListenKeys
from workstation.simulator.mexc.market_data import SpotData
from workstation.simulator.mexc.requests import decimal, required, whole
from workstation.simulator.number_text import plain
from workstation.simulator.refusals import Reason, Refused
from workstation.simulator.request_fields import Fields
from workstation.simulator.request_numbers import whole_of
from workstation.simulator.venue_orders import NewOrder, OrderKind, TimeInForce, VenueOrder

Handler = Callable[[Account, Fields], Any]
SIDES = {"BUY": Side.BUY, "SELL": Side.SELL}
KINDS = {
    "LIMIT": (OrderKind.LIMIT, TimeInForce.GTC),
    "MARKET": (OrderKind.MARKET, TimeInForce.GTC),
    "LIMIT_MAKER": (OrderKind.LIMIT_MAKER, TimeInForce.GTC),
    "IMMEDIATE_OR_CANCEL": (OrderKind.LIMIT, TimeInForce.IOC),
    "FILL_OR_KILL": (OrderKind.LIMIT, TimeInForce.FOK),
}
LONGEST_CLIENT_ID = 32
MOST_LISTED = 1000


class SpotOrders:
    """What one account may ask and order, by HTTP method and path."""

    def __init__(self, exchange: Exchange, data: SpotData, keys: ListenKeys) -> None:
        self._exchange, self._data, self._keys = exchange, data, keys
        self.routes: dict[tuple[str, str], Handler] = {
            ("POST", "/order"): self.place,
            ("POST", "/order/test"): self.check,
            ("GET", "/order"): lambda account, fields: order_now(self._found(account, fields)),
            ("DELETE", "/order"): self.cancel,
            ("GET", "/openOrders"): self.open_orders,
            ("DELETE", "/openOrders"): self.cancel_all,
            ("GET", "/allOrders"): self.all_orders,
            ("GET", "/myTrades"): self.my_trades,
            ("GET", "/account"): lambda account, fields: account_state(account),
            ("GET", "/tradeFee"): self.fee,
            ("GET", "/capital/config/getall"): lambda account, fields: [],
            ("POST", "/userDataStream"): lambda account, fields: {"listenKey": self._keys.open(account)},
            ("GET", "/userDataStream"): lambda account, fields: {"listenKey": self._keys.of_account(account)},
            ("PUT", "/userDataStream"): lambda account, fields: self._listen_key(fields, account, self._keys.keep),
            ("DELETE", "/userDataStream"): lambda account, fields: self._listen_key(fields, account, self._keys.close),
        }

    def place(self, account: Account, fields: Fields) -> Json:
        return placed_order(self._exchange.place(account, self._new_order(fields)))

    def check(self, account: Account, fields: Fields) -> Json:
        """An order that is read and not placed."""
        self._new_order(fields)
        return {}

    def cancel(self, account: Account, fields: Fields) -> Json:
        order = self._found(account, fields, Refused(Reason.UNKNOWN_ORDER, f"{dict(fields)}"))
        self._exchange.cancel(order)
        return order_now(order)

    def open_orders(self, account: Account, fields: Fields) -> list[Json]:
        """The newest first; of several markets, with commas between their names."""
        return [order_now(order) for order in reversed(self._open_in(account, required(fields, "symbol")))]

    def cancel_all(self, account: Account, fields: Fields) -> list[Json]:
        found = self._open_in(account, required(fields, "symbol"))
        for order in found:
            self._exchange.cancel(order)
        return [order_now(order) for order in found]

    def all_orders(self, account: Account, fields: Fields) -> list[Json]:
        """Of any state, the newest first."""
        market = self._data.market(required(fields, "symbol"))
        start_ms, stop_ms = whole(fields, "startTime", 0), whole(fields, "endTime", 2**53)
        found = [
            order_now(order)
            for order in reversed(self._exchange.orders.of_account(account, market.name))
            if start_ms <= milliseconds(order.created_ns) <= stop_ms
        ]
        return found[: whole(fields, "limit", 500, MOST_LISTED)]

    def my_trades(self, account: Account, fields: Fields) -> list[Json]:
        """Own fills of a market, or of one order in it, the newest first."""
        market = self._data.market(required(fields, "symbol"))
        start_ms, stop_ms = whole(fields, "startTime", 0), whole(fields, "endTime", 2**53)
        number = _number(fields["orderId"]) if "orderId" in fields else None
        found = sorted(
            (
                (fill, order)
                for order in self._exchange.orders.of_account(account, market.name)
                if number in (None, order.order_id)
                for fill in order.fills
                if start_ms <= milliseconds(fill.ts_ns) <= stop_ms
            ),
            key=lambda pair: -pair[0].trade_id,
        )
        chosen = found[: whole(fields, "limit", 500, MOST_LISTED)]
        return [own_trade(order, fill) for fill, order in chosen]

    def fee(self, account: Account, fields: Fields) -> Json:
        instrument = self._data.market(required(fields, "symbol")).instrument
        rates = {
            "makerCommission": plain(instrument.maker_fee_rate),
            "takerCommission": plain(instrument.taker_fee_rate),
        }
        return {"data": rates, "code": 0, "msg": "success", "timestamp": milliseconds(self._exchange.now_ns)}

    def _open_in(self, account: Account, names: str) -> list[VenueOrder]:
        markets = [self._data.market(name).name for name in names.split(",")]
        return [order for name in markets for order in self._exchange.orders.open_orders(account, name)]

    def _listen_key(self, fields: Fields, account: Account, change: Callable[[Account, str], str]) -> Json:
        return {"listenKey": change(account, required(fields, "listenKey"))}

    def _found(self, account: Account, fields: Fields, missing_order: Exception | None = None) -> VenueOrder:
        """By the venue's id before the client's. Raises MexcError, or `missing_order`."""
        market = self._data.market(required(fields, "symbol")).name
        client_id = fields.get("origClientOrderId")
        if "orderId" not in fields and client_id is None:
            raise MexcError(*NO_ID)
        number = _number(fields["orderId"]) if "orderId" in fields else None
        order = self._exchange.orders.find(account, market, number, client_id)
        if order is None:
            raise missing_order or MexcError(*NO_SUCH_ORDER)
        return order

    def _new_order(self, fields: Fields) -> NewOrder:
        """The order that was asked for. Raises MexcError, and Refused for an unknown symbol."""
        market = self._data.market(required(fields, "symbol"))
        side, word = SIDES.get(required(fields, "side")), required(fields, "type")
        if side is None:
            raise illegal("side")
        if word not in KINDS:
            raise MexcError(*NO_TYPE)
        kind, in_force = KINDS[word]
        quantity, value, price = (decimal(fields, name) for name in ("quantity", "quoteOrderQty", "price"))
        is_market = kind is OrderKind.MARKET
        if is_market and (quantity is None) is (value is None):
            raise missing("either quantity or quoteOrderQty")
        if not is_market and quantity is None:
            raise missing("quantity")
        if not is_market and price is None:
            raise missing("price")
        return NewOrder(
            market=market.name,
            side=side,
            kind=kind,
            client_order_id=_client_id(fields),
            quantity=quantity,
            quote_quantity=value if is_market else None,
            price=None if is_market else price,
            time_in_force=in_force,
        )


def _number(name: str) -> int:
    """Of an order by MEXC's id; 0, which no order has, for another text."""
    return whole_of(name.removeprefix(PREFIX)) or 0


def _client_id(fields: Fields) -> str | None:
    name = fields.get("newClientOrderId")
    if name is not None and (len(name) > LONGEST_CLIENT_ID or not name.isascii() or not name.isprintable()):
        raise illegal("newClientOrderId")
    return name
