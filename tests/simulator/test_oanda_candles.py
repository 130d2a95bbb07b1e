"""Candles begin where OANDA's do: days at an hour of a place, over changes of its clocks; none while it is closed."""

from collections.abc import Mapping
from datetime import UTC, datetime
from functools import lru_cache
from itertools import pairwise
from typing import Any

import pytest

from tests.simulator.oanda import ACCOUNTS, EURO, an_fx_source
from workstation.history.calendars import Calendar, is_open
from workstation.model.durations import HOUR_NS, MINUTE_NS, SECOND_NS
from workstation.model.ids import Venue
from workstation.simulator.accounts import Account
from workstation.simulator.exchange import Exchange
from workstation.simulator.faults import FaultMenu
from workstation.simulator.hosted_venue import HostedVenue
from workstation.simulator.oanda.wire import OANDA
from workstation.simulator.server import CURRENCY_BALANCES
from workstation.simulator.wire import Answer, WireError, WireRequest

ALICE = "/v3/accounts/101-001-0000001-001"


def at_ns(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()) * SECOND_NS


@lru_cache(maxsize=16)
def a_venue(now: str, *, keeps_fx_week: bool = False) -> HostedVenue:
    """A venue whose time stands still, without a socket, with a price of each instrument."""
    source = an_fx_source()
    start_ns = at_ns(now)
    accounts = [Account(one.credentials, CURRENCY_BALANCES) for one in ACCOUNTS]
    exchange = Exchange(Venue("nova"), source.listings(), accounts, start_ns - 20 * SECOND_NS, OANDA.market_name)
    menu = FaultMenu()
    venue = HostedVenue(exchange, source, menu, OANDA, lambda: start_ns, keeps_fx_week=keeps_fx_week)
    markets = list(exchange.markets.values())
    blocks = source.blocks(start_ns - 20 * SECOND_NS)
    for _ in range(20):
        venue.advance([(markets[row[3]], row) for row in next(blocks).tolist()], start_ns)
    return venue


def asked(venue: HostedVenue, method: str, path: str, query: Mapping[str, Any], body: str = "") -> Any:
    """Alice's request."""
    text = "&".join(f"{name}={value}" for name, value in query.items())
    headers = {"authorization": "Bearer alice-secret"}
    found = venue.wire.answer(WireRequest(method, path, text, body, headers, venue.exchange.now_ns))
    return found.content if isinstance(found, Answer) else found


def candles_of(venue: HostedVenue, **query: Any) -> list[dict[str, Any]]:
    query = {name.rstrip("_"): value for name, value in query.items()}
    found: list[dict[str, Any]] = asked(venue, "GET", f"/v3/instruments/{EURO}/candles", query)["candles"]
    return found


def times_of(candles: list[dict[str, Any]]) -> list[int]:
    return [at_ns(one["time"][:19]) for one in candles]


def test_days_begin_at_17_in_new_york_over_a_change_of_clocks() -> None:
    # clocks went forward there on 8 March 2026
    found = candles_of(a_venue("2026-03-12T12:00"), granularity="D", count=8)
    assert [one["time"][:16] for one in found] == [
        "2026-03-04T22:00",
        "2026-03-05T22:00",
        "2026-03-06T22:00",
        "2026-03-07T22:00",
        "2026-03-08T21:00",
        "2026-03-09T21:00",
        "2026-03-10T21:00",
        "2026-03-11T21:00",
    ]
    assert [one["complete"] for one in found] == [True] * 7 + [False]


@pytest.mark.parametrize(("granularity", "hours", "of_day"), [("H2", 2, 0), ("H4", 4, 0), ("H12", 12, 0), ("D", 24, 0)])
def test_aligned_with_utc_they_are_the_bars_of_everybody_else(granularity: str, hours: int, of_day: int) -> None:
    aligned = {"dailyAlignment": 0, "alignmentTimezone": "UTC", "weeklyAlignment": "Monday"}
    found = candles_of(a_venue("2026-03-12T12:30"), granularity=granularity, count=50, **aligned)
    times = times_of(found)
    assert len(times) == 50
    assert {later - earlier for earlier, later in pairwise(times)} == {hours * HOUR_NS}
    assert {time_ns % (hours * HOUR_NS) for time_ns in times} == {of_day}


def test_weeks_begin_on_the_day_that_was_asked_for() -> None:
    venue = a_venue("2026-03-12T12:30")
    for weekday, first in (("Monday", "2026-03-09T00:00"), ("Friday", "2026-03-06T00:00")):
        aligned = {"dailyAlignment": 0, "alignmentTimezone": "UTC", "weeklyAlignment": weekday}
        assert candles_of(venue, granularity="W", count=3, **aligned)[-1]["time"][:16] == first


def test_a_longer_candle_is_what_its_minutes_are_together() -> None:
    venue = a_venue("2026-03-12T12:00")
    start = "2026-03-11T21:00:00Z"
    minutes = candles_of(venue, granularity="M1", from_=start, count=240)
    (four_hours, *_) = candles_of(venue, granularity="H4", from_=start, count=1)
    prices = [{name: float(text) for name, text in one["mid"].items()} for one in minutes]
    whole = {name: float(text) for name, text in four_hours["mid"].items()}
    assert whole == {
        "o": prices[0]["o"],
        "h": max(one["h"] for one in prices),
        "l": min(one["l"] for one in prices),
        "c": prices[-1]["c"],
    }


def test_a_venue_that_keeps_the_week_has_no_candles_of_weekends_and_goes_on_behind_them() -> None:
    venue = a_venue("2026-03-16T12:00", keeps_fx_week=True)
    times = times_of(candles_of(venue, granularity="M30", from_="2026-03-13T20:00:00Z", count=6))
    assert all(is_open(Calendar.FX, time_ns) for time_ns in times)
    friday, sunday = at_ns("2026-03-13T20:00"), at_ns("2026-03-15T21:00")
    assert times == [friday, friday + 30 * MINUTE_NS, *(sunday + number * 30 * MINUTE_NS for number in range(4))]


@pytest.mark.parametrize(
    ("now", "keeps", "status"),
    [
        ("2026-03-14T12:00", False, "tradeable"),
        ("2026-03-14T12:00", True, "non-tradeable"),
        ("2026-03-13T20:59:59", True, "tradeable"),
        ("2026-03-13T21:00", True, "non-tradeable"),
        ("2026-03-15T20:59:59", True, "non-tradeable"),
        ("2026-03-15T21:00", True, "tradeable"),
    ],
)
def test_over_a_weekend_the_last_price_stands_and_is_not_to_be_traded_at(now: str, keeps: bool, status: str) -> None:
    answer = asked(a_venue(now, keeps_fx_week=keeps), "GET", f"{ALICE}/pricing", {"instruments": EURO})
    assert answer["prices"][0]["status"] == status


def test_while_it_is_closed_an_order_is_cancelled_at_once() -> None:
    venue = a_venue("2026-03-14T12:00", keeps_fx_week=True)
    path, order = f"{ALICE}/orders", '{"type": "MARKET", "instrument": "EUR_USD", "units": "1"}'
    answer = asked(venue, "POST", path, {}, '{"order": ' + order + "}")
    assert answer["orderCancelTransaction"]["reason"] == "MARKET_HALTED"
    assert "orderFillTransaction" not in answer


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "DELETE"])
@pytest.mark.parametrize(
    "path", ["/v3", "/v3/accounts/101-001-0000001-001/nothing", "/v3/instruments/EUR_USD/orderBook"]
)
def test_what_is_not_part_of_it_is_an_unknown_path(method: str, path: str) -> None:
    with pytest.raises(WireError) as refused:
        asked(a_venue("2026-03-12T12:00"), method, path, {}, "")
    assert refused.value.status == 404


@pytest.mark.parametrize("body", ["", "{", "[]", '{"order": 5}', '{"order": {"type": []}}', "\x00", "9" * 5_000])
def test_no_body_breaks_it(body: str) -> None:
    with pytest.raises(WireError) as refused:
        asked(a_venue("2026-03-12T12:00"), "POST", f"{ALICE}/orders", {}, body)
    assert refused.value.status == 400
