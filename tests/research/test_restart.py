"""A session that was cut off between any two acts goes on and decides what it would have decided."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from tests.benchmarks.replay import store_bars
from tests.faults.paper_process import request as spread_request
from tests.faults.test_kill import write_history, write_quotes, write_trades
from tests.session.desks import NOVA, USDT, random_bars, random_quotes
from workstation.errors import HistoryChanged, JournalWriteFailed
from workstation.history.store import HistoryStore
from workstation.ledger.codec import encode_event
from workstation.ledger.journal import Ledger, read_facts, read_runs
from workstation.model.durations import MINUTE_NS, SECOND_NS
from workstation.model.events import KINDS, BalanceSet, ConditionsChanged, FactKind, OrderFilled, OrderTriggered
from workstation.model.ids import SessionId
from workstation.model.instrument import InstrumentKey
from workstation.model.market import (
    rows_taken,
)
from workstation.model.signal import SignalAction, SignalLeg
from workstation.model.units import Side
from workstation.research.replay import ReplayRequest, replay
from workstation.research.verify import verify
from workstation.session.manifest import SourceSelection
from workstation.session.settings import SessionSettings
from workstation.strategies.base import Intent, TickStrategy, View
from workstation.strategies.catalog import STRATEGIES
from workstation.trading.limits import NO_LIMITS
from workstation.trading.paper import FillAt, PaperSettings
from workstation.windows.specs import ConditionSpec, Field, Operator, WindowKind, WindowSpec

CUTS = (3, 4, 5, 7, 8, 11, 12, 13, 17, 20, 24, 29, 33, 38, 44, 51, 57, 64, 72, 81)


class CutLedger(Ledger):
    """Breaks down before the act with number `acts`."""

    acts = 0

    def append(self, session_id, facts):
        if self.acts == 0:
            raise JournalWriteFailed("the power went off")
        self.acts -= 1
        return super().append(session_id, facts)


def bar_request(fill_at: FillAt) -> ReplayRequest:
    return ReplayRequest(
        session=SessionSettings(
            session_id=SessionId("s"),
            strategy="ma-cross",
            parameters={"fast": 3, "slow": 8, "atr_window": 5},
            instruments=(NOVA,),
            interval_ns=MINUTE_NS,
            currency=USDT,
            limits=NO_LIMITS,
        ),
        paper=PaperSettings(on_bars=True, fill_at=fill_at),
        balances=(BalanceSet(venue=NOVA.venue, currency=USDT, amount=Decimal(10_000)),),
        sources=(SourceSelection(key=NOVA, kind="bars", interval_ns=MINUTE_NS),),
    )


def happens(path: Path) -> list[tuple[object, ...]]:
    """What was decided, and what the venue answered, each at its time behind its market row."""
    facts = (f for f in read_facts(path, SessionId("s")) if KINDS[type(f.event)] is not FactKind.INPUT)
    return [(*encode_event(f.event), f.ts_received, f.ts_decided, rows_taken(f.sequence)) for f in facts]


def happens_with_a_cut(
    folder: Path, store: HistoryStore, request: ReplayRequest, acts: int
) -> list[tuple[object, ...]]:
    path = folder / f"{acts}.db"
    with CutLedger.open(path) as ledger:
        ledger.acts = acts
        with pytest.raises(JournalWriteFailed):
            replay(store, request, ledger=ledger)
    with Ledger.open(path) as ledger:
        replay(store, request, ledger=ledger)
    for run in read_runs(path):
        if run.session_id == "s":
            verify(path, run.run_id, store)
    return happens(path)


@pytest.mark.parametrize("fill_at", list(FillAt))
def test_a_bar_session_cut_off_between_any_two_acts_decides_the_same(tmp_path, fill_at):
    store, request = store_bars(tmp_path, random_bars(4, 200)), bar_request(fill_at)
    with Ledger.open(tmp_path / "whole.db") as ledger:
        replay(store, request, ledger=ledger)
    whole = happens(tmp_path / "whole.db")
    assert len(whole) > 60
    for acts in CUTS:
        assert happens_with_a_cut(tmp_path, store, request, acts) == whole, f"cut behind {acts} acts"


def test_a_spread_session_cut_off_between_any_two_acts_loses_no_signal(tmp_path):
    store, request = write_history(tmp_path), spread_request("s")
    request = replace(request, end_ns=int(store.rows(NOVA, "quotes", 0)["ts_received"][900]))
    with Ledger.open(tmp_path / "whole.db") as ledger:
        replay(store, request, ledger=ledger)
    whole = happens(tmp_path / "whole.db")
    assert len(whole) > 100
    for acts in CUTS:
        assert happens_with_a_cut(tmp_path, store, request, acts) == whole, f"cut behind {acts} acts"


def test_history_that_changed_under_a_session_is_refused_and_named(tmp_path):
    store, request = store_bars(tmp_path, random_bars(4, 120)), bar_request(FillAt.NEXT_OPEN)
    with Ledger.open(tmp_path / "ledger.db") as ledger:
        replay(store, request, ledger=ledger)
    before = list(read_facts(tmp_path / "ledger.db", SessionId("s")))
    (tmp_path / "other").mkdir()
    shorter = store_bars(tmp_path / "other", random_bars(4, 40))
    with (
        Ledger.open(tmp_path / "ledger.db") as ledger,
        pytest.raises(HistoryChanged, match="session s: its journal knows"),
    ):
        replay(shorter, request, ledger=ledger)
    assert list(read_facts(tmp_path / "ledger.db", SessionId("s"))) == before


def trade_bar_request(spread: ReplayRequest) -> ReplayRequest:
    return replace(
        bar_request(FillAt.NEXT_OPEN),
        session=replace(
            bar_request(FillAt.NEXT_OPEN).session,
            parameters={"fast": 2, "slow": 5, "atr_window": 3},
            interval_ns=SECOND_NS,
            bars_from_trades=True,
        ),
        paper=PaperSettings(latency_ns=20_000_000),
        sources=(SourceSelection(key=NOVA, kind="quotes"), SourceSelection(key=NOVA, kind="trades")),
        end_ns=spread.end_ns,
    )


def test_a_session_on_bars_built_from_trades_cut_off_between_any_two_acts_decides_the_same(tmp_path):
    store = write_history(tmp_path, with_trades=True)
    request = trade_bar_request(spread_request("s"))
    with Ledger.open(tmp_path / "whole.db") as ledger:
        replay(store, request, ledger=ledger)
    whole = happens(tmp_path / "whole.db")
    assert len(whole) > 40
    for acts in CUTS[::2]:
        assert happens_with_a_cut(tmp_path, store, request, acts) == whole, f"cut behind {acts} acts"


@pytest.mark.parametrize(("latency_ns", "cuts"), [(0, (7, 28, 49, 119)), (50_000_000, (70, 92))])
def test_a_row_taken_again_gives_each_order_what_it_gave_and_comes_before_what_arrives_behind_it(
    tmp_path, latency_ns, cuts
):
    rows = random_quotes(4, 3000)
    store = write_quotes(tmp_path, rows)
    write_trades(store, rows)
    request = trade_bar_request(replace(spread_request("s"), end_ns=int(rows["ts_received"][1200])))
    parameters = {**request.session.parameters, "atr_stop": 0.3, "atr_target": 0.5}
    request = replace(
        request,
        session=replace(request.session, parameters=parameters),
        paper=PaperSettings(latency_ns=latency_ns),
    )
    with Ledger.open(tmp_path / "whole.db") as ledger:
        replay(store, request, ledger=ledger)
    whole = happens(tmp_path / "whole.db")
    for acts in cuts:
        assert happens_with_a_cut(tmp_path, store, request, acts) == whole, f"cut behind {acts} acts"


class TriggerLedger(Ledger):
    """Notes behind how many acts a stop was triggered that found nothing to trade with."""

    def __init__(self, *args, **options):
        super().__init__(*args, **options)
        self.acts, self.cuts = 0, []

    def append(self, session_id, facts):
        self.acts += 1
        kinds = {type(fact.event) for fact in facts}
        if OrderTriggered in kinds and OrderFilled not in kinds:
            self.cuts.append(self.acts)
        return super().append(session_id, facts)


def test_a_stop_that_was_triggered_and_found_nothing_to_trade_with_stays_triggered_over_a_restart(tmp_path):
    rows = random_quotes(11, 6000)
    is_empty = np.arange(len(rows)) // 30 % 2 == 1
    rows["x2"][is_empty], rows["x3"][is_empty] = 0.0, 0.0
    store = write_quotes(tmp_path, rows)
    write_trades(store, rows)
    request = trade_bar_request(replace(spread_request("s"), end_ns=int(rows["ts_received"][2500])))
    parameters = {**request.session.parameters, "atr_stop": 0.3, "atr_target": 50}
    request = replace(request, session=replace(request.session, parameters=parameters))
    with TriggerLedger.open(tmp_path / "whole.db") as ledger:
        replay(store, request, ledger=ledger)
        cuts = ledger.cuts
    whole = happens(tmp_path / "whole.db")
    assert len(cuts) > 3
    for acts in cuts:
        assert happens_with_a_cut(tmp_path, store, request, acts) == whole, f"cut behind {acts} acts"
        facts = read_facts(tmp_path / f"{acts}.db", SessionId("s"))
        told = [fact.event.client_order_id for fact in facts if isinstance(fact.event, OrderTriggered)]
        assert len(told) == len(set(told)), f"cut behind {acts} acts"


class Wary(TickStrategy):
    """Sells A where z is above 1, but leaves at the first sight of a dislocation, which ends only by one downwards."""

    name_in_cli = "wary"

    def windows(self, instruments: Sequence[InstrumentKey]) -> Mapping[str, WindowSpec]:
        self._instruments = tuple(instruments)
        a, b = instruments
        spec = WindowSpec(
            kind=WindowKind.SPREAD,
            instrument_a=a,
            instrument_b=b,
            span_ns=MINUTE_NS,
            resolution_ns=SECOND_NS,
            min_points=5,
            stale_after_ns=30 * SECOND_NS,
        )
        return {"w": spec}

    def conditions(self) -> Sequence[ConditionSpec]:
        rows = (("dear", 1.0, 0.0), ("dislocated", 5.0, -30.0))
        return [
            ConditionSpec(name=name, window="w", field=Field.Z, operator=Operator.ABOVE, threshold=at, rearm=rearm)
            for name, at, rearm in rows
        ]

    def on_wake(self, changes: Mapping[str, bool], view: View) -> Sequence[Intent]:
        if changes.get("dear") and "dislocated" not in changes:
            legs = tuple(
                SignalLeg(key, side) for key, side in zip(self._instruments, (Side.SELL, Side.BUY), strict=True)
            )
            return [Intent(action=SignalAction.ENTER, legs=legs)]
        return [Intent(action=SignalAction.EXIT, reason="no more")]


def test_conditions_keep_a_truth_that_is_older_than_the_rebuilt_windows(tmp_path, monkeypatch):
    monkeypatch.setitem(STRATEGIES, Wary.name_in_cli, Wary)
    store = write_quotes(tmp_path, random_quotes(6, 1200, step_ns=SECOND_NS))
    request = spread_request("s")
    request = replace(request, session=replace(request.session, strategy=Wary.name_in_cli, parameters={}))
    with Ledger.open(tmp_path / "whole.db") as ledger:
        replay(store, request, ledger=ledger)
    whole = happens(tmp_path / "whole.db")
    told = [f for f in read_facts(tmp_path / "whole.db", SessionId("s")) if isinstance(f.event, ConditionsChanged)]
    dislocated = [f.ts_received for f in told if "dislocated" in dict(f.event.changes)]
    assert max(after - before for before, after in pairwise(dislocated)) > 14 * MINUTE_NS
    for acts in range(100, 600, 37):
        assert happens_with_a_cut(tmp_path, store, request, acts) == whole, f"cut behind {acts} acts"
