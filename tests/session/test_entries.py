"""The size of an entry: one quantity for all legs, whole lots of each."""

from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.session.desks import NOVA, ORION, USDT, linear
from workstation.model.group import PositionGroup
from workstation.model.ids import SessionId, SignalId
from workstation.model.signal import Signal, SignalAction, SignalLeg
from workstation.model.units import Side
from workstation.session.entries import Seen, plan_entry
from workstation.session.settings import SessionSettings
from workstation.trading.limits import NO_LIMITS, Refusal
from workstation.trading.sizing import SizingMode, SizingSettings

LOTS = st.sampled_from([Decimal(text) for text in ("0.001", "0.03", "0.1", "0.25", "0.7", "1", "3")])


def planned(lots: tuple[Decimal, Decimal], quantity: str) -> PositionGroup | Refusal:
    """An entry into both venues of `quantity` each, as far as the lots allow."""
    keys = (NOVA, ORION)
    least = Decimal("0.001")
    instruments = {
        key: linear(key, lot_size=lot, min_quantity=least, min_notional_quote=Decimal(0))
        for key, lot in zip(keys, lots, strict=True)
    }
    settings = SessionSettings(
        session_id=SessionId("s"),
        strategy="spread-reversion",
        instruments=keys,
        currency=USDT,
        sizing=SizingSettings(mode=SizingMode.FIXED_QUANTITY, value=float(quantity)),
        limits=NO_LIMITS,
    )
    signal = Signal(
        signal_id=SignalId("s-1"),
        strategy="spread-reversion",
        action=SignalAction.ENTER,
        legs=(SignalLeg(NOVA, Side.BUY), SignalLeg(ORION, Side.SELL)),
    )
    return plan_entry(
        signal,
        settings,
        instruments,
        lambda key: Seen(100.0, 0),
        Decimal(10**9),
        lambda venue, currency: Decimal(10**9),
        0,
        0,
    )


@given(LOTS, LOTS, st.integers(1, 40_000))
def test_a_quantity_is_whole_lots_of_each_leg_and_no_larger_one_would_be_affordable(
    first: Decimal, second: Decimal, thousandths: int
) -> None:
    wanted = Decimal(thousandths) / 1000
    least = min(Fraction(wanted) // Fraction(lot) * Fraction(lot) for lot in (first, second))
    common = next(n * Fraction(first) for n in range(1, 10**6) if n * Fraction(first) % Fraction(second) == 0)
    group = planned((first, second), str(wanted))
    if least < common:
        assert isinstance(group, Refusal) and group.limit == "size"
        return
    assert isinstance(group, PositionGroup)
    (quantity,) = {Fraction(leg.quantity) for leg in group.legs}
    assert quantity % Fraction(first) == quantity % Fraction(second) == 0
    assert quantity <= least < quantity + common


@pytest.mark.parametrize(("wanted", "got"), [("0.5", "0.3"), ("0.59", "0.3"), ("0.6", "0.6"), ("1.0", "0.9")])
def test_lots_that_do_not_divide_one_another_meet_at_their_common_multiple(wanted: str, got: str) -> None:
    group = planned((Decimal("0.1"), Decimal("0.03")), wanted)
    assert isinstance(group, PositionGroup)
    assert [leg.quantity for leg in group.legs] == [Decimal(got)] * 2


def test_less_than_one_common_lot_is_refused_with_the_lot() -> None:
    refusal = planned((Decimal("0.1"), Decimal("0.03")), "0.2")
    assert refusal == Refusal("size", "at least 0.3, whole lots of each leg", "0.18")
