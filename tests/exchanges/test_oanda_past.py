"""OANDA's past, page by page: whole, in order, and never named as asked for before it is complete."""

import asyncio
import time
from collections.abc import Callable

import pytest

from tests.exchanges.test_oanda_feed import Place, a_place
from workstation.errors import BadInput, UnknownInstrument, VenueUnavailable
from workstation.exchanges.oanda_candles import MOST_CANDLES
from workstation.exchanges.oanda_past import OandaPast
from workstation.exchanges.past import Patience
from workstation.exchanges.rest_limiter import RestLimiter
from workstation.model.durations import DAY_NS, HOUR_NS, MINUTE_NS
from workstation.simulator.bar_history import interval_start
from workstation.simulator.faults import FaultKind

EURO = "EUR/USD"
START_NS = 19_844 * DAY_NS


def past_at(place: Place, now_ns: Callable[[], int] = time.time_ns) -> OandaPast:
    patience = Patience(tries=3, first_wait_s=0.01, most_wait_s=0.02)
    return OandaPast(place.settings(timeout_s=30.0), RestLimiter(), RestLimiter(), now_ns, patience=patience)


async def openings(past: OandaPast, interval_ns: int, start_ns: int, end_ns: int) -> list[int]:
    found: list[int] = []
    async for page in past.bars(EURO, interval_ns, start_ns, end_ns):
        found += page.table["ts_open"].to_pylist()
    return found


def test_more_than_a_page_comes_whole_and_each_bar_once() -> None:
    async def play() -> None:
        async with a_place() as place:
            past, count = past_at(place), MOST_CANDLES + 700
            await past.open()
            asked = past.asked
            found = await openings(past, MINUTE_NS, START_NS, START_NS + count * MINUTE_NS)
            assert found == list(range(START_NS, START_NS + count * MINUTE_NS, MINUTE_NS))
            assert past.asked - asked == 2
            await past.close()

    asyncio.run(play())


def test_a_bar_that_is_not_complete_yet_is_asked_for_again_and_then_given_up() -> None:
    async def play() -> None:
        async with a_place() as place:
            past = past_at(place, lambda: time.time_ns() + HOUR_NS)  # by our clock the hour has ended
            await past.open()
            hour_ns = interval_start(time.time_ns(), HOUR_NS)
            with pytest.raises(VenueUnavailable, match="has ended and is not complete yet"):
                await openings(past, HOUR_NS, hour_ns - 3 * HOUR_NS, hour_ns + HOUR_NS)
            await past.close()

    asyncio.run(play())


def test_where_the_venue_has_nothing_it_goes_on_behind() -> None:
    async def play() -> None:
        async with a_place() as place:
            past = past_at(place)
            await past.open()
            place.fault(FaultKind.TRUNCATED, path="*/candles", count=1)
            before_ns = 19_723 * DAY_NS  # the simulated market begins here
            found = await openings(past, DAY_NS, before_ns - 5 * DAY_NS, before_ns + 5 * DAY_NS)
            assert found == list(range(before_ns, before_ns + 5 * DAY_NS, DAY_NS))
            await past.close()

    asyncio.run(play())


def test_what_there_is_not_is_refused() -> None:
    async def play() -> None:
        async with a_place() as place:
            past = past_at(place)
            await past.open()
            with pytest.raises(UnknownInstrument, match="fx:EUR/USX"):
                past.instrument("EUR/USX", 0)
            with pytest.raises(BadInput, match="no bars of 3m"):
                past.require_interval(3 * MINUTE_NS)
            with pytest.raises(BadInput, match="it tells of no public trades"):
                past.require_trades()
            with pytest.raises(BadInput, match="it tells of no public trades"):
                past.trades(EURO, 0, 1)
            assert past.listed_ns(EURO) is None
            assert past.instrument(EURO, 7).valid_from_ns == 7
            await past.close()

    asyncio.run(play())
