"""Snapshots of sessions that trade: made between turns, and never of what the journal may lack."""

import asyncio
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.engine.bench import Bench, a_bench
from tests.session.desks import random_quotes
from workstation.engine import sessions as engine_sessions
from workstation.engine.live_session import LiveSession
from workstation.errors import JournalWriteFailed
from workstation.model.events import SessionPaused
from workstation.session import identity
from workstation.session.recovery import recovered_state
from workstation.session.state import snapshot, snapshot_pieces

ROWS = random_quotes(5, 2_000)


@pytest.fixture
def bench(tmp_path: Path):
    with a_bench(tmp_path / "home") as bench:
        yield bench


@pytest.fixture
def live(bench: Bench) -> LiveSession:
    """It has traded."""
    live = bench.start()
    bench.play(ROWS)
    return live


def save_and_meanwhile(bench: Bench, live: LiveSession, happens: Callable[[], None]) -> int:
    """Saves, and lets something happen between two pieces; how often others could run."""
    pieces = len(list(snapshot_pieces(live.session.state)))

    async def save() -> int:
        runs, saving = 0, asyncio.create_task(bench.sessions.save(live))
        while not saving.done():
            await asyncio.sleep(0)
            runs += 1
            if runs == pieces // 2:
                happens()
        await saving
        return runs

    runs = asyncio.run(save())
    assert runs >= pieces
    return runs


def test_others_run_after_each_piece_and_the_snapshot_is_of_when_it_began(bench: Bench, live: LiveSession) -> None:
    before, facts = snapshot(live.session.state), live.session.state.facts
    save_and_meanwhile(bench, live, lambda: bench.turns.inject(live, SessionPaused(by="me")))
    bench.ledger.flush()
    saved = bench.ledger.latest_snapshot(live.session_id)
    assert saved is not None
    assert saved[0] == facts - 1 and saved[1].endswith(before)
    assert live.session.state.facts == facts + 1
    assert snapshot(recovered_state(bench.ledger, live.session_id)) == snapshot(live.session.state)


def test_nothing_is_saved_of_a_session_that_breaks_while_its_snapshot_is_made(bench: Bench, live: LiveSession) -> None:
    save_and_meanwhile(bench, live, lambda: live.break_off(JournalWriteFailed("the disk is full")))
    bench.ledger.flush()
    assert bench.ledger.latest_snapshot(live.session_id) is None


def test_the_more_a_snapshot_holds_the_more_facts_it_waits_for(
    bench: Bench, live: LiveSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine_sessions, "SAVE_EVERY_FACTS", 10)
    orders, facts = len(live.session.state.orders), live.session.state.facts
    assert 10 < orders < facts
    live.saved_facts = facts - orders + 1
    asyncio.run(bench.sessions.save_if_due(live))
    assert live.saved_facts < facts
    live.saved_facts = facts - orders
    asyncio.run(bench.sessions.save_if_due(live))
    assert live.saved_facts == facts


def test_a_snapshot_bears_the_code_that_ran_and_not_the_one_that_came_to_the_disk_since(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    hashes = (identity.code_hash, identity.fold_hash)
    code = tmp_path / "code"
    code.mkdir()
    (code / "errors.py").write_text("before = True")
    monkeypatch.setattr(identity, "PACKAGE", code)
    for each in hashes:
        each.cache_clear()
    try:
        with a_bench(tmp_path / "home") as bench:
            (code / "errors.py").write_text("before = False")
            live = bench.start()
            bench.play(ROWS[:100])
            asyncio.run(bench.sessions.save(live))
            bench.ledger.flush()
            identity.fold_hash.cache_clear()  # as the next process has it
            saved = bench.ledger.latest_snapshot(live.session_id)
            assert saved is not None and not saved[1].startswith(identity.fold_hash().encode())
    finally:
        for each in hashes:
            each.cache_clear()
