"""Balances of one api key: free and locked per currency, in Decimal, never below zero."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal

from workstation.errors import BadInput
from workstation.model.ids import Currency
from workstation.model.units import MONEY
from workstation.simulator.refusals import Reason, Refused

ZERO = Decimal(0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Payment:
    """What one fill moves: `paid` leaves, `received` arrives after the fee; `released` of what was locked is set free
    to pay from, all of it for what rested, nothing for what was never locked."""

    pays: Currency
    paid: Decimal
    released: Decimal
    receives: Currency
    received: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class Credentials:
    """An api key and its secret. The simulated venue's alone: they open nothing else."""

    api_key: str
    secret: str = field(repr=False)

    def __post_init__(self) -> None:
        if not self.api_key or not self.secret:
            raise BadInput("account: api_key and secret: expected both")


class Account:
    """One client of a simulated venue."""

    def __init__(self, credentials: Credentials, balances: Mapping[Currency, Decimal]) -> None:
        for currency, amount in balances.items():
            if not amount.is_finite() or amount < 0:
                raise BadInput(f"account {credentials.api_key}: {currency} {amount}: expected 0 or more")
        self.credentials = credentials
        self._free = dict(balances)
        self._locked: dict[Currency, Decimal] = {}

    def free(self, currency: Currency) -> Decimal:
        return self._free.get(currency, ZERO)

    def locked(self, currency: Currency) -> Decimal:
        return self._locked.get(currency, ZERO)

    def currencies(self) -> list[Currency]:
        """Whatever it holds or ever held, by name."""
        return sorted({*self._free, *self._locked})

    def require(self, currency: Currency, amount: Decimal) -> None:
        """Raises Refused where less than `amount` is free."""
        if self.free(currency) < amount:
            raise Refused(Reason.INSUFFICIENT_BALANCE, f"{currency} {self.free(currency)} free, {amount} needed")

    def hold(self, currency: Currency, amount: Decimal) -> None:
        """Locks what a resting order may pay. Raises Refused where it is not free."""
        assert amount >= 0
        self.require(currency, amount)
        self._free[currency] = MONEY.subtract(self.free(currency), amount)
        self._locked[currency] = MONEY.add(self.locked(currency), amount)

    def release(self, currency: Currency, amount: Decimal) -> None:
        """Sets free what was locked."""
        assert 0 <= amount <= self.locked(currency), f"{currency}: {amount} of {self.locked(currency)} locked"
        self._locked[currency] = MONEY.subtract(self.locked(currency), amount)
        self._free[currency] = MONEY.add(self.free(currency), amount)

    def settle(self, payment: Payment) -> None:
        """Books one fill. Raises Refused, and changes nothing, where it cannot be paid."""
        self.require(payment.pays, MONEY.subtract(payment.paid, payment.released))
        self.release(payment.pays, payment.released)
        self._free[payment.pays] = MONEY.subtract(self.free(payment.pays), payment.paid)
        self._free[payment.receives] = MONEY.add(self.free(payment.receives), payment.received)
