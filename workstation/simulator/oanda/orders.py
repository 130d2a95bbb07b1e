"""Orders of one account: created, asked for, cancelled, replaced; and those that close trades and positions."""

from collections.abc import Callable
from decimal import Decimal

from workstation.simulator.exchange import Exchange
from workstation.simulator.number_text import plain
from workstation.simulator.oanda.account_book import AccountBook, OrderRecord
from workstation.simulator.oanda.errors import (
    CANCELLED,
    MESSAGES,
    NO_SUCH_ORDER,
    NO_SUCH_TRADE,
    OandaError,
    Rejected,
    rejection_of,
)
from workstation.simulator.oanda.format import Json
from workstation.simulator.oanda.netting import Trade
from workstation.simulator.oanda.new_order import Asked, asked_order, checked_units, market_order
from workstation.simulator.oanda.requests import decimal_of, whole
from workstation.simulator.refusals import Reason, Refused
from workstation.simulator.request_fields import Fields
from workstation.simulator.venue_orders import NewOrder, OrderKind
from workstation.simulator.venue_rules import checked_order
from workstation.simulator.wire import Answer

CREATED = 201
MOST_ORDERS = 500
STATES = {"PENDING", "FILLED", "CANCELLED", "TRIGGERED"}


class OandaOrders:
    """`flush` tells what the core did, and so writes its transactions; `is_open`: whether the market trades now."""

    def __init__(self, exchange: Exchange, flush: Callable[[], None], is_open: Callable[[], bool]) -> None:
        self._exchange, self._flush, self._is_open = exchange, flush, is_open

    def create(self, book: AccountBook, body: Json) -> Answer:
        """Raises OandaError."""
        before = book.log.last_id
        try:
            asked = self._checked(book, body)
        except Rejected as rejected:
            raise self._rejection(book, body, rejected.reason) from None
        record = book.begin(asked, "CLIENT_ORDER")
        self._place(book, record)
        return self._created(book, record, before)

    def replace(self, book: AccountBook, name: str, body: Json) -> Answer:
        """Cancels an order and creates another in its place. Raises OandaError."""
        before, old = book.log.last_id, self._pending(book, name)
        try:
            asked = self._checked(book, body, replaces=old)
        except Rejected as rejected:
            raise self._rejection(book, body, rejected.reason) from None
        new_id = str(int(before) + 2)
        old.beside["replacedByOrderID"] = new_id
        self._cancel(book, old, "CLIENT_REQUEST_REPLACED")
        cancel = book.log.since(int(before))[0]
        record = book.begin(asked, "REPLACEMENT", {"replacesOrderID": old.order_id, "batch": cancel["id"]})
        assert record.order_id == new_id
        record.beside["replacesOrderID"] = old.order_id
        self._place(book, record)
        return Answer({"orderCancelTransaction": cancel} | self._made(book, record, before), {}, CREATED)

    def cancel(self, book: AccountBook, name: str) -> Json:
        """Raises OandaError for one that is not pending."""
        before = book.log.last_id
        self._cancel(book, self._pending(book, name), "CLIENT_REQUEST")
        return self._beside(book, before) | {"orderCancelTransaction": book.log.since(int(before))[0]}

    def listed(self, book: AccountBook, fields: Fields) -> Json:
        """Those in a state, the newest first."""
        state = fields.get("state", "PENDING")
        if state != "ALL" and state not in STATES:
            raise OandaError("Invalid value specified for 'state'")
        ids = fields["ids"].split(",") if "ids" in fields else None
        before = whole(fields, "beforeID", 10**11, 10**11)
        found = [
            record.shown()
            for record in reversed(book.records.values())
            if (record.state == state or state == "ALL" or ids is not None)
            and (ids is None or record.order_id in ids)
            and fields.get("instrument", record.asked.new.market) == record.asked.new.market
            and int(record.order_id) < before
        ]
        count = whole(fields, "count", 50, MOST_ORDERS)
        return {"orders": found[:count], "lastTransactionID": book.log.last_id}

    def pending(self, book: AccountBook) -> Json:
        found = [record.shown() for record in reversed(book.pending())]
        return {"orders": found, "lastTransactionID": book.log.last_id}

    def one(self, book: AccountBook, name: str) -> Json:
        """Raises OandaError."""
        record = self._found(book, name)
        if record is None:
            message, status, code = NO_SUCH_ORDER
            raise OandaError(message, status, code, lastTransactionID=book.log.last_id)
        return {"order": record.shown(), "lastTransactionID": book.log.last_id}

    def close_trade(self, book: AccountBook, trade: Trade, body: Json) -> Json:
        """All of it, or as many units as the body says. Raises OandaError."""
        given = body.get("units", "ALL")
        units = abs(trade.current) if given == "ALL" else decimal_of(given)
        if units is None or units <= 0:
            raise self._close_refused(book, "UNITS_INVALID")
        if units > abs(trade.current):
            raise self._close_refused(book, "CLOSE_TRADE_UNITS_EXCEED_TRADE_SIZE")
        beside = {"tradeClose": {"tradeID": trade.trade_id, "units": str(given)}}
        return self._closing(book, trade.market, -units if trade.current > 0 else units, "TRADE_CLOSE", beside, "")

    def close_position(self, book: AccountBook, market_name: str, body: Json) -> Json:
        """The side that is open. Raises OandaError."""
        open_units = book.netting.units(market_name)
        side = "long" if open_units > 0 else "short"
        given = body.get(f"{side}Units", "ALL" if not body else "NONE")
        if open_units == 0 or given == "NONE":
            raise self._close_refused(book, "CLOSEOUT_POSITION_DOESNT_EXIST")
        units = abs(open_units) if given == "ALL" else decimal_of(given)
        if units is None or not 0 < units <= abs(open_units):
            raise self._close_refused(book, "UNITS_INVALID")
        beside = {f"{side}PositionCloseout": {"instrument": market_name, "units": str(given)}}
        signed = -units if open_units > 0 else units
        return self._closing(book, market_name, signed, "POSITION_CLOSEOUT", beside, side)

    def trade(self, book: AccountBook, trade_id: str) -> Trade:
        """Raises OandaError."""
        found = book.netting.trades.get(trade_id)
        if found is None:
            message, status, code = NO_SUCH_TRADE
            raise OandaError(message, status, code, lastTransactionID=book.log.last_id)
        return found

    def _closing(
        self, book: AccountBook, market_name: str, units: Decimal, reason: str, beside: Json, prefix: str
    ) -> Json:
        """Places the order that closes, and names its transactions; of a position, by its side."""
        before, market = book.log.last_id, self._exchange.markets[market_name]
        try:
            asked = market_order(market, checked_units(market, units), "REDUCE_ONLY")
        except Rejected as rejected:
            raise self._close_refused(book, rejected.reason) from None
        record = book.begin(asked, reason, beside)
        record.closes = beside["tradeClose"]["tradeID"] if "tradeClose" in beside else None
        record.fill_reason = f"MARKET_ORDER_{reason}"
        self._place(book, record)
        made = self._made(book, record, before)
        if not prefix:
            return made
        return {
            f"{prefix}{name[0].upper()}{name[1:]}" if name.startswith("order") else name: value
            for name, value in made.items()
        }

    def _checked(self, book: AccountBook, body: Json, replaces: OrderRecord | None = None) -> Asked:
        """What the core would take, funds aside. Raises Rejected, OandaError."""
        asked = asked_order(self._exchange, body)
        name = asked.new.client_order_id
        if name is not None and any(one.client_id == name and one is not replaces for one in book.pending()):
            raise Rejected("CLIENT_ORDER_ID_ALREADY_EXISTS")
        market = self._exchange.markets[asked.new.market]
        try:
            checked_order(market, asked.new)
        except Refused as refused:
            if refused.reason is Reason.WOULD_TRIGGER:  # a stop that is reached already is filled at once
                return asked._replace(new=_as_market(asked.new))
            if refused.reason not in CANCELLED:
                raise rejection_of(refused) from None
        return asked

    def _place(self, book: AccountBook, record: OrderRecord) -> None:
        """Gives the order to the core; what it does not take is cancelled with the reason."""
        if not self._is_open():
            book.cancelled(record, "MARKET_HALTED")
            return
        try:
            book.taken(record, self._exchange.place(book.account, record.asked.new))
        except Refused as refused:
            book.cancelled(record, CANCELLED[refused.reason])
        self._flush()

    def _cancel(self, book: AccountBook, record: OrderRecord, reason: str) -> None:
        assert record.core is not None, "what is pending is the core's"
        record.cancel_reason = reason
        self._exchange.cancel(record.core)
        self._flush()

    def _created(self, book: AccountBook, record: OrderRecord, before: str) -> Answer:
        location = f"/v3/accounts/{book.account_id}/orders/{record.order_id}"
        return Answer(self._made(book, record, before), {"Location": location}, CREATED)

    def _made(self, book: AccountBook, record: OrderRecord, before: str) -> Json:
        """The transactions of a request, by what they did to the order."""
        found: Json = {}
        for made in book.log.since(int(before)):
            if made["id"] == record.order_id:
                found["orderCreateTransaction"] = made
            elif made.get("orderID") == record.order_id:
                name = "orderFillTransaction" if made["type"] == "ORDER_FILL" else "orderCancelTransaction"
                found[name] = made
        return found | self._beside(book, before)

    def _beside(self, book: AccountBook, before: str) -> Json:
        made = [one["id"] for one in book.log.since(int(before))]
        return {"relatedTransactionIDs": made, "lastTransactionID": book.log.last_id}

    def _rejection(self, book: AccountBook, body: Json, reason: str) -> OandaError:
        """The answer to an order that is none; what was asked for stands in its transaction."""
        kind = body.get("type", "MARKET")
        shown = {name: value for name, value in body.items() if name in ("instrument", "units", "price", "timeInForce")}
        fields = {name: value if isinstance(value, str) else plain_text(value) for name, value in shown.items()}
        made = book.log.add(
            self._exchange.now_ns, f"{kind}_ORDER_REJECT", fields | {"reason": "CLIENT_ORDER", "rejectReason": reason}
        )
        return OandaError(
            MESSAGES[reason],
            400,
            reason,
            orderRejectTransaction=made,
            relatedTransactionIDs=[made["id"]],
            lastTransactionID=book.log.last_id,
        )

    def _close_refused(self, book: AccountBook, reason: str) -> OandaError:
        return OandaError(MESSAGES[reason], 400, reason, lastTransactionID=book.log.last_id)

    def _found(self, book: AccountBook, name: str) -> OrderRecord | None:
        """By number, or behind an @ by the client's own id: the pending one first, else the last."""
        if not name.startswith("@"):
            return book.records.get(name)
        named = [one for one in book.records.values() if one.client_id == name[1:]]
        return max(named, key=lambda one: (one.state == "PENDING", int(one.order_id)), default=None)

    def _pending(self, book: AccountBook, name: str) -> OrderRecord:
        """Raises OandaError, with the transaction that says so."""
        record = self._found(book, name)
        if record is not None and record.state == "PENDING":
            return record
        named = {"clientOrderID": name[1:]} if name.startswith("@") else {"orderID": name}
        reject = {"reason": "CLIENT_REQUEST", "rejectReason": "ORDER_DOESNT_EXIST"}
        made = book.log.add(self._exchange.now_ns, "ORDER_CANCEL_REJECT", named | reject)
        raise OandaError(
            "The Order specified does not exist",
            404,
            "ORDER_DOESNT_EXIST",
            orderCancelRejectTransaction=made,
            relatedTransactionIDs=[made["id"]],
            lastTransactionID=book.log.last_id,
        )


def plain_text(value: object) -> str:
    """A figure as it was sent, as text."""
    number = decimal_of(value)
    return str(value)[:40] if number is None else plain(number)


def _as_market(new: NewOrder) -> NewOrder:
    return NewOrder(
        market=new.market,
        side=new.side,
        kind=OrderKind.MARKET,
        client_order_id=new.client_order_id,
        quantity=new.quantity,
    )
