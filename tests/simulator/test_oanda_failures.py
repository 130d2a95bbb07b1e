"""What a client of a simulated OANDA sees when something goes wrong, and what has become of its order."""

import json
import time
from collections.abc import Iterator

import pytest
import requests
from oandapyV20.endpoints import orders
from oandapyV20.exceptions import V20Error

from tests.simulator.client import clear_faults, control
from tests.simulator.oanda import EURO, VENUE, Desk, account_id, first_of, running_oanda
from workstation.simulator.server import SimulatedExchanges

ORDERS = f"/v3/accounts/{account_id('alice')}/orders"
SHORT_S, PATIENT_S = 1.0, 30.0
"""For an answer that never comes, and for one that comes late where a machine is busy."""


@pytest.fixture(scope="module")
def server() -> Iterator[SimulatedExchanges]:
    with running_oanda(quotes_per_second=300.0) as exchanges:
        yield exchanges


@pytest.fixture
def exchanges(server: SimulatedExchanges) -> Iterator[SimulatedExchanges]:
    clear_faults(server)
    yield server
    clear_faults(server)


def is_there(desk: Desk, name: str) -> bool:
    """Whether the venue has the order."""
    try:
        desk.ask(orders.OrderDetails, f"@{name}")
    except V20Error as error:
        assert json.loads(str(error))["errorCode"] == "NO_SUCH_ORDER"
        return False
    return True


@pytest.mark.parametrize(
    ("fault", "error", "status", "is_placed"),
    [
        ("timeout_before", requests.ReadTimeout, None, False),
        ("timeout_after", requests.ReadTimeout, None, True),
        ("reset_before", requests.ConnectionError, None, False),
        ("reset_after", requests.ConnectionError, None, True),
        ("html_502", V20Error, 502, True),
        ("unknown_504", V20Error, 504, True),
        ("busy_503", V20Error, 503, False),
        ("rate_429", V20Error, 429, False),
        ("ban_418", V20Error, 429, False),
        ("truncated", json.JSONDecodeError, None, True),
        ("malformed", json.JSONDecodeError, None, True),
    ],
)
def test_a_new_order_fails_as_it_may_at_the_real_venue(
    exchanges: SimulatedExchanges, fault: str, error: type[Exception], status: int | None, is_placed: bool
) -> None:
    patience_s = SHORT_S if error is requests.ReadTimeout else PATIENT_S
    desk, name = Desk(exchanges, "alice", patience_s), f"mine-{fault}"
    fields = {"type": "LIMIT", "units": "5", "price": "0.50000", "clientExtensions": {"id": name}}
    control(exchanges, "faults", kind=fault, method="POST", path=ORDERS, count=1, seconds=7)
    with pytest.raises(error) as failure:
        desk.order(**fields)
    assert getattr(failure.value, "code", None) == status
    clear_faults(exchanges)
    assert is_there(desk, name) is is_placed


def test_too_many_requests_says_until_when(exchanges: SimulatedExchanges) -> None:
    desk = Desk(exchanges, "alice")
    control(exchanges, "faults", kind="rate_429", path=ORDERS, count=1, seconds=7)
    address = f"{exchanges.url}/{VENUE}/api-fxpractice.oanda.com{ORDERS}"
    answer = desk.api.client.get(address, timeout=5)
    assert (answer.status_code, answer.headers["Retry-After"]) == (429, "7")
    assert "120 requests per second" in answer.json()["errorMessage"]


def test_an_order_that_is_not_found_yet_is_there_a_moment_later(exchanges: SimulatedExchanges) -> None:
    desk = Desk(exchanges, "alice")
    desk.order(type="LIMIT", units="5", price="0.50000", clientExtensions={"id": "late"})
    control(exchanges, "faults", kind="not_found", path=f"{ORDERS}/@late", count=1)
    assert not is_there(desk, "late")
    assert is_there(desk, "late")


def test_a_dropped_stream_is_a_broken_answer(exchanges: SimulatedExchanges) -> None:
    lines = Desk(exchanges, "bob").prices(EURO)
    assert first_of(lines, "PRICE")
    control(exchanges, "faults", kind="drop_socket", stream=f"pricing.{EURO}", count=1)
    with pytest.raises(requests.exceptions.ChunkedEncodingError):
        for _ in lines:
            pass


def test_a_stream_that_the_venue_closes_ends_without_an_error(exchanges: SimulatedExchanges) -> None:
    lines = Desk(exchanges, "bob").prices(EURO)
    assert first_of(lines, "PRICE")
    assert control(exchanges, "kick", venue=VENUE)["closed"] >= 1
    assert all(line["type"] in ("PRICE", "HEARTBEAT") for line in lines)


def test_a_half_open_stream_says_nothing_more_not_even_a_heartbeat(exchanges: SimulatedExchanges) -> None:
    lines = Desk(exchanges, "bob", 6.0).prices(EURO)
    assert first_of(lines, "PRICE")
    control(exchanges, "faults", kind="silent_socket", stream=f"pricing.{EURO}", count=1)
    began = time.monotonic()
    with pytest.raises(requests.ConnectionError, match="Read timed out"):
        for _ in lines:
            pass
    assert time.monotonic() - began >= 5.5


@pytest.mark.parametrize(("fault", "is_read"), [("huge", True), ("garbled", False)])
def test_a_line_may_be_huge_or_break_off(exchanges: SimulatedExchanges, fault: str, is_read: bool) -> None:
    lines = Desk(exchanges, "bob").prices(EURO)
    assert first_of(lines, "PRICE")
    control(exchanges, "faults", kind=fault, stream=f"pricing.{EURO}", count=1, size=100)
    if is_read:
        assert [first_of(lines, "PRICE")["instrument"] for _ in range(5)] == [EURO] * 5
    else:
        with pytest.raises(json.JSONDecodeError):
            for _ in lines:
                pass


def test_a_fill_may_be_told_twice_and_late(exchanges: SimulatedExchanges) -> None:
    desk = Desk(exchanges, "carol")
    lines = desk.transactions()
    assert next(lines)["type"] == "HEARTBEAT"
    control(exchanges, "faults", kind="duplicate", stream="user:transactions:ORDER_FILL", count=1)
    twice = desk.order(type="MARKET", units="10")["orderFillTransaction"]["id"]
    assert [first_of(lines, "ORDER_FILL")["id"] for _ in range(2)] == [twice, twice]
    control(exchanges, "faults", kind="late", stream="user:transactions:ORDER_FILL", count=1, seconds=0.5)
    late = desk.order(type="MARKET", units="10")["orderFillTransaction"]["id"]
    cancelled = desk.order(type="LIMIT", units="10", price="0.50000")["orderCreateTransaction"]["id"]
    told = ((line["type"], line["id"]) for line in lines if line["type"] != "HEARTBEAT")
    assert [next(told) for _ in range(3)] == [
        ("MARKET_ORDER", str(int(late) - 1)),
        ("LIMIT_ORDER", cancelled),
        ("ORDER_FILL", late),
    ]
