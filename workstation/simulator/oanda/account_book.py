"""One account as OANDA shows it: orders, transactions, netted trades. The core knows its currencies alone.

A fill at several prices in one step of the market is told as one, at the average price.
"""

from dataclasses import dataclass, field
from decimal import Decimal

from workstation.model.ids import Currency
from workstation.model.units import MONEY
from workstation.simulator.accounts import Account
from workstation.simulator.exchange import Exchange
from workstation.simulator.number_text import plain
from workstation.simulator.oanda.format import USER_ID, Json, money, rfc3339, signed
from workstation.simulator.oanda.netting import Netting, Outcome, Trade
from workstation.simulator.oanda.new_order import Asked
from workstation.simulator.oanda.transactions import TransactionLog
from workstation.simulator.venue_orders import Status, VenueFill, VenueOrder

ZERO = Decimal(0)
HOME = Currency("USD")
"""The currency of every account."""


@dataclass(slots=True)
class OrderRecord:
    """One order under the number of the transaction that created it. `core` is None where it was never taken."""

    order_id: str
    asked: Asked
    created_ns: int
    batch_id: str
    state: str = "PENDING"
    beside: Json = field(default_factory=dict)
    """What came of it."""
    core: VenueOrder | None = None
    cancel_reason: str = "CLIENT_REQUEST"
    fill_reason: str = ""
    closes: str | None = None
    """The trade that it is to close."""

    @property
    def client_id(self) -> str | None:
        return self.asked.new.client_order_id

    def shown(self) -> Json:
        """As queries tell it."""
        created = {"id": self.order_id, "createTime": rfc3339(self.created_ns), "state": self.state}
        return created | self.asked.fields | self.beside


class AccountBook:
    """`tell` of the log is told each transaction."""

    def __init__(self, account: Account, account_id: str, exchange: Exchange, log: TransactionLog) -> None:
        self.account, self.account_id, self.log = account, account_id, log
        self._exchange = exchange
        self.created_ns = exchange.now_ns
        self.opening = account.free(HOME)
        self.netting = Netting(self.rate)
        self.records: dict[str, OrderRecord] = {}
        self._by_core: dict[int, OrderRecord] = {}
        log.add(self.created_ns, "CREATE", {"accountUserID": USER_ID, "homeCurrency": HOME})
        log.add(
            self.created_ns,
            "TRANSFER_FUNDS",
            {"amount": money(self.opening), "fundingReason": "CLIENT_FUNDING", "accountBalance": money(self.opening)},
        )

    @property
    def balance(self) -> Decimal:
        """What it began with, and what closed trades brought since."""
        return sum(self.netting.realized.values(), self.opening)

    def rate(self, market_name: str) -> Decimal:
        """The worth of a market's quote currency in the account's, now; 0 where no market tells."""
        quote = self._exchange.markets[market_name].instrument.quote
        if quote == HOME:
            return Decimal(1)
        for name, is_inverse in ((f"{quote}_{HOME}", False), (f"{HOME}_{quote}", True)):
            found = self._exchange.markets.get(name)
            mid = None if found is None else found.mid()
            if mid is not None:
                return MONEY.divide(Decimal(1), Decimal(str(mid))) if is_inverse else Decimal(str(mid))
        return ZERO

    def closing_price(self, trade: Trade) -> Decimal:
        """At which it could be closed now; its own where nothing is quoted."""
        market = self._exchange.markets[trade.market]
        touch = market.book.touch()
        if touch is None:
            return trade.price
        return market.price(touch.bid if trade.current > 0 else touch.ask)

    def unrealized(self, market_name: str | None = None) -> Decimal:
        """What closing all open trades now would bring."""
        trades = self.netting.open_trades(market_name)
        return sum((self.netting.unrealized(one, self.closing_price(one)) for one in trades), ZERO)

    def pending(self) -> list[OrderRecord]:
        """Oldest first."""
        return [one for one in self.records.values() if one.state == "PENDING"]

    def begin(self, asked: Asked, reason: str, beside: Json | None = None) -> OrderRecord:
        """The transaction that creates an order."""
        kind = f"{asked.fields['type']}_ORDER"
        shown = {name: value for name, value in asked.fields.items() if name != "type"}
        batch = None if beside is None else beside.get("batch")
        extra = {name: value for name, value in (beside or {}).items() if name != "batch"}
        made = self.log.add(self._exchange.now_ns, kind, shown | {"reason": reason} | extra, batch)
        record = OrderRecord(made["id"], asked, self._exchange.now_ns, made["batchID"])
        self.records[record.order_id] = record
        return record

    def taken(self, record: OrderRecord, core: VenueOrder) -> None:
        """The core has the order."""
        record.core = core
        self._by_core[core.order_id] = record

    def of_core(self, order_id: int) -> OrderRecord | None:
        return self._by_core.get(order_id)

    def cancelled(self, record: OrderRecord, reason: str) -> Json:
        """The transaction that ends an order unfilled, or what is left of it."""
        now_ns = self._exchange.now_ns
        named = {"orderID": record.order_id, "reason": reason} | self._client(record)
        replaced = {name: record.beside[name] for name in ("replacedByOrderID",) if name in record.beside}
        made = self.log.add(now_ns, "ORDER_CANCEL", named | replaced, self._batch(record))
        record.state = "CANCELLED"
        record.beside |= {"cancellingTransactionID": made["id"], "cancelledTime": rfc3339(now_ns)}
        return made

    def filled(self, record: OrderRecord, fills: list[VenueFill], status: Status) -> Json:
        """The transaction of what was filled in one step."""
        quantity = sum((fill.quantity for fill in fills), ZERO)
        worth = sum((MONEY.multiply(fill.price, fill.quantity) for fill in fills), ZERO)
        price = MONEY.divide(worth, quantity)
        market = self._exchange.markets[record.asked.new.market]
        units, ts_ns = signed(record.asked.new.side, quantity), fills[-1].ts_ns
        number = str(int(self.log.last_id) + 1)
        outcome = self.netting.fill(market.name, units, price, ts_ns, number, record.closes)
        fields = self._client(record) | {
            "orderID": record.order_id,
            "instrument": market.name,
            "units": plain(units),
            "requestedUnits": record.asked.fields["units"],
            "price": market.price_text(float(price)),
            "fullVWAP": plain(round(price, 8)),
            "reason": record.fill_reason or f"{record.asked.fields['type']}_ORDER",
            "pl": money(outcome.realized),
            "financing": "0.0000",
            "commission": "0.0000",
            "accountBalance": money(self.balance),
        }
        made = self.log.add(
            ts_ns, "ORDER_FILL", fields | _trades_of(outcome, market.price_text(float(price))), self._batch(record)
        )
        if status is Status.FILLED:
            record.state = "FILLED"
            record.beside |= {"fillingTransactionID": made["id"], "filledTime": rfc3339(ts_ns)} | _ids_of(outcome)
        return made

    def _batch(self, record: OrderRecord) -> str | None:
        """What happens at once with the order's creation is of its batch."""
        return record.batch_id if record.created_ns == self._exchange.now_ns else None

    def _client(self, record: OrderRecord) -> Json:
        return {} if record.client_id is None else {"clientOrderID": record.client_id}


def _trades_of(outcome: Outcome, price: str) -> Json:
    """What a fill did, as its transaction tells it."""
    whole = [one.shown() for one in outcome.closed if one.trade.closed_ns is not None]
    part = [one.shown() for one in outcome.closed if one.trade.closed_ns is None]
    found: Json = {"tradesClosed": whole} if whole else {}
    if part:
        found["tradeReduced"] = part[0]
    if outcome.opened is not None:
        opened = outcome.opened
        found["tradeOpened"] = {"tradeID": opened.trade_id, "units": plain(opened.initial), "price": price}
    return found


def _ids_of(outcome: Outcome) -> Json:
    """The same, as the order tells it."""
    found: Json = {}
    closed = [one.trade.trade_id for one in outcome.closed if one.trade.closed_ns is not None]
    if closed:
        found["tradeClosedIDs"] = closed
    for one in outcome.closed:
        if one.trade.closed_ns is None:
            found["tradeReducedID"] = one.trade.trade_id
    if outcome.opened is not None:
        found["tradeOpenedID"] = outcome.opened.trade_id
    return found
