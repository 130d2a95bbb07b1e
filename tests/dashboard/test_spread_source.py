"""The channel of one pair: what is recorded, then what the engine tells; and what stands where it is silent."""

import asyncio
import time
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec
import pytest

from tests.cli.histories import BTC, START_NS, store_quotes
from tests.dashboard.spread_views import a_spread
from tests.dashboard.test_spread_opportunities import an_opportunity
from workstation.client.messages import Health, InstrumentView, OpportunityView, SpreadView, StreamEvent, Topic
from workstation.dashboard import spread_source
from workstation.dashboard.hub import Channel
from workstation.dashboard.opportunity_log import Opportunity
from workstation.dashboard.spread_history import pair_window, recorded_opportunities, recorded_points
from workstation.dashboard.spread_points import Point
from workstation.dashboard.spread_source import FLUSH_S, SpreadBoard, SpreadSource
from workstation.dashboard.state import EngineState
from workstation.errors import EngineUnreachable
from workstation.history.durable import HistoryCorrupt
from workstation.history.store import HistoryStore
from workstation.model.durations import MS_NS
from workstation.model.sides import Sides, checked_sides, named_key
from workstation.windows.opportunities import OpportunitySpec

SYMBOL = "BTC/USDT"
T0_MS = 1_700_000_000_000


PLAIN = checked_sides(named_key(f"nova:{SYMBOL}"), named_key(f"orion:{SYMBOL}"))
BTC_PAIR = checked_sides(named_key(f"nova:{BTC}"), named_key(f"orion:{BTC}"))
OVER = checked_sides(*map(named_key, ("nova:BTC/USDT", "orion:BTC/USDC", "nova:USDC/USDT")))


def rules_of(venue: str, symbol: str = SYMBOL, fee: str = "0.001", kind: str = "spot") -> InstrumentView:
    step = Decimal("0.1")
    return InstrumentView(
        venue=venue, symbol=symbol, kind=kind, base="BTC", quote="USDT", tick_size=step, lot_size=step,
        min_quantity=step, min_notional=step, contract_size=Decimal(1), maker_fee_rate=Decimal(fee),
        taker_fee_rate=Decimal(fee), price_decimals=1, quantity_decimals=1,
    )  # fmt: skip


def a_state(now_ms: int = T0_MS, spreads: tuple[SpreadView, ...] = (), **told: Any) -> EngineState:
    health = Health.model_construct(now_ns=now_ms * MS_NS)
    instruments = {(venue, SYMBOL): rules_of(venue) for venue in ("nova", "orion")}
    return EngineState(**({"loss": "", "health": health, "spreads": spreads, "instruments": instruments} | told))


class Link:
    """An engine that says what a test lets it say."""

    def __init__(self, state: EngineState | None = None) -> None:
        self.state = a_state() if state is None else state
        self.listener: Any = None
        self.heard: set[str] = set()
        self.told: Callable[[EngineState], None] | None = None
        self.found: list[OpportunityView] = []
        self.refusal: Exception | None = None

    def listen(self, symbol: str, listener: Any) -> Callable[[], None]:
        assert symbol in (SYMBOL, "BTC/USDC", "USDC/USDT")
        self.listener = listener
        self.heard.add(symbol)
        return lambda: setattr(self, "listener", None)

    def follow(self, told: Callable[[EngineState], None]) -> Callable[[], None]:
        self.told = told
        return lambda: setattr(self, "told", None)

    async def look(self) -> EngineState:
        return self.state

    async def ask(self, question: Callable[[Any], Any]) -> Any:
        if self.refusal is not None:
            raise self.refusal
        return question(self)

    def opportunities(self, symbol: str, *, limit: int) -> list[OpportunityView]:
        assert (symbol, limit) == (SYMBOL, 5_000)
        return self.found

    def says(self, view: SpreadView, t_ms: int) -> None:
        self.hears(Topic.INDICATOR_UPDATED, view.model_dump(), t_ms)

    def quotes(
        self, venue: str, bid_quantity: float, ask_quantity: float, symbol: str = SYMBOL, price: float = 100.0
    ) -> None:
        told = {"venue": venue, "bid": price, "ask": 2 * price}
        told |= {"bid_quantity": bid_quantity, "ask_quantity": ask_quantity}
        self.hears(Topic.MARKET_DATA, told, T0_MS, symbol)

    def hears(self, topic: Topic, data: dict[str, Any], t_ms: int, symbol: str = SYMBOL) -> None:
        self.listener.heard(StreamEvent(topic=topic, sequence=1, time_ns=t_ms * MS_NS, symbol=symbol, data=data))

    def finds(self, one: OpportunityView) -> None:
        self.hears(Topic.OPPORTUNITY, one.model_dump(), T0_MS)

    def looks(self, state: EngineState) -> None:
        self.state = state
        assert self.told is not None
        self.told(state)


class Viewer:
    waiting = 0

    def __init__(self) -> None:
        self.messages: list[dict[str, Any]] = []

    def send(self, message: bytes) -> None:
        self.messages.append(msgspec.json.decode(message))

    @property
    def deltas(self) -> list[dict[str, Any]]:
        return [one["delta"] for one in self.messages if "delta" in one]

    @property
    def snapshot(self) -> dict[str, Any]:
        return [one["snapshot"] for one in self.messages if "snapshot" in one][-1]


def watched(link: Link, history: Path, sides: Sides = PLAIN) -> tuple[SpreadSource, Viewer]:
    channel, viewer = Channel("spread"), Viewer()
    source = SpreadSource(channel, link, history, OpportunitySpec(), sides)  # type: ignore[arg-type]
    channel.source = source
    channel.add(viewer)
    return source, viewer


async def read(source: SpreadSource) -> None:
    await asyncio.wait_for(source._opening, 60)


async def flushed(viewer: Viewer, deltas: int) -> None:
    async with asyncio.timeout(10):
        while len(viewer.deltas) < deltas:
            await asyncio.sleep(FLUSH_S / 5)


def test_a_pair_without_a_recording_begins_with_what_the_engine_says(tmp_path: Path) -> None:
    async def scene() -> None:
        link = Link()
        source, viewer = watched(link, tmp_path)
        await read(source)
        assert viewer.snapshot["points"]["t"] == []
        assert viewer.snapshot["fees_bps"] == [10.0, 10.0]
        link.says(a_spread(spread_bps=3.25), T0_MS)
        await flushed(viewer, 1)
        assert [point[:2] for point in viewer.deltas[0]["points"]] == [[T0_MS, 3.25]]
        assert viewer.deltas[0]["now"]["bid_a"] == 99.0
        source.close()

    asyncio.run(scene())


def test_events_between_two_sends_leave_together(tmp_path: Path) -> None:
    async def scene() -> None:
        link = Link()
        source, viewer = watched(link, tmp_path)
        await read(source)
        for step in range(50):
            link.says(a_spread(spread_bps=float(step)), T0_MS + step)
        await flushed(viewer, 1)
        assert len(viewer.deltas) == 1
        assert [point[1] for point in viewer.deltas[0]["points"]] == [49.0]
        source.close()

    asyncio.run(scene())


def test_what_is_said_while_the_recording_is_read_stands_behind_it(tmp_path: Path) -> None:
    async def scene() -> None:
        link = Link()
        source, viewer = watched(link, tmp_path)
        link.says(a_spread(spread_bps=7.0), T0_MS)
        await read(source)
        assert viewer.snapshot["points"]["spread"] == [7.0]
        assert viewer.snapshot["is_reading"] is False
        source.close()

    asyncio.run(scene())


def test_another_pair_of_the_symbol_is_not_ours(tmp_path: Path) -> None:
    async def scene() -> None:
        link = Link()
        source, _ = watched(link, tmp_path)
        await read(source)
        link.says(a_spread(venue_b="vega"), T0_MS)
        told = source.snapshot()
        assert told is not None and told["now"] is None
        source.close()

    asyncio.run(scene())


def test_an_edge_is_good_for_the_lesser_of_both_quantities(tmp_path: Path) -> None:
    async def scene() -> None:
        link = Link()
        source, viewer = watched(link, tmp_path)
        await read(source)
        link.quotes("nova", bid_quantity=3.0, ask_quantity=9.0)
        link.quotes("orion", bid_quantity=8.0, ask_quantity=2.0)
        link.says(a_spread(), T0_MS)
        await flushed(viewer, 1)
        assert viewer.deltas[0]["now"]["capacities"] == [2.0, 8.0]
        source.close()

    asyncio.run(scene())


def test_venues_that_fall_silent_make_a_gap_and_end_what_lasted(tmp_path: Path) -> None:
    async def scene() -> None:
        link = Link()
        source, viewer = watched(link, tmp_path)
        await read(source)
        link.says(a_spread(), T0_MS)
        link.finds(an_opportunity(T0_MS))
        silent = a_spread(age_a_ms=25_000.0, age_b_ms=24_000.0)
        link.looks(a_state(T0_MS + 25_000, (silent,)))
        await flushed(viewer, 1)
        assert [(point[0], point[1]) for point in viewer.deltas[0]["points"]] == [
            (T0_MS, 1.0), (T0_MS + 10_000, None),
        ]  # fmt: skip
        assert viewer.deltas[0]["lasting"] == []
        assert viewer.deltas[0]["now"]["age_a_ms"] == 25_000.0
        source.close()

    asyncio.run(scene())


def test_opportunities_are_what_the_engine_tells_and_what_is_recorded(tmp_path: Path) -> None:
    async def scene() -> None:
        link = Link()
        now_ms = time.time_ns() // MS_NS
        link.found = [
            an_opportunity(now_ms - 9_000, now_ms - 8_000),
            an_opportunity(0, 1),
            an_opportunity(now_ms - 500),
        ]
        source, viewer = watched(link, tmp_path)
        await read(source)
        assert [row[1] for row in viewer.snapshot["ended"]] == [now_ms - 9_000]  # the other one is too old
        assert [row[1] for row in viewer.snapshot["lasting"]] == [now_ms - 500]
        link.finds(an_opportunity(now_ms - 500, now_ms))
        await flushed(viewer, 1)
        assert viewer.deltas[0]["ended"] == [["ab", now_ms - 500, now_ms, 4.13, 0.5, -1.0]]
        assert viewer.deltas[0]["lasting"] == []
        source.close()

    asyncio.run(scene())


def test_a_look_says_nothing_where_events_are_newer(tmp_path: Path) -> None:
    async def scene() -> None:
        link = Link()
        source, _ = watched(link, tmp_path)
        await read(source)
        link.says(a_spread(bid_a=99.0), T0_MS)
        link.looks(a_state(T0_MS + 200, (a_spread(bid_a=55.0),)))
        told = source.snapshot()
        assert told is not None and told["now"]["bid_a"] == 99.0
        source.close()

    asyncio.run(scene())


def test_after_a_loss_the_recording_is_read_again_once_the_engine_speaks(tmp_path: Path) -> None:
    async def scene() -> None:
        link = Link()
        source, viewer = watched(link, tmp_path)
        await read(source)
        source.missed()
        source.missed()
        assert source._opening.done()
        link.says(a_spread(spread_bps=5.0), T0_MS)
        assert not source._opening.done()
        await read(source)
        assert viewer.snapshot["points"]["spread"] == [5.0]
        source.close()

    asyncio.run(scene())


def test_a_pair_that_the_engine_does_not_watch_is_told_in_a_sentence(tmp_path: Path) -> None:
    async def scene() -> None:
        link = Link(a_state(instruments={("nova", SYMBOL): rules_of("nova")}))
        source, viewer = watched(link, tmp_path)
        async with asyncio.timeout(10):
            while not viewer.messages:
                await asyncio.sleep(0)
        assert viewer.snapshot == {"problem": "The engine does not watch BTC/USDT at nova and orion."}
        source.close()

    asyncio.run(scene())


def test_a_channel_that_is_closed_listens_no_more(tmp_path: Path) -> None:
    async def scene() -> None:
        link = Link()
        source, _ = watched(link, tmp_path)
        source.close()
        assert link.listener is None and link.told is None

    asyncio.run(scene())


def test_the_board_tells_every_pair_at_each_look() -> None:
    link, channel, viewer = Link(a_state(spreads=(a_spread(), a_spread(venue_b="vega")))), Channel("spreads"), Viewer()
    channel.source = SpreadBoard(channel, link)  # type: ignore[arg-type]
    channel.add(viewer)
    assert viewer.snapshot["pairs"][1] == [f"nova:{SYMBOL} vega:{SYMBOL}", -19.5, -22.5, 20.0]
    link.looks(a_state(spreads=(a_spread(net_edge_ab_bps=None),)))
    assert viewer.snapshot["pairs"] == [[f"nova:{SYMBOL} orion:{SYMBOL}", None, -22.5, 20.0]]
    over = {"symbol_b": "BTC/USDC", "basis": "nova:USDC/USDT"}
    link.looks(a_state(spreads=(a_spread(**over, age_basis_ms=30.0), a_spread(**over))))
    name = "nova:BTC/USDT orion:BTC/USDC nova:USDC/USDT"
    assert [(line[0], line[3]) for line in viewer.snapshot["pairs"]] == [(name, 30.0), (name, None)]
    channel.source.close()
    assert link.told is None


# -- a declared pair


def declared(link: Link | None = None) -> Link:
    """An engine that watches a pair over a basis."""
    state = a_state(instruments={tuple(key): rules_of(*key, fee="0.002") for key in OVER.instruments})
    made = Link(state) if link is None else link
    made.state = state
    return made


def over_dollars(**fields: Any) -> SpreadView:
    named = {"symbol_b": "BTC/USDC", "basis": "nova:USDC/USDT", "bid_basis": 0.9, "ask_basis": 1.1}
    return a_spread(**(named | {"age_basis_ms": 5.0} | fields))


def test_a_pair_over_a_basis_hears_all_symbols_and_takes_its_own_alone(tmp_path: Path) -> None:
    async def scene() -> None:
        link = declared()
        source, viewer = watched(link, tmp_path, OVER)
        await read(source)
        assert link.heard == {"BTC/USDT", "BTC/USDC", "USDC/USDT"} and viewer.snapshot["fees_bps"] == [20.0, 20.0]
        link.says(a_spread(spread_bps=1.0), T0_MS)
        link.says(over_dollars(basis="orion:USDC/USDT", spread_bps=2.0), T0_MS)
        link.quotes("nova", 3.0, 9.0)
        link.quotes("orion", 70.0, 70.0)  # of BTC/USDT, which is no side of it
        link.quotes("orion", 8.0, 2.0, symbol="BTC/USDC")
        link.quotes("nova", 1e9, 1e9, symbol="USDC/USDT")
        link.quotes("orion", 1.0, 1.0, symbol="USDC/USDT")  # not the basis
        link.says(over_dollars(spread_bps=3.0), T0_MS)
        await flushed(viewer, 1)
        assert [point[1] for point in viewer.deltas[0]["points"]] == [3.0]
        now = viewer.deltas[0]["now"]
        assert now["capacities"] == [2.0, 8.0] and (now["bid_basis"], now["age_basis_ms"]) == (0.9, 5.0)
        source.close()

    asyncio.run(scene())


def test_an_edge_over_a_basis_is_good_for_no_more_than_the_basis_turns(tmp_path: Path) -> None:
    async def scene() -> None:
        link = declared()
        source, _ = watched(link, tmp_path, OVER)
        await read(source)
        link.says(over_dollars(), T0_MS)

        def capacities() -> Any:
            told = source.snapshot()
            assert told is not None
            return told["now"]["capacities"]

        link.quotes("nova", 3.0, 9.0)
        link.quotes("orion", 8.0, 2.0, symbol="BTC/USDC")
        assert capacities() == (None, None)
        link.quotes("nova", 150.0, 50.0, symbol="USDC/USDT")
        assert capacities() == (50.0 / 200.0, 150.0 / 100.0)
        source.close()

    asyncio.run(scene())


def test_a_basis_that_falls_silent_makes_a_gap(tmp_path: Path) -> None:
    async def scene() -> None:
        link = declared()
        source, viewer = watched(link, tmp_path, OVER)
        await read(source)
        link.says(over_dollars(), T0_MS)
        silent = over_dollars(age_basis_ms=25_000.0)
        link.looks(a_state(T0_MS + 25_000, (silent,), instruments=link.state.instruments))
        await flushed(viewer, 1)
        assert [(point[0], point[1]) for point in viewer.deltas[0]["points"]] == [(T0_MS, 1.0), (T0_MS + 10_000, None)]
        source.close()

    asyncio.run(scene())


def test_a_declared_pair_that_is_not_watched_is_named_with_its_basis(tmp_path: Path) -> None:
    async def scene() -> None:
        source, viewer = watched(Link(), tmp_path, OVER)
        async with asyncio.timeout(10):
            while not viewer.messages:
                await asyncio.sleep(0)
        said = "The engine does not watch all of nova:BTC/USDT, orion:BTC/USDC, nova:USDC/USDT."
        assert viewer.snapshot == {"problem": said}
        source.close()

    asyncio.run(scene())


# -- the recording


def test_what_is_recorded_is_shown_where_the_engine_does_not_answer(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    point = Point(T0_MS, 4.5, *[0.0] * 6)
    recorded = Opportunity("ab", 1, 2, 3.0, 1.0, None)
    monkeypatch.setattr(spread_source, "recorded_points", lambda *_: [point])
    monkeypatch.setattr(spread_source, "recorded_opportunities", lambda *_: [recorded])

    async def scene() -> None:
        link = Link()
        link.refusal = EngineUnreachable("it is busy")
        source, viewer = watched(link, tmp_path)
        await read(source)
        assert viewer.snapshot["points"]["spread"] == [4.5]
        assert [row[0] for row in viewer.snapshot["ended"]] == ["ab"]
        said = "Opportunities are those of the recording alone, the engine did not tell its own: it is busy"
        assert viewer.snapshot["problem"] == said
        source.close()

    asyncio.run(scene())


def test_what_the_engine_tells_is_shown_where_the_recording_cannot_be_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: Any) -> Any:
        raise HistoryCorrupt("segment 7")

    monkeypatch.setattr(spread_source, "recorded_points", broken)

    async def scene() -> None:
        link = Link()
        link.found = [an_opportunity(time.time_ns() // MS_NS - 900, time.time_ns() // MS_NS)]
        source, viewer = watched(link, tmp_path)
        await read(source)
        assert viewer.snapshot["points"]["t"] == [] and len(viewer.snapshot["ended"]) == 1
        assert viewer.snapshot["problem"] == "Nothing of the past is shown: segment 7"
        source.close()

    asyncio.run(scene())


def test_what_is_recorded_is_one_point_a_second_by_the_fees_that_are_told(tmp_path: Path) -> None:
    store_quotes(HistoryStore(tmp_path))
    dear, cheap = (
        recorded_points(tmp_path, pair_window(BTC_PAIR), rules, START_NS + 60_000 * MS_NS)
        for rules in ([rules_of(venue, BTC, fee, "linear") for venue in ("nova", "orion")] for fee in ("0.001", "0"))
    )
    seconds = [one.t // 1_000 for one in dear]
    assert len(seconds) == len(set(seconds)) > 1_000
    assert seconds[0] == START_NS // 1_000_000_000 + 60
    assert dear[5].spread == cheap[5].spread
    assert cheap[5].net_edge_ab - dear[5].net_edge_ab == pytest.approx(20, abs=0.1)


def test_what_is_recorded_has_its_opportunities(tmp_path: Path) -> None:
    store_quotes(HistoryStore(tmp_path))
    rules = [rules_of(venue, BTC, "0.0005", "linear") for venue in ("nova", "orion")]
    window, wanted = pair_window(BTC_PAIR), OpportunitySpec()
    found = recorded_opportunities(tmp_path, window, wanted, rules, START_NS)
    assert found and {one.way for one in found} == {"ab"}
    assert all(one.closed_ns is not None and one.peak_bps >= 2 and one.left_bps is not None for one in found)
    assert [one.closed_ns for one in found] == sorted(one.closed_ns or 0 for one in found)
    assert recorded_opportunities(tmp_path / "none", window, wanted, rules, START_NS) == []


def test_where_nothing_is_recorded_there_are_no_points(tmp_path: Path) -> None:
    rules = [rules_of("nova"), rules_of("orion")]
    assert recorded_points(tmp_path / "none", pair_window(PLAIN), rules, START_NS) == []
