"""Bybit's signed requests: orders, open and past, own fills and balances of one account."""

from collections.abc import Callable
from typing import Any

from workstation.simulator.accounts import Account
from workstation.simulator.bybit.errors import NOT_SUPPORTED_SYMBOL, BybitError, wrong
from workstation.simulator.bybit.format import Json, execution, milliseconds, order_now, wallet
from workstation.simulator.bybit.new_order import new_order
from workstation.simulator.bybit.requests import whole
from workstation.simulator.exchange import Exchange
from workstation.simulator.number_text import plain
from workstation.simulator.refusals import Reason, Refused
from workstation.simulator.request_fields import Fields
from workstation.simulator.venue_orders import VenueFill, VenueOrder

Handler = Callable[[Account, Fields], Any]
MOST_CLOSED = 500
"""So many of those that ended are told by `realtime`."""
MOST_ORDERS = 50
MOST_FILLS = 100
USER_ID = 100_001


class BybitOrders:
    """What one account may ask and order, by HTTP method and path."""

    def __init__(self, exchange: Exchange) -> None:
        self._exchange = exchange
        self.routes: dict[tuple[str, str], Handler] = {
            ("POST", "/v5/order/create"): self.create,
            ("POST", "/v5/order/cancel"): self.cancel,
            ("POST", "/v5/order/cancel-all"): self.cancel_all,
            ("GET", "/v5/order/realtime"): self.realtime,
            ("GET", "/v5/order/history"): self.history,
            ("GET", "/v5/execution/list"): self.executions,
            ("GET", "/v5/account/wallet-balance"): self.wallet_balance,
            ("GET", "/v5/account/fee-rate"): self.fee_rate,
            ("GET", "/v5/account/info"): self.account_info,
            ("GET", "/v5/user/query-api"): self.query_api,
            ("GET", "/v5/asset/coin/query-info"): lambda account, fields: {"rows": []},
        }

    def create(self, account: Account, fields: Fields) -> Json:
        self._require_spot(fields)
        request = new_order(self._exchange, fields)
        return _name(self._exchange.place(account, request))

    def cancel(self, account: Account, fields: Fields) -> Json:
        self._require_spot(fields)
        market = self._exchange.market(fields.get("symbol", "")).name
        if "orderId" not in fields and "orderLinkId" not in fields:
            raise wrong("orderId or orderLinkId")
        order = self._named(account, fields, market)
        if order is None:
            raise Refused(Reason.UNKNOWN_ORDER, f"{dict(fields)}")
        self._exchange.cancel(order)
        return _name(order)

    def cancel_all(self, account: Account, fields: Fields) -> Json:
        self._require_spot(fields)
        market = self._exchange.market(fields["symbol"]).name if "symbol" in fields else None
        found = self._exchange.orders.open_orders(account, market)
        for order in found:
            self._exchange.cancel(order)
        return {"list": [_name(order) for order in found], "success": "1"}

    def realtime(self, account: Account, fields: Fields) -> Json:
        """One order of any state by its id; else those that are open or, asked so, the last that have ended."""
        market = self._asked_market(fields)
        mine = self._exchange.orders.of_account(account, market)
        if "orderId" in fields or "orderLinkId" in fields:
            named = self._named(account, fields, None)
            found = [] if named is None else [named]
        elif whole(fields, "openOnly", 0):
            found = [order for order in mine if not order.is_open][-MOST_CLOSED:]
        else:
            found = [order for order in mine if order.is_open]
        return _page(list(map(order_now, reversed(found))), fields, 20, MOST_ORDERS)

    def history(self, account: Account, fields: Fields) -> Json:
        """Those that have ended, the newest first."""
        market = self._asked_market(fields)
        start_ms, stop_ms = whole(fields, "startTime", 0), whole(fields, "endTime", 2**53)
        found = [
            order_now(order)
            for order in reversed(self._exchange.orders.of_account(account, market))
            if not order.is_open and start_ms <= milliseconds(order.created_ns) <= stop_ms and _is_named(order, fields)
        ]
        wanted = fields.get("orderStatus")
        if wanted is not None:
            found = [one for one in found if one["orderStatus"] == wanted]
        return _page(found, fields, 20, MOST_ORDERS)

    def executions(self, account: Account, fields: Fields) -> Json:
        """Own fills, the newest first."""
        market = self._asked_market(fields)
        start_ms, stop_ms = whole(fields, "startTime", 0), whole(fields, "endTime", 2**53)
        found: list[tuple[VenueFill, VenueOrder]] = sorted(
            (
                (fill, order)
                for order in self._exchange.orders.of_account(account, market)
                if _is_named(order, fields)
                for fill in order.fills
                if start_ms <= milliseconds(fill.ts_ns) <= stop_ms
            ),
            key=lambda pair: -pair[0].trade_id,
        )
        return _page([execution(order, fill) for fill, order in found], fields, 50, MOST_FILLS)

    def wallet_balance(self, account: Account, fields: Fields) -> Json:
        if fields.get("accountType") != "UNIFIED":
            raise wrong("accountType only support UNIFIED")
        wanted = fields["coin"].split(",") if "coin" in fields else account.currencies()
        return {"list": [wallet(account, wanted)]}

    def fee_rate(self, account: Account, fields: Fields) -> Json:
        market = self._asked_market(fields)
        markets = self._exchange.markets.values() if market is None else [self._exchange.markets[market]]
        rates = [
            {
                "symbol": one.name,
                "takerFeeRate": plain(one.instrument.taker_fee_rate),
                "makerFeeRate": plain(one.instrument.maker_fee_rate),
            }
            for one in markets
        ]
        return {"list": rates}

    def account_info(self, account: Account, fields: Fields) -> Json:
        """A unified account of the second kind, without margin."""
        return {
            "marginMode": "REGULAR_MARGIN",
            "updatedTime": str(milliseconds(self._exchange.now_ns)),
            "unifiedMarginStatus": 6,
            "dcpStatus": "OFF",
            "timeWindow": 10,
            "smpGroup": 0,
            "isMasterTrader": False,
            "spotHedgingStatus": "OFF",
        }

    def query_api(self, account: Account, fields: Fields) -> Json:
        return {
            "id": str(USER_ID),
            "note": account.credentials.api_key,
            "apiKey": account.credentials.api_key,
            "readOnly": 0,
            "secret": "",
            "permissions": {"Spot": ["SpotTrade"], "Wallet": []},
            "ips": ["*"],
            "type": 1,
            "unified": 0,
            "uta": 1,
            "userID": USER_ID,
            "isMaster": True,
        }

    def _asked_market(self, fields: Fields) -> str | None:
        self._require_spot(fields)
        return self._exchange.market(fields["symbol"]).name if "symbol" in fields else None

    def _named(self, account: Account, fields: Fields, market: str | None) -> VenueOrder | None:
        """By the venue's id before the client's."""
        if "orderId" not in fields:
            return self._exchange.orders.find(account, market, None, fields["orderLinkId"])
        order_id = fields["orderId"]
        number = int(order_id) if order_id.isascii() and order_id.isdigit() and len(order_id) < 30 else -1
        return self._exchange.orders.find(account, market, number, None)

    def _require_spot(self, fields: Fields) -> None:
        if "category" not in fields:
            raise wrong("category")
        if fields["category"] != "spot":
            raise BybitError(*NOT_SUPPORTED_SYMBOL)


def _name(order: VenueOrder) -> Json:
    return {"orderId": str(order.order_id), "orderLinkId": order.request.client_order_id or ""}


def _is_named(order: VenueOrder, fields: Fields) -> bool:
    """Whether it is the one that was asked for, if one was."""
    return fields.get("orderId", str(order.order_id)) == str(order.order_id) and (
        "orderLinkId" not in fields or fields["orderLinkId"] == order.request.client_order_id
    )


def _page(found: list[Json], fields: Fields, usual: int, most: int) -> Json:
    """A page of what was found, and the cursor of the next: how many came before it."""
    limit, first = max(whole(fields, "limit", usual, most), 1), whole(fields, "cursor", 0)
    after = first + limit
    return {
        "category": "spot",
        "list": found[first:after],
        "nextPageCursor": str(after) if after < len(found) else "",
    }
