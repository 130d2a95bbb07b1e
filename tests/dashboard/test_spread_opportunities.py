"""Spans in which crossing would have paid, as they come."""

import math

import pandas as pd
from hypothesis import given
from hypothesis import strategies as st

from workstation.charts.opportunities import opportunities
from workstation.dashboard.opportunity_log import OpportunityLog

NOBODY_SAID = (None, None)
EDGE = st.sampled_from([-3.0, -0.5, 0.0, 0.5, 2.0, math.nan])


def test_an_edge_over_zero_lasts_until_it_is_not() -> None:
    log = OpportunityLog()
    log.put(1_000, (2.0, -5.0), NOBODY_SAID)
    assert [(one.way, one.start_ms, one.end_ms) for one in log.lasting] == [("ab", 1_000, None)]
    log.put(2_500, (0.0, -5.0), NOBODY_SAID)
    assert [(one.start_ms, one.end_ms, one.peak_bps) for one in log.ended] == [(1_000, 2_500, 2.0)]
    assert not log.lasting


def test_its_capacity_is_that_of_its_peak() -> None:
    log = OpportunityLog()
    for t, edge, capacity in ((1, 1.0, 9.0), (2, 4.0, 0.5), (3, 2.0, 7.0)):
        log.put(t, (None, edge), (None, capacity))
    assert [(one.peak_bps, one.capacity) for one in log.lasting] == [(4.0, 0.5)]


def test_an_edge_that_is_not_known_any_more_has_ended() -> None:
    log = OpportunityLog()
    log.put(1, (2.0, None), NOBODY_SAID)
    log.put(2, (None, None), NOBODY_SAID)
    assert [one.end_ms for one in log.ended] == [2]


def test_what_ended_is_news_once() -> None:
    log = OpportunityLog()
    log.put(1, (2.0, None), NOBODY_SAID)
    log.put(2, (-1.0, None), NOBODY_SAID)
    assert len(log.news()) == 1
    assert log.news() == []


def test_only_the_last_ones_are_kept() -> None:
    log = OpportunityLog(most=3)
    for t in range(20):
        log.put(t, (1.0 if t % 2 else -1.0, None), NOBODY_SAID)
    assert [one.start_ms for one in log.ended] == [13, 15, 17]


@given(st.lists(st.tuples(EDGE, EDGE), min_size=1, max_size=40))
def test_spans_as_they_come_are_those_that_a_table_of_the_same_edges_has(edges: list[tuple[float, float]]) -> None:
    log = OpportunityLog()
    for t, pair in enumerate(edges):
        log.put(t * 1_000, pair, NOBODY_SAID)
    frame = pd.DataFrame(
        edges, columns=["net_edge_ab_bps", "net_edge_ba_bps"],
        index=pd.to_datetime([t * 1_000 for t in range(len(edges))], unit="ms", utc=True),
    )  # fmt: skip
    table = opportunities(frame)
    last = frame.index[-1]
    expected = sorted(
        (row.side, row.start.timestamp() * 1_000, row.end.timestamp() * 1_000, row.peak_bps)
        for row in table.itertuples()
    )
    found = [
        (
            one.way,
            float(one.start_ms),
            last.timestamp() * 1_000 if one.end_ms is None else float(one.end_ms),
            one.peak_bps,
        )
        for one in (*log.ended, *log.lasting)
    ]
    assert sorted(found) == expected
