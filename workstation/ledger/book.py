"""The book: balances and positions, folded from opening balances and fills; nobody sets them.

All sums and products are exact, or refused; only where a part of a position is closed is its share of the cost rounded,
to 18 decimals, half to even, and the realized profit takes the complement. So after every fill, to the last digit,

    LINEAR  wallet + unrealized     = opening - sum(signed notional) + signed_quantity * contract_size * mark - fees
    SPOT    quote + base * mark     = the same, the base's opening balance and fees in base valued at the mark

A fee taken in the base coin of a SPOT fill is a sale of that quantity for nothing: balance and position both lose it.
"""

from collections.abc import Mapping
from decimal import Decimal, DecimalException, localcontext
from typing import Any

import msgspec
from msgspec.structs import replace

from workstation.errors import BadInput
from workstation.model.events import BalanceSet
from workstation.model.ids import Currency, Symbol, Venue
from workstation.model.instrument import InstrumentKey, InstrumentKind
from workstation.model.order import Fill
from workstation.model.position import Position
from workstation.model.units import EXACT, MONEY

COST_UNIT = Decimal("1e-18")
ZERO = Decimal(0)

Wallet = tuple[Venue, Currency]


class Book:
    """Fed in journal order; the same facts give the same book, digit for digit. A refused fact changes nothing."""

    def __init__(self) -> None:
        self._balances: dict[Wallet, Decimal] = {}
        self._positions: dict[InstrumentKey, Position] = {}

    @property
    def balances(self) -> Mapping[Wallet, Decimal]:
        """By (venue, currency); of LINEAR instruments realized money only."""
        return dict(self._balances)

    @property
    def positions(self) -> Mapping[InstrumentKey, Position]:
        """Every instrument ever filled, flat ones included."""
        return dict(self._positions)

    def available(self, venue: Venue, currency: Currency) -> Decimal:
        """The balance; zero for a currency never seen."""
        return self._balances.get((venue, currency), ZERO)

    def position(self, instrument: InstrumentKey) -> Position | None:
        """None before the first fill."""
        return self._positions.get(instrument)

    def apply_balance(self, event: BalanceSet) -> None:
        """The currency's balance from here on. Raises BadInput for NaN and infinities."""
        if not event.amount.is_finite():
            raise BadInput(f"balance {event.venue} {event.currency} {event.amount}: expected a finite number")
        self._balances[event.venue, event.currency] = event.amount

    def apply_fill(
        self, fill: Fill, kind: InstrumentKind, quote: Currency, base: Currency, contract_size: Decimal
    ) -> None:
        """Books one fill; that it is booked once is the order's business.

        Raises BadInput for a fee that is not finite, and for sums of over 50 digits.
        """
        if not fill.fee.is_finite():
            raise BadInput(f"fill {fill.trade_id} {fill.instrument}: fee {fill.fee}: expected a finite number")
        held = self._positions.get(fill.instrument) or Position(
            instrument=fill.instrument, kind=kind, base=base, quote=quote, contract_size=contract_size
        )
        try:
            with localcontext(EXACT):
                fees = {**held.fees, fill.fee_currency: held.fees.get(fill.fee_currency, ZERO) + fill.fee}
                moved = _moved(held, fill.side * fill.quantity, fill.price, fees)
                if kind is InstrumentKind.SPOT and fill.fee_currency == base:
                    moved = _moved(moved, -fill.fee / contract_size, ZERO, fees)
                balances = self._after(fill, held, moved, kind)
        except DecimalException as error:
            raise BadInput(f"{fill}: not exact in {EXACT.prec} digits") from error
        self._positions[fill.instrument] = moved
        self._balances.update(balances)

    def equity_quote(self, marks: Mapping[InstrumentKey, Decimal], quote: Currency | None = None) -> Decimal:
        """All balances and open LINEAR profits, in `quote` (by default the one quote currency there is).

        Another currency is valued at the mark of its spot or else linear instrument against `quote`, at the same venue.
        Raises BadInput naming the currency or instrument without a mark, or the currencies to choose from.
        """
        quote = quote or self._only_quote()
        with localcontext(MONEY):
            totals = dict(self._balances)
            for key, position in self._positions.items():
                if position.kind is InstrumentKind.LINEAR and position.is_open:
                    wallet = (key.venue, position.quote)
                    totals[wallet] = totals.get(wallet, ZERO) + position.unrealized_pnl_quote(_mark(marks, key))
            valued = (amount * _rate(marks, wallet, quote) for wallet, amount in sorted(totals.items()) if amount)
            return sum(valued, start=ZERO)

    def snapshot(self) -> dict[str, Any]:
        """JSON-able; `restore` gives the same book, digit for digit."""
        return {
            "balances": [[*wallet, str(self._balances[wallet])] for wallet in sorted(self._balances)],
            "positions": [msgspec.to_builtins(self._positions[key]) for key in sorted(self._positions)],
        }

    @classmethod
    def restore(cls, state: Mapping[str, Any]) -> "Book":
        """Raises BadInput for what `snapshot` did not make."""
        book = cls()
        try:
            balances = msgspec.convert(state["balances"], list[tuple[Venue, Currency, Decimal]])
            positions = msgspec.convert(state["positions"], list[Position])
        except (KeyError, msgspec.ValidationError) as error:
            raise BadInput(f"book snapshot: {error}") from error
        book._balances = {(venue, currency): amount for venue, currency, amount in balances}
        book._positions = {position.instrument: position for position in positions}
        return book

    def _after(self, fill: Fill, held: Position, moved: Position, kind: InstrumentKind) -> dict[Wallet, Decimal]:
        """The balances that the fill changes; exact context."""
        venue = fill.instrument.venue
        if kind is InstrumentKind.LINEAR:
            changes = {held.quote: moved.realized_pnl_quote - held.realized_pnl_quote}
        else:
            base_quantity = fill.side * fill.quantity * held.contract_size
            changes = {held.base: base_quantity, held.quote: -base_quantity * fill.price}
        changes[fill.fee_currency] = changes.get(fill.fee_currency, ZERO) - fill.fee
        return {(venue, name): self.available(venue, name) + change for name, change in changes.items()}

    def _only_quote(self) -> Currency:
        quotes = {position.quote for position in self._positions.values()}
        names = quotes or {currency for (_venue, currency), amount in self._balances.items() if amount}
        if len(names) != 1:
            raise BadInput(f"equity: in which currency? there are {', '.join(sorted(names)) or 'none'}")
        return names.pop()


def _moved(held: Position, signed_quantity: Decimal, price: Decimal, fees: Mapping[Currency, Decimal]) -> Position:
    """The position after a trade, in the exact context: first it closes, what is left opens."""
    closing = ZERO
    if held.signed_quantity * signed_quantity < 0:
        closing = -min(held.signed_quantity, -signed_quantity, key=abs)
    opening = signed_quantity - closing
    removed = _cost_share(held, -closing) if closing else ZERO
    return replace(
        held,
        signed_quantity=held.signed_quantity + signed_quantity,
        cost_quote=held.cost_quote - removed + opening * held.contract_size * price,
        realized_pnl_quote=held.realized_pnl_quote - closing * held.contract_size * price - removed,
        fees=fees,
    )


def _cost_share(held: Position, signed_quantity: Decimal) -> Decimal:
    if signed_quantity == held.signed_quantity:
        return held.cost_quote
    share = MONEY.divide(MONEY.multiply(held.cost_quote, signed_quantity), held.signed_quantity)
    return share.quantize(COST_UNIT, context=MONEY)


def _mark(marks: Mapping[InstrumentKey, Decimal], key: InstrumentKey) -> Decimal:
    mark = marks.get(key)
    if not isinstance(mark, Decimal) or not mark.is_finite() or mark <= 0:
        raise BadInput(f"{key}: mark {mark!r}: expected a Decimal of more than 0")
    return mark


def _rate(marks: Mapping[InstrumentKey, Decimal], wallet: Wallet, quote: Currency) -> Decimal:
    venue, currency = wallet
    if currency == quote:
        return Decimal(1)
    for symbol in (f"{currency}/{quote}", f"{currency}/{quote}:{quote}"):
        key = InstrumentKey(venue, Symbol(symbol))
        if key in marks:
            return _mark(marks, key)
    raise BadInput(f"equity: {venue} holds {currency}, and no mark says what it is worth in {quote}")
