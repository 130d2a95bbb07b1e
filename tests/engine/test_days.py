"""The day's result: what trading made since 00:00 UTC, whatever happened in between."""

from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from tests.engine.bench import Bench, a_bench
from tests.engine.test_hand import by_hand, placed, quote, state_of
from tests.session.desks import START_NS
from workstation.engine.days import open_days
from workstation.engine.summaries import day_of, summary_of
from workstation.model.durations import DAY_NS, SECOND_NS
from workstation.model.events import DayOpened


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    with a_bench(tmp_path / "home") as bench:
        by_hand(bench)
        look(bench)
        yield bench


def look(bench: Bench) -> None:
    """As the engine does, ten times a second."""
    open_days(bench.turns, bench.clock.time_ns)


def result(bench: Bench) -> Any:
    return summary_of(bench.sessions.of("s"), bench.clock.time_ns).day_pnl


def to_midnight(bench: Bench) -> None:
    bench.clock.time_ns = day_of(bench.clock.time_ns) + DAY_NS
    bench.turns.turn()


def test_a_day_counts_open_profits_and_fees_from_its_beginning_on(bench: Bench) -> None:
    assert result(bench) == 0
    placed(bench, quantity="1")
    quote(bench)
    fee = Decimal(101) * Decimal("0.0005")
    assert result(bench) == Decimal(-1) - fee  # bought at 101, valued at 100
    quote(bench, 109.0, 111.0)
    assert result(bench) == Decimal(9) - fee
    to_midnight(bench)
    assert result(bench) is None, "the new day has not been priced"
    look(bench)
    assert result(bench) == 0
    quote(bench, 105.0, 107.0)
    assert result(bench) == Decimal(-4)


def test_each_day_is_journaled_once_and_outlives_a_restart(bench: Bench, tmp_path: Path) -> None:
    placed(bench, quantity="1")
    quote(bench, 109.0, 111.0)
    to_midnight(bench)
    for _ in range(3):
        look(bench)
    days = bench.events(DayOpened)
    assert [one.day_ns for one in days] == [day_of(START_NS), day_of(START_NS) + DAY_NS]
    assert days[1].made_quote == Decimal(110 - 101) - Decimal(101) * Decimal("0.0005")
    home = bench.crashed(tmp_path / "again")
    with a_bench(home, now_ns=bench.clock.time_ns + SECOND_NS) as again:
        again.recover()
        assert result(again) is None, "no price yet"
        quote(again, 119.0, 121.0)
        look(again)
        assert result(again) == Decimal(10)
        assert len(again.events(DayOpened)) == 2
        assert [one.beyond for one in again.verify_all().values()] == [0, 0]


def test_a_session_that_cannot_be_priced_waits_with_its_day(tmp_path: Path) -> None:
    with a_bench(tmp_path / "home") as bench:
        by_hand(bench)
        placed(bench, quantity="1")
        quote(bench)
        home = bench.crashed(tmp_path / "again")
    with a_bench(home, now_ns=START_NS + DAY_NS) as bench:
        bench.recover()
        look(bench)
        assert bench.events(DayOpened) == [] and result(bench) is None
        quote(bench)
        look(bench)
        assert [one.day_ns for one in bench.events(DayOpened)] == [day_of(START_NS) + DAY_NS]
        assert state_of(bench).day is not None and result(bench) == 0
