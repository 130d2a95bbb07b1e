"""Kill -9 of the whole engine at random moments of its life: what it had shown as durable is there, each thing once."""

import random
import time
from collections import Counter, defaultdict
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path

import pytest

from tests.faults.running import DECIDES_S, Engine, Venues, busy_session, until, write_configuration
from workstation.client.client import Client
from workstation.client.control import LARGEST_PAGE
from workstation.client.messages import SessionStatus, SessionSummary
from workstation.errors import EngineUnreachable
from workstation.history.layout import HistoryKind
from workstation.history.store import HistoryStore
from workstation.ledger.journal import read_facts, read_rows, read_runs
from workstation.model.events import BalanceSet, Fact, OrderFilled, OrderSubmitted
from workstation.model.ids import Currency, SessionId, Symbol, Venue
from workstation.model.instrument import InstrumentKey
from workstation.model.order import Fill
from workstation.research.verify import verify
from workstation.session.manifest import read_manifest
from workstation.session.state import SessionState, fold

SESSIONS = {SessionId("btc"): "BTC/USDT", SessionId("eth"): "ETH/USDT"}
VENUES = ("nova", "orion")
LONGEST_LIFE_S = 4.0
"""From the start on: half of the kills find an engine that has not traded yet."""
QUOTES_PER_SECOND = 200


@dataclass(slots=True)
class Shown:
    """What the engine had told of itself when nothing waited for the disk any more."""

    facts: dict[SessionId, int] = field(default_factory=dict)
    filled: dict[str, Decimal] = field(default_factory=dict)
    gaps: dict[str, tuple[int, int] | None] = field(default_factory=dict)
    """By run."""

    def look(self, client: Client) -> None:
        sessions, orders = client.sessions(), client.orders(limit=LARGEST_PAGE)
        if client.health().journal_lag_ms == 0:
            self.facts |= {SessionId(one.session): one.facts for one in sessions}
            self.filled |= {one.client_order_id: one.filled_quantity for one in orders}
            self.gaps |= {one.run: one.gap_ns for one in sessions if one.status is SessionStatus.RUNNING}


def run_and_kill(configuration: Path, seconds: float, shown: Shown) -> Path:
    """Kills a life of the engine so long after its start, wherever it is then, and looks at it until that moment."""
    end = time.monotonic() + seconds
    with Engine(configuration) as engine:
        while time.monotonic() < end and not engine.is_ready:
            time.sleep(0.001)
        if engine.is_ready:
            with engine.client() as client, suppress(EngineUnreachable):
                while time.monotonic() < end:
                    shown.look(client)
        assert engine.process.is_alive(), f"it ended by itself: {engine.tail()}"
        engine.kill()
        return engine.ledger


def check(ledger: Path, shown: Shown) -> dict[SessionId, tuple[int, bytes]]:
    """The invariants of what a killed engine left; the last row of each session."""
    last: dict[SessionId, tuple[int, bytes]] = {}
    for session in SESSIONS:
        facts = list(read_facts(ledger, session))
        assert len(facts) >= shown.facts.get(session, 0), "facts are lost that were shown as durable"
        check_money(facts, fold(facts))
        for row in read_rows(ledger, session):
            last[session] = (row.position, row.hash)
    known = [fact.event for session in SESSIONS for fact in read_facts(ledger, session)]
    intents = [event.request.client_order_id for event in known if isinstance(event, OrderSubmitted)]
    assert len(intents) == len(set(intents)), "an order was decided twice"
    fills = [event.fill for event in known if isinstance(event, OrderFilled)]
    assert max(Counter((fill.instrument, fill.trade_id) for fill in fills).values(), default=1) == 1, "a fill twice"
    filled: dict[str, Decimal] = defaultdict(Decimal)
    for fill in fills:
        filled[fill.client_order_id] += fill.quantity
    for order_id, quantity in shown.filled.items():
        assert order_id in intents, f"order {order_id} was shown as durable, and is lost"
        assert filled[order_id] >= quantity, f"a fill of {order_id} was shown as durable, and is lost"
    return last


def check_money(facts: Sequence[Fact], state: SessionState) -> None:
    """Positions and balances, added up from the fills by hand."""
    balances: dict[tuple[Venue, Currency], Decimal] = {}
    positions: dict[InstrumentKey, Decimal] = defaultdict(Decimal)
    for event in (fact.event for fact in facts):
        if isinstance(event, BalanceSet):
            assert (event.venue, event.currency) not in balances, "an opening balance was booked twice"
            balances[event.venue, event.currency] = event.amount
        elif isinstance(event, OrderFilled):
            book(event.fill, balances, positions)
    assert state.book.balances == balances
    assert {key: one.signed_quantity for key, one in state.book.positions.items()} == positions
    for order in state.orders.values():
        assert order.filled_quantity <= order.request.quantity


def book(fill: Fill, balances: dict[tuple[Venue, Currency], Decimal], positions: dict[InstrumentKey, Decimal]) -> None:
    base, quote = (Currency(name) for name in fill.instrument.symbol.split("/"))
    signed, venue = fill.side * fill.quantity, fill.instrument.venue
    balances[venue, base] += signed
    balances[venue, quote] -= signed * fill.price
    balances[venue, fill.fee_currency] -= fill.fee
    positions[fill.instrument] += signed - (fill.fee if fill.fee_currency == base else 0)


def begin(configuration: Path) -> None:
    """A first life: its sessions trade before it is killed."""
    with Engine(configuration) as engine, engine.client() as client:
        until(lambda: all(one.state == "live" for one in client.health().feeds), "feeds are live")
        for name, symbol in SESSIONS.items():
            client.start_session(busy_session(name, *VENUES, symbol=symbol))
        until(lambda: have_traded(client.sessions()), "both sessions have traded")
        engine.kill()


def have_traded(sessions: Sequence[SessionSummary]) -> bool:
    return all(one.signals > 0 and one.fees for one in sessions)


def end_well(configuration: Path, shown: Shown) -> None:
    """A last life that ends in order: it goes on with all that was before, and trades again."""
    with Engine(configuration) as engine, engine.client() as client:
        running = [SessionStatus.RUNNING] * len(SESSIONS)
        until(lambda: [one.status for one in client.sessions()] == running, "sessions run after the kills")
        before = {one.session: one.signals for one in client.sessions()}
        until(
            lambda: all(one.signals > before[one.session] for one in client.sessions()), "they trade again", DECIDES_S
        )
        assert client.health().recorder is not None
        assert client.health().recorder.last_gap_ns is not None, "the gap of the recording is not shown"
        shown.look(client)
        assert engine.end() == 0


@pytest.mark.parametrize("kills", [5, pytest.param(50, marks=[pytest.mark.slow, pytest.mark.soak])])
def test_an_engine_killed_at_any_moment_loses_and_doubles_nothing(tmp_path: Path, kills: int) -> None:
    moments, shown = random.Random(kills), Shown()
    with Venues(tmp_path, ",".join(VENUES), quotes_per_second=QUOTES_PER_SECOND) as venues:
        configuration = write_configuration(tmp_path, venues)
        begin(configuration)
        last: dict[SessionId, tuple[int, bytes]] = {}
        for _ in range(kills):
            ledger = run_and_kill(configuration, moments.uniform(0, LONGEST_LIFE_S), shown)
            for session, (position, row_hash) in last.items():
                kept = next(row for row in read_rows(ledger, session) if row.position == position)
                assert kept.hash == row_hash, "a durable row was changed by a restart"
            last = check(ledger, shown)
        end_well(configuration, shown)
    check(ledger, shown)
    store = HistoryStore(tmp_path / "home" / "history")
    check_runs(ledger, store, shown)
    check_recording(store, kills)


def check_runs(ledger: Path, store: HistoryStore, shown: Shown) -> None:
    """Each run can be verified, and names the time before it that nobody watched."""
    ends: dict[SessionId, int] = {}
    for run in read_runs(ledger):
        facts = [row for row in read_rows(ledger, run.session_id, run.run_id)]
        manifest = read_manifest(run.manifest)
        if run.session_id in ends:
            assert manifest.gap_ns is not None
            assert ends[run.session_id] <= manifest.gap_ns[0] < manifest.gap_ns[1]
        if run.run_id in shown.gaps:
            assert shown.gaps[run.run_id] == manifest.gap_ns
        if not facts:
            continue
        ends[run.session_id] = max(fact.ts_received for fact in facts)
        found = verify(ledger, run.run_id, store)
        assert found.inputs + found.decisions + found.beyond == len(facts)
        assert found.inputs, "nothing was compared"
    assert shown.gaps.keys() & {run.run_id for run in read_runs(ledger)}, "no run was ever shown"


def check_recording(store: HistoryStore, kills: int) -> None:
    """Each life that recorded rows left a gap before the next; no row lies in one."""
    recording = store.recording()
    assert recording.gap_count >= kills / 4
    for venue in VENUES:
        key = InstrumentKey(Venue(venue), Symbol("BTC/USDT"))
        received = store.rows(key, HistoryKind.QUOTES, 0, as_recorded=True)["ts_received"]
        for gap in recording.gaps:
            assert gap.from_ns is not None and gap.to_ns is not None
            assert not ((received > gap.from_ns) & (received < gap.to_ns)).any(), f"rows within the gap {gap}"
