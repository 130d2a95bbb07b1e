"""Collections of an engine: what each counts, when each ends, what is left of them on the disk."""

import asyncio
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.engine.bench import Bench, a_bench
from tests.engine.test_tape import a_row, a_trade
from tests.session.desks import NOVA, ORION, SYMBOL, linear
from workstation.client.collection import CollectionRequest, CollectionView
from workstation.client.messages import Topic
from workstation.engine import collection_recovery
from workstation.engine.collection_recovery import join, recover
from workstation.errors import (
    BadInput,
    CollectionExists,
    CollectionNotFound,
    ConfigError,
    OperatorError,
    UnknownInstrument,
)
from workstation.history.collection import Collection, CollectionShelf, CollectionState, collections_of
from workstation.history.layout import HistoryKind
from workstation.model.durations import MINUTE_NS, MS_NS, SECOND_NS
from workstation.model.market import (
    RowKind,
)
from workstation.ports.feed import FeedCounts, FeedState, FeedStatus


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    with a_bench(tmp_path / "home") as bench:
        bench.market.list_instrument(linear(NOVA))
        bench.market.list_instrument(linear(ORION))
        yield bench


def start(bench: Bench, name: str | None = "night", **asked: Any) -> CollectionView:
    request = CollectionRequest(**({"name": name, "symbols": (SYMBOL,), "trades": True, "intervals": ()} | asked))
    return asyncio.run(bench.collections.start(request, "test"))


def stop(bench: Bench, name: str = "night") -> CollectionView:
    return asyncio.run(bench.collections.stop(name, "test"))


def quotes(bench: Bench, number: int, place: int = 0) -> None:
    """So many, a millisecond apart."""
    for step in range(number):
        bench.clock.time_ns += MS_NS
        bench.tell(a_row(RowKind.QUOTE, 0, 99.0 + step / 100, 101.0, 2.0, 3.0, instrument=place))
    bench.turns.turn()


def trades(bench: Bench, number: int, place: int = 0) -> None:
    for _ in range(number):
        bench.clock.time_ns += MS_NS
        row = a_trade(0, 100.0)
        row["instrument"] = place
        bench.tell(row)
    bench.turns.turn()


def rows_by_series(bench: Bench, name: str = "night") -> dict[tuple[str, str], int]:
    return {(one.kind, one.venue): one.rows for one in bench.collections.of(name).series}


def saved(bench: Bench) -> None:
    asyncio.run(bench.collections.save_changed())


def in_turn(bench: Bench, seconds: float) -> None:
    """The keeper's own loop, while time passes."""

    async def run() -> None:
        running = asyncio.create_task(bench.collections.run())
        await asyncio.sleep(0)
        bench.clock.time_ns += round(seconds * SECOND_NS)
        while not running.done() and bench.collections.live:
            await asyncio.sleep(0.01)
        running.cancel()

    asyncio.run(run())


class SlowShelf(CollectionShelf):
    """Each save lasts until it is `let`; `refused` has names that the disk does not take."""

    def __init__(self, root: Path) -> None:
        super().__init__(root)
        self.begun, self.let = threading.Semaphore(0), threading.Semaphore(0)
        self.refused: set[str] = set()

    def save(self, collection: Collection) -> None:
        self.begun.release()
        assert self.let.acquire(timeout=20)
        if collection.name in self.refused:
            raise OSError(28, "No space left on device")
        super().save(collection)

    async def has_begun(self) -> None:
        assert await asyncio.to_thread(self.begun.acquire, timeout=20)

    def let_all(self) -> None:
        self.let.release(1_000)


def a_slow_shelf(bench: Bench) -> SlowShelf:
    shelf = bench.collections.shelf = SlowShelf(bench.store.root)
    return shelf


def full(*_: object) -> None:
    raise OSError(28, "No space left on device")


async def until_it_is_over(bench: Bench, name: str) -> None:
    while name in bench.collections.live:
        await asyncio.sleep(0.005)


def status(state: FeedState, reason: str = "closed") -> FeedStatus:
    return FeedStatus(venue=NOVA.venue, state=state, reason=reason, counts=FeedCounts())


def test_rows_count_from_its_beginning_to_its_end_and_no_others(bench: Bench) -> None:
    quotes(bench, 5)
    bench.tell(a_row(RowKind.QUOTE, 0, 99.0, 101.0, 2.0, 3.0))  # waits in the channel
    bench.clock.time_ns += MS_NS
    begun = start(bench)
    quotes(bench, 3)
    quotes(bench, 4, place=1)
    trades(bench, 2)
    bench.clock.time_ns += MS_NS
    bench.tell(a_trade(0, 100.0))  # waits in the channel
    ended = stop(bench)
    quotes(bench, 7)
    assert (begun.state, ended.state, ended.reason) == (CollectionState.RUNNING, CollectionState.STOPPED, "by test")
    assert rows_by_series(bench) == {("quotes", "nova"): 3, ("quotes", "orion"): 4, ("trades", "nova"): 3}
    assert (ended.rows, ended.dropped, ended.conflated, ended.gap_count) == (10, 0, 0, 0)
    assert begun.begun_ns < (ended.last_ns or 0) <= (ended.ended_ns or 0) == bench.clock.time_ns - 7 * MS_NS
    bench.recorder.sync()
    stored = bench.store.rows(NOVA, HistoryKind.QUOTES, 0, begun.begun_ns, ended.ended_ns)
    assert len(stored) == 3


def test_what_another_wants_is_not_counted(bench: Bench) -> None:
    start(bench, "quiet", trades=False, venues=("nova",))
    start(bench, "all")
    quotes(bench, 2)
    trades(bench, 3)
    quotes(bench, 5, place=1)
    assert stop(bench, "quiet").rows == 2
    quotes(bench, 1)
    assert stop(bench, "all").rows == 11


def test_it_ends_by_itself_when_its_time_is_over(bench: Bench) -> None:
    begun = start(bench, seconds=90.0)
    assert begun.planned_end_ns == begun.begun_ns + 90 * SECOND_NS
    quotes(bench, 3)
    in_turn(bench, 90.0)
    (ended,) = bench.collections.all()
    assert (ended.state, ended.rows) == (CollectionState.ENDED, 3)
    with pytest.raises(BadInput, match="collection night: it has ended: ended"):
        stop(bench)


def test_both_its_ends_are_told_on_the_stream(bench: Bench) -> None:
    heard = []
    bench.bus.subscribe(heard.append, lambda topic, _: topic is Topic.COLLECTION_UPDATED)
    start(bench)
    stop(bench)
    assert [(event.data.name, event.data.state) for event in heard] == [("night", "running"), ("night", "stopped")]


def test_what_it_wants_is_asked_of_the_feeds_and_given_back(bench: Bench) -> None:
    bench.feeds._registry = bench.market.registry
    start(bench, "small", trades=False, book_levels=2)
    bench.feeds._lines[NOVA.venue].is_running = True
    bench.feeds._lines[NOVA.venue].asked = dict(bench.feeds._lines[NOVA.venue].wishes)
    start(bench, intervals=("1m",), book_levels=5, venues=("nova",))
    (asked,) = bench.feed["nova"].added[-1]
    assert (asked.trades, asked.book_levels, asked.intervals_ns) == (True, 5, (MINUTE_NS,))
    stop(bench)
    before = len(bench.store.rows(NOVA, HistoryKind.QUOTES, 0)) if bench.store.series() else 0
    trades(bench, 3)
    quotes(bench, 2)
    for level in range(5):
        bench.channel._put(0, 0, RowKind.BOOK, 0, level, 99.0 - level, 101.0 + level, 1.0, 1.0, 5.0)
    bench.turns.turn()
    assert stop(bench, "small").rows == 4
    bench.recorder.sync()
    assert [str(one) for one in bench.store.series()] == [f"quotes {NOVA}", f"books {NOVA}"]
    books = bench.store.rows(NOVA, HistoryKind.BOOKS, 0)
    assert books["x4"].tolist() == [2.0, 2.0] and books["interval_code"].tolist() == [0, 1]
    assert len(bench.store.rows(NOVA, HistoryKind.QUOTES, 0)) == before + 2


def test_a_connection_that_breaks_is_a_gap_of_its_venue(bench: Bench) -> None:
    start(bench)
    bench.collections.told(status(FeedState.RECONNECTING))
    broke_ns = bench.clock.time_ns
    bench.clock.time_ns += SECOND_NS
    bench.collections.told(status(FeedState.CONNECTING))
    bench.collections.told(status(FeedState.BROKEN, "later"))
    (lasting,) = bench.collections.of("night").gaps
    assert (lasting.from_ns, lasting.to_ns, lasting.why) == (broke_ns, None, "reconnecting: closed")
    bench.collections.told(status(FeedState.LIVE))
    (gap,) = bench.collections.of("night").gaps
    assert (gap.venue, gap.from_ns, gap.to_ns) == ("nova", broke_ns, bench.clock.time_ns)
    bench.collections.told(status(FeedState.RECONNECTING))
    ended = stop(bench)
    assert ended.gap_count == 2
    assert all(one.to_ns is not None for one in bench.collections.of("night").gaps)


def test_rows_that_a_full_channel_drops_are_its_losses_and_a_gap(bench: Bench) -> None:
    start(bench, venues=("nova",))
    quotes(bench, 1)
    bench.collections.all()
    bench.channel._capacity = 8
    for _ in range(20):
        bench.clock.time_ns += MS_NS
        bench.tell(a_trade(0, 100.0))
    bench.turns.turn()
    bench.recorder.sync()
    shown = bench.collections.of("night")
    assert shown.dropped == bench.channel.dropped > 0 and shown.rows == 21 - shown.dropped
    (gap,) = shown.gaps
    assert gap.rows == shown.dropped and "more rows came" in gap.why
    other = start(bench, "later")
    assert other.dropped == 0 and stop(bench, "later").dropped == 0


def test_quotes_that_gave_way_are_told_apart(bench: Bench) -> None:
    start(bench)
    bench.channel._max_lag_ns = 0
    quotes(bench, 6)
    ended = stop(bench)
    assert (ended.conflated, ended.dropped) == (5, 0)


def test_rows_that_the_disk_refuses_are_its_losses_and_a_gap(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    start(bench)
    quotes(bench, 2)
    bench.recorder.sync()
    bench.collections.all()

    monkeypatch.setattr(type(bench.recorder._writer._log), "append", full)
    quotes(bench, 4)
    bench.recorder.sync()
    shown = bench.collections.of("night")
    assert (shown.rows, shown.dropped) == (2, 4)
    (gap,) = shown.gaps
    assert gap.rows == 4 and "No space left" in gap.why
    assert [one.dropped for one in shown.series] == [4]


@pytest.mark.parametrize(
    ("asked", "error", "sentence"),
    [
        ({"venues": ("atlantis",)}, BadInput, "venue 'atlantis': not in the settings (there: nova, orion)"),
        ({"symbols": ("XYZ/USDT",)}, UnknownInstrument, "XYZ/USDT: at none of these venues (nova: no XYZ/USDT"),
        ({"symbols": ("BTC",)}, BadInput, "symbol 'BTC': expected BASE/QUOTE"),
    ],
)
def test_what_no_venue_has_is_refused_and_leaves_nothing(
    bench: Bench, asked: dict[str, Any], error: type[Exception], sentence: str
) -> None:
    with pytest.raises(error) as refused:
        start(bench, **asked)
    assert str(refused.value).startswith(sentence)
    assert bench.collections.all() == [] and CollectionShelf(bench.store.root).names() == []
    start(bench)


def test_a_name_is_given_once_whatever_its_capitals(bench: Bench) -> None:
    start(bench, None)
    assert start(bench, None).name == "collection-2"
    for name in ("collection-1", "Collection-2"):
        with pytest.raises(CollectionExists, match="there is one of that name"):
            start(bench, name)
    stop(bench, "collection-1")
    with pytest.raises(CollectionExists):
        start(bench, "collection-1")
    with pytest.raises(CollectionNotFound, match="the last are collection-1, collection-2"):
        stop(bench, "day")


def test_an_engine_that_does_not_record_says_so(bench: Bench) -> None:
    bench.turns.recorder, recorder = None, bench.turns.recorder
    with pytest.raises(ConfigError, match=r"expected engine\.record = true"):
        start(bench)
    bench.turns.recorder = recorder


def test_where_the_disk_takes_no_record_none_is_begun(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patched:
        patched.setattr(bench.collections.shelf, "save", full)
        with pytest.raises(OperatorError, match="collection night: cannot be kept: No space left on device"):
            start(bench)
        assert bench.collections.all() == [] and not bench.feeds._lines[NOVA.venue].wishes
    start(bench)
    monkeypatch.setattr(bench.collections.shelf, "save", full)
    quotes(bench, 1)
    stop(bench)
    assert "cannot be written: No space left" in next(bench.collections.problems())
    monkeypatch.undo()
    saved(bench)
    assert list(bench.collections.problems()) == []
    assert [one.state for one in collections_of(bench.store.root, 0)[0]] == [CollectionState.STOPPED]


def test_a_stop_while_all_are_saved_is_what_the_disk_has(bench: Bench) -> None:
    for name in ("first", "second"):
        start(bench, name)
    quotes(bench, 1)
    bench.recorder.sync()
    bench.collections.all()
    shelf = a_slow_shelf(bench)

    async def run() -> None:
        saving = asyncio.create_task(bench.collections.save_changed())
        await shelf.has_begun()
        stopping = asyncio.create_task(bench.collections.stop("second", "test"))
        await until_it_is_over(bench, "second")
        shelf.let_all()
        await asyncio.gather(saving, stopping)

    asyncio.run(run())
    assert [one.state for one in shelf.load_all()[0]] == [CollectionState.RUNNING, CollectionState.STOPPED]


def test_a_save_that_nobody_waits_for_any_more_ends_before_the_next(bench: Bench) -> None:
    start(bench)
    quotes(bench, 1)
    bench.recorder.sync()
    bench.collections.all()
    shelf = a_slow_shelf(bench)

    async def run() -> None:
        saving = asyncio.create_task(bench.collections.save_changed())
        await shelf.has_begun()
        saving.cancel()
        closing = asyncio.create_task(bench.collections.close())
        while bench.collections.live["night"].record.state is not CollectionState.INTERRUPTED:
            await asyncio.sleep(0.005)
        await asyncio.sleep(0.05)
        assert not shelf.begun.acquire(blocking=False), "the newer one is written beside the older one"
        shelf.let_all()
        await closing

    asyncio.run(run())
    assert [one.state for one in shelf.load_all()[0]] == [CollectionState.INTERRUPTED]


def test_one_that_ends_before_its_beginning_is_kept_has_ended(bench: Bench) -> None:
    async def one(name: str) -> CollectionView:
        shelf = a_slow_shelf(bench)
        shelf.refused = {"refused"}
        request = CollectionRequest(name=name, symbols=(SYMBOL,))
        starting = asyncio.create_task(bench.collections.start(request, "test"))
        await shelf.has_begun()
        stopping = asyncio.create_task(bench.collections.stop(name, "test"))
        await until_it_is_over(bench, name)
        shelf.let_all()
        await stopping
        return await starting

    async def both() -> list[CollectionView]:
        return [await one("kept"), await one("refused")]

    views = asyncio.run(both())
    shelf = bench.collections.shelf = CollectionShelf(bench.store.root)
    assert [view.state for view in views] == [CollectionState.STOPPED, CollectionState.STOPPED]
    assert [(one.name, one.state) for one in shelf.load_all()[0]] == [("kept", CollectionState.STOPPED)]
    assert "No space left" in next(bench.collections.problems())
    saved(bench)
    assert [one.state for one in shelf.load_all()[0]] == [CollectionState.STOPPED, CollectionState.STOPPED]
    assert list(bench.collections.problems()) == []


def test_one_that_the_disk_refuses_keeps_no_other_from_it(bench: Bench) -> None:
    for name in ("first", "second"):
        start(bench, name)
    quotes(bench, 3)
    bench.recorder.sync()
    bench.collections.all()
    shelf = a_slow_shelf(bench)
    shelf.let_all()
    shelf.refused = {"first"}
    saved(bench)
    assert {one.name: one.rows for one in shelf.load_all()[0]} == {"first": 0, "second": 3}
    assert len(list(bench.collections.problems())) == 1


def test_one_that_is_stopped_while_another_ends_was_stopped(bench: Bench) -> None:
    for name in ("first", "second"):
        start(bench, name, seconds=90.0)
    shelf = a_slow_shelf(bench)

    async def run() -> None:
        running = asyncio.create_task(bench.collections.run())
        await asyncio.sleep(0)
        bench.clock.time_ns += 90 * SECOND_NS
        await until_it_is_over(bench, "first")
        stopping = asyncio.create_task(bench.collections.stop("second", "test"))
        await until_it_is_over(bench, "second")
        shelf.let_all()
        await stopping
        bench.collections._save_after_s = 0.0
        while bench.collections._save_after_s == 0.0:  # the loop has come round
            await asyncio.sleep(0.005)
        running.cancel()

    asyncio.run(run())
    assert [one.state for one in bench.collections.all()] == [CollectionState.ENDED, CollectionState.STOPPED]


def test_an_engine_that_was_killed_goes_on_with_it_and_tells_the_gap(bench: Bench, tmp_path: Path) -> None:
    begun = start(bench, seconds=600.0)
    quotes(bench, 3)
    trades(bench, 2, place=1)
    last_ns = bench.clock.time_ns
    home = bench.crashed(tmp_path / "again")  # nothing was saved since its beginning
    (found,), _ = collections_of(home / "history", last_ns)
    assert (found.state, found.rows) == (CollectionState.INTERRUPTED, 0)
    with a_bench(home, now_ns=last_ns + 60 * SECOND_NS) as again:
        (live,) = asyncio.run(recover(again.collections))
        asyncio.run(join(again.collections, live))
        assert again.feeds._lines[NOVA.venue].wishes[NOVA].trades
        quotes(again, 4)
        again.recorder.sync()
        again.collections.told(status(FeedState.LIVE))
        shown = again.collections.of("night")
        assert (shown.state, shown.rows, shown.begun_ns) == (CollectionState.RUNNING, 9, begun.begun_ns)
        assert shown.planned_end_ns == begun.planned_end_ns
        gaps = {gap.venue: gap for gap in shown.gaps}
        assert gaps["nova"].from_ns == gaps["orion"].from_ns == last_ns and gaps["orion"].to_ns is None
        assert gaps["nova"].to_ns == again.clock.time_ns and "without stopping" in gaps["nova"].why
        in_turn(again, 540.0)
        assert again.collections.of("night").state is CollectionState.ENDED


def test_an_engine_that_was_stopped_goes_on_with_it_exactly(bench: Bench, tmp_path: Path) -> None:
    start(bench)
    quotes(bench, 3)
    asyncio.run(bench.collections.close())
    stopped_ns = bench.clock.time_ns
    home = bench.crashed(tmp_path / "again")
    (kept,), _ = CollectionShelf(home / "history").load_all()
    assert (kept.state, kept.rows) == (CollectionState.INTERRUPTED, 3)
    with a_bench(home, now_ns=stopped_ns + SECOND_NS) as again:
        (live,) = asyncio.run(recover(again.collections))
        asyncio.run(join(again.collections, live))
        quotes(again, 2)
        shown = stop(again)
        assert (shown.rows, shown.gap_count) == (5, 2)
        assert {gap.why for gap in again.collections.of("night").gaps} == {"the engine was stopped"}


def test_a_venue_that_tells_only_others_yet_is_a_gap_still(
    bench: Bench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    start(bench, venues=("nova",))
    home = bench.crashed(tmp_path / "again")
    monkeypatch.setattr(collection_recovery, "RETRY_S", 0.01)
    with a_bench(home, now_ns=bench.clock.time_ns + SECOND_NS) as again:
        (live,) = asyncio.run(recover(again.collections))
        rules, again.feed["nova"].rules = again.feed["nova"].rules, {}

        async def run() -> None:
            joining = asyncio.create_task(join(again.collections, live))
            while not live.problem:
                await asyncio.sleep(0.005)
            again.clock.time_ns += SECOND_NS
            again.feeds.told(status(FeedState.LIVE))
            again.collections.told(status(FeedState.LIVE))
            (lasting,) = again.collections.of("night").gaps
            assert lasting.to_ns is None, "it is live with the symbols of others"
            again.feed["nova"].rules = rules
            await joining

        asyncio.run(run())
        (gap,) = again.collections.of("night").gaps
        assert gap.to_ns == again.clock.time_ns


def test_one_whose_time_was_over_meanwhile_is_lost_with_all_its_rows(bench: Bench, tmp_path: Path) -> None:
    start(bench, seconds=60.0)
    quotes(bench, 5)
    last_ns = bench.clock.time_ns
    home = bench.crashed(tmp_path / "again")
    with a_bench(home, now_ns=last_ns + 60 * SECOND_NS) as again:
        assert asyncio.run(recover(again.collections)) == []
        (shown,) = again.collections.all()
        assert (shown.state, shown.rows, shown.ended_ns) == (CollectionState.LOST, 5, last_ns)
        assert shown.reason == "the recording process ended without ending it"


def test_an_engine_starts_where_the_disk_takes_no_record(
    bench: Bench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    start(bench, "over", seconds=60.0)
    start(bench, "night")
    home = bench.crashed(tmp_path / "again")
    with a_bench(home, now_ns=bench.clock.time_ns + 60 * SECOND_NS) as again:
        with monkeypatch.context() as patched:
            patched.setattr(again.collections.shelf, "save", full)
            assert [one.name for one in asyncio.run(recover(again.collections))] == ["night"]
            assert again.collections.of("over").state is CollectionState.LOST
            assert "cannot be written: No space left" in next(again.collections.problems())
        saved(again)
        states = {one.name: one.state for one in again.collections.shelf.load_all()[0]}
        assert states == {"over": CollectionState.LOST, "night": CollectionState.RUNNING}
        assert list(again.collections.problems()) == []


def test_an_engine_starts_whatever_the_records_say(
    bench: Bench, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    start(bench)
    home = bench.crashed(tmp_path / "again")
    folder = home / "history" / "collections"
    record = (folder / "night.json").read_text()
    (folder / "night-backup.json").write_text(record)
    (folder / "mine.json").write_text(record.replace('"night"', '"my copy"'))
    (folder / "latin.json").write_bytes(record.encode().replace(b'"test"', b'"\xfc"'))
    (folder / "folder.json").mkdir()
    odd = record.replace('"night"', '"odd"').replace('"intervals": []', '"intervals": ["7x"]')
    (folder / "odd.json").write_text(odd)
    with a_bench(home, now_ns=bench.clock.time_ns + SECOND_NS) as again:
        assert [one.name for one in asyncio.run(recover(again.collections))] == ["night"]
        assert sorted(again.collections.live) == ["night"] and sorted(again.collections.kept) == ["odd"]
        assert stop(again, "odd").state is CollectionState.STOPPED
    for word in (
        f"{folder / 'night-backup.json'}: the record of collection 'night': expected 'night-backup': move it away",
        "mine.json: the record of collection 'my copy'",
        "latin.json: cannot be read: 'utf-8'",
        "folder.json: cannot be read: ",
        "collection odd: it does not go on: interval '7x': expected one of",
    ):
        assert word in caplog.text


def test_another_process_asks_by_a_file(bench: Bench) -> None:
    start(bench)
    quotes(bench, 1)
    shelf = CollectionShelf(bench.store.root)
    for name in ("night", "day"):
        shelf.ask_to_stop(name, "somebody")
    asyncio.run(bench.collections._heed_requests())
    assert (bench.collections.of("night").state, shelf.asked_to_stop()) == (CollectionState.STOPPED, {})
    assert bench.collections.of("night").reason == "by somebody"


def test_a_damaged_record_hides_no_other_and_its_name_is_taken(bench: Bench) -> None:
    start(bench)
    folder = bench.store.root / "collections"
    (folder / "bad.json").write_text('{"version": 1')
    (folder / "new.json").write_text((folder / "night.json").read_text().replace('"version": 1', '"version": 9'))
    found, faults = collections_of(bench.store.root, bench.clock.time_ns)
    assert [one.name for one in found] == ["night"] and len(faults) == 2
    assert "bad.json" in faults[0] and "delete it" in faults[0] and "version 9" in faults[1]
    with pytest.raises(CollectionExists):
        start(bench, "bad")


def test_counts_are_by_series_whatever_the_numbers_of_the_caller(bench: Bench) -> None:
    """The recorder's own numbers differ from the registry's; rows of both are counted as of their instruments."""
    quotes(bench, 2, place=1)
    quotes(bench, 3, place=0)
    bench.recorder.sync()
    counts = {str(series): count.rows for series, count in bench.recorder.counts().items()}
    assert counts == {f"quotes {ORION}": 2, f"quotes {NOVA}": 3}
    marked = bench.recorder.mark().result(timeout=20)
    assert {str(series): count.rows for series, count in marked.items()} == counts
    assert all(np.asarray(one.last_ns) > 0 for one in marked.values())
