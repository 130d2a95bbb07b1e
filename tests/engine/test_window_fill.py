"""A window that is rebuilt beside the market and put in equals one that was there all along."""

from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.engine.bench import ONLY_WHEN_TOLD
from tests.session.desks import NOVA, ORION, START_NS, linear, random_quotes
from workstation.engine.window_fill import WindowFill
from workstation.history.recorder import Recorder
from workstation.history.store import HistoryStore
from workstation.model.durations import MINUTE_NS, SECOND_NS
from workstation.session.market import Market
from workstation.windows.specs import Field, WindowKind, WindowSpec
from workstation.windows.spread_window import field_value

ROWS = random_quotes(8, 6_000)
SPECS = [
    WindowSpec(kind=WindowKind.SPREAD, instrument_a=NOVA, instrument_b=ORION, span_ns=MINUTE_NS, anchor_ns=MINUTE_NS),
    WindowSpec(kind=WindowKind.QUOTE, instrument_a=ORION, span_ns=30 * SECOND_NS, anchor_ns=MINUTE_NS),
]
SHARE = st.floats(0.3, 0.9)


def a_market() -> Market:
    market = Market()
    for key in (NOVA, ORION):
        market.list_instrument(linear(key))
    return market


class Line:
    """A market that walks and is recorded, row by row."""

    def __init__(self, folder: Path) -> None:
        self.store = HistoryStore(folder)
        self.recorder = Recorder.open(self.store, now_ns=START_NS, settings=ONLY_WHEN_TOLD)
        self.market, self.place = a_market(), 0
        self.fills: list[WindowFill] = []

    def to(self, stop: int) -> None:
        for start in range(self.place, stop, 97):
            rows = ROWS[start : min(start + 97, stop)].copy()
            assert not list(self.market.advance(rows))
            self.recorder.record(rows, self.market.registry)
            for fill in self.fills:
                fill.take(rows)
            rows["x0"] = np.nan  # the block's memory is used again
        self.place = max(stop, self.place)


def points(market: Market, spec: WindowSpec) -> list[tuple[float, int]]:
    slot = market.tables.slots[market.windows.slots[spec]]
    ring = market.tables.points[slot["offset"] : slot["offset"] + slot["capacity"]]
    return [ring[(slot["head"] + place) % slot["capacity"]].item() for place in range(slot["count"])]


def fields(market: Market, spec: WindowSpec) -> list[float]:
    slot, known = market.tables.slots[market.windows.slots[spec]], market.tables.instruments
    wanted = [one for one in Field if spec.kind is WindowKind.SPREAD or one < Field.EDGE_AB]
    return [float(field_value(slot, known, int(one))) for one in wanted]


def since_ns(line: Line) -> int:
    now_ns = line.market.gate.now_ns
    return min(now_ns // s.anchor_ns * s.anchor_ns - s.span_ns - s.stale_after_ns - s.resolution_ns for s in SPECS)


@settings(max_examples=25)
@given(began=SHARE, meanwhile=st.integers(0, 400), late=st.integers(0, 400), rolled=st.sampled_from([0.0, 0.2, 0.95]))
def test_a_window_put_in_equals_one_that_was_there_all_along(began, meanwhile, late, rolled) -> None:
    """Rows come while it is made, loaded, and before it is finished; some of the recording was rolled before."""
    all_along = a_market()
    for spec in SPECS:
        all_along.subscribe_window(spec)
    with TemporaryDirectory() as folder:
        line = Line(Path(folder))
        try:
            first = int(began * len(ROWS))
            line.to(int(rolled * first))
            line.recorder.roll()
            line.to(first)
            line.recorder.sync()
            fill = WindowFill(line.market, SPECS)
            line.fills.append(fill)
            since = since_ns(line)
            line.to(first + meanwhile)
            line.recorder.sync()  # some of what is told is recorded too when it is read
            fill.load(line.store, since)
            line.to(first + meanwhile + late)
            for spec in SPECS:
                line.market.subscribe_window(spec)
            fill.finish(line.market)
            line.fills.clear()
            line.to(min(first + meanwhile + late + 300, len(ROWS)))
        finally:
            line.recorder.close()
        assert not list(all_along.advance(ROWS[: line.place].copy()))
        for spec in SPECS:
            assert points(line.market, spec) == points(all_along, spec)
            np.testing.assert_array_equal(fields(line.market, spec), fields(all_along, spec))


def test_a_window_that_was_only_watched_since_a_moment_is_made_whole(tmp_path: Path) -> None:
    line, all_along = Line(tmp_path), a_market()
    for spec in SPECS:
        all_along.subscribe_window(spec)
    line.to(3_000)
    line.market.subscribe_window(SPECS[0])
    line.to(3_400)
    watched = points(line.market, SPECS[0])
    line.recorder.sync()
    fill = WindowFill(line.market, SPECS)
    fill.load(line.store, since_ns(line))
    for spec in SPECS:
        line.market.subscribe_window(spec)
    fill.finish(line.market)
    line.recorder.close()
    assert not list(all_along.advance(ROWS[: line.place].copy()))
    assert len(points(line.market, SPECS[0])) > len(watched)
    for spec in SPECS:
        assert points(line.market, spec) == points(all_along, spec)


def test_a_window_that_reaches_as_far_back_is_left_alone(tmp_path: Path) -> None:
    line = Line(tmp_path)
    line.market.subscribe_window(SPECS[0])
    line.to(3_400)
    before = points(line.market, SPECS[0])
    fill = WindowFill(line.market, SPECS)  # nothing is loaded, as without a recorder
    fill.finish(line.market)
    line.recorder.close()
    assert points(line.market, SPECS[0]) == before


def test_an_instrument_without_a_quote_gets_the_last_that_was_recorded(tmp_path: Path) -> None:
    line = Line(tmp_path)
    line.to(2_000)
    line.recorder.sync()
    quoted = line.market.tables.instruments["bid"].copy()
    again = a_market()
    again.gate.start_after(line.market.gate.sequence, line.market.gate.now_ns)
    fill = WindowFill(again, SPECS)
    fill.load(line.store, since_ns(line))
    line.recorder.close()
    for spec in SPECS:
        again.subscribe_window(spec)
    fill.finish(again)
    assert again.tables.instruments["bid"].tolist() == quoted.tolist()


def test_what_was_imported_and_not_recorded_is_no_past_of_a_window(tmp_path: Path) -> None:
    store = HistoryStore(tmp_path)
    fill = WindowFill(a_market(), SPECS)
    fill.load(store, START_NS)
    market = a_market()
    for spec in SPECS:
        market.subscribe_window(spec)
    fill.finish(market)
    assert points(market, SPECS[0]) == []
