"""Verify finds the first decision that differs, and says what and where."""

import hashlib
import sqlite3
from dataclasses import replace
from pathlib import Path

import pytest

from tests.faults.paper_process import request
from tests.faults.test_kill import write_history
from workstation.errors import BadInput, JournalCorrupt, RunNotFound, VerifyMismatch
from workstation.history.store import HistoryStore
from workstation.ledger.journal import Ledger, read_facts
from workstation.model.events import OrderSubmitted
from workstation.model.ids import RunId, SessionId
from workstation.research.replay import replay
from workstation.research.verify import verify
from workstation.session.state import fold, snapshot


@pytest.fixture(scope="module")
def recorded(tmp_path_factory) -> tuple[Path, HistoryStore]:
    """A ledger with one finished run, and its history."""
    folder = tmp_path_factory.mktemp("recorded")
    store = write_history(folder)
    with Ledger.open(folder / "ledger.db") as ledger:
        replay(store, request("s"), ledger=ledger)
    return folder / "ledger.db", store


def test_a_run_verifies_decision_by_decision(recorded):
    ledger, store = recorded
    checked = verify(ledger, RunId("s.1"), store)
    facts = list(read_facts(ledger, SessionId("s")))
    assert checked.inputs + checked.decisions == len(facts)
    assert checked.is_same_code


def test_a_session_that_goes_on_is_another_run_and_verifies_too(recorded):
    ledger, store = recorded
    with Ledger.open(ledger) as opened:
        before = snapshot(fold(opened.facts(SessionId("s"))))
        result = replay(store, request("s"), ledger=opened)
    assert result.manifest.run_id == "s.2"
    state = fold(read_facts(ledger, SessionId("s")))
    assert snapshot(state) == snapshot(result.state)
    assert before != snapshot(state)  # a start is a fact
    verify(ledger, RunId("s.2"), store)
    verify(ledger, RunId("s.1"), store)


def test_another_history_gives_another_decision_and_the_sentence_names_both(recorded, tmp_path):
    ledger, _ = recorded
    other = HistoryStore(tmp_path / "history")
    write_history(tmp_path, seed=12)
    with pytest.raises(
        VerifyMismatch,
        match=r"run s\.1, position \d+: the journal has \w+ .* inputs now give another [a-z_]+\S*: .*\(journal: ",
    ):
        verify(ledger, RunId("s.1"), other)


def test_an_unknown_run_names_the_nearest(recorded):
    with pytest.raises(RunNotFound, match=r"s\.1"):
        verify(recorded[0], RunId("s.11"), recorded[1])


def test_a_corrupt_journal_row_is_named_and_nothing_is_changed(recorded, tmp_path):
    copy = tmp_path / "ledger.db"
    with sqlite3.connect(recorded[0]) as source, sqlite3.connect(copy) as target:
        source.backup(target)
    connection = sqlite3.connect(copy)
    for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
        connection.execute(f"DROP TRIGGER {name}")
    connection.execute("UPDATE journal SET body = replace(body, '\"by\"', '\"BY\"') || ' ' WHERE position = 9")
    connection.commit()
    connection.close()
    digest = hashlib.sha256(copy.read_bytes()).hexdigest()
    with pytest.raises(JournalCorrupt, match="position 9"):
        verify(copy, RunId("s.1"), recorded[1])
    assert hashlib.sha256(copy.read_bytes()).hexdigest() == digest


def test_an_instrument_that_nothing_feeds_is_refused(recorded, tmp_path):
    lonely = replace(request("x"), sources=request("x").sources[:1])
    with pytest.raises(BadInput, match="orion:BTC/USDT:USDT is fed nothing; its orders fill on quotes"):
        replay(recorded[1], lonely)


def test_durable_and_written_behind_decide_the_same(recorded, tmp_path):
    _, store = recorded
    intents = []
    for name, is_durable in (("a", True), ("b", False)):
        with Ledger.open(tmp_path / f"{name}.db") as ledger:
            replay(store, request("s"), ledger=ledger, is_durable=is_durable)
        facts = read_facts(tmp_path / f"{name}.db", SessionId("s"))
        intents.append([fact.event.request for fact in facts if isinstance(fact.event, OrderSubmitted)])
    assert intents[0] == intents[1] and len(intents[0]) > 50


def test_a_manifest_that_was_tampered_with_is_named(recorded, tmp_path):
    copy = tmp_path / "ledger.db"
    with sqlite3.connect(recorded[0]) as source, sqlite3.connect(copy) as target:
        source.backup(target)
    connection = sqlite3.connect(copy)
    for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
        connection.execute(f"DROP TRIGGER {name}")
    original = connection.execute("SELECT manifest FROM run WHERE run_id = 's.1'").fetchone()[0]
    connection.execute("UPDATE run SET manifest = ? WHERE run_id = 's.1'", (b"{}",))
    connection.commit()
    with pytest.raises(JournalCorrupt, match="run manifest"):
        verify(copy, RunId("s.1"), recorded[1])
    changed = original.replace(b'"latency_ns":50000000', b'"latency_ns":60000000')
    connection.execute("UPDATE run SET manifest = ? WHERE run_id = 's.1'", (changed,))
    connection.commit()
    connection.close()
    with pytest.raises(VerifyMismatch, match="names its manifest"):
        verify(copy, RunId("s.1"), recorded[1])
