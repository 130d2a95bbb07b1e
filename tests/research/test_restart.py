"""A session that was cut off between any two acts goes on and decides what it would have decided."""

from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest

from tests.benchmarks.replay import store_bars
from tests.faults.paper_process import request as spread_request
from tests.faults.test_kill import write_history
from tests.session.desks import NOVA, USDT, random_bars
from workstation.errors import HistoryChanged, JournalWriteFailed
from workstation.history.store import HistoryStore
from workstation.ledger.codec import encode_event
from workstation.ledger.journal import Ledger, read_facts, read_runs
from workstation.model.events import KINDS, BalanceSet, FactKind
from workstation.model.ids import SessionId
from workstation.model.market import MINUTE_NS, SECOND_NS
from workstation.research.replay import ReplayRequest, replay
from workstation.research.verify import verify
from workstation.session.manifest import SourceSelection
from workstation.session.settings import SessionSettings
from workstation.trading.limits import NO_LIMITS
from workstation.trading.paper import FillAt, PaperSettings

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


def decided(path: Path) -> list[tuple[object, ...]]:
    facts = read_facts(path, SessionId("s"))
    return [(*encode_event(f.event), f.ts_decided) for f in facts if KINDS[type(f.event)] is FactKind.DECISION]


def decided_with_a_cut(
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
    return decided(path)


@pytest.mark.parametrize("fill_at", list(FillAt))
def test_a_bar_session_cut_off_between_any_two_acts_decides_the_same(tmp_path, fill_at):
    store, request = store_bars(tmp_path, random_bars(4, 200)), bar_request(fill_at)
    with Ledger.open(tmp_path / "whole.db") as ledger:
        replay(store, request, ledger=ledger)
    whole = decided(tmp_path / "whole.db")
    assert len(whole) > 60
    for acts in CUTS:
        assert decided_with_a_cut(tmp_path, store, request, acts) == whole, f"cut behind {acts} acts"


def test_a_spread_session_cut_off_between_any_two_acts_loses_no_signal(tmp_path):
    store, request = write_history(tmp_path), spread_request("s")
    request = replace(request, end_ns=int(store.rows(NOVA, "quotes", 0)["ts_received"][900]))
    with Ledger.open(tmp_path / "whole.db") as ledger:
        replay(store, request, ledger=ledger)
    whole = decided(tmp_path / "whole.db")
    assert len(whole) > 100
    for acts in CUTS:
        assert decided_with_a_cut(tmp_path, store, request, acts) == whole, f"cut behind {acts} acts"


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
    whole = decided(tmp_path / "whole.db")
    assert len(whole) > 40
    for acts in CUTS[::2]:
        assert decided_with_a_cut(tmp_path, store, request, acts) == whole, f"cut behind {acts} acts"
