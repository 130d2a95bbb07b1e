"""Balances: never negative, and money is neither made nor lost."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workstation.errors import BadInput
from workstation.model.ids import Currency
from workstation.simulator.accounts import Account, Credentials, Payment
from workstation.simulator.refusals import Reason, Refused

USDT, BTC = Currency("USDT"), Currency("BTC")
AMOUNTS = st.decimals(min_value=0, max_value=1000, places=8)


def an_account(**balances: int) -> Account:
    held = {Currency(name): Decimal(amount) for name, amount in balances.items()}
    return Account(Credentials(api_key="k", secret="s"), held)


def test_a_hold_moves_from_free_to_locked_and_back() -> None:
    account = an_account(USDT=100)
    account.hold(USDT, Decimal(60))
    assert (account.free(USDT), account.locked(USDT)) == (40, 60)
    account.release(USDT, Decimal(60))
    assert (account.free(USDT), account.locked(USDT)) == (100, 0)


def test_more_than_is_free_cannot_be_held() -> None:
    account = an_account(USDT=100)
    with pytest.raises(Refused) as refused:
        account.hold(USDT, Decimal("100.00000001"))
    assert refused.value.reason is Reason.INSUFFICIENT_BALANCE
    assert account.free(USDT) == 100


def test_a_better_price_than_was_held_for_frees_the_rest() -> None:
    account = an_account(USDT=100)
    account.hold(USDT, Decimal(60))
    account.settle(Payment(pays=USDT, paid=Decimal(50), released=Decimal(60), receives=BTC, received=Decimal("0.999")))
    assert (account.free(USDT), account.locked(USDT), account.free(BTC)) == (50, 0, Decimal("0.999"))


def test_a_fill_that_cannot_be_paid_changes_nothing() -> None:
    account = an_account(USDT=10)
    with pytest.raises(Refused):
        account.settle(Payment(pays=USDT, paid=Decimal(11), released=Decimal(0), receives=BTC, received=Decimal(1)))
    assert (account.free(USDT), account.free(BTC)) == (10, 0)


def test_negative_balances_and_empty_keys_are_refused() -> None:
    with pytest.raises(BadInput, match="USDT -1"):
        an_account(USDT=-1)
    with pytest.raises(BadInput, match="api_key and secret"):
        Credentials(api_key="", secret="s")


def test_a_secret_is_not_shown() -> None:
    assert "hidden" not in repr(Credentials(api_key="k", secret="hidden"))


@given(st.lists(st.tuples(st.sampled_from(["hold", "release", "pay"]), AMOUNTS, AMOUNTS)))
def test_balances_never_fall_below_zero_and_only_payments_change_the_total(
    steps: list[tuple[str, Decimal, Decimal]],
) -> None:
    account, paid_out = an_account(USDT=1000), Decimal(0)
    for what, first, second in steps:
        locked = account.locked(USDT)
        try:
            if what == "hold":
                account.hold(USDT, first)
            elif what == "release":
                account.release(USDT, min(first, locked))
            else:
                released = min(second, locked)
                account.settle(Payment(pays=USDT, paid=first, released=released, receives=BTC, received=Decimal(0)))
                paid_out += first
        except Refused:
            assert account.locked(USDT) == locked
        assert account.free(USDT) >= 0 and account.locked(USDT) >= 0
        assert account.free(USDT) + account.locked(USDT) == 1000 - paid_out
