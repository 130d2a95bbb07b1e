"""Kill -9 at random moments: nothing is lost, nothing is doubled, and every run can be verified."""

import hashlib
import random
import signal
import time
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from tests.faults.forked import fork
from tests.faults.paper_process import trade
from tests.session.desks import NOVA, ORION, linear, random_quotes
from workstation.history.layout import HistoryKind, Series
from workstation.history.segments import SCHEMAS, Source
from workstation.history.store import HistoryStore
from workstation.ledger.journal import read_facts, read_runs
from workstation.model.events import OrderFilled, OrderSubmitted
from workstation.model.ids import SessionId
from workstation.model.instrument import InstrumentKey
from workstation.model.market import Rows
from workstation.research.verify import verify
from workstation.session.state import fold, snapshot

KILLS = 50
ROWS = 6000


def write_history(folder: Path, seed: int = 11, with_trades: bool = False) -> HistoryStore:
    """Quotes of both venues; trades at the first one's mids where asked for."""
    rows = random_quotes(seed, ROWS)
    store = write_quotes(folder, rows, seed)
    if with_trades:
        write_trades(store, rows, seed)
    return store


def write_quotes(folder: Path, rows: Rows, seed: int = 11) -> HistoryStore:
    """A history of the quotes in `rows`, of instruments 0 and 1."""
    store = HistoryStore(folder / "history")
    for number, key in enumerate((NOVA, ORION)):
        store.put_instrument(linear(key))
        mine = rows[rows["instrument"] == number]
        quoted = {"bid": mine["x0"], "ask": mine["x1"], "bid_quantity": mine["x2"], "ask_quantity": mine["x3"]}
        write(store, HistoryKind.QUOTES, key, {"ts_received": mine["ts_received"], **quoted}, seed)
    return store


def write_trades(store: HistoryStore, rows: Rows, seed: int = 11) -> None:
    """Trades at the mids of every other quote of instrument 0."""
    mine = rows[rows["instrument"] == 0][::2]
    price, sells = np.round((mine["x0"] + mine["x1"]) / 2, 2), np.zeros(len(mine), bool)
    traded = {"price": price, "quantity": np.maximum(mine["x2"], 0.001), "seller_takes": sells}
    write(store, HistoryKind.TRADES, NOVA, {"ts_received": mine["ts_received"], **traded}, seed)


def write(store: HistoryStore, kind: HistoryKind, key: InstrumentKey, columns: dict[str, Any], seed: int) -> None:
    schema, count = SCHEMAS[kind], len(columns["ts_received"])
    arrays = [pa.array(columns[f.name], f.type) if f.name in columns else pa.nulls(count, f.type) for f in schema]
    content_hash = hashlib.sha256(f"{kind} {key} {seed}".encode()).hexdigest()
    source = Source(name="test", content_hash=content_hash, written_by="test")
    store.write(Series(kind=kind, key=key), pa.table(arrays, schema=schema), source)


def run_and_kill(folder: Path, session_id: str, orders: int | None, *, is_durable: bool = True) -> tuple[str, bool]:
    """Kills the process at the moment when it has sent `orders` more orders, wherever it is then; None lets it end.

    The hash of the state that it folded at its start, and whether it came to its end before the kill.
    """
    before = len(sent_orders(folder, session_id))
    process, told = fork(trade, folder, session_id, is_durable, log=folder / "paper.log")
    with told:
        folded = told.recv()
        while orders is not None and process.is_alive() and len(sent_orders(folder, session_id)) < before + orders:
            time.sleep(0.0005)
        if orders is not None:
            process.kill()
        try:
            ended = told.recv() == "finished"
        except EOFError:
            ended = False
        process.join()
    assert process.exitcode in (0, -signal.SIGKILL), (folder / "paper.log").read_text()
    return folded, ended


def sent_orders(folder: Path, session_id: str) -> list[str]:
    path = folder / f"{session_id}.venue"
    return [line.split()[0] for line in path.read_text().splitlines()] if path.exists() else []


def check(folder: Path, session_id: str) -> tuple[str, set[str]]:
    """The invariants of what a killed process left; the hash of its state, and the orders that left without intent."""
    facts = list(read_facts(folder / "ledger.db", SessionId(session_id)))
    state = fold(facts)
    intents = [f.event.request.client_order_id for f in facts if isinstance(f.event, OrderSubmitted)]
    assert max(Counter(intents).values(), default=1) == 1, "an intent was journaled twice"
    sent = sent_orders(folder, session_id)
    assert max(Counter(sent).values(), default=1) == 1, "an order was sent twice"
    trades = [f.event.fill.trade_id for f in facts if isinstance(f.event, OrderFilled)]
    assert len(trades) == len(set(trades)), "a fill was booked twice"
    return hashlib.sha256(snapshot(state)).hexdigest(), set(sent) - set(intents)


@pytest.mark.slow
def test_fifty_kills_lose_and_double_nothing(tmp_path):
    store = write_history(tmp_path)
    moments = random.Random(7)
    session, kills, before = 0, 0, hashlib.sha256(snapshot(fold([]))).hexdigest()
    while kills < KILLS:
        name = f"s{session}"
        folded, ended = run_and_kill(tmp_path, name, moments.randrange(45))
        assert folded == before, "the restart folded to another state"
        before, orphans = check(tmp_path, name)
        assert not orphans, "an order left before its intent was durable"
        kills += not ended
        if ended:
            session, before = session + 1, hashlib.sha256(snapshot(fold([]))).hexdigest()
    runs = read_runs(tmp_path / "ledger.db")
    for run in runs:
        if any(True for _ in read_facts(tmp_path / "ledger.db", run.session_id, start=run.started_position)):
            verify(tmp_path / "ledger.db", run.run_id, store)
    assert session >= 1, "some sessions came to their end in spite of it"


@pytest.mark.slow
def test_without_write_ahead_a_kill_leaves_orders_that_nobody_decided(tmp_path):
    """The check of the test above can fail: with the journal written behind, it does."""
    write_history(tmp_path)
    moments = random.Random(3)
    orphans: set[str] = set()
    for attempt in range(10):
        run_and_kill(tmp_path, f"s{attempt}", moments.randrange(1, 45), is_durable=False)
        orphans |= check(tmp_path, f"s{attempt}")[1]
        if orphans:
            return
    assert orphans
