"""What the engine tells of opportunities: once when one counts, once when it has closed, and all of it when asked."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from tests.engine.bench import Bench, a_bench
from tests.engine.test_market_telling import Desk, a_quote
from tests.engine.test_market_telling import bench as bench  # the fixture
from tests.session.desks import NOVA, ORION, SYMBOL, linear
from workstation.client.messages import OpportunityView, Topic
from workstation.engine.opportunity_monitor import KEPT, OpportunityMonitor
from workstation.errors import BadInput
from workstation.history.last_opportunities import last_opportunities
from workstation.history.layout import HistoryKind, Series
from workstation.history.pairs import pair_key
from workstation.windows.opportunities import OpportunitySpec
from workstation.windows.pair import PairStatistics

LEVEL = a_quote(99.9, 100.1), a_quote(99.9, 100.1, 1)
RICH = a_quote(101.9, 102.1)


def told(desk: Desk) -> list[Any]:
    desk.heard.clear()
    desk.engine._market._opportunities.tell()
    return [event.data for event in desk.heard]


def test_one_is_told_when_it_counts_and_when_it_has_closed(bench: Bench) -> None:
    desk = Desk(bench, Topic.OPPORTUNITY)
    desk.take(*LEVEL, RICH)
    assert told(desk) == []  # 0 ms old
    desk.take(a_quote(99.9, 100.1, 1), RICH, a_quote(101.95, 102.1))
    (lasting,) = told(desk)
    assert (lasting.symbol, lasting.sell_at, lasting.buy_at) == (SYMBOL, "nova", "orion")
    assert (lasting.closed_ns, lasting.quantity) == (None, 2.0)
    assert lasting.peak_ns > lasting.opened_ns and lasting.peak_bps > 150 and lasting.left_bps > 150
    assert told(desk) == []
    desk.take(a_quote(99.9, 100.1))
    (closed,) = told(desk)
    assert closed == lasting.model_copy(update={"closed_ns": bench.clock.time_ns})
    assert told(desk) == []
    assert list(desk.engine.opportunities()) == [closed]


def test_what_lasts_stands_behind_what_has_closed(bench: Bench) -> None:
    desk = Desk(bench)
    for _ in range(3):
        desk.take(*LEVEL, RICH, *[a_quote(99.9, 100.1, 1)] * 3, a_quote(99.9, 100.1))
    desk.take(RICH, *[a_quote(99.9, 100.1, 1)] * 3)
    told(desk)
    found = desk.engine.opportunities()
    assert [one.closed_ns is None for one in found] == [False, False, False, True]
    assert list(desk.engine.opportunities(limit=2)) == list(found[-2:])
    assert list(desk.engine.opportunities("ETH/USDT")) == [] and list(desk.engine.opportunities(SYMBOL)) == list(found)
    for limit in (0, -1, 5_001):
        with pytest.raises(BadInput, match=f"limit {limit}"):
            desk.engine.opportunities(limit=limit)


def test_one_whose_side_fell_silent_lasts_no_more(bench: Bench) -> None:
    desk = Desk(bench)
    desk.take(*LEVEL, RICH, *[a_quote(99.9, 100.1, 1)] * 3)
    assert len(desk.engine.opportunities()) == 1
    bench.clock.time_ns += 11 * 10**9
    assert len(desk.engine.opportunities()) == 0
    desk.take(a_quote(99.9, 100.1, 1))
    told(desk)
    (closed,) = desk.engine.opportunities()
    assert closed.closed_ns is not None and closed.closed_ns < bench.clock.time_ns - 10**9


def test_only_so_many_are_kept(bench: Bench) -> None:
    desk = Desk(bench)
    monitor = desk.engine._market._opportunities
    view = OpportunityView(
        symbol=SYMBOL, sell_at="nova", buy_at="orion", buy_symbol=SYMBOL, basis=None, opened_ns=1,
        closed_ns=2, peak_ns=1, peak_bps=3.0, quantity=1.0, left_bps=None,
    )  # fmt: skip
    monitor._kept.extend(view.model_copy(update={"opened_ns": number}) for number in range(KEPT + 10))
    assert monitor.views(None, 5_000)[0].opened_ns == 10


def test_a_pair_is_watched_once(bench: Bench) -> None:
    desk = Desk(bench)
    desk.engine._market.watch_spreads([NOVA, ORION])
    assert len(bench.market.tables.watches) == 2 and len(desk.engine.spreads()) == 1


def test_a_spread_tells_how_its_sides_move_together(bench: Bench, tmp_path: Path) -> None:
    desk = Desk(bench)
    (view,) = desk.engine.spreads()
    assert {getattr(view, name) for name in PairStatistics._fields} == {None}
    for second in range(60):
        mid = 100 + (second * 7 % 11) / 10
        desk.take(*[a_quote(mid - 0.1, mid + 0.1, side) for side in (0, 1)] * 5)
    desk.engine._market._pairs.read(0)
    (view,) = desk.engine.spreads()
    assert view.correlation == pytest.approx(1.0) and view.lead_s == 0.0 and view.lead_correlation == pytest.approx(1.0)
    assert view.half_life_s is None  # a spread that never moves


def test_the_figures_of_pairs_are_read_while_the_engine_runs(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    desk = Desk(bench)
    monkeypatch.setattr("workstation.engine.pair_monitor.EVERY_S", 0.0)
    seen = asyncio.Event()
    monkeypatch.setattr(desk.engine._market._pairs, "read", lambda place: seen.set())

    async def run() -> None:
        task = asyncio.create_task(desk.engine._market._pairs.run())
        await asyncio.wait_for(seen.wait(), 60)
        task.cancel()

    asyncio.run(run())


def test_those_that_closed_are_kept_and_the_next_life_tells_them(bench: Bench, tmp_path: Path) -> None:
    desk = Desk(bench)
    for _ in range(2):
        desk.take(*LEVEL, RICH, *[a_quote(99.9, 100.1, 1)] * 3, a_quote(99.9, 100.1))
        told(desk)
    before = desk.engine.opportunities()
    assert len(before) == 2
    home = bench.crashed(tmp_path / "again")
    with a_bench(home, now_ns=bench.clock.time_ns + 1) as again:
        for instrument in (linear(NOVA), linear(ORION)):
            again.market.list_instrument(instrument)
        later = Desk(again)
        assert list(later.engine.opportunities()) == []
        asyncio.run(later.engine._market.remember())
        assert list(later.engine.opportunities()) == list(before)
        later.take(*LEVEL, RICH, *[a_quote(99.9, 100.1, 1)] * 3, a_quote(99.9, 100.1))
        told(later)
        assert list(later.engine.opportunities())[:2] == list(before) and len(later.engine.opportunities()) == 3
        again.recorder.sync()
        table = again.store.table(Series(kind=HistoryKind.OPPORTUNITIES, key=pair_key(NOVA, ORION)))
        assert [row["peak_bps"] for row in table.to_pylist()] == [
            one.peak_bps for one in later.engine.opportunities()
        ]  # fmt: skip


def test_what_counted_by_other_rules_is_left_out(bench: Bench) -> None:
    desk = Desk(bench)
    desk.take(*LEVEL, RICH, *[a_quote(99.9, 100.1, 1)] * 3, a_quote(99.9, 100.1))
    told(desk)
    bench.recorder.sync()
    kept = last_opportunities(bench.store, 0)
    monitor = OpportunityMonitor(bench.market, bench.bus, bench.clock, OpportunitySpec(least_bps=1.0))
    monitor.remember(kept)
    assert list(monitor.views(None, 10)) == []
    monitor = OpportunityMonitor(bench.market, bench.bus, bench.clock, OpportunitySpec(least_bps=-20.0))
    monitor.remember(kept)
    assert list(monitor.views(None, 10)) == list(desk.engine.opportunities())


def test_a_pair_that_only_another_watches_is_passed_by(bench: Bench) -> None:
    """Who watches in the same tables has watches there too: neither those that last nor those that closed are told."""
    desk = Desk(bench)
    stranger = OpportunityMonitor(bench.market, bench.bus, bench.clock, OpportunitySpec(least_bps=-20.0))
    desk.take(*LEVEL, RICH, *[a_quote(99.9, 100.1, 1)] * 3)
    assert stranger.lasting() == [] and len(desk.engine.opportunities()) == 1
    stranger.tell()
    desk.take(a_quote(99.9, 100.1))
    stranger.tell()
    assert list(stranger.views(None, 10)) == []
