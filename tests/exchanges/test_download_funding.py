"""Past funding rates: each once and in order, however the venue cuts its answers."""

import asyncio
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workstation.errors import BadInput, VenueUnavailable
from workstation.exchanges.ccxt_parse import Refusal, Refusals
from workstation.exchanges.download import CcxtPast
from workstation.exchanges.download_funding import STRETCH_NS, FundingPages
from workstation.exchanges.rest_limiter import RestLimiter
from workstation.exchanges.settings import VenueSettings
from workstation.model.durations import HOUR_NS, MS_NS
from workstation.model.ids import Venue

START_NS = 1_700_006_400_000_000_000
NOW_NS = START_NS + 3_000 * HOUR_NS
SETTINGS = VenueSettings(venue=Venue("nova"), exchange="binanceusdm")
BY_PAGE = VenueSettings(venue=Venue("nova"), exchange="mexc")
SYMBOL = "BTC/USDT:USDT"


class Told:
    """Stands for ccxt's client: tells its rates as venues do."""

    last_json_response: Any = "[]"

    def __init__(self, hours: list[int], *, is_newest: bool, keeps_until: bool, page: int = 100) -> None:
        self._rates = [
            {"timestamp": (START_NS + hour * HOUR_NS) // MS_NS, "fundingRate": hour * 1e-6} for hour in hours
        ]
        self._is_newest, self._keeps_until, self._page = is_newest, keeps_until, page
        self.asked = 0
        self.spoils: Callable[[int, list[Any]], Any] = lambda number, rows: rows

    async def fetch_funding_rate_history(self, symbol: str, since: int, limit: int, params: dict[str, int]) -> Any:
        until = params["until"] if self._keeps_until else 2**60
        found = [one for one in self._rates if since <= one["timestamp"] <= until]
        size = min(limit, self._page)
        self.asked += 1
        return self.spoils(self.asked, found[-size:] if self._is_newest else found[:size])


async def patiently(call: Callable[[], Any]) -> Any:
    return await call()


def hours_of(
    client: Told,
    first: int,
    last: int,
    refusals: Refusals | None = None,
    *,
    late_ns: int = 0,
    settings: VenueSettings = SETTINGS,
) -> list[int]:
    """The hours of all pages' rates, asked for `late_ns` behind full hours; checks that pages follow one another."""

    async def read() -> list[int]:
        pages = FundingPages(
            client, settings, SYMBOL, patiently, Refusals() if refusals is None else refusals, lambda: NOW_NS
        )
        found: list[int] = []
        until, end = (START_NS + hour * HOUR_NS + late_ns for hour in (first, last))
        async for page in pages.run(until, end):
            times = page.table["ts_event"].to_pylist()
            assert page.until_ns > until and all(until <= at < page.until_ns for at in times)
            assert page.table["ts_due"].null_count == page.table["ts_received"].null_count == len(times)
            until = page.until_ns
            hours = [(at - START_NS) // HOUR_NS for at in times]
            assert page.table["rate"].to_pylist() == [hour * 1e-6 for hour in hours]
            found += hours
        assert until == end
        return found

    return asyncio.run(read())


@given(
    every=st.sampled_from([1, 4, 8]),
    first=st.integers(0, 300),
    length=st.integers(1, 900),
    is_newest=st.booleans(),
)
def test_each_rate_comes_once_whichever_end_of_a_span_the_venue_tells(
    every: int, first: int, length: int, is_newest: bool
) -> None:
    client = Told(list(range(0, 1_500, every)), is_newest=is_newest, keeps_until=True)
    assert hours_of(client, first, first + length) == [
        hour for hour in range(0, 1_500, every) if first <= hour < first + length
    ]


@pytest.mark.parametrize("is_newest", [False, True])
def test_a_span_between_two_milliseconds_has_all_its_rates(is_newest: bool) -> None:
    client = Told(list(range(1_500)), is_newest=is_newest, keeps_until=True)
    assert hours_of(client, 0, 300, late_ns=1) == list(range(1, 301))


def test_a_venue_that_heeds_no_end_tells_the_oldest_and_none_comes_twice() -> None:
    client = Told(list(range(0, 1_500, 8)), is_newest=False, keeps_until=False)
    assert hours_of(client, 0, 1_000) == list(range(0, 1_000, 8))


class Paged(Told):
    """As MEXC: pages by their number, the newest first, of which ccxt leaves out what is before `since`."""

    paid_meanwhile = 0
    """A rate comes before each of so many pages."""

    async def fetch_funding_rate_history(self, symbol: str, since: int, limit: int, params: dict[str, int]) -> Any:
        self.asked += 1
        if self.asked <= self.paid_meanwhile:
            last = self._rates[-1]
            self._rates.append({"timestamp": last["timestamp"] + HOUR_NS // MS_NS, "fundingRate": last["fundingRate"]})
        newest = self._rates[::-1]
        page = newest[(params["page_num"] - 1) * limit : params["page_num"] * limit]
        return self.spoils(self.asked, [one for one in page[::-1] if one["timestamp"] >= since])


@given(every=st.sampled_from([1, 4, 8]), first=st.integers(0, 1_200), length=st.integers(1, 900))
def test_a_venue_that_tells_pages_is_asked_for_each_back_to_the_first_rate(every: int, first: int, length: int) -> None:
    hours = list(range(0, 1_500, every))
    client = Paged(hours, is_newest=True, keeps_until=False)
    last = min(first + length, 1_500)
    assert hours_of(client, first, last, settings=BY_PAGE) == [hour for hour in hours if first <= hour < last]
    wanted = sum(hour >= first for hour in hours)
    assert client.asked <= -(-wanted // 100) + 2


def test_rates_that_are_paid_while_pages_come_cost_none() -> None:
    client = Paged(list(range(1_000)), is_newest=True, keeps_until=False)
    client.paid_meanwhile = 5
    assert hours_of(client, 0, 1_000, settings=BY_PAGE) == list(range(1_000))


def test_a_page_that_came_empty_is_asked_for_once_more() -> None:
    client = Paged(list(range(300)), is_newest=True, keeps_until=False)
    client.spoils = lambda number, rows: [] if number == 2 else rows
    assert hours_of(client, 0, 300, settings=BY_PAGE) == list(range(300))


def test_what_came_empty_is_asked_for_once_more() -> None:
    client = Told(list(range(0, 100, 8)), is_newest=False, keeps_until=True)
    client.spoils = lambda number, rows: [] if number == 1 else rows
    assert hours_of(client, 0, 100) == list(range(0, 100, 8))
    assert client.asked == 2 and STRETCH_NS == 100 * HOUR_NS


def test_an_answer_that_has_only_others_is_asked_for_once_more() -> None:
    client = Told(list(range(0, 400, 8)), is_newest=False, keeps_until=True)
    elsewhere = [{"timestamp": (START_NS + 2_000 * HOUR_NS) // MS_NS, "fundingRate": 0.0}]
    client.spoils = lambda number, rows: elsewhere if number == 1 else rows
    assert hours_of(client, 0, 100) == list(range(0, 100, 8))


def test_a_rate_that_is_none_is_counted_and_the_others_come() -> None:
    refusals = Refusals()
    client = Told([0, 8, 16], is_newest=False, keeps_until=True)
    client.spoils = lambda _, rows: [rows[0] | {"fundingRate": None}, rows[1] | {"timestamp": None}, *rows[2:]]
    assert hours_of(client, 0, 20, refusals) == [16]
    assert refusals.counts == {Refusal.NOT_A_NUMBER: 2}


@pytest.mark.parametrize("answer", [[{}, {}], ["<", "h"]])
def test_an_answer_of_no_rates_is_no_answer(answer: list[Any]) -> None:
    client = Told([0], is_newest=False, keeps_until=True)
    client.spoils = lambda *_: [one if isinstance(one, dict) else {"info": one} for one in answer]
    with pytest.raises(VenueUnavailable, match="funding rates of BTC/USDT:USDT: answer not understood"):
        hours_of(client, 0, 10)
    client.last_json_response = None
    with pytest.raises(VenueUnavailable, match="no JSON"):
        hours_of(client, 0, 10)


def test_a_market_without_rates_and_a_venue_without_a_past_of_them_are_said() -> None:
    past = CcxtPast(SETTINGS, RestLimiter(), lambda: NOW_NS)
    past._client = SimpleNamespace(has={}, markets={})
    with pytest.raises(BadInput, match=r"venue nova \(binanceusdm\): its past funding rates cannot be fetched"):
        past.require_funding(SYMBOL)
    spot = {"symbol": "BTC/USDT", "swap": False, "spot": True, "active": True}
    past._client = SimpleNamespace(has={"fetchFundingRateHistory": True}, markets={"BTC/USDT": spot})
    with pytest.raises(BadInput, match="BTC/USDT has no funding rates: expected a perpetual"):
        past.require_funding("BTC/USDT")
