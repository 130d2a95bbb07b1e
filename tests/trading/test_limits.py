from decimal import Decimal
from typing import Any

import pytest

from tests.builders import KEY
from workstation.errors import BadInput
from workstation.model.ids import SessionId, SignalId
from workstation.model.order import OrderPurpose
from workstation.trading.limits import NO_LIMITS, Limits, PlannedLeg, Refusal, check_entry
from workstation.trading.order_ids import ID_LENGTH, client_order_id, session_tag


def a_leg(notional: str = "1000", age: int | None = 5_000_000_000) -> PlannedLeg:
    return PlannedLeg(KEY, Decimal(notional), age)


def test_an_entry_at_every_limit_passes() -> None:
    assert check_entry(Limits(), [a_leg(), a_leg()], 4) is None


@pytest.mark.parametrize(
    ("leg", "open_positions", "refusal"),
    [
        (a_leg("1000.00000001"), 0, Refusal("max_position_notional_quote", "1000", "1000.00000001", KEY)),
        (a_leg(age=5_000_000_001), 0, Refusal("max_quote_age_ms", "at most 5,000 ms", "age 5,000.000001 ms", KEY)),
        (a_leg(), 5, Refusal("max_open_positions", "5", "6")),
        (a_leg(age=None), 0, Refusal("price", "a price", "none", KEY)),
    ],
)
def test_an_entry_beyond_a_limit_is_refused_with_limit_and_figure(
    leg: PlannedLeg, open_positions: int, refusal: Refusal
) -> None:
    assert check_entry(Limits(), [leg], open_positions) == refusal
    assert check_entry(Limits(), [a_leg(), leg], open_positions) == refusal


def test_without_limits_anything_passes_that_has_a_price() -> None:
    assert check_entry(NO_LIMITS, [a_leg("1e30", 10**18)], 10**6) is None
    assert check_entry(NO_LIMITS, [a_leg(age=None)], 0) == Refusal("price", "a price", "none", KEY)


def test_a_limit_of_zero_is_a_limit() -> None:
    assert check_entry(Limits(max_open_positions=0), [], 0) == Refusal("max_open_positions", "0", "1")
    assert check_entry(Limits(max_quote_age_ns=0), [a_leg("1", 0)], 0) is None


@pytest.mark.parametrize("name", ["max_position_notional_quote", "max_open_positions", "max_quote_age_ns"])
@pytest.mark.parametrize("value", [Decimal(-1), -1, Decimal("NaN"), Decimal("Infinity"), float("nan")])
def test_a_limit_that_is_none_by_accident_is_refused(name: str, value: Any) -> None:
    with pytest.raises(BadInput, match=f"{name} {value}: expected 0 or more, or none"):
        Limits(**{name: value})


def test_an_order_id_is_a_pure_function_of_its_intent() -> None:
    """I2; the literal is the id that venues know: a change orphans what rests there."""
    intent = (SessionId("s"), SignalId("7"), 0, OrderPurpose.STOP, 2)
    assert client_order_id(*intent) == "w043a719c2f0f5e34baba5df45"
    assert len(client_order_id(*intent)) == ID_LENGTH <= 32
    assert client_order_id(*intent).isalnum()
    assert client_order_id(*intent).startswith(session_tag(SessionId("s")))


def test_every_part_of_the_intent_makes_another_order() -> None:
    intents = [
        (SessionId(session), SignalId(signal), leg, purpose, attempt)
        for session in ("s", "s1")
        for signal in ("0", "10", "1")
        for leg in (0, 1, 10)
        for purpose in OrderPurpose
        for attempt in (0, 1, 2)
    ]
    assert len({client_order_id(*intent) for intent in intents}) == len(intents)
