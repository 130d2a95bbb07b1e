"""Binance spot's signed requests: orders, open and past, own trades and balances of one account."""

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any

from workstation.model.units import Side
from workstation.simulator.accounts import Account
from workstation.simulator.binance.errors import (
    EMPTY_COMBINATION,
    INVALID_SIDE,
    INVALID_TIME_IN_FORCE,
    INVALID_TYPE,
    NO_SUCH_ORDER,
    ApiError,
    malformed,
    missing,
    not_required,
    of_refusal,
)
from workstation.simulator.binance.format import (
    account_state,
    amount,
    cancel_answer,
    milliseconds,
    order_answer,
    order_state,
    own_trade,
)
from workstation.simulator.binance.market_data import whole
from workstation.simulator.exchange import Exchange
from workstation.simulator.refusals import Reason, Refused
from workstation.simulator.request_numbers import decimal_of
from workstation.simulator.venue_market import VenueMarket
from workstation.simulator.venue_orders import MARKET_KINDS, STOP_KINDS, NewOrder, OrderKind, TimeInForce, VenueOrder
from workstation.simulator.venue_rules import checked_order

Parameters = Mapping[str, str]
Handler = Callable[[Account, Parameters], Any]
MOST_ORDERS = 1000
LONGEST_CLIENT_ID = 36
NEEDS_TIME_IN_FORCE = frozenset({OrderKind.LIMIT, OrderKind.STOP_LOSS_LIMIT, OrderKind.TAKE_PROFIT_LIMIT})


class BinanceOrders:
    """What one account may ask and order, by HTTP method and path."""

    def __init__(self, exchange: Exchange) -> None:
        self._exchange = exchange
        self._client_ids = 0
        self.routes: dict[tuple[str, str], Handler] = {
            ("GET", "/api/v3/account"): self.account,
            ("POST", "/api/v3/order"): self.place,
            ("POST", "/api/v3/order/test"): self.test,
            ("GET", "/api/v3/order"): self.query,
            ("DELETE", "/api/v3/order"): self.cancel,
            ("GET", "/api/v3/openOrders"): self.open_orders,
            ("DELETE", "/api/v3/openOrders"): self.cancel_all,
            ("GET", "/api/v3/allOrders"): self.all_orders,
            ("GET", "/api/v3/myTrades"): self.my_trades,
            ("GET", "/api/v3/account/commission"): self.commission,
        }

    def account(self, account: Account, parameters: Parameters) -> Any:
        return account_state(account, self._exchange.markets.values(), self._exchange.now_ns)

    def place(self, account: Account, parameters: Parameters) -> Any:
        request = self._new_order(parameters)
        order = self._exchange.place(account, request)
        is_short = request.kind not in (OrderKind.MARKET, OrderKind.LIMIT)
        detail = parameters.get("newOrderRespType", "ACK" if is_short else "FULL")
        return order_answer(self._market(parameters), order, detail)

    def test(self, account: Account, parameters: Parameters) -> Any:
        """Checks an order as `place` would, balances aside, and takes nothing."""
        request = self._new_order(parameters)
        checked_order(self._exchange.market(request.market), request)
        return {}

    def query(self, account: Account, parameters: Parameters) -> Any:
        return order_state(self._market(parameters), self._found(account, parameters, NO_SUCH_ORDER))

    def cancel(self, account: Account, parameters: Parameters) -> Any:
        refused = of_refusal(Refused(Reason.UNKNOWN_ORDER, ""))
        order = self._found(account, parameters, (refused.code, refused.text))
        cancel_id = parameters.get("newClientOrderId") or self._client_id()
        self._exchange.cancel(order, cancel_id)
        return cancel_answer(self._market(parameters), order, cancel_id)

    def open_orders(self, account: Account, parameters: Parameters) -> Any:
        name = self._market(parameters).name if parameters.get("symbol") else None
        found = self._exchange.orders.open_orders(account, name)
        return [order_state(self._exchange.market(order.request.market), order) for order in found]

    def cancel_all(self, account: Account, parameters: Parameters) -> Any:
        market = self._market(parameters)
        found = self._exchange.orders.open_orders(account, market.name)
        if not found:
            raise Refused(Reason.UNKNOWN_ORDER, f"no open order of {market.name}")
        answers = []
        for order in found:
            cancel_id = self._client_id()
            self._exchange.cancel(order, cancel_id)
            answers.append(cancel_answer(market, order, cancel_id))
        return answers

    def all_orders(self, account: Account, parameters: Parameters) -> Any:
        market, limit = self._market(parameters), whole(parameters, "limit", 500, MOST_ORDERS)
        first_id = whole(parameters, "orderId", 0)
        start_ms, stop_ms = whole(parameters, "startTime", 0), whole(parameters, "endTime", 2**53)
        found = [
            order
            for order in self._exchange.orders.of_account(account, market.name)
            if order.order_id >= first_id and start_ms <= milliseconds(order.created_ns) <= stop_ms
        ]
        is_forward = "orderId" in parameters or "startTime" in parameters
        return [order_state(market, order) for order in (found[:limit] if is_forward else found[-limit:])]

    def my_trades(self, account: Account, parameters: Parameters) -> Any:
        market, limit = self._market(parameters), whole(parameters, "limit", 500, MOST_ORDERS)
        order_id = whole(parameters, "orderId", 0)
        first_id = whole(parameters, "fromId", 0)
        start_ms, stop_ms = whole(parameters, "startTime", 0), whole(parameters, "endTime", 2**53)
        found = sorted(
            (fill, order.order_id)
            for order in self._exchange.orders.of_account(account, market.name)
            if not order_id or order.order_id == order_id
            for fill in order.fills
            if fill.trade_id >= first_id and start_ms <= milliseconds(fill.ts_ns) <= stop_ms
        )
        is_forward = "fromId" in parameters or "startTime" in parameters
        answers = []
        for fill, number in found[:limit] if is_forward else found[-limit:]:
            order = self._exchange.orders.get(number)
            assert order is not None
            answers.append(own_trade(market, order, fill))
        return answers

    def commission(self, account: Account, parameters: Parameters) -> Any:
        market = self._market(parameters)
        nothing = amount(None)
        zero = {"maker": nothing, "taker": nothing, "buyer": nothing, "seller": nothing}
        rates = market.instrument.maker_fee_rate, market.instrument.taker_fee_rate
        standard = zero | {"maker": amount(rates[0]), "taker": amount(rates[1])}
        return {"symbol": market.name, "standardCommission": standard, "taxCommission": zero}

    def _found(self, account: Account, parameters: Parameters, otherwise: tuple[int, str]) -> VenueOrder:
        market = self._market(parameters)
        order_id = whole(parameters, "orderId", 0) if parameters.get("orderId") else None
        client_id = parameters.get("origClientOrderId")
        if order_id is None and not client_id:
            raise missing("orderId")
        order = self._exchange.orders.find(account, market.name, order_id, client_id)
        if order is None:
            raise ApiError(*otherwise)
        return order

    def _market(self, parameters: Parameters) -> VenueMarket:
        if not parameters.get("symbol"):
            raise missing("symbol")
        return self._exchange.market(parameters["symbol"])

    def _client_id(self) -> str:
        self._client_ids += 1
        return f"venue-{self._exchange.now_ns // 1000}-{self._client_ids}"

    def _new_order(self, parameters: Parameters) -> NewOrder:
        """The order that was asked for. Raises ApiError for what its type needs or has not."""
        for name in ("symbol", "side", "type"):
            if not parameters.get(name):
                raise missing(name)
        if parameters["side"] not in Side.__members__:
            raise ApiError(*INVALID_SIDE)
        if parameters["type"] not in OrderKind.__members__:
            raise ApiError(*INVALID_TYPE)
        kind = OrderKind(parameters["type"])
        given = _checked_amounts(kind, parameters)
        in_force = parameters.get("timeInForce")
        if in_force is None and kind in NEEDS_TIME_IN_FORCE:
            raise missing("timeInForce")
        if in_force is not None and kind not in NEEDS_TIME_IN_FORCE:
            raise not_required("timeInForce")
        if in_force is not None and in_force not in TimeInForce.__members__:
            raise ApiError(*INVALID_TIME_IN_FORCE)
        client_id = parameters.get("newClientOrderId") or self._client_id()
        if len(client_id) > LONGEST_CLIENT_ID or not client_id.isascii() or not client_id.isprintable():
            raise ApiError(
                -1100,
                "Illegal characters found in parameter 'newClientOrderId'; legal range is '^[a-zA-Z0-9-_]{1,36}$'.",
            )
        return NewOrder(
            market=parameters["symbol"],
            side=Side[parameters["side"]],
            kind=kind,
            client_order_id=client_id,
            quantity=given["quantity"],
            quote_quantity=given["quoteOrderQty"],
            price=given["price"],
            stop_price=given["stopPrice"],
            time_in_force=TimeInForce(in_force) if in_force else TimeInForce.GTC,
        )


def _checked_amounts(kind: OrderKind, parameters: Parameters) -> dict[str, Decimal | None]:
    given = {name: _decimal(parameters, name) for name in ("quantity", "quoteOrderQty", "price", "stopPrice")}
    wanted = {
        "price": kind not in MARKET_KINDS,
        "stopPrice": kind in STOP_KINDS,
        "quantity": kind is not OrderKind.MARKET,
    }
    for name, is_wanted in wanted.items():
        if is_wanted and given[name] is None:
            raise missing(name)
    for name in ("price", "stopPrice"):
        if not wanted[name] and given[name] is not None:
            raise not_required(name)
    if kind is not OrderKind.MARKET and given["quoteOrderQty"] is not None:
        raise not_required("quoteOrderQty")
    if (given["quantity"] is None) == (given["quoteOrderQty"] is None):
        raise ApiError(*EMPTY_COMBINATION) if given["quantity"] is not None else missing("quantity")
    return given


def _decimal(parameters: Parameters, name: str) -> Decimal | None:
    text = parameters.get(name)
    if text is None:
        return None
    found = decimal_of(text)
    if found is None:
        raise malformed(name)
    return found
