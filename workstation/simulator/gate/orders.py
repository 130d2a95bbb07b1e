"""Gate's signed requests: orders, open and past, own fills and balances of one account."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any

from workstation.model.durations import SECOND_NS
from workstation.model.units import Side
from workstation.simulator.accounts import Account
from workstation.simulator.exchange import Exchange
from workstation.simulator.gate.errors import CANCELLED, CLOSED, NO_SUCH_ORDER, TOO_LITTLE, GateError, missing, wrong
from workstation.simulator.gate.format import USER_ID, Json, balances, order_now, own_trade
from workstation.simulator.gate.requests import decimal, required, whole
from workstation.simulator.number_text import plain
from workstation.simulator.request_fields import Fields
from workstation.simulator.venue_orders import NewOrder, OrderKind, Status, TimeInForce, VenueOrder

Handler = Callable[[Account, Fields], Any]
SIDES = {"buy": Side.BUY, "sell": Side.SELL}
IN_FORCE = {"gtc": TimeInForce.GTC, "ioc": TimeInForce.IOC, "fok": TimeInForce.FOK, "poc": TimeInForce.GTC}
PREFIX = "t-"
LONGEST_TEXT = 28
TEXT_SIGNS = str.maketrans("", "", "_-.")
MOST_ORDERS = 1000
ONE = "/spot/orders/{order_id}"


class GateOrders:
    """What one account may ask and order, by HTTP method and path."""

    def __init__(self, exchange: Exchange) -> None:
        self._exchange = exchange
        self.routes: dict[tuple[str, str], Handler] = {
            ("POST", "/spot/orders"): self.place,
            ("GET", "/spot/orders"): self.listed,
            ("DELETE", "/spot/orders"): self.cancel_all,
            ("GET", ONE): self.query,
            ("DELETE", ONE): self.cancel,
            ("GET", "/spot/open_orders"): self.open_orders,
            ("GET", "/spot/my_trades"): self.my_trades,
            ("GET", "/spot/accounts"): lambda account, fields: balances(account),
            ("GET", "/spot/fee"): self.fee,
            ("GET", "/wallet/fee"): self.fee,
            ("GET", "/account/detail"): self.detail,
        }

    def place(self, account: Account, fields: Fields) -> Json:
        return order_now(self._exchange.place(account, self._new_order(fields)))

    def listed(self, account: Account, fields: Fields) -> list[Json]:
        """Those of a state, the newest first."""
        status = required(fields, "status")
        if status not in ("open", "finished"):
            raise wrong("status")
        start_s, stop_s = whole(fields, "from", 0), whole(fields, "to", 2**43)
        found = [
            order_now(order)
            for order in reversed(self._exchange.orders.of_account(account, self._asked_market(fields)))
            if order.is_open is (status == "open") and start_s <= order.created_ns // SECOND_NS <= stop_s
        ]
        return _page(found, fields)

    def cancel_all(self, account: Account, fields: Fields) -> list[Json]:
        found = self._exchange.orders.open_orders(account, self._asked_market(fields))
        wanted = [order for order in found if fields.get("side", _side(order)) == _side(order)]
        for order in wanted:
            self._exchange.cancel(order)
        return [order_now(order) for order in wanted]

    def query(self, account: Account, fields: Fields) -> Json:
        return order_now(self._found(account, fields))

    def cancel(self, account: Account, fields: Fields) -> Json:
        order = self._found(account, fields)
        if not order.is_open:
            raise GateError(*(CLOSED if order.status is Status.FILLED else CANCELLED))
        self._exchange.cancel(order)
        return order_now(order)

    def open_orders(self, account: Account, fields: Fields) -> list[Json]:
        """By market, those that have any."""
        found = []
        for name in self._exchange.markets:
            orders = self._exchange.orders.open_orders(account, name)
            if orders:
                listed = [order_now(order) for order in reversed(orders)]
                found.append({"currency_pair": name, "total": len(orders), "orders": _page(listed, fields)})
        return found

    def my_trades(self, account: Account, fields: Fields) -> list[Json]:
        """Own fills, the newest first."""
        start_s, stop_s = whole(fields, "from", 0), whole(fields, "to", 2**43)
        found = sorted(
            (
                (fill, order)
                for order in self._exchange.orders.of_account(account, self._asked_market(fields))
                if fields.get("order_id", str(order.order_id)) == str(order.order_id)
                for fill in order.fills
                if start_s <= fill.ts_ns // SECOND_NS <= stop_s
            ),
            key=lambda pair: -pair[0].trade_id,
        )
        return _page([own_trade(order, fill, id_as_text=True) for fill, order in found], fields)

    def fee(self, account: Account, fields: Fields) -> Json:
        name = fields.get("currency_pair", next(iter(self._exchange.markets)))
        instrument = self._exchange.market(name).instrument
        return {
            "user_id": USER_ID,
            "currency_pair": name,
            "taker_fee": plain(instrument.taker_fee_rate),
            "maker_fee": plain(instrument.maker_fee_rate),
            "gt_discount": False,
            "gt_taker_fee": "0",
            "gt_maker_fee": "0",
        }

    def detail(self, account: Account, fields: Fields) -> Json:
        """A classic account."""
        return {"user_id": USER_ID, "ip_whitelist": [], "currency_pairs": [], "key": {"mode": 1}, "tier": 0}

    def _asked_market(self, fields: Fields) -> str | None:
        return self._exchange.market(fields["currency_pair"]).name if "currency_pair" in fields else None

    def _found(self, account: Account, fields: Fields) -> VenueOrder:
        """By number, or by the client's text. Raises GateError."""
        market, name = self._exchange.market(required(fields, "currency_pair")).name, required(fields, "order_id")
        is_number = name.isascii() and name.isdigit() and len(name) < 30
        order = self._exchange.orders.find(
            account, market, int(name) if is_number else None, None if is_number else name
        )
        if order is None:
            raise GateError(*NO_SUCH_ORDER)
        return order

    def _new_order(self, fields: Fields) -> NewOrder:
        """The order that was asked for. Raises GateError, and Refused for an unknown pair."""
        market = self._exchange.market(required(fields, "currency_pair"))
        side, kind = SIDES.get(required(fields, "side")), fields.get("type", "limit")
        in_force = fields.get("time_in_force", "gtc")
        if side is None:
            raise wrong("side")
        if kind not in ("limit", "market"):
            raise wrong("type")
        if in_force not in IN_FORCE or (kind == "market" and in_force not in ("ioc", "fok")):
            raise wrong("time_in_force")
        if fields.get("account", "spot") != "spot":
            raise wrong("account")
        amount = decimal(fields, "amount")
        by_value = kind == "market" and side is Side.BUY
        if not by_value and Decimal(0) < amount < market.instrument.min_quantity:
            raise GateError(*TOO_LITTLE)
        if kind == "limit" and "price" not in fields:
            raise missing("price")
        order_kind = OrderKind.LIMIT_MAKER if in_force == "poc" else OrderKind.LIMIT
        return NewOrder(
            market=market.name,
            side=side,
            kind=OrderKind.MARKET if kind == "market" else order_kind,
            client_order_id=_text(fields),
            quantity=None if by_value else amount,
            quote_quantity=amount if by_value else None,
            price=None if kind == "market" else decimal(fields, "price"),
            time_in_force=IN_FORCE[in_force] if in_force != "ioc" or kind == "limit" else TimeInForce.GTC,
        )


def _side(order: VenueOrder) -> str:
    return order.request.side.name.lower()


def _text(fields: Fields) -> str | None:
    """The client's own id, with the prefix that Gate wants. Raises GateError."""
    text = fields.get("text")
    if text is None:
        return None
    name = text.removeprefix(PREFIX)
    signs = name.translate(TEXT_SIGNS)
    if text == name or len(name) > LONGEST_TEXT or not text.isascii() or (signs and not signs.isalnum()):
        raise wrong("text")
    return text


def _page(found: list[Json], fields: Fields) -> list[Json]:
    limit = max(whole(fields, "limit", 100, MOST_ORDERS), 1)
    first = (max(whole(fields, "page", 1), 1) - 1) * limit
    return found[first : first + limit]
