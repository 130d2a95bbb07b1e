"""Trades that are recorded and downloaded too are stored once, however many are equal and whichever side has ids."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.history.live import a_recorder
from tests.history.series import BTC, DAY_START_NS, TRADES, a_source, a_table, an_instrument
from workstation.history.backfill import Backfill, FlushLimits, Page
from workstation.history.bar_building import built_bars
from workstation.history.bar_recipe import BarRecipe
from workstation.history.known_rows import known_rows
from workstation.history.layout import HistoryKind
from workstation.history.recorder import Recorder
from workstation.history.store import HistoryStore
from workstation.model.durations import DAY_NS, HOUR_NS, MINUTE_NS, MS_NS, SECOND_NS
from workstation.model.instrument import Registry
from workstation.model.market import MARKET_ROW, STEP_BITS, RowFlag, RowKind, Rows


class One(NamedTuple):
    """A trade; `received` and `event` in ns from the day's start."""

    received: int | None
    event: int | None
    price: float
    quantity: float
    seller_takes: bool | None
    trade_id: str | None


def table_of(trades: Sequence[One]) -> Any:
    return a_table(
        HistoryKind.TRADES,
        ts_received=[None if one.received is None else DAY_START_NS + one.received for one in trades],
        ts_event=[None if one.event is None else DAY_START_NS + one.event for one in trades],
        **{name: [getattr(one, name) for one in trades] for name in One._fields[2:]},
    )


# -- the masks, against a slow and obvious reading


def naive_known(stored: list[One], new: list[One]) -> list[bool]:
    known, seen = [False] * len(new), {one.trade_id for one in stored}
    for place, one in enumerate(new):
        known[place] = one.trade_id is not None and one.trade_id in seen
        seen.add(one.trade_id)
    ids = {one.trade_id for one in new}
    free = [one for one in stored if one.trade_id is None or one.trade_id not in ids]
    asking = [place for place, one in enumerate(new) if one.trade_id is not None and not known[place]]
    nameless = [one for one in free if one.trade_id is None]
    for used in naive_pairs(nameless, new, asking, known):
        free = without(free, used)
    naive_pairs(free, new, [place for place, one in enumerate(new) if one.trade_id is None], known)
    return known


def naive_pairs(stored: list[One], new: list[One], asking: list[int], known: list[bool]) -> list[One]:
    """Marks those that are known; the stored ones that they are."""
    events = [[one.event for one in side if one.event is not None] for side in (stored, [new[n] for n in asking])]
    step = max(next(unit for unit in (1_000_000, 1_000, 1) if all(t % unit == 0 for t in side)) for side in events)

    def moment(one: One) -> Any:
        time = ("received", one.received) if one.event is None else ("event", one.event // step)
        return time, one.price, one.seller_takes

    left, used = list(stored), []
    for place in asking:
        for candidate in left:
            if (moment(candidate), candidate.quantity) == (moment(new[place]), new[place].quantity):
                known[place] = True
                used.append(candidate)
                left = without(left, candidate)
                break
    rest = [place for place in asking if not known[place]]
    for place in rest:
        at = moment(new[place])
        theirs = [one for one in left if moment(one) == at]
        ours = sum(new[other].quantity for other in rest if moment(new[other]) == at)
        if ours == sum(one.quantity for one in theirs):  # halves: exact in float64
            known[place] = True
            used += [one for one in theirs if not any(one is other for other in used)]
    return used


def without(rows: list[One], row: One) -> list[One]:
    """By identity: equal ones stay."""
    return [one for one in rows if one is not row]


def trades(ids: st.SearchStrategy[str | None], times: st.SearchStrategy[int | None]) -> st.SearchStrategy[list[One]]:
    return st.lists(
        st.builds(
            One,
            st.integers(0, 2),
            times,
            st.sampled_from([100.0, 100.5]),
            st.sampled_from([0.5, 1.0, 1.5]),
            st.sampled_from([True, False, None]),
            ids,
        ).map(lambda one: One(*one)),  # a tuple of its own: equal ones are told apart
        max_size=10,
    )


NO_IDS, IDS = st.none(), st.none() | st.sampled_from(["7", "8", "9", "x"])
COARSE = st.none() | st.integers(0, 2).map(lambda number: number * MS_NS)
FINE = st.none() | st.sampled_from([0, 250_000, 250_001, MS_NS, MS_NS + 1_000])


@given(
    st.sampled_from([NO_IDS, IDS]).flatmap(lambda ids: st.one_of(trades(ids, COARSE), trades(ids, FINE))),
    st.sampled_from([NO_IDS, IDS]).flatmap(lambda ids: st.one_of(trades(ids, COARSE), trades(ids, FINE))),
)
def test_known_trades_are_those_of_a_slow_reading(stored: list[One], new: list[One]) -> None:
    is_known, is_differing = known_rows(HistoryKind.TRADES, table_of(stored), table_of(new))
    assert is_known.tolist() == naive_known(stored, new)
    assert not (is_differing & ~is_known).any()


def test_values_that_changed_under_an_id_are_counted_and_those_without_one_cannot() -> None:
    stored = [One(None, 0, 100.0, 1.0, True, "7"), One(5, MS_NS, 100.0, 1.0, True, None)]
    new = [One(9, 0, 100.0, 2.0, True, "7"), One(None, MS_NS, 100.0, 1.0, True, "8")]
    is_known, is_differing = known_rows(HistoryKind.TRADES, table_of(stored), table_of(new))
    assert (is_known.tolist(), is_differing.tolist()) == ([True, True], [True, False])


def test_times_in_microseconds_are_those_of_the_stream_in_milliseconds() -> None:
    stored = [One(9_000_000, 3 * MS_NS, 100.0, 1.0, True, None), One(9_000_000, 4 * MS_NS, 100.0, 1.0, True, None)]
    fine = [One(None, 3 * MS_NS + 250_000, 100.0, 1.0, True, "7"), One(None, 4 * MS_NS - 1_000, 100.0, 1.0, True, "8")]
    assert known_rows(HistoryKind.TRADES, table_of(stored), table_of(fine))[0].tolist() == [True, False]
    two_fine = known_rows(HistoryKind.TRADES, table_of([fine[0]._replace(trade_id=None)]), table_of(fine))
    assert two_fine[0].tolist() == [True, False]


# -- in the store


SPACING_NS = 500 * MS_NS


def of_a_venue(count: int, start_ns: int) -> list[One]:
    """Two a second, each fifth one three times over; ids rise. Times are ns since 1970 less the day's start."""
    found: list[One] = []
    for number in range(count):
        copies = 3 if number % 5 == 0 else 1
        for _ in range(copies):
            event = start_ns - DAY_START_NS + number * SPACING_NS
            found.append(One(None, event, 100.0 + number % 7, 0.5, number % 2 == 0, str(1_000 + len(found))))
    return found


def recorded_rows(told: Sequence[One]) -> Rows:
    rows = np.zeros(len(told), MARKET_ROW)
    rows["sequence"] = np.arange(1, len(told) + 1) << STEP_BITS
    rows["ts_event"] = [DAY_START_NS + (one.event or 0) for one in told]
    rows["ts_received"] = rows["ts_event"] + 5 * MS_NS
    rows["kind"] = RowKind.TRADE
    rows["x0"], rows["x1"] = [one.price for one in told], [one.quantity for one in told]
    rows["flags"] = [int(RowFlag.SELLER_TAKES) if one.seller_takes else 0 for one in told]
    return rows


def record(store: HistoryStore, told: Sequence[One]) -> Recorder:
    """What is still in the log; closing rolls it."""
    registry = Registry()
    registry.add(an_instrument(BTC))
    recorder = a_recorder(store)
    recorder.record(recorded_rows(told), registry)
    recorder.sync()
    return recorder


def download(store: HistoryStore, told: Sequence[One], start_ns: int, end_ns: int) -> tuple[int, int]:
    """In pages of fifty trades; how many were stored, and how many were there."""

    async def pages(first_ns: int, last_ns: int) -> AsyncIterator[Page]:
        asked = [one for one in told if first_ns <= DAY_START_NS + (one.event or 0) < last_ns]
        for place in range(0, len(asked), 50):
            page = asked[place : place + 50]
            yield Page(table=table_of(page), until_ns=DAY_START_NS + (page[-1].event or 0))

    backfill = Backfill(store, TRADES, "nova", limits=FlushLimits(rows=100, seconds=1e9))
    filled = asyncio.run(backfill.run(pages, [(start_ns, end_ns)]))
    return filled.rows_stored, filled.rows_known


def stored_values(store: HistoryStore) -> list[tuple[Any, ...]]:
    rows = store.query("SELECT ts_event, price, quantity, seller_takes FROM trades").to_pylist()
    return sorted(tuple(row.values()) for row in rows)


def values_of(told: Sequence[One]) -> list[tuple[Any, ...]]:
    return sorted((DAY_START_NS + (one.event or 0), one.price, one.quantity, one.seller_takes) for one in told)


@pytest.fixture
def store(tmp_path: Path) -> HistoryStore:
    return HistoryStore(tmp_path / "history")


MORNING_NS = DAY_START_NS + 10 * MINUTE_NS


def test_a_hole_in_recorded_trades_is_filled_and_each_trade_is_there_once(store: HistoryStore) -> None:
    told = of_a_venue(600, MORNING_NS)  # five minutes
    heard = [one for one in told if not 90 * SECOND_NS < (one.event or 0) - 10 * MINUTE_NS < 150 * SECOND_NS]
    record(store, heard).close()
    widened = MORNING_NS + MINUTE_NS, MORNING_NS + 3 * MINUTE_NS
    there = [one for one in heard if widened[0] <= DAY_START_NS + (one.event or 0) < widened[1]]
    assert download(store, told, *widened) == (len(told) - len(heard), len(there))
    assert stored_values(store) == values_of(told)
    assert download(store, told, *widened)[0] == 0  # of those stored by ids, and those that were recorded
    built = built_bars(store, TRADES, BarRecipe(interval_ns=MINUTE_NS))
    starts = MORNING_NS + np.arange(5) * MINUTE_NS
    volumes = [
        sum(one.quantity for one in told if start <= DAY_START_NS + (one.event or 0) < start + MINUTE_NS)
        for start in starts
    ]
    assert built.bars.ts_open.tolist()[:4] == starts.tolist()[:4]
    assert built.bars.volume.tolist()[:4] == volumes[:4]


def test_a_file_over_recorded_and_downloaded_trades_adds_what_neither_had(store: HistoryStore) -> None:
    told = of_a_venue(60, MORNING_NS)
    record(store, told[:40]).close()
    download(store, told[30:60], MORNING_NS, MORNING_NS + HOUR_NS)
    nameless = [one._replace(trade_id=None, received=(one.event or 0) + SECOND_NS) for one in told]
    written = store.write(TRADES, table_of(nameless), a_source("trades.csv"))
    assert (written.rows_stored, written.rows_known, written.rows_differing) == (len(told) - 60, 60, 0)
    assert stored_values(store) == values_of(told)


def test_trades_that_a_venue_tells_joined_are_those_that_were_recorded_apart(store: HistoryStore) -> None:
    told = of_a_venue(20, MORNING_NS)
    record(store, told).close()
    joined = [
        One(None, event, *rest[:1], sum(one.quantity for one in told if one.event == event), rest[1], None)
        for event, *rest in dict.fromkeys((one.event, one.price, one.seller_takes) for one in told)
    ]
    assert len(joined) < len(told)
    assert download(store, joined, MORNING_NS, MORNING_NS + HOUR_NS) == (0, len(joined))


def test_trades_that_are_in_the_log_yet_are_not_stored_beside_it(store: HistoryStore) -> None:
    told = of_a_venue(60, MORNING_NS)
    recorder = record(store, told[:40])
    assert download(store, told, MORNING_NS, MORNING_NS + HOUR_NS) == (len(told) - 40, 40)
    assert stored_values(store) == values_of(told)
    recorder.close()
    assert stored_values(store) == values_of(told)


def test_a_trade_that_was_received_on_the_next_day_is_not_stored_on_its_own(store: HistoryStore) -> None:
    midnight_ns = DAY_START_NS + DAY_NS
    told = of_a_venue(20, midnight_ns - 4 * SECOND_NS - MS_NS)  # received 5 ms later: one moment lies on either side
    record(store, told).close()
    assert download(store, told, midnight_ns - MINUTE_NS, midnight_ns + MINUTE_NS) == (0, len(told))
    assert stored_values(store) == values_of(told)
