"""The core of one simulated venue: market rows and clients' orders in, fills and events out. No clock, no socket.

Time is passed in. Every change is told as an event, in order; `drain` takes them. Whatever the accounts lose or gain in
trade with the venue's own liquidity, and every fee, stands in `house`, so that money is neither made nor lost.
"""

import copy
from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from decimal import Decimal

from workstation.errors import BadInput
from workstation.model.ids import Currency, Venue
from workstation.model.instrument import Instrument
from workstation.model.units import MONEY, Side
from workstation.simulator.accounts import Account
from workstation.simulator.market_source import Listing
from workstation.simulator.order_book import Offer, Resting
from workstation.simulator.refusals import Reason, Refused
from workstation.simulator.settlement import settlement
from workstation.simulator.venue_market import NANOSECONDS_PER_ID, RowTuple, VenueMarket, joined_name
from workstation.simulator.venue_orders import (
    BalanceChanged,
    Event,
    Execution,
    NewOrder,
    OrderKind,
    OrderStore,
    Reported,
    Status,
    TimeInForce,
    VenueFill,
    VenueOrder,
)
from workstation.simulator.venue_rules import amended_terms, checked_order, held_amount, is_reached

ZERO = Decimal(0)


class Exchange:
    """One venue with its markets, accounts and orders.

    `market_name` is how it calls an instrument; `ids_for_good`: a client id is never free again.
    """

    def __init__(
        self,
        venue: Venue,
        listings: Sequence[Listing],
        accounts: Iterable[Account],
        start_ns: int,
        market_name: Callable[[Instrument], str] = joined_name,
        *,
        ids_for_good: bool = False,
    ) -> None:
        self.venue = venue
        self.now_ns = start_ns
        markets = [VenueMarket(listing, market_name(listing.instrument), start_ns) for listing in listings]
        self.markets = {market.name: market for market in markets}
        if len(self.markets) < len(markets):
            raise BadInput(f"venue {venue}: two of its instruments have one name in {[one.name for one in markets]}")
        self.accounts = {account.credentials.api_key: account for account in accounts}
        self.orders = OrderStore(start_ns // NANOSECONDS_PER_ID, ids_for_good=ids_for_good)
        self.house: dict[Currency, Decimal] = {}
        self._fill_id = start_ns // NANOSECONDS_PER_ID
        self._events: deque[Event] = deque()

    def market(self, name: str) -> VenueMarket:
        """Raises Refused for one that is not listed."""
        found = self.markets.get(name)
        if found is None:
            raise Refused(Reason.UNKNOWN_SYMBOL, f"{name}: {self.venue} lists {', '.join(self.markets)}")
        return found

    def drain(self) -> list[Event]:
        """All events since the last call, in order."""
        taken = list(self._events)
        self._events.clear()
        return taken

    def advance(self, rows: Iterable[tuple[VenueMarket, RowTuple]], now_ns: int) -> None:
        """Takes market rows in order; the venue's time becomes `now_ns`."""
        for market, row in rows:
            self.now_ns = max(self.now_ns, row[1])
            matches, event, _left = market.apply(row)
            for match in matches:
                self._fill_maker(market, match)
            if event is not None:
                self._events.append(event)
            if matches or event is not None:
                self._trigger_stops(market)
        self.now_ns = max(self.now_ns, now_ns)

    def place(self, account: Account, request: NewOrder) -> VenueOrder:
        """Takes an order: fills what can be filled at once, and rests or ends the rest. Raises Refused."""
        market = self.market(request.market)
        if not market.book.has_quote:
            raise Refused(Reason.NO_PRICE_YET, f"{market.name}")
        self.orders.refuse_duplicate(account, request)
        lots, price, stop = checked_order(market, request)
        currency, amount = held_amount(market, request, lots, price, stop)
        if amount is None:
            account.require(currency, self._cost(market, request.side, lots))
        else:
            account.hold(currency, amount)
        order = VenueOrder(
            order_id=self.orders.take_id(),
            request=request,
            account=account,
            lots=lots,
            price=price,
            stop=stop,
            quantity=market.quantity(lots),
            created_ns=self.now_ns,
            updated_ns=self.now_ns,
            held_currency=currency,
            held=amount or ZERO,
            is_waiting=stop is not None,
        )
        self.orders.add(order)
        self._report(order, Execution.NEW)
        if order.held:
            self._tell_balances(account, [currency])
        if not order.is_waiting:
            self._execute(market, order)
        self._trigger_stops(market)
        return order

    def cancel(self, order: VenueOrder, cancel_id: str | None = None) -> None:
        """Ends an open order. Raises Refused for one that is final."""
        if not order.is_open:
            raise Refused(Reason.UNKNOWN_ORDER, f"order {order.order_id} is {order.status}")
        self._end(order, Status.CANCELED, Execution.CANCELED, cancel_id)

    def amend(
        self,
        order: VenueOrder,
        *,
        quantity: Decimal | None = None,
        price: Decimal | None = None,
        stop_price: Decimal | None = None,
    ) -> None:
        """Changes an open order with a limit, which loses its place in the line.

        Raises Refused; then it stands as it did.
        """
        if not order.is_open:
            raise Refused(Reason.UNKNOWN_ORDER, f"order {order.order_id} is {order.status}")
        market, account = self.market(order.request.market), order.account
        terms = amended_terms(market, order, quantity, price, stop_price)
        account.require(order.held_currency, MONEY.subtract(terms.held, order.held))
        account.release(order.held_currency, order.held)
        account.hold(order.held_currency, terms.held)
        if order.resting is not None:
            market.book.remove(order.resting)
            order.resting = None
        order.request, order.lots, order.price, order.stop, order.held = terms
        order.quantity, order.updated_ns = market.quantity(order.lots), self.now_ns
        self._report(order, Execution.AMENDED)
        self._tell_balances(account, [order.held_currency])
        if not order.is_waiting:
            self._execute(market, order)
        self._trigger_stops(market)

    def force_fill(self, order: VenueOrder, quantity: Decimal | None = None) -> None:
        """Fills an open order at its own price, all or `quantity` of it, whatever the market is: for drills."""
        market = self.market(order.request.market)
        left = order.lots - order.filled_lots
        lots = left if quantity is None else market.lots(quantity, Reason.LOT_SIZE)
        price = order.price if order.price is not None else order.stop
        if not order.is_open or lots > left or price is None:
            raise Refused(Reason.UNKNOWN_ORDER, f"order {order.order_id} is {order.status}, {left} lots left")
        if order.resting is not None:
            order.resting.lots -= lots
            if order.resting.lots == 0:
                market.book.remove(order.resting)
        self._fill(market, order, Offer(price, lots, None), is_maker=True)

    def place_levels(self, market: VenueMarket, levels: Mapping[Side, Iterable[tuple[int, int]]]) -> None:
        """Shows these levels (ticks, lots) instead of the market's, and fills what they cross; none: the market's."""
        for side, wanted in levels.items():
            market.book.place_levels(side, wanted)
        for match in market.book.cross():
            self._fill_maker(market, match)
        self.touched(market)
        self._trigger_stops(market)

    def tell_trade(self, market: VenueMarket, price: int, lots: int, seller_takes: bool) -> None:
        """A public trade that no order of a client's takes part in, told by hand."""
        self._events.append(market.traded(price, lots, seller_takes, self.now_ns))

    def touched(self, market: VenueMarket) -> None:
        """The book was changed by hand: tells the best prices."""
        quoted = market.quoted()
        if quoted is not None:
            self._events.append(quoted)

    def _execute(self, market: VenueMarket, order: VenueOrder) -> None:
        """Takes what the order may take; then it rests, or what is left of it expires."""
        request = order.request
        is_post_only = request.kind is OrderKind.LIMIT_MAKER
        lots = 0 if is_post_only else order.lots - order.filled_lots
        if request.time_in_force is TimeInForce.FOK and self._reachable(market, order) < order.lots:
            lots = 0
        for match in market.book.take(request.side, lots, order.price):
            self._fill(market, order, match, is_maker=False)
            if match.maker is not None:
                self._fill_maker(market, match, is_public=False)
        if order.is_open and (order.is_market or request.time_in_force is not TimeInForce.GTC):
            self._end(order, Status.EXPIRED, Execution.EXPIRED)
        elif order.is_open:
            assert order.price is not None
            order.resting = Resting(order.order_id, request.side, order.price, order.lots - order.filled_lots)
            market.book.rest(order.resting)
        self.touched(market)

    def _reachable(self, market: VenueMarket, order: VenueOrder) -> int:
        sign, limit = int(order.request.side), order.price
        offers = market.book.offers(order.request.side)
        return sum(offer.lots for offer in offers if limit is None or sign * (offer.price - limit) <= 0)

    def _cost(self, market: VenueMarket, side: Side, lots: int) -> Decimal:
        """What a market order must pay: base to sell, or quote for what the book offers."""
        if side is Side.SELL:
            return market.quantity(lots)
        cost = ZERO
        for offer in market.book.offers(side):
            taken = min(lots, offer.lots)
            cost = MONEY.add(cost, MONEY.multiply(market.price(offer.price), market.quantity(taken)))
            lots -= taken
            if lots == 0:
                break
        return cost

    def _fill_maker(self, market: VenueMarket, match: Offer, *, is_public: bool = True) -> None:
        assert match.maker is not None
        order = self.orders.get(match.maker.order_id)
        assert order is not None
        self._fill(market, order, match, is_maker=True, is_public=is_public)

    def _fill(
        self, market: VenueMarket, order: VenueOrder, match: Offer, *, is_maker: bool, is_public: bool = True
    ) -> None:
        """Books one execution with its fee, in the currency that is received, and tells of it."""
        side = order.request.side
        payment, fee = settlement(market, order, match, is_maker=is_maker)
        order.account.settle(payment)
        order.held = MONEY.subtract(order.held, payment.released)
        self._book_house(payment.pays, payment.paid)
        self._book_house(payment.receives, -payment.received)
        self._fill_id += 1
        if is_public:
            traded = market.traded(match.price, match.lots, (side is Side.BUY) == is_maker, self.now_ns)
            self._events.append(traded)
        price, quantity = market.price(match.price), market.quantity(match.lots)
        fill = VenueFill(self._fill_id, self.now_ns, price, quantity, fee, payment.receives, is_maker)
        order.book_fill(fill, match.lots)
        if not order.is_open:
            self.orders.closed(order)
        self._report(order, Execution.TRADE, fill)
        self._tell_balances(order.account, [payment.pays, payment.receives])

    def _book_house(self, currency: Currency, amount: Decimal) -> None:
        self.house[currency] = MONEY.add(self.house.get(currency, ZERO), amount)

    def _end(self, order: VenueOrder, status: Status, execution: Execution, cancel_id: str | None = None) -> None:
        market = self.market(order.request.market)
        if order.resting is not None:
            market.book.remove(order.resting)
        order.status, order.updated_ns, order.is_waiting = status, self.now_ns, False
        order.account.release(order.held_currency, order.held)
        was_held, order.held = order.held, ZERO
        self.orders.closed(order)
        self._report(order, execution, None, cancel_id)
        if was_held:
            self._tell_balances(order.account, [order.held_currency])
        if order.resting is not None:
            self.touched(market)

    def _trigger_stops(self, market: VenueMarket) -> None:
        """Wakes the stops that the last price reached; their own trades may reach others."""
        waiting = [order for order in self.orders.open_orders(market=market.name) if order.is_waiting]
        for order in waiting:
            if order.is_waiting and is_reached(order.request, order.stop, market.last_price):
                order.is_waiting = False
                self._awake(market, order)
                self._trigger_stops(market)

    def _awake(self, market: VenueMarket, order: VenueOrder) -> None:
        if order.is_market:
            order.account.release(order.held_currency, order.held)
            order.held = ZERO
            if order.account.free(order.held_currency) < self._cost(market, order.request.side, order.lots):
                self._end(order, Status.EXPIRED, Execution.EXPIRED)
                return
        self._execute(market, order)

    def _report(
        self, order: VenueOrder, execution: Execution, fill: VenueFill | None = None, cancel_id: str | None = None
    ) -> None:
        shown = copy.copy(order)
        self._events.append(
            Reported(
                order.account,
                shown,
                execution,
                order.status,
                order.filled,
                order.filled_quote,
                fill,
                cancel_id,
                self.now_ns,
            )
        )

    def _tell_balances(self, account: Account, currencies: list[Currency]) -> None:
        balances = {currency: (account.free(currency), account.locked(currency)) for currency in currencies}
        self._events.append(BalanceChanged(account, balances, self.now_ns))
