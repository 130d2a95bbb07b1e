"""Filling a series: each span is asked for once, whatever ends a run, and each row is there once."""

import asyncio
from collections.abc import AsyncIterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.history.series import BTC, DAY_START_NS, HOURS, bars_from
from workstation.errors import VenueUnavailable
from workstation.history.backfill import (
    ASKED_NAME,
    Backfill,
    FlushLimits,
    Page,
    joined_spans,
    load_asked,
    missing_spans,
)
from workstation.history.durable import HistoryCorrupt
from workstation.history.removing import remove_series
from workstation.history.store import HistoryStore
from workstation.model.durations import HOUR_NS

HOURS_OF_PAGE = 10
EACH_PAGE = FlushLimits(rows=1, seconds=1e9)
NEVER = FlushLimits(rows=10**9, seconds=1e9)
START_NS, END_NS = DAY_START_NS, DAY_START_NS + 100 * HOUR_NS


@pytest.fixture
def store(tmp_path: Path) -> HistoryStore:
    return HistoryStore(tmp_path / "history")


class Venue:
    """Hourly bars in pages of ten; stops answering after so many pages."""

    def __init__(self, pages: int = 1_000) -> None:
        self.left, self.asked = pages, list[tuple[int, int]]()

    async def __call__(self, start_ns: int, end_ns: int) -> AsyncIterator[Page]:
        self.asked.append(((start_ns - START_NS) // HOUR_NS, (end_ns - START_NS) // HOUR_NS))
        at = start_ns
        while at < end_ns:
            if self.left == 0:
                raise VenueUnavailable("nova: no answer")
            self.left -= 1
            until = min(at + HOURS_OF_PAGE * HOUR_NS, end_ns)
            yield Page(table=bars_from(at, (until - at) // HOUR_NS), until_ns=until)
            at = until


def fill(
    store: HistoryStore, venue: Venue, limits: FlushLimits = EACH_PAGE, exchange: str = "nova", **more: Any
) -> Any:
    backfill = Backfill(store, HOURS, exchange, limits=limits, **more)
    return asyncio.run(backfill.run(venue, backfill.missing(START_NS, END_NS)))


def stored_hours(store: HistoryStore) -> list[int]:
    return ((store.bars(BTC, HOUR_NS).ts_open - START_NS) // HOUR_NS).tolist()


SPANS = st.lists(st.tuples(st.integers(0, 40), st.integers(0, 40)).filter(lambda span: span[0] <= span[1]), max_size=8)


@given(SPANS, st.integers(0, 40), st.integers(0, 40))
def test_missing_and_joined_spans_hold_the_same_moments_as_a_set_of_them(
    spans: list[tuple[int, int]], start: int, end: int
) -> None:
    held = {moment for first, last in spans for moment in range(first, last)}
    joined = joined_spans(spans)
    assert {moment for first, last in joined for moment in range(first, last)} == held
    assert all(before[1] < after[0] for before, after in pairwise(joined))
    missing = missing_spans(spans, start, end)
    assert [moment for first, last in missing for moment in range(first, last)] == sorted(set(range(start, end)) - held)
    assert all(first < last for first, last in missing)


def test_a_second_run_asks_for_nothing_and_a_longer_span_for_the_rest(store: HistoryStore) -> None:
    assert fill(store, Venue()).rows_stored == 100
    again = Venue()
    assert (fill(store, again).rows_stored, again.asked) == (0, [])
    wider = Backfill(store, HOURS, "nova").missing(START_NS - HOUR_NS, END_NS + 2 * HOUR_NS)
    assert wider == [(START_NS - HOUR_NS, START_NS), (END_NS, END_NS + 2 * HOUR_NS)]
    assert stored_hours(store) == list(range(100))


def test_a_venue_that_stops_answering_costs_nothing_that_came(store: HistoryStore) -> None:
    with pytest.raises(VenueUnavailable):
        fill(store, Venue(pages=4), NEVER)
    assert stored_hours(store) == list(range(40))
    rest = Venue()
    assert fill(store, rest).rows_stored == 60
    assert rest.asked == [(40, 100)]
    assert stored_hours(store) == list(range(100))


def test_rows_without_their_span_are_asked_for_again_and_stored_once(store: HistoryStore) -> None:
    fill(store, Venue())
    path = store.root / HOURS.folder / ASKED_NAME
    path.unlink()  # as a kill between the rows and the span leaves it
    found = fill(store, Venue(), NEVER)
    assert (found.rows_stored, found.rows_known, found.rows_differing) == (0, 100, 0)
    assert stored_hours(store) == list(range(100))


def test_rows_wait_until_they_are_many_or_old(store: HistoryStore) -> None:
    fill(store, Venue(), FlushLimits(rows=25, seconds=1e9))
    assert len(store.datasets()) == 1 and store.datasets()[0].segments == 4  # 30, 30, 30 and 10 rows
    times = iter(range(1_000))
    other = HistoryStore(store.root / "other")
    fill(other, Venue(), FlushLimits(rows=10**9, seconds=3.0, clock=lambda: float(next(times))))
    assert other.datasets()[0].segments == 4  # every third page


def test_progress_ends_with_all_of_it(store: HistoryStore) -> None:
    told: list[tuple[int, int]] = []
    fill(store, Venue(), on_progress=lambda done, total: told.append((done // HOUR_NS, total // HOUR_NS)))
    assert told[0] == (10, 100) and told[-1] == (100, 100)
    assert told == sorted(told)


def test_another_exchange_is_asked_for_itself_and_again_asks_for_all(store: HistoryStore) -> None:
    fill(store, Venue())
    assert Backfill(store, HOURS, "orion").missing(START_NS, END_NS) == [(START_NS, END_NS)]
    assert Backfill(store, HOURS, "nova").missing(START_NS, END_NS, again=True) == [(START_NS, END_NS)]


def test_a_removed_series_is_asked_for_anew(store: HistoryStore) -> None:
    fill(store, Venue())
    remove_series(store.root, HOURS)
    assert load_asked(store.root / HOURS.folder).spans == ()


def test_a_damaged_list_of_spans_says_what_to_do(store: HistoryStore) -> None:
    fill(store, Venue())
    (store.root / HOURS.folder / ASKED_NAME).write_text("{")
    with pytest.raises(HistoryCorrupt, match=r"asked\.json: .*delete it"):
        fill(store, Venue())
