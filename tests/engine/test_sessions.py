"""Sessions of an engine: how they start, go on after a crash, break alone, and end. No sockets."""

import asyncio
import time
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import numpy as np
import pytest

from tests.engine.bench import Bench, a_bench, journal_away
from tests.session.desks import NOVA, ORION, linear, random_quotes
from workstation.client.messages import SessionStatus
from workstation.errors import BadInput, RetryError, SessionExists, SessionNotFound, WorkstationError
from workstation.history.live_log import LIVE_FOLDER, logs_in
from workstation.model.durations import SECOND_NS
from workstation.model.events import (
    CancelRequested,
    EntryRefused,
    FeedLagChanged,
    GroupOpened,
    InstrumentListed,
    OrderFilled,
    OrderSubmitted,
    RunStarted,
    SessionHalted,
    SessionPaused,
    SessionResumed,
    SessionStopped,
)
from workstation.model.instrument import InstrumentKey
from workstation.strategies import catalog
from workstation.strategies.spread_reversion import SpreadReversion

ROWS = random_quotes(5, 3_000)
NOVA_ETH = InstrumentKey(NOVA.venue, "ETH/USDT:USDT")


@pytest.fixture
def bench(tmp_path: Path):
    with a_bench(tmp_path / "home") as bench:
        yield bench


def test_a_session_trades_and_its_run_verifies(bench: Bench) -> None:
    bench.start()
    bench.play(ROWS)
    assert len(bench.events(GroupOpened)) > 3
    verified = bench.verify_all()["s.1"]
    assert verified.decisions > 20 and verified.beyond == 0


def test_contracts_of_another_size_than_1_are_not_traded_and_the_name_stays_free(tmp_path: Path) -> None:
    """What is displayed is in base currency, and an order would count contracts."""
    with a_bench(tmp_path / "home", [linear(NOVA, contract_size=Decimal("0.0001")), linear(ORION)]) as bench:
        with pytest.raises(BadInput, match=r"nova:BTC/USDT:USDT: contract_size 0.0001: expected 1"):
            bench.start()
        with pytest.raises(SessionNotFound):
            bench.sessions.of("s")


def test_a_run_verifies_while_others_move_its_numbers_and_its_deadlines_fall_between_their_rows(tmp_path: Path) -> None:
    """Entry timeouts take numbers behind whatever row came last: also rows of instruments that it does not look at."""
    others = [InstrumentKey(key.venue, "ETH/USDT:USDT") for key in (NOVA, ORION)]
    instruments = [linear(others[0]), linear(others[1], base="ETH"), linear(NOVA), linear(ORION)]
    with a_bench(tmp_path / "home", instruments) as bench:
        bench.start("other", symbol="ETH/USDT:USDT")
        bench.start("s", entry_timeout_ms=30, latency_ms=60)  # every entry is given up before it is filled
        rows = random_quotes(6, 4_000, 4, step_ns=9_000_000)
        rows["instrument"] = np.array([2, 3, 0, 1])[rows["instrument"]]
        bench.play(rows, keys=(*others, NOVA, ORION))
        bench.wait(5)
        verified = bench.verify_all()
        assert len(bench.events(GroupOpened)) > 3 and len(bench.events(GroupOpened, "other")) > 0
        assert verified["s.1"].beyond == verified["other.1"].beyond == 0


def test_rules_that_change_while_it_trades_are_told_to_a_session_and_outlive_a_restart(tmp_path: Path) -> None:
    coarse = linear(NOVA, lot_size=Decimal("0.007"), taker_fee_rate=Decimal("0.01"), valid_from_ns=7)
    with a_bench(tmp_path / "home") as bench:
        bench.start()
        bench.play(ROWS[:1_000])
        before = len(bench.facts())
        for instrument in (linear(NOVA, valid_from_ns=7), coarse, coarse, linear(NOVA_ETH)):
            bench.sessions.rules_are(instrument)
        told = [fact.event.instrument for fact in bench.facts()[before:] if isinstance(fact.event, InstrumentListed)]
        assert told == [replace(coarse, taker_fee_rate=linear().taker_fee_rate)]
        bench.play(ROWS[1_000:])
        later = [one.event.request for one in bench.facts()[before:] if isinstance(one.event, OrderSubmitted)]
        assert {one.snapshot_id for one in later if one.instrument == NOVA} == {coarse.snapshot_id}
        assert {one.quantity % coarse.lot_size for one in later if not one.is_reduce_only} == {0}
        assert bench.verify_all()["s.1"].beyond == 0
        home = bench.crashed(tmp_path / "again")
    with a_bench(home, now_ns=int(ROWS["ts_received"][-1]) + SECOND_NS) as bench:
        bench.recover()
        assert bench.sessions.of("s").session.state.instruments[NOVA] == told[0]


def test_a_name_is_given_once(bench: Bench) -> None:
    bench.start("one")
    with pytest.raises(SessionExists, match="session one"):
        bench.start("one")


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"venues": ("nova", "vega")}, "venue vega"),
        ({"venues": ("nova",)}, "expected 2"),
        ({"strategy": "spread-reversal"}, "did you mean"),
        ({"parameters": {"entry_zz": 1}}, "entry_zz"),
        ({"interval": "1m"}, "interval"),
        ({"strategy": "ma-cross", "venues": ("nova",), "parameters": {}}, "no interval"),
        ({"strategy": "ma-cross", "venues": ("nova",), "parameters": {}, "interval": "7m"}, "7m"),
        ({"symbol": "DOGE/USDT:USDT"}, "DOGE"),
    ],
)
def test_a_declaration_that_cannot_be_is_refused_and_leaves_the_name_free(bench: Bench, changes, words) -> None:
    with pytest.raises(WorkstationError, match=words):
        bench.start("one", **changes)
    assert not bench.sessions.all()
    assert bench.start("one").status[0] is SessionStatus.RUNNING


def test_a_session_that_could_not_be_journaled_never_was(bench: Bench) -> None:
    bench.ledger._writer.failure = "disk full"  # as the writer says it
    with pytest.raises(WorkstationError, match="disk full"):
        bench.start("one")
    assert not bench.sessions.all() and not bench.market.windows.slots
    bench.ledger.resume()
    assert bench.start("one").status[0] is SessionStatus.RUNNING


def test_a_name_nobody_has_is_answered_with_those_there_are(bench: Bench) -> None:
    bench.start("one")
    with pytest.raises(SessionNotFound, match="known: one"):
        bench.sessions.of("two")


def test_a_paused_session_opens_nothing_until_it_is_resumed(bench: Bench) -> None:
    live = bench.start()
    bench.inject("s", SessionPaused(by="me", reason="lunch"))
    assert live.status == (SessionStatus.PAUSED, "lunch")
    bench.play(ROWS[:1500])
    assert bench.events(EntryRefused) and not bench.events(GroupOpened)
    bench.inject("s", SessionResumed(by="me"))
    bench.play(ROWS[1500:])
    assert bench.events(GroupOpened)
    assert bench.verify_all()["s.1"].beyond == 0


def test_a_stop_that_flattens_closes_what_is_open_and_gives_the_market_back(bench: Bench) -> None:
    live = bench.start()
    play_until_open(bench)
    bench.inject("s", SessionStopped(by="me", flatten=True))
    assert live.status == (SessionStatus.STOPPED, "still closing")
    bench.play(later(ROWS[-200:], bench))
    assert live.is_over and live.status == (SessionStatus.STOPPED, "")
    assert all(not position.is_open for position in live.session.state.book.positions.values())
    asyncio.run(bench.sessions.end(live))
    assert not bench.market.windows.slots
    with pytest.raises(BadInput, match="has ended"):
        bench.inject("s", SessionPaused(by="me"))
    assert bench.verify_all()["s.1"].beyond == 0


def test_a_stop_that_leaves_a_position_says_so(bench: Bench) -> None:
    live = bench.start()
    play_until_open(bench)
    bench.inject("s", SessionStopped(by="me"))
    assert live.status[1] == "1 open: stop it with flatten to close"
    bench.inject("s", SessionStopped(by="me", flatten=True))
    assert live.status[1] == "still closing"


def test_a_session_that_is_over_is_shown_after_a_restart_with_the_run_that_it_had(bench: Bench, tmp_path: Path) -> None:
    bench.start()
    bench.inject("s", SessionStopped(by="me", flatten=True))
    with a_bench(bench.crashed(tmp_path / "again")) as again:
        again.recover()
        live = again.sessions.of("s")
        assert live.status[0] is SessionStatus.STOPPED and live.manifest.run_id == "s.1"
        assert len(again.ledger.runs()) == 1


def test_a_session_that_is_being_recovered_is_not_said_to_be_unknown(bench: Bench, tmp_path: Path) -> None:
    bench.start()
    with a_bench(bench.crashed(tmp_path / "again")) as again:
        with pytest.raises(RetryError, match="session s: it is being recovered"):
            again.sessions.of("s")
        with pytest.raises(SessionNotFound, match="session t: not in this engine"):
            again.sessions.of("t")
        assert again.sessions.known("s") == "s"  # a kill does not wait for it
        again.recover()
        assert again.sessions.of("s").status[0] is SessionStatus.RUNNING
        with pytest.raises(SessionNotFound):
            again.sessions.known("t")


# -- five at once


class Raises(SpreadReversion):
    name_in_cli = "raises"

    def on_wake(self, changes, view):
        raise RuntimeError("a mistake")


class Slow(SpreadReversion):
    name_in_cli = "slow"

    def on_wake(self, changes, view):
        time.sleep(0.26)
        return super().on_wake(changes, view)


def test_of_five_sessions_each_suffers_alone_and_all_verify(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    for kind in (Raises, Slow):
        monkeypatch.setitem(catalog.STRATEGIES, kind.name_in_cli, kind)
    alone = Bench(bench.home.parent / "alone")
    alone.start("well")
    alone.play(ROWS[:400])
    expected = [(type(fact.event), fact.ts_received) for fact in alone.facts("well")]
    alone.close()

    bench.start("raises", strategy="raises")
    bench.start("slow", strategy="slow")
    bench.start("well")
    bench.start("refused")
    bench.start("other", parameters={"entry_z": 2.0, "window_minutes": 2, "min_points": 5})
    bench.ledger._writer._refused["refused"] = "the disk said no"  # as the writer refuses one session
    bench.inject("refused", SessionPaused(by="me"))
    bench.play(ROWS[:400])

    status = {live.session_id: live.status[0] for live in bench.sessions.all()}
    assert status == {
        "raises": SessionStatus.HALTED,
        "slow": SessionStatus.PAUSED,
        "well": SessionStatus.RUNNING,
        "refused": SessionStatus.BROKEN,
        "other": SessionStatus.RUNNING,
    }
    assert "a mistake" in bench.events(SessionHalted, "raises")[0].reason
    assert "budget" not in bench.events(SessionPaused, "slow")[0].reason
    assert [(type(fact.event), fact.ts_received) for fact in bench.facts("well")] == expected
    assert "the disk said no" in bench.sessions.of("refused").fault
    with pytest.raises(BadInput, match="broken"):
        bench.inject("refused", SessionPaused(by="me"))
    monkeypatch.undo()
    monkeypatch.setitem(catalog.STRATEGIES, "raises", Raises)
    monkeypatch.setitem(catalog.STRATEGIES, "slow", SpreadReversion)  # the same decisions, sooner
    assert {run: one.beyond for run, one in bench.verify_all().items()} == dict.fromkeys(
        ("raises.1", "slow.1", "well.1", "refused.1", "other.1"), 0
    )


# -- a journal that fails


def test_after_a_full_disk_every_session_goes_on_from_its_journal(bench: Bench) -> None:
    """Also one that had not noticed: its last facts are not in the journal, so it may not believe them."""
    bench.start("one")
    bench.start("quiet", parameters={"entry_z": 50.0, "window_minutes": 2, "min_points": 5})
    bench.play(ROWS[:1000])
    bench.ledger.flush()
    with journal_away(bench.ledger.path):
        bench.inject("quiet", SessionPaused(by="me", reason="lost with the disk"))
        with pytest.raises(WorkstationError):
            bench.ledger.flush()
        bench.play(ROWS[1000:2000])
        one, quiet = bench.sessions.of("one"), bench.sessions.of("quiet")
        assert one.was_journal_fault and quiet.fault is None
        with pytest.raises(WorkstationError):
            asyncio.run(bench.sessions.mend())
        assert bench.sessions.needs_mending
    asyncio.run(bench.sessions.mend())
    assert not bench.sessions.needs_mending
    assert bench.sessions.of("quiet").status[0] is SessionStatus.RUNNING
    assert bench.sessions.of("one").status[0] is SessionStatus.RUNNING
    bench.play(ROWS[2000:])
    runs = [run.run_id for run in bench.ledger.runs()]
    assert {"one.1", "quiet.1"} < set(runs) and len(bench.events(RunStarted, "one")) == 2
    assert all(one.beyond == 0 for one in bench.verify_all().values())
    slots = set(bench.market.windows.slots)
    assert len(slots) == 2  # nothing of the lost ones was kept


# -- a restart, anywhere


@pytest.mark.parametrize("cut", [40, 333, 777, 1201, 1500, 2222])
def test_a_session_that_was_killed_goes_on_with_what_it_had(bench: Bench, tmp_path: Path, cut: int) -> None:
    bench.start()
    bench.play(ROWS[:cut])
    before, signals = bench.sessions.of("s").session.state, list(bench.sessions.of("s").signals)
    with a_bench(bench.crashed(tmp_path / "again"), now_ns=bench.clock.time_ns + SECOND_NS) as again:
        again.recover()
        after = again.sessions.of("s").session.state
        shown = [one for one in again.sessions.of("s").signals if one in signals]
        assert shown == signals[-len(shown) :] and len(shown) >= min(len(signals), 50)
        assert after.conditions == before.conditions
        assert after.groups == before.groups and after.orders == before.orders
        assert after.book.snapshot() == before.book.snapshot()
        again.play(later(ROWS[cut:], again))
        sent = [event.request.client_order_id for event in again.events(OrderSubmitted)]
        filled = [event.fill.trade_id for event in again.events(OrderFilled)]
        assert len(set(sent)) == len(sent) and len(set(filled)) == len(filled)
        assert {run: one.beyond for run, one in again.verify_all().items()} == {"s.1": 0, "s.2": 0}
        assert all(order.is_final for order in after.orders.values() if order.updated_ns < before.last_ns)


def test_an_order_on_its_way_when_the_process_was_killed_is_filled_once(bench: Bench, tmp_path: Path) -> None:
    bench.start(latency_ms=5_000)
    for row in ROWS:
        bench.play(row.reshape(1))
        if bench.sessions.of("s").session.state.orders:
            break
    assert not bench.events(OrderFilled)
    with a_bench(bench.crashed(tmp_path / "again"), now_ns=bench.clock.time_ns + SECOND_NS) as again:
        again.recover()
        again.play(later(ROWS[-400:], again))
        again.wait(6)
        by_order = [event.fill.client_order_id for event in again.events(OrderFilled)]
        for order_id in list(again.sessions.of("s").session.state.orders)[:2]:
            assert order_id in by_order
        assert all(one.beyond == 0 for one in again.verify_all().values())


@pytest.mark.parametrize("does_go_on", [False, True])
def test_what_was_decided_on_rows_that_the_recording_lost_is_counted_and_the_rest_verifies(
    bench: Bench, tmp_path: Path, does_go_on: bool
) -> None:
    bench.start()
    bench.play(ROWS[:800])
    bench.recorder.sync()
    (log,) = logs_in(bench.home / "history" / LIVE_FOLDER)
    kept = log.stat().st_size
    bench.play(ROWS[800:1600])
    home = bench.crashed(tmp_path / "again")
    path = home / "history" / LIVE_FOLDER / log.name
    with path.open("r+b") as file:
        file.truncate(kept)
    with a_bench(home, now_ns=bench.clock.time_ns + SECOND_NS) as again:
        again.recover()
        if does_go_on:
            again.play(later(ROWS[1600:], again))
        verified = again.verify_all()
        assert verified["s.1"].beyond > 10 and verified["s.1"].decisions > 3
        assert verified["s.2"].beyond == 0


def test_one_session_that_cannot_go_on_keeps_no_other_from_it(bench: Bench, tmp_path: Path) -> None:
    bench.start("one")
    bench.start("two", venues=("orion", "nova"))
    home = bench.crashed(tmp_path / "again")
    with a_bench(home, [linear(NOVA)]) as again:  # orion was taken out of the configuration
        again.recover()
        assert set(again.sessions.lost) == {"one", "two"}
        assert "venue orion" in again.sessions.lost["one"]


def test_a_session_killed_while_late_enters_again_when_it_is_in_time(bench: Bench, tmp_path: Path) -> None:
    bench.start()
    bench.turns.is_journal_late = True
    bench.wait(1)
    assert bench.sessions.of("s").session.state.is_lagging
    with a_bench(bench.crashed(tmp_path / "again"), now_ns=bench.clock.time_ns + SECOND_NS) as again:
        again.recover()
        assert not again.sessions.of("s").session.state.is_lagging
        again.play(later(ROWS, again))
        assert again.events(GroupOpened)
        assert all(one.beyond == 0 for one in again.verify_all().values())


def test_what_time_alone_decided_behind_the_last_row_verifies(bench: Bench) -> None:
    bench.start(latency_ms=5_000, entry_timeout_ms=1_000)
    for row in ROWS:
        bench.play(row.reshape(1))
        if bench.sessions.of("s").session.state.groups:
            break
    bench.wait(2)  # the entry is given up
    bench.inject("s", SessionPaused(by="me"))
    bench.wait(10)
    assert bench.events(CancelRequested)
    assert bench.verify_all()["s.1"].beyond == 0


# -- lag


def test_rows_that_waited_too_long_stop_entries_until_data_are_in_time(bench: Bench) -> None:
    bench.start()
    bench.play(ROWS[:500])
    opened = len(bench.events(GroupOpened))
    for row in later(ROWS[500:560], bench):
        bench.clock.time_ns = int(row["ts_received"])
        bench.tell(row)
    bench.wait(2)
    assert bench.events(FeedLagChanged)[-1].is_lagging and bench.channel.conflated > 50
    assert bench.sessions.of("s").status[1] == "lagging: no entries"
    bench.wait(0.1)
    assert not bench.events(FeedLagChanged)[-1].is_lagging
    bench.turns.is_journal_late = True
    bench.play(later(ROWS[560:2000], bench))
    assert len(bench.events(GroupOpened)) == opened
    assert {event.limit for event in bench.events(EntryRefused)} == {"lagging"}
    bench.turns.is_journal_late = False
    bench.play(later(ROWS[2000:], bench))
    assert len(bench.events(GroupOpened)) > opened
    assert bench.verify_all()["s.1"].beyond == 0


def test_a_run_verifies_when_its_recording_was_rolled_and_goes_on(bench: Bench) -> None:
    bench.start()
    bench.play(ROWS[:1000])
    bench.recorder.roll()
    bench.play(ROWS[1000:2000])
    assert bench.verify_all()["s.1"].beyond == 0
    bench.recorder.roll()
    bench.play(ROWS[2000:])
    assert bench.verify_all()["s.1"].beyond == 0


def test_a_second_session_takes_the_windows_that_the_first_one_runs(bench: Bench) -> None:
    bench.start("one")
    bench.play(ROWS[:1000])
    bench.start("two")
    bench.play(ROWS[1000:])
    assert len(bench.market.windows.slots) == 1
    assert {run: one.beyond for run, one in bench.verify_all().items()} == {"one.1": 0, "two.1": 0}
    assert len(bench.events(GroupOpened, "two")) > 2


def later(rows, bench: Bench):
    """The same rows, from a moment behind the bench's on."""
    moved = rows.copy()
    moved["ts_received"] += max(bench.clock.time_ns + 1_000_000 - int(rows["ts_received"][0]), 0)
    return moved


def play_until_open(bench: Bench) -> None:
    for row in ROWS:
        bench.play(row.reshape(1))
        state = bench.sessions.of("s").session.state
        if any(group.status == "open" for group in state.groups.values()):
            return
    raise AssertionError("nothing was opened")


class Watches(SpreadReversion):
    name_in_cli = "watches"
    is_woken_by_every_row = True


def test_a_strategy_that_is_woken_by_every_row_verifies_after_a_restart_too(
    bench: Bench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(catalog.STRATEGIES, "watches", Watches)
    bench.start(strategy="watches")
    bench.play(ROWS[:700])
    with a_bench(bench.crashed(tmp_path / "again"), now_ns=bench.clock.time_ns + SECOND_NS) as again:
        again.recover()
        again.play(later(ROWS[700:1400], again))
        assert again.events(GroupOpened)
        assert {run: one.beyond for run, one in again.verify_all().items()} == {"s.1": 0, "s.2": 0}
