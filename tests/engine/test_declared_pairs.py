"""Pairs that the settings declare: over a basis, and a perpetual with its spot, by the kernels of all spreads."""

import asyncio
import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.engine.bench import Bench, a_bench
from tests.engine.test_feeds import an_engine
from tests.engine.test_tape import a_row
from tests.session.desks import linear
from workstation.client.messages import Topic
from workstation.engine.bus import Published
from workstation.engine.engine import Engine
from workstation.engine.spread_monitor import NAMES, declared_window
from workstation.history.last_opportunities import last_opportunities
from workstation.history.market_rows import Span
from workstation.model.durations import MS_NS
from workstation.model.ids import Currency, Venue
from workstation.model.instrument import Instrument, InstrumentKind
from workstation.model.market import RowKind
from workstation.model.sides import Sides, checked_sides, named_key
from workstation.research.spread_opportunities import opportunity_rows
from workstation.research.spread_series import COLUMNS, spread_series
from workstation.windows.opportunities import AB, OpportunitySpec

SPOT, PERPETUAL, OTHER, DOLLARS = map(
    named_key, ("nova:BTC/USDT", "nova:BTC/USDT:USDT", "orion:BTC/USDC", "nova:USDC/USDT")
)
KEYS = (SPOT, PERPETUAL, OTHER, DOLLARS)
OVER_DOLLARS, CARRIED = checked_sides(SPOT, OTHER, DOLLARS), checked_sides(SPOT, PERPETUAL)
ROWS = 4_000
SILENT = slice(2_500, 3_200)
"""The dollars say nothing for so many rows of 40 ms on average."""
WANTED = OpportunitySpec(least_bps=-20.0)
"""As the engine of these tests has it."""


def rules_of(key: Any) -> Instrument:
    if key == PERPETUAL:
        return linear(key)
    base, quote = key.symbol.split("/")
    return linear(key, kind=InstrumentKind.SPOT, base=Currency(base), quote=Currency(quote))


RULES = [rules_of(key) for key in KEYS]


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    with a_bench(tmp_path / "home", RULES) as bench:
        for instrument in RULES:
            bench.market.list_instrument(instrument)
        yield bench


def watching(bench: Bench, *pairs: Sides) -> Engine:
    engine = an_engine(bench, pairs=pairs)
    engine._market.watch_spreads([])
    return engine


def take(bench: Bench, place: int, bid: float, ask: float, after_ms: int = 100) -> None:
    """A quote of one of KEYS, and a turn; of the basis less is bought than of the coins, and as much sold."""
    bench.clock.time_ns += after_ms * MS_NS
    quantities = (110_000.0, 90_000.0) if place == 3 else (2.0, 3.0)
    bench.tell(a_row(RowKind.QUOTE, 0, bid, ask, *quantities, instrument=place), KEYS)
    bench.turns.turn()


def random_quotes() -> Iterator[tuple[int, float, float, int]]:
    """Coins that wander together with an offset each, dollars that wander about 1 and fall silent once."""
    random = np.random.default_rng(7)
    coin = 50_000 * np.exp(np.cumsum(random.normal(0, 2e-5, ROWS)))
    dollar = 1 + np.cumsum(random.normal(0, 1e-5, ROWS))
    offset = 1 + np.cumsum(random.normal(0, 4e-5, (ROWS, 3)), axis=0)
    places, pauses = random.integers(0, 4, ROWS), random.integers(1, 80, ROWS)
    places[SILENT] = random.integers(0, 3, SILENT.stop - SILENT.start)
    for row, (place, pause) in enumerate(zip(places.tolist(), pauses.tolist(), strict=True)):
        mid = dollar[row] if place == 3 else coin[row] * offset[row, place] / (dollar[row] if place == 2 else 1)
        half = mid * (1e-5 if place == 3 else 1e-4)
        yield place, mid - half, mid + half, pause


@pytest.mark.parametrize("sides", [OVER_DOLLARS, CARRIED], ids=["over a basis", "a perpetual with its spot"])
def test_the_engine_tells_what_the_batch_tells_of_its_recording_bit_for_bit(bench: Bench, sides: Sides) -> None:
    engine, told, rows = watching(bench, sides), dict[int, list[float | None]](), 0
    for quote in random_quotes():
        take(bench, *quote)
        engine._market._opportunities.tell()
        if KEYS[quote[0]] in sides.instruments:
            rows += 1
            (view,) = engine.spreads()
            told[bench.clock.time_ns] = [getattr(view, name) for name in NAMES.values()]
    bench.recorder.sync()
    window = declared_window(sides)
    frame = spread_series(bench.store, window, Span(), every_ns=1, rules=[rules_of(key) for key in sides.instruments])
    batch = {
        stamp.value: [None if np.isnan(value) else value for value in row]
        for stamp, row in zip(
            frame.index, frame[[name for name in NAMES.values() if name in COLUMNS]].to_numpy(), strict=True
        )
    }
    columns = [place for place, name in enumerate(NAMES.values()) if name in COLUMNS]
    assert rows == len(told) and set(told) <= set(batch) and len(columns) == 11
    assert {time: [values[place] for place in columns] for time, values in told.items()} == {
        time: batch[time] for time in told
    }
    silent = [values[0] is None for values in told.values()]
    assert (sum(silent) > 300) is (sides is OVER_DOLLARS) and sum(silent) < rows / 2

    found = opportunity_rows(bench.store, window, WANTED, Span(), [rules_of(key) for key in sides.instruments])
    closed = np.sort(found[found["closed_ns"] > 0], order=["closed_ns", "opened_ns"])
    kept = sorted(last_opportunities(bench.store, 0), key=lambda one: (one.closed_ns, one.opened_ns))
    assert len(kept) > 3
    assert {one.basis for one in kept} == {None if sides.basis is None else str(sides.basis)}
    assert [(one.opened_ns, one.closed_ns, one.peak_bps, one.quantity, one.left_bps) for one in kept] == [
        (row["opened_ns"], row["closed_ns"], row["peak_bps"], row["quantity"],
         None if np.isnan(row["left_bps"]) else row["left_bps"]) for row in closed
    ]  # fmt: skip
    bought_up = [one for one in kept if one.quantity < 2.0]
    assert bool(bought_up) is (sides is OVER_DOLLARS) and all(one.sold == tuple(sides.a) for one in bought_up)
    assert [one.sold for one in kept] == [tuple(sides.a if row["way"] == AB else sides.b) for row in closed]


def test_a_basis_that_is_stale_leaves_no_edge_and_is_told_with_its_age(bench: Bench) -> None:
    engine = watching(bench, OVER_DOLLARS)
    take(bench, 3, 0.9999, 1.0001)
    for _ in range(2):
        take(bench, 0, 49_999, 50_001)
        take(bench, 2, 49_999, 50_001)
    (view,) = engine.spreads()
    assert view.spread_bps == pytest.approx(0.0, abs=1e-6) and view.age_basis_ms == 400.0
    assert (view.bid_basis, view.ask_basis, view.basis) == (0.9999, 1.0001, "nova:USDC/USDT")
    for _ in range(11):
        take(bench, 0, 49_999, 50_001, after_ms=500)
        take(bench, 2, 49_999, 50_001, after_ms=500)
    (view,) = engine.spreads()
    assert view.age_basis_ms == 11_400.0 and view.age_a_ms == 500.0
    assert (view.spread_bps, view.net_edge_ab_bps, view.net_edge_ba_bps) == (None, None, None)
    take(bench, 3, 1.0009, 1.0011)  # a dearer dollar: B is dearer than it looks
    (view,) = engine.spreads()
    assert view.spread_bps == pytest.approx(-10, abs=0.1)


def test_a_quote_of_the_basis_changes_what_is_told(bench: Bench) -> None:
    engine = watching(bench, OVER_DOLLARS)
    heard: list[Published] = []
    bench.bus.subscribe(heard.append, lambda topic, symbol: topic is Topic.INDICATOR_UPDATED)

    def told() -> list[Any]:
        heard.clear()
        asyncio.run(engine._market._spread_teller.tell())
        return [(one.symbol, one.data["symbol_b"]) for one in heard]

    for place, price in ((3, 1.0), (0, 50_000.0), (2, 50_000.0)):
        take(bench, place, price * 0.9999, price * 1.0001)
        assert told() == [("BTC/USDT", "BTC/USDC")]
    take(bench, 1, 49_999, 50_001)  # of no pair
    assert told() == []


def test_a_pair_is_found_by_either_symbol(bench: Bench) -> None:
    engine = watching(bench, OVER_DOLLARS, CARRIED)
    assert [one.symbol_b for one in engine.spreads()] == ["BTC/USDC", "BTC/USDT:USDT"]
    assert [one.symbol_b for one in engine.spreads("BTC/USDC")] == ["BTC/USDC"]
    assert [one.symbol_b for one in engine.spreads("BTC/USDT")] == ["BTC/USDC", "BTC/USDT:USDT"]


def rich_spot(bench: Bench) -> None:
    """Opens what sells the spot and buys the others, and closes it."""
    for place, price in ((3, 1.0), (0, 51_000.0), (1, 50_000.0), (2, 50_000.0)):
        take(bench, place, price * 0.9999, price * 1.0001)
    for _ in range(3):
        take(bench, 2, 49_999, 50_001)
        take(bench, 1, 49_999, 50_001)
    take(bench, 0, 40_000, 40_001)


def test_opportunities_of_a_pair_are_told_under_its_first_symbol_with_both_names_and_the_basis(bench: Bench) -> None:
    engine = watching(bench, OVER_DOLLARS)
    heard: list[Published] = []
    bench.bus.subscribe(heard.append)
    rich_spot(bench)
    for _ in range(4):
        take(bench, 2, 49_999, 50_001)
    take(bench, 0, 50_000, 50_001)
    engine._market._opportunities.tell()
    sold, bought = engine.opportunities()
    assert (sold.symbol, sold.sell_at, sold.buy_symbol, sold.buy_at) == ("BTC/USDT", "nova", "BTC/USDC", "orion")
    assert (bought.symbol, bought.sell_at, bought.buy_symbol) == ("BTC/USDC", "orion", "BTC/USDT")
    assert {one.basis for one in (sold, bought)} == {"nova:USDC/USDT"}
    assert {(one.topic, one.symbol) for one in heard} == {(Topic.OPPORTUNITY, "BTC/USDT")}
    for symbol, count in (("BTC/USDC", 2), ("BTC/USDT", 2), ("USDC/USDT", 0)):
        assert len(engine.opportunities(symbol)) == count


def test_the_next_life_knows_opportunities_over_a_basis(bench: Bench, tmp_path: Path) -> None:
    engine = watching(bench, OVER_DOLLARS, CARRIED)
    rich_spot(bench)
    engine._market._opportunities.tell()
    before = engine.opportunities()
    assert {one.basis for one in before} == {None, "nova:USDC/USDT"}
    home = bench.crashed(tmp_path / "again")
    with a_bench(home, RULES, now_ns=bench.clock.time_ns + 1) as again:
        for instrument in RULES:
            again.market.list_instrument(instrument)
        later = watching(again, OVER_DOLLARS, CARRIED)
        asyncio.run(later._market.remember())
        assert set(later.opportunities()) == set(before)


def test_what_a_pair_names_is_watched_at_its_venue_and_at_no_other(tmp_path: Path) -> None:
    everywhere = [*RULES, *(linear(named_key(f"orion:{symbol}")) for symbol in ("BTC/USDT", "USDC/USDT"))]
    with a_bench(tmp_path / "home", everywhere) as bench:
        engine = an_engine(bench, pairs=(OVER_DOLLARS,))
        asyncio.run(engine._watch(Venue("nova")))
        assert list(engine.spreads()) == []  # orion has not answered yet
        asyncio.run(engine._watch(Venue("orion")))
        assert {one.key for one in bench.market.registry} == set(OVER_DOLLARS)
        wanted = {key for line in bench.feeds._lines.values() for key in line.wishes}
        assert wanted == set(OVER_DOLLARS) and len(engine.spreads()) == 1


# -- what fails


def test_what_fails_of_one_pair_stops_no_other_and_is_said_once(
    bench: Bench, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = watching(bench, OVER_DOLLARS, CARRIED)
    monitor = engine._market._opportunities
    whole = monitor._view

    def broken(row: dict[str, Any]) -> Any:
        if row["slot"] == min(monitor._pairs):
            raise ZeroDivisionError("of the first pair")
        return whole(row)

    monkeypatch.setattr(monitor, "_view", broken)
    with caplog.at_level(logging.ERROR):
        for _ in range(3):
            rich_spot(bench)
            monitor.tell()
            monitor.tell()
    assert {one.buy_symbol for one in engine.opportunities()} == {"BTC/USDT:USDT"}
    said = [one.getMessage() for one in caplog.records]
    assert len(said) == len(set(said)) and all("nova:BTC/USDT, orion:BTC/USDC" in one for one in said)
    bench.recorder.sync()
    assert {one.bought[1] for one in last_opportunities(bench.store, 0)} == {"BTC/USDC", "BTC/USDT:USDT"}
    monkeypatch.setattr(monitor, "_view", whole)
    rich_spot(bench)
    monitor.tell()
    monkeypatch.setattr(monitor, "_view", broken)
    caplog.clear()
    rich_spot(bench)
    monitor.tell()
    assert len(caplog.records) == 1  # it had worked in between


def test_a_recorder_that_fails_keeps_nothing_from_being_told(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    engine = watching(bench, CARRIED)
    monitor = engine._market._opportunities

    def full(_: Any) -> None:
        raise OSError("no space left")

    monkeypatch.setattr(monitor, "_keep", full)
    rich_spot(bench)
    monitor.tell()
    assert [one.buy_symbol for one in engine.opportunities() if one.closed_ns is not None] == ["BTC/USDT:USDT"]


def test_what_fails_of_all_does_not_end_the_loop(
    bench: Bench, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monitor = watching(bench, CARRIED)._market._opportunities
    monkeypatch.setattr("workstation.engine.opportunity_monitor.EVERY_S", 0.0)
    looks = 0

    def taken() -> Any:
        nonlocal looks
        looks += 1
        raise ZeroDivisionError("of all")

    monkeypatch.setattr(monitor._closed, "take", taken)

    async def some_turns() -> None:
        task = asyncio.create_task(monitor.run())
        async with asyncio.timeout(30):
            while looks < 5:
                await asyncio.sleep(0)
        assert not task.done()
        task.cancel()

    with caplog.at_level(logging.ERROR):
        asyncio.run(some_turns())
    assert len(caplog.records) == 1
