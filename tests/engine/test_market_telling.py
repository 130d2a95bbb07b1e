"""Quotes and spreads as events: what changed, what is wanted, and what a view of it says."""

import asyncio
import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.engine.bench import Bench, a_bench
from tests.engine.test_engine import ROWS
from tests.engine.test_feeds import an_engine
from tests.engine.test_tape import a_minute, a_row, a_trade
from tests.session.desks import NOVA, ORION, START_NS, SYMBOL, linear
from workstation.client.messages import QuoteView, SpreadView, Topic
from workstation.engine.bus import Published
from workstation.engine.engine import Engine
from workstation.engine.market_answers import decimals_of
from workstation.engine.tape import Tape
from workstation.errors import BadInput, UnknownInstrument
from workstation.model.durations import MINUTE_NS, MS_NS
from workstation.model.market import (
    RowFlag,
    RowKind,
)

MINUTE_OF_START_NS = START_NS // MINUTE_NS * MINUTE_NS


@pytest.fixture
def bench(tmp_path: Path):
    with a_bench(tmp_path / "home") as bench:
        for instrument in (linear(NOVA), linear(ORION)):
            bench.market.list_instrument(instrument)
        yield bench


class Desk:
    """An engine that watches both venues, what it tells to whoever wants `wanted`, and rows by hand."""

    def __init__(self, bench: Bench, *wanted: Topic, symbols: tuple[str, ...] = (SYMBOL,)) -> None:
        self.bench, self.engine = bench, an_engine(bench, watched=(SYMBOL,))
        self.engine._market.watch_spreads([NOVA, ORION])
        self.heard: list[Published] = []
        bench.bus.subscribe(self.heard.append, lambda topic, symbol: topic in wanted and (symbol or SYMBOL) in symbols)

    def tell(self) -> list[Any]:
        """What is told now, as a client reads it."""
        self.heard.clear()
        for teller in (self.engine._market._quote_teller, self.engine._market._spread_teller):
            asyncio.run(teller.tell())
        return [json.loads(event.encoded) for event in self.heard]

    def take(self, *rows: np.void) -> None:
        """Rows of nova (0) and orion (1), 100 ms each."""
        for row in rows:
            self.bench.clock.time_ns += 100 * MS_NS
            self.bench.tell(row)
        self.bench.turns.turn()


def a_quote(bid: float, ask: float, place: int = 0, **fields: int) -> np.void:
    return a_row(RowKind.QUOTE, 0, bid, ask, 2.0, 3.0, instrument=place, **fields)


def test_a_quote_is_told_once_and_again_when_something_changed(bench: Bench) -> None:
    desk = Desk(bench, Topic.MARKET_DATA)
    assert desk.tell() == []
    desk.take(a_quote(99, 101), a_quote(98, 100, 1))
    assert [(one["data"]["venue"], one["data"]["bid"], one["symbol"]) for one in desk.tell()] == [
        ("nova", 99, SYMBOL), ("orion", 98, SYMBOL)
    ]  # fmt: skip
    assert desk.tell() == []
    desk.take(a_trade(0, 100.5))
    (told,) = desk.tell()
    assert (told["data"]["last_price"], told["data"]["last_side"], told["data"]["bid"]) == (100.5, "buy", 99)


def test_a_spread_is_told_when_a_quote_of_either_side_came_and_not_for_a_trade(bench: Bench) -> None:
    desk = Desk(bench, Topic.INDICATOR_UPDATED)
    desk.take(a_quote(99, 101))
    (told,) = desk.tell()
    assert told["topic"] == "indicator_updated" and told["data"]["spread_bps"] is None
    desk.take(a_trade(0, 100))
    assert desk.tell() == []
    desk.take(a_quote(99, 101, 1))
    (told,) = desk.tell()
    assert SpreadView.model_validate(told["data"]).spread_bps == 0.0


def test_nothing_is_made_while_nobody_wants_it(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    desk = Desk(bench)
    desk.take(a_quote(99, 101), a_quote(98, 100, 1))
    for monitor in (desk.engine._market._quotes, desk.engine._market._spreads):
        monkeypatch.delattr(type(monitor), "figures")
    assert desk.tell() == [] and bench.bus.sequence == 0


def test_of_other_symbols_nothing_is_made(bench: Bench) -> None:
    desk = Desk(bench, Topic.MARKET_DATA, Topic.INDICATOR_UPDATED, symbols=("ETH/USDT",))
    desk.take(a_quote(99, 101))
    assert desk.tell() == [] and bench.bus.sequence == 0


def test_what_is_told_is_a_quote_view_and_what_is_asked_the_same(bench: Bench) -> None:
    desk = Desk(bench, Topic.MARKET_DATA)
    event_ns = bench.clock.time_ns - 5
    desk.take(a_quote(99, 101, ts_event=event_ns), a_trade(0, 100, 0.5, flags=RowFlag.SELLER_TAKES, ts_event=event_ns))
    (told,) = desk.tell()
    nova, orion = desk.engine.quotes()
    assert QuoteView.model_validate(told["data"]) == nova
    assert (nova.ts_event, nova.last_event, nova.last_side, nova.age_ms) == (event_ns, event_ns, "sell", 100.0)
    assert nova.forming is not None
    assert (nova.forming.ts_open, nova.forming.close, nova.forming.volume) == (MINUTE_OF_START_NS, 100, 0.5)
    assert orion.model_dump(exclude={"venue", "symbol"}) == dict.fromkeys(
        set(QuoteView.model_fields) - {"venue", "symbol"}
    )
    assert [one.venue for one in desk.engine.quotes("ETH/USDT")] == []


def test_a_minute_that_the_venue_closed_is_told_in_the_place_of_the_one_in_the_making(bench: Bench) -> None:
    desk = Desk(bench, Topic.MARKET_DATA)
    desk.take(a_trade(0, 100))
    (told,) = desk.tell()
    assert told["data"]["forming"] is not None and told["data"]["closed"] is None
    bench.clock.time_ns = MINUTE_OF_START_NS + MINUTE_NS
    desk.take(a_minute(0, 99, 104, 97, 100.5, 9, ts_event=MINUTE_OF_START_NS + MINUTE_NS))
    (told,) = desk.tell()
    assert told["data"]["forming"] is None
    assert told["data"]["closed"] == {
        "ts_open": MINUTE_OF_START_NS, "open": 99, "high": 104, "low": 97, "close": 100.5, "volume": 9
    }  # fmt: skip


def test_what_passes_is_not_kept_and_what_else_is_told_is(bench: Bench) -> None:
    desk = Desk(bench, Topic.MARKET_DATA)
    bench.bus.publish(Topic.RISK_ALERT, {}, time_ns=1)
    desk.take(a_quote(99, 101))
    desk.tell()
    bench.bus.publish(Topic.RISK_ALERT, {}, time_ns=2)
    assert [event.sequence for event in bench.bus.since(0).events] == [1, 3]
    assert bench.bus.since(0).missed is None


def test_an_instrument_listed_after_the_last_row_is_shown_empty(bench: Bench) -> None:
    desk = Desk(bench)
    desk.take(a_quote(99, 101))
    bench.market.list_instrument(linear(type(NOVA)(NOVA.venue, "NEW/USDT:USDT")))  # type: ignore[arg-type]
    assert [one.bid for one in desk.engine.quotes()] == [99, None, None]


def test_instruments_are_told_with_their_rules_and_decimals(bench: Bench) -> None:
    nova, orion = an_engine(bench).instruments()
    assert (nova.venue, nova.symbol, nova.kind, nova.price_decimals, nova.quantity_decimals) == (
        "nova", SYMBOL, "linear", 2, 3,
    )  # fmt: skip
    assert orion.venue == "orion"


def test_the_markets_quantities_have_the_decimals_of_a_part_of_a_coin_where_lots_are_contracts(bench: Bench) -> None:
    bench.market.list_instrument(linear(NOVA, lot_size=Decimal(1), contract_size=Decimal("0.0001")))
    assert an_engine(bench).instruments()[0].quantity_decimals == 4


@pytest.mark.parametrize(
    ("step", "decimals"), [("0.5", 1), ("0.50", 1), ("0.001", 3), ("1", 0), ("10", 0), ("1E-8", 8)]
)
def test_decimals_are_those_of_the_step(step: str, decimals: int) -> None:
    assert decimals_of(Decimal(step)) == decimals


def test_the_tape_changes_no_decision(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    facts = []
    for name in ("with", "without"):
        with a_bench(tmp_path / name) as bench:
            bench.start()
            bench.play(ROWS)
            facts.append([(one.event, one.sequence, one.ts_received) for one in bench.facts()][2:])
        monkeypatch.setattr(Tape, "take", lambda tape, rows: None)
    assert facts[0] == facts[1] and len(facts[0]) > 20


def test_bars_of_what_is_not_watched_or_cannot_be_are_refused(bench: Bench) -> None:
    engine: Engine = an_engine(bench)
    with pytest.raises(UnknownInstrument, match="instrument atlantis:"):
        asyncio.run(engine.bars("atlantis", SYMBOL))
    with pytest.raises(BadInput, match="interval '7m'"):
        asyncio.run(engine.bars("nova", SYMBOL, "7m"))
    for limit in (0, 5001):
        with pytest.raises(BadInput, match=f"limit {limit}: expected 1 to 5000"):
            asyncio.run(engine.bars("nova", SYMBOL, limit=limit))
