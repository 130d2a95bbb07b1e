"""Prices over an outage, of the engine or of a feed: what nobody watched is no price for an order that arrives."""

from pathlib import Path

import numpy as np
import pytest

from tests.engine.bench import Bench, a_bench
from tests.session.desks import random_quotes
from workstation.model.durations import MINUTE_NS
from workstation.model.events import OrderAccepted, OrderFilled, OrderSubmitted
from workstation.model.ids import Venue
from workstation.model.market import (
    Rows,
)
from workstation.ports.feed import FeedCounts, FeedState, FeedStatus

ROWS = random_quotes(5, 3_000)
OUTAGE_NS = 20 * MINUTE_NS
"""Shorter than the window: its rebuild reads the last quotes of before."""


@pytest.fixture
def sent(tmp_path: Path):
    """A session whose orders are on their way."""
    with a_bench(tmp_path / "home") as bench:
        bench.start(latency_ms=2_000, parameters={"entry_z": 1.5, "window_minutes": 30, "min_net_edge_bps": None})
        for row in ROWS:
            bench.play(row.reshape(1))
            if bench.events(OrderSubmitted):
                break
        yield bench


def moved(rows: Rows, now_ns: int, factor: float) -> Rows:
    """The same market from `now_ns` on, at other prices."""
    later = rows.copy()
    later["ts_received"] += now_ns - int(rows["ts_received"][0])
    later["x0"], later["x1"] = np.round(later["x0"] * factor, 2), np.round(later["x1"] * factor, 2)
    return later


def test_an_order_that_arrives_after_an_outage_waits_for_the_first_new_quote(sent: Bench, tmp_path: Path) -> None:
    assert not sent.events(OrderAccepted)
    with a_bench(sent.crashed(tmp_path / "again"), now_ns=sent.clock.time_ns + OUTAGE_NS) as again:
        again.recover()
        assert not np.isnan(again.market.tables.instruments["bid"]).any()  # windows know the quotes of before
        again.wait(6)
        assert len(again.events(OrderAccepted)) == 2 and not again.events(OrderFilled)
        again.play(moved(ROWS[:200], again.clock.time_ns, 1.5))
        fills = [event.fill for event in again.events(OrderFilled)]
        assert len(fills) >= 2 and min(fill.price for fill in fills) > 12_000
        assert all(one.beyond == 0 for one in again.verify_all().values())


def test_an_order_that_arrives_while_its_feed_is_lost_waits_for_the_first_new_quote(sent: Bench) -> None:
    lost = FeedStatus(venue=Venue("nova"), state=FeedState.RECONNECTING, reason="torn", counts=FeedCounts())
    sent.feeds.told(lost)
    sent.wait(3)
    assert len(sent.events(OrderAccepted)) == 2
    assert {event.fill.instrument.venue for event in sent.events(OrderFilled)} == {"orion"}
    sent.play(moved(ROWS[:200], sent.clock.time_ns, 1.5))
    (first, *_) = [event.fill for event in sent.events(OrderFilled) if event.fill.instrument.venue == "nova"]
    assert first.price > 12_000
    assert all(one.beyond == 0 for one in sent.verify_all().values())
