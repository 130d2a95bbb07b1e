"""Bars for charts: stored, the venue's, told since and in the making; none twice, none missing."""

import asyncio
import threading
from collections.abc import Coroutine, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.engine.bench import Bench, a_bench
from tests.engine.test_feeds import an_engine
from tests.engine.test_tape import a_minute, a_trade
from tests.session.desks import NOVA, START_NS, SYMBOL, linear
from workstation.client.messages import BarsView
from workstation.engine import bar_shelf
from workstation.engine.bar_shelf import MOST_SERIES
from workstation.errors import VenueRefused, VenueUnavailable, WorkstationError
from workstation.history.longer_bars import longer_bars
from workstation.model.durations import DAY_NS, HOUR_NS, MINUTE_NS, SECOND_NS
from workstation.model.market import (
    Bars,
)

NOW_NS = START_NS // DAY_NS * DAY_NS + 10 * HOUR_NS + 7 * MINUTE_NS + 30 * SECOND_NS
"""10:07:30."""
MINUTE = NOW_NS // MINUTE_NS * MINUTE_NS
"""When the running minute opened."""


def minutes(*places: int) -> Bars:
    """One-minute bars, each so many minutes before the running one, with numbers of its own."""
    x = np.array(places, np.float64)
    ts_open = MINUTE + np.array(places, np.int64) * MINUTE_NS
    return Bars(interval_ns=MINUTE_NS, ts_open=ts_open, open=200 + x, high=300 - x, low=100 + x / 2, close=201 + x,
                volume=x * x + 1)  # fmt: skip


class Shelf:
    """An engine whose venue knows bars by their length and notes what it is asked."""

    def __init__(self, bench: Bench) -> None:
        self.bench, self.engine = bench, an_engine(bench)
        self.past: dict[int, Bars | WorkstationError] = {}
        self.asked: list[tuple[int, int]] = []
        """Length, and how many bars before now it wants them from."""
        self.hung: list[int] = []
        """Lengths that it was asked for and did not tell at once."""
        bench.feed[NOVA.venue].bars = self._bars  # type: ignore[method-assign]

    async def _bars(self, key: object, interval_ns: int, since_ns: int) -> Bars:
        self.asked.append((interval_ns, (NOW_NS - since_ns) // interval_ns))
        await asyncio.sleep(0.01)
        past = self.past.get(interval_ns, VenueUnavailable("nova: no answer"))
        if isinstance(past, WorkstationError):
            raise past
        is_closed = past.ts_open + interval_ns <= self.bench.clock.time_ns
        return past.slice(int(past.ts_open.searchsorted(since_ns)), int(is_closed.sum()))

    def view(self, interval: str = "1m", limit: int = 10) -> BarsView:
        return asyncio.run(self.engine.bars("nova", SYMBOL, interval, limit))

    def run(self, looked: Coroutine[Any, Any, None]) -> None:
        async def to_the_end() -> None:
            try:
                async with asyncio.timeout(20):
                    await looked
            finally:
                await self.engine._market._shelf.close()

        asyncio.run(to_the_end())

    async def answered(self, interval: str, limit: int) -> BarsView:
        """What is shown once nothing is waited for any more."""
        while any(one.is_filling for one in self.engine._market._shelf._series.values()):
            await asyncio.sleep(0.005)
        with pytest.MonkeyPatch.context() as patient:
            patient.setattr(bar_shelf, "PATIENCE_S", 60.0)
            return await self.engine.bars("nova", SYMBOL, interval, limit)

    def take(self, *rows: np.void) -> None:
        for row in rows:
            self.bench.tell(row)
        self.bench.turns.turn()

    def store(self, bars: Bars) -> None:
        """As an earlier life of the engine left it."""
        feed = self.bench.feed[NOVA.venue]
        telling, feed.bars = feed.bars, self._bars  # type: ignore[method-assign]
        self.past[bars.interval_ns], before = bars, self.past.get(bars.interval_ns)
        asyncio.run(self.bench.feeds.backfill(self.bench.store, NOVA, bars.interval_ns, 0))
        feed.bars = telling  # type: ignore[method-assign]
        self.asked.clear()
        self.past.pop(bars.interval_ns)
        if before is not None:
            self.past[bars.interval_ns] = before


@pytest.fixture
def shelf(tmp_path: Path):
    with a_bench(tmp_path / "home", now_ns=NOW_NS) as bench:
        bench.market.list_instrument(linear(NOVA))
        yield Shelf(bench)


def places(view: BarsView, length: int = MINUTE_NS) -> list[int]:
    """How many bars before the running minute each one opens."""
    return [(ts_open - MINUTE) // length for ts_open in view.ts_open]


def closed(place: int, *x: float) -> Any:
    return a_minute(0, *x, ts_event=MINUTE + (place + 1) * MINUTE_NS)


def trade(price: float, quantity: float = 1.0) -> Any:
    return a_trade(0, price, quantity)


def test_what_is_stored_is_continued_by_what_the_venue_tells_and_asked_only_for_that(shelf: Shelf) -> None:
    shelf.store(minutes(-10, -9, -8, -7, -6))
    shelf.past[MINUTE_NS] = minutes(*range(-20, 1))
    view = shelf.view()
    assert places(view) == list(range(-10, 0))
    assert (view.close, view.forming, view.problem) == ([201 + place for place in range(-10, 0)], None, "")
    assert shelf.asked == [(MINUTE_NS, 5)]


def test_many_that_look_at_once_and_again_cost_the_venue_one_question(shelf: Shelf) -> None:
    shelf.past[MINUTE_NS] = minutes(*range(-20, 0))

    async def ten() -> Sequence[BarsView]:
        return await asyncio.gather(*(shelf.engine.bars("nova", SYMBOL) for _ in range(10)))

    views = asyncio.run(ten())
    assert all(view == views[0] for view in views) and len(views[0].ts_open) == 20
    shelf.view()
    assert len(shelf.asked) == 1


def test_a_hole_in_what_is_stored_is_filled(shelf: Shelf) -> None:
    shelf.store(minutes(-10, -9, -8, -5, -4, -3, -2, -1))
    shelf.past[MINUTE_NS] = minutes(*range(-20, 0))
    assert places(shelf.view()) == list(range(-10, 0))
    assert shelf.asked == [(MINUTE_NS, 7)]


def test_bars_that_close_are_there_at_once_and_none_is_there_twice(shelf: Shelf) -> None:
    shelf.past[MINUTE_NS] = minutes(*range(-20, 0))
    shelf.view()
    shelf.take(trade(150, 2), trade(160))
    assert shelf.view().forming is not None
    shelf.bench.clock.time_ns = MINUTE + MINUTE_NS + 1
    shelf.take(closed(-1, 1, 2, 0.5, 1.5, 9), closed(0, 5, 6, 4, 5.5, 7), closed(0, 5, 6, 4, 5.5, 8))
    view = shelf.view(limit=3)
    assert (places(view), view.close, view.volume, view.forming) == ([-2, -1, 0], [199, 1.5, 5.5], [5, 9, 8], None)
    assert len(shelf.asked) == 1


def test_a_bar_that_closes_while_the_venue_is_asked_is_not_missed(shelf: Shelf) -> None:
    shelf.past[MINUTE_NS] = minutes(*range(-20, 0))

    async def meanwhile() -> BarsView:
        asking = asyncio.create_task(shelf.engine.bars("nova", SYMBOL, limit=2))
        await asyncio.sleep(0.005)
        shelf.bench.clock.time_ns = MINUTE + MINUTE_NS + 1
        shelf.take(closed(0, 5, 6, 4, 5.5, 7))
        return await asking

    assert places(asyncio.run(meanwhile())) == [-1, 0]


def test_where_the_feed_tells_no_bar_the_venue_is_asked_again_but_not_for_each_look(shelf: Shelf) -> None:
    shelf.past[MINUTE_NS] = minutes(*range(-20, 5))
    shelf.view()
    shelf.bench.clock.time_ns = MINUTE + MINUTE_NS + 9 * SECOND_NS
    shelf.view()
    assert len(shelf.asked) == 1  # the feed may still tell it
    shelf.bench.clock.time_ns = MINUTE + MINUTE_NS + 10 * SECOND_NS
    for _ in range(3):
        assert places(shelf.view(limit=2)) == [-1, 0]
    assert len(shelf.asked) == 2


def test_a_longer_look_asks_for_what_is_before(shelf: Shelf) -> None:
    shelf.past[MINUTE_NS] = minutes(*range(-20, 0))
    shelf.view(limit=5)
    assert len(shelf.view(limit=20).ts_open) == 20
    assert [bars for _, bars in shelf.asked] == [5, 20]


def test_longer_bars_are_the_venues_and_since_then_made_of_minutes_and_trades(shelf: Shelf) -> None:
    whole = longer_bars(minutes(*range(-37, 0)), 5 * MINUTE_NS)
    shelf.past[5 * MINUTE_NS] = whole.slice(0, len(whole) - 2)  # all but 10:00, and what runs
    shelf.past[MINUTE_NS] = minutes(*range(-37, 0))
    shelf.take(trade(150, 2), trade(400), trade(160))
    view = shelf.view("5m", 4)
    assert view.ts_open == whole.ts_open[-5:-1].tolist() and view.volume == whole.volume[-5:-1].tolist()
    assert view.forming is not None and view.forming.model_dump() == {
        "ts_open": MINUTE - 2 * MINUTE_NS, "open": 198, "high": 400, "low": 99, "close": 160, "volume": 5 + 2 + 4
    }  # fmt: skip


def test_where_the_venue_has_no_such_bars_all_of_them_are_made(shelf: Shelf) -> None:
    shelf.past[3 * MINUTE_NS] = VenueRefused("nova: no bars of 3m")
    shelf.past[MINUTE_NS] = minutes(*range(-37, 0))
    view, whole = shelf.view("3m", 5), longer_bars(minutes(*range(-37, 0)), 3 * MINUTE_NS)
    assert view.ts_open == whole.ts_open[-6:-1].tolist() and view.high == whole.high[-6:-1].tolist()
    assert view.forming is not None and view.forming.ts_open == whole.ts_open[-1] and view.problem == ""


@pytest.mark.parametrize("interval", ["4h", "1d", "1w"])
def test_the_longest_ones_are_in_the_making_too(shelf: Shelf, interval: str) -> None:
    day = NOW_NS // DAY_NS * DAY_NS
    shelf.past[MINUTE_NS] = minutes(*range(-2000, 0))
    hours = longer_bars(minutes(*range(-1447, -7)), HOUR_NS)
    shelf.past[HOUR_NS] = hours
    shelf.past[DAY_NS] = longer_bars(minutes(*range(-1447 - 600, -607)), DAY_NS)
    for length in (4 * HOUR_NS, 7 * DAY_NS):
        shelf.past[length] = VenueRefused("nova: none")
    forming = shelf.view(interval, 2).forming
    assert forming is not None and forming.close == 200
    opening = {"4h": day + 8 * HOUR_NS, "1d": day, "1w": day - ((day // DAY_NS + 3) % 7) * DAY_NS}
    assert forming.ts_open >= opening[interval]
    assert (forming.ts_open - day) % HOUR_NS == 0


def test_short_bars_have_none_in_the_making(shelf: Shelf) -> None:
    shelf.past[SECOND_NS] = Bars(interval_ns=SECOND_NS, **{
        name: np.array([NOW_NS - 2 * SECOND_NS] if name == "ts_open" else [1.0])
        for name in ("ts_open", "open", "high", "low", "close", "volume")
    })  # fmt: skip
    view = shelf.view("1s")
    assert (len(view.ts_open), view.forming) == (1, None)


def test_a_venue_that_does_not_answer_is_told_beside_what_is_known_and_raised_where_nothing_is(shelf: Shelf) -> None:
    with pytest.raises(VenueUnavailable, match="no answer"):
        shelf.view()
    assert len(shelf.asked) == 1
    with pytest.raises(VenueUnavailable):
        shelf.view()
    assert len(shelf.asked) == 1  # it is left in peace for a while
    shelf.take(trade(150))
    assert shelf.view().problem == "nova: no answer"


def test_a_hole_that_the_venue_did_not_fill_is_asked_for_also_once_the_feed_tells_bars(shelf: Shelf) -> None:
    shelf.store(minutes(*range(-20, -10)))
    assert shelf.view(limit=20).problem == "nova: no answer"
    shelf.bench.clock.time_ns = MINUTE + MINUTE_NS + 1
    shelf.take(closed(0, 5, 6, 4, 5.5, 7))
    assert places(shelf.view(limit=20)) == [*range(-20, -10), 0]
    shelf.past[MINUTE_NS] = minutes(*range(-20, 0))
    shelf.bench.clock.time_ns = MINUTE + MINUTE_NS + 40 * SECOND_NS
    view = shelf.view(limit=21)
    assert (places(view), view.problem) == (list(range(-20, 1)), "")
    for _ in range(2):
        shelf.bench.clock.time_ns += 11 * SECOND_NS
        shelf.view(limit=20)
    assert len(shelf.asked) == 3, "what is whole is not asked for again"


@pytest.fixture
def hanging(shelf: Shelf, monkeypatch: pytest.MonkeyPatch) -> asyncio.Event:
    """The venue answers once this is set; nobody has much patience."""
    monkeypatch.setattr(bar_shelf, "PATIENCE_S", 1.0)
    answers, feed = asyncio.Event(), shelf.bench.feed[NOVA.venue]
    told = feed.bars

    async def hangs(key: object, interval_ns: int, since_ns: int) -> Bars:
        shelf.hung.append(interval_ns)
        await answers.wait()
        return await told(key, interval_ns, since_ns)

    feed.bars = hangs  # type: ignore[method-assign]
    return answers


NOT_YET = f"nova has not answered yet: bars of {SYMBOL} may be missing"


def test_a_venue_that_hangs_is_waited_for_once_and_what_is_known_is_shown_meanwhile(
    shelf: Shelf, hanging: asyncio.Event
) -> None:
    shelf.store(minutes(*range(-20, -10)))
    shelf.past[MINUTE_NS] = minutes(*range(-20, 0))

    async def looked() -> None:
        views = await asyncio.gather(*(shelf.engine.bars("nova", SYMBOL, "1m", 20) for _ in range(3)))
        for view in views:
            assert places(view) == list(range(-20, -10)) and view.problem == NOT_YET
        hanging.set()
        view = await shelf.answered("1m", 20)
        assert places(view) == list(range(-20, 0)) and view.problem == ""

    shelf.run(looked())
    assert shelf.hung == [MINUTE_NS]


@pytest.mark.parametrize(("interval", "lengths"), [("5m", 2), ("1d", 3), ("1w", 4)])
def test_series_that_make_one_chart_are_waited_for_together(
    shelf: Shelf, hanging: asyncio.Event, monkeypatch: pytest.MonkeyPatch, interval: str, lengths: int
) -> None:
    shelf.take(trade(150))

    patience: list[float | None] = []
    wait = asyncio.wait

    async def noted(tasks: Any, *, timeout: float | None = None) -> Any:
        patience.append(timeout)
        return await wait(tasks, timeout=timeout)

    monkeypatch.setattr(asyncio, "wait", noted)

    async def looked() -> None:
        view = await shelf.engine.bars("nova", SYMBOL, interval, 20)
        assert view.problem == NOT_YET and len(shelf.hung) == lengths
        assert all(patience[:lengths]) and not any(patience[lengths:])

    shelf.run(looked())


def test_what_the_bar_in_the_making_is_made_of_may_be_missing_too(shelf: Shelf) -> None:
    shelf.past[5 * MINUTE_NS] = longer_bars(minutes(*range(-37, -2)), 5 * MINUTE_NS)
    shelf.take(trade(150))
    assert shelf.view("5m", 4).problem == "nova: no answer"
    shelf.past[MINUTE_NS] = minutes(*range(-37, 0))
    shelf.bench.clock.time_ns += 11 * SECOND_NS
    view = shelf.view("5m", 4)
    assert view.problem == "" and view.forming is not None and view.forming.open == 198


def test_a_slow_disk_is_not_called_a_silent_venue(
    shelf: Shelf, hanging: asyncio.Event, monkeypatch: pytest.MonkeyPatch
) -> None:
    shelf.store(minutes(*range(-20, 0)))
    may_read, read = threading.Event(), shelf.bench.store.bars

    def slowly(*args: Any) -> Bars:
        assert may_read.wait(20)
        return read(*args)

    monkeypatch.setattr(shelf.bench.store, "bars", slowly)

    async def looked() -> None:
        with pytest.raises(VenueUnavailable, match="is still being read"):
            await shelf.engine.bars("nova", SYMBOL, "1m", 20)
        may_read.set()
        view = await shelf.answered("1m", 20)
        assert places(view) == list(range(-20, 0)) and view.problem == ""

    shelf.run(looked())
    assert shelf.hung == []


def test_a_fault_after_everybody_has_gone_is_logged_and_tried_again(
    shelf: Shelf, hanging: asyncio.Event, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    shelf.past[MINUTE_NS] = minutes(*range(-20, 0))
    backfill, faults = shelf.engine._feeds.backfill, [OSError("disk full")]

    async def fails(*args: Any) -> None:
        await hanging.wait()
        if faults:
            raise faults.pop()
        await backfill(*args)

    monkeypatch.setattr(shelf.engine._feeds, "backfill", fails)

    async def looked() -> None:
        with pytest.raises(VenueUnavailable):
            await shelf.engine.bars("nova", SYMBOL, "1m", 20)
        hanging.set()
        await asyncio.sleep(0.01)
        shelf.bench.clock.time_ns += 11 * SECOND_NS
        view = await shelf.answered("1m", 20)
        assert places(view) == list(range(-20, 0)) and view.problem == ""

    shelf.run(looked())
    assert "disk full" in caplog.text


def test_nothing_is_asked_or_stored_once_the_engine_has_closed(shelf: Shelf, hanging: asyncio.Event) -> None:
    shelf.take(trade(150))

    async def looked() -> None:
        await shelf.engine.bars("nova", SYMBOL)
        series = list(shelf.engine._market._shelf._series.values())
        assert any(one.is_filling for one in series)
        await shelf.engine.close()
        assert not any(one.is_filling for one in series)

    shelf.run(looked())


def test_a_series_that_is_being_filled_is_not_put_away(
    shelf: Shelf, hanging: asyncio.Event, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bar_shelf, "MOST_SERIES", 2)
    shelf.take(trade(150))

    async def looked() -> None:
        for _ in range(3):
            for interval in ("5m", "15m", "1h"):
                await shelf.engine.bars("nova", SYMBOL, interval)
        assert sorted(shelf.hung) == [length * MINUTE_NS for length in (1, 5, 15, 60)]

    shelf.run(looked())


def test_only_so_many_series_are_kept(shelf: Shelf) -> None:
    shelf.past[MINUTE_NS] = minutes(-1)
    held = shelf.engine._market._shelf._series
    for number in range(MOST_SERIES + 5):
        symbol = f"C{number}/USDT:USDT"
        shelf.bench.market.list_instrument(linear(type(NOVA)(NOVA.venue, symbol)))  # type: ignore[arg-type]
        asyncio.run(shelf.engine.bars("nova", symbol, limit=1))
    assert len(held) == MOST_SERIES
